/** Stays online so that others can fetch what this account shares. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Failure } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import { access, untilLost } from "../../owner/Session.ts"
import * as RelayPolicy from "../../profile/RelayPolicy.ts"
import { Json, note, Quantity, Sanitise, Screen, StoreWarning } from "../../terminal/output/index.ts"
import { Signals } from "../../Signals.ts"
import * as Meter from "../../terminal/progress/Meter.ts"
import { eventQueue, type Item } from "../EventQueue.ts"
import * as Delivery from "./Delivery.ts"
import * as ServedLog from "./ServedLog.ts"

/** One stretch with one owner of the profile; `lost` when that one ended. */
const runWithOwner = Effect.fnUntraced(function* (first: boolean) {
  const session = yield* access({ command: "serve", answering: true, transfers: true })
  const { chat, files } = session
  const screen = yield* Screen
  const { json } = yield* settings
  const meter = yield* Meter.open
  const log = yield* ServedLog.open(meter)
  const queue = yield* eventQueue(chat)
  if (first) {
    const [account, shares] = [yield* chat.account, (yield* chat.shared).filter(({ here }) => here)]
    const size = shares.reduce((sum, share) => sum + share.size, 0)
    const policy = RelayPolicy.parse(session.relay)
    yield* note((style) =>
      [
        `Serving ${Quantity.count(shares.length, "file")}, ${Quantity.bytes(size)}, as ${style.name(Sanitise.line(account.handle))}. ${style.dim("Ctrl-C ends.")}`,
        ...(policy === undefined ? [] : [style.dim(RelayPolicy.describe(policy))])
      ].join("\n")
    )
  }
  const line = (value: unknown) => screen.emit(`${Sanitise.json(value)}\n`)
  const onItem = (item: Item): Effect.Effect<void, Failure> => {
    switch (item._tag) {
      case "Served":
        return log.served(item)
      case "Shared":
      case "Unshared":
        return json ? line(Json.event(item)) : Effect.void
      case "PublishingFailed":
        return json
          ? line(Json.event(item))
          : meter.say(screen.errStyle.caution(`${Delivery.unpublished}: ${Sanitise.line(item.detail)}`))
      case "StoreFailing":
        return json
          ? line(Json.event(item))
          : meter.say(screen.errStyle.caution(Sanitise.line(StoreWarning.sentence(item, session.paths))))
      case "StoreRecovered":
        return json ? line(Json.event(item)) : meter.say(screen.errStyle.dim(StoreWarning.recovered))
      case "Connection":
        if (json) return line({ event: "connection", ...Json.connection(item.state) })
        if (item.state._tag === "Online") return meter.say(screen.errStyle.dim("online"))
        return item.state._tag === "Offline"
          ? meter.say(screen.errStyle.caution(`offline: ${Sanitise.line(item.state.error.detail)}; trying again`))
          : Effect.void
      default:
        return Effect.void
    }
  }
  const watching = Effect.forever(Effect.flatMap(Queue.take(queue), onItem)).pipe(
    Effect.catchIf(Cause.isDone, () => Effect.succeed("lost" as const))
  )
  return yield* Effect.raceAllFirst([
    watching,
    untilLost(session, files.serve),
    Effect.as(session.stopped, "stopped" as const)
  ])
}, Effect.scoped)

export const serve = Effect.fn("serve")(function* () {
  const signals = yield* Signals
  yield* signals.untilSignal(
    Effect.gen(function* () {
      let first = true
      while ((yield* runWithOwner(first)) === "lost") first = false
    })
  )
})
