/**
 * What a device does now and then for its account at the home: tell it whom the user blocks, remove mail that every device
 * holds, and see whether the inbox fills up.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { BlockList } from "../contacts/index.ts"
import { DevicePositions } from "./DevicePositions.ts"
import { Events } from "../internal/Events.ts"
import { BrokerLink } from "../internal/BrokerLink.ts"
import { Mailbox } from "./Mailbox.ts"
import type { Crypto } from "../../services/Crypto.ts"
import type { Session } from "../internal/Session.ts"

const hourMillis = 60 * 60 * 1_000
const dayMillis = 24 * hourMillis
/** After a failure, in milliseconds; doubled up to the second. */
const firstPauseMillis = 1_000
const longestPauseMillis = 10 * 60 * 1_000

export class Housekeeping extends Context.Service<
  Housekeeping,
  {
    /** Goes on while the scope is open. */
    run(session: Session): Effect.Effect<void, never, Scope.Scope | Crypto>
    /** Waits until a pass over the block list that began after this call has ended, whether or not the home answered. */
    readonly settled: Effect.Effect<void>
  }
>()("@kez-chat/sdk/Housekeeping") {}

const make = Effect.gen(function* () {
  const events = yield* Events
  const link = yield* BrokerLink
  const blocks = yield* BlockList
  const positions = yield* DevicePositions
  const mailbox = yield* Mailbox

  const wake = Latch.makeUnsafe(false)
  let waiting: Array<Deferred.Deferred<void>> = []
  const release = (callers: ReadonlyArray<Deferred.Deferred<void>>) => {
    for (const caller of callers) Deferred.doneUnsafe(caller, Effect.void)
  }

  const keepBlocks = Effect.fnUntraced(function* (session: Session) {
    let pauseMillis = firstPauseMillis
    while (true) {
      const connection = yield* link.online
      wake.closeUnsafe()
      const callers = waiting
      waiting = []
      const done = yield* Effect.result(blocks.pass(session, connection))
      release(callers)
      if (Result.isSuccess(done)) {
        pauseMillis = firstPauseMillis
        yield* wake.await
      } else {
        // A user who decides again is not kept waiting for the pause.
        yield* Effect.race(Effect.sleep(pauseMillis), wake.await)
        pauseMillis = Math.min(pauseMillis * 2, longestPauseMillis)
      }
    }
  })

  const lookEachHour = Effect.fnUntraced(function* (session: Session) {
    let nextDaily = 0
    while (true) {
      const connection = yield* link.online
      const now = yield* Clock.currentTimeMillis
      yield* Effect.ignore(positions.announce(session))
      if (now >= nextDaily) {
        yield* Effect.ignore(mailbox.autoTrim(session, connection))
        const seen = yield* Effect.result(mailbox.watch(connection))
        if (Result.isSuccess(seen)) nextDaily = now + dayMillis
      }
      wake.openUnsafe()
      yield* Effect.sleep(hourMillis)
    }
  })

  return Housekeeping.of({
    run: (session) =>
      Effect.gen(function* () {
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            release(waiting)
            waiting = []
          })
        )
        const listen = Stream.runForEach(events.stream, ({ _tag }) =>
          Effect.sync(() => {
            if (_tag === "Contact" || _tag === "ContactRemoved" || _tag === "Missed") wake.openUnsafe()
          })
        )
        yield* Effect.forkScoped(listen, { startImmediately: true })
        yield* Effect.forkScoped(keepBlocks(session))
        yield* Effect.forkScoped(lookEachHour(session))
      }),
    settled: Effect.gen(function* () {
      const caller = yield* Deferred.make<void>()
      waiting.push(caller)
      wake.openUnsafe()
      yield* Effect.onInterrupt(Deferred.await(caller), () =>
        Effect.sync(() => {
          waiting = waiting.filter((other) => other !== caller)
        })
      )
    })
  })
})

export const layer: Layer.Layer<Housekeeping, never, Events | BrokerLink | BlockList | DevicePositions | Mailbox> =
  Layer.effect(Housekeeping, make)
