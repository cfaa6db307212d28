/** Tells who fetches what of ours: a live line for what goes on, and a line that stays for what came to its end. */
import type { Event } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import { settings } from "../../Flags.ts"
import * as Shapes from "../../Shapes.ts"
import type { Meter } from "../../terminal/Meter.ts"
import * as Quantity from "../../terminal/Quantity.ts"
import * as Sanitise from "../../terminal/Sanitise.ts"
import { Screen } from "../../terminal/Screen.ts"
import * as Show from "../../terminal/Show.ts"

type Served = Extract<Event, { readonly _tag: "Served" }>

export interface ServedLog {
  readonly served: (event: Served) => Effect.Effect<void>
}

const keyOf = ({ share, contact }: Served): string => `${share.id} ${contact.primary}`

/** `14:03  bob@home fetched report.pdf (4.2 MB)`. */
const whole = ({ share, contact }: Served) =>
  Effect.map(Screen, ({ style }) =>
    [
      style.dim(Show.clock(Date.now())),
      style.name(Show.name(contact)),
      `fetched ${style.bold(Show.fileName(share))} (${Quantity.bytes(share.size)})`
    ].join("  ")
  )

/** Lines go to standard output; where there is a live line, through `meter`. */
export const open = (meter: Meter): Effect.Effect<ServedLog, never, Screen> =>
  Effect.gen(function* () {
    const screen = yield* Screen
    const { json } = yield* settings
    // Fetched whole in this run, so that whoever asks for the end again is told of once.
    const done = new Set<string>()
    return {
      served: (event) =>
        Effect.gen(function* () {
          if (json) return yield* screen.out(`${Sanitise.json(Shapes.event(event))}\n`)
          const { share, contact, sentBytes, totalBytes } = event
          if (sentBytes < totalBytes) {
            done.delete(keyOf(event))
            return yield* meter.show({
              label: `${Show.name(contact)} ${Show.fileName(share)}`,
              phase: "fetching",
              kind: "bytes",
              doneBytes: sentBytes,
              totalBytes
            })
          }
          if (done.has(keyOf(event))) return
          done.add(keyOf(event))
          yield* meter.clear
          yield* screen.out(`${yield* whole(event)}\n`)
        }).pipe(Effect.provideService(Screen, screen))
    }
  })
