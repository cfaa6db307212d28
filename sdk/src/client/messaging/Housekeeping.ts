/**
 * Periodic work of a device for its account at the home server: it keeps the block list there up to date, announces
 * this device's position, trims automatically, and checks whether the inbox fills up.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { BlockList } from "../contacts/index.ts"
import { DevicePositions } from "./DevicePositions.ts"
import { Events } from "../internal/Events.ts"
import { BrokerLink } from "../internal/BrokerLink.ts"
import * as KeyedWorker from "../internal/KeyedWorker.ts"
import { Mailbox } from "./Mailbox.ts"
import type { Session } from "../internal/Session.ts"

const hourMillis = 60 * 60 * 1_000
const dayMillis = 24 * hourMillis

/** The one key of the worker. */
const blockList = "block list"

const make = Effect.gen(function* () {
  const events = yield* Events
  const link = yield* BrokerLink
  const blocks = yield* BlockList
  const positions = yield* DevicePositions
  const mailbox = yield* Mailbox
  const worker = KeyedWorker.make()

  const hourly = Effect.fnUntraced(function* (session: Session) {
    let nextDaily = 0
    while (true) {
      const connection = yield* link.online
      const now = yield* Clock.currentTimeMillis
      yield* Effect.ignore(positions.announce(session))
      if (now >= nextDaily) {
        yield* Effect.ignore(mailbox.autoTrim(session, connection))
        const watched = yield* Effect.result(mailbox.watch(connection))
        if (Result.isSuccess(watched)) nextDaily = now + dayMillis
      }
      worker.hurry(blockList)
      yield* Effect.sleep(hourMillis)
    }
  })

  return {
    /** Works until the scope closes. */
    run: Effect.fnUntraced(function* (session: Session) {
      yield* worker.run({
        ready: () => Effect.asVoid(link.online),
        round: () =>
          Effect.as(
            Effect.flatMap(link.online, (connection) => blocks.pass(session, connection)),
            "idle" as const
          ),
        retry: KeyedWorker.backoff("1 second", "10 minutes")
      })
      worker.wake(blockList)
      const listen = Stream.runForEach(events.stream, ({ _tag }) =>
        Effect.sync(() => {
          // A user who decides again does not wait for the pause after a failure.
          if (_tag === "Contact" || _tag === "ContactRemoved" || _tag === "Missed") worker.hurry(blockList)
        })
      )
      yield* Effect.forkScoped(listen, { startImmediately: true })
      yield* Effect.forkScoped(hourly(session))
    }),
    /** Begins a pass over the block list, whose notes are due anew. */
    hurry: Effect.sync(() => worker.hurry(blockList)),
    /** Waits for the end of a pass over the block list that began after this call, whether or not the home answered. */
    settled: Effect.suspend(() => {
      worker.hurry(blockList)
      return worker.settled(blockList)
    })
  }
})

export class Housekeeping extends Context.Service<Housekeeping>()("@kez-chat/sdk/Housekeeping", { make }) {}

export const layer = Layer.effect(Housekeeping, make)
