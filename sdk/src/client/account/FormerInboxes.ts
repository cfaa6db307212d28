/**
 * Takes in the mail of the keys that the account had before, which only they can open, as long as the home retains it
 * (spec/broker.md, Keys that handed over). Each has a connection of its own, next to that of the account.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { Identity } from "../../crypto/Identity.ts"
import { Broker, type BrokerConnection } from "../../services/Broker.ts"
import { Directory } from "../../services/Directory.ts"
import { Ledger } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"
import { Inbox, isMoved, Position } from "../messaging/index.ts"

const { key } = Rows

/** Retention of a home that does not say its own (spec/broker.md, Limits). */
const defaultRetentionDays = 30

/** Waits until the connection is there; whether the home lets this key in no more, since nothing of it is retained. */
const isShutOut = (connection: BrokerConnection): Effect.Effect<boolean> =>
  connection.state.pipe(
    Stream.filter(
      (state) => state._tag === "Online" || (state._tag === "Offline" && state.error.reason === "unauthorized")
    ),
    Stream.runHead,
    Effect.map((state) => Option.isSome(state) && state.value._tag === "Offline")
  )

/** Takes in all that is there after this device's position, page by page. */
const drain = Effect.fnUntraced(function* (session: Session, connection: BrokerConnection) {
  const ledger = yield* Ledger
  const inbox = yield* Inbox
  const positionKey = key.formerPosition(session.identity.key.hex)
  let position = (yield* ledger.get(positionKey, Rows.Position)) ?? Position.start
  while (true) {
    const fetched = yield* Effect.result(connection.fetch(position.base, position.epoch))
    if (fetched._tag === "Failure") {
      if (isMoved(fetched.failure)) return
      return yield* fetched.failure
    }
    const page = fetched.success
    if (Position.isOtherStream(position, page) || Position.isBeyondEnd(position, page)) position = Position.start
    const end = page.frames.at(-1)?.seq
    if (end === undefined || end <= position.base) return
    const taken = new Set(position.ahead)
    const opened = yield* inbox.open(session, page.frames)
    const next = { ...Position.afterFetched(position, end), epoch: page.epoch }
    const fresh = opened.filter(({ seq }) => seq > position.base && !taken.has(seq))
    yield* inbox.take(session, page.epoch, fresh, next, positionKey)
    position = next
  }
})

/** Pause before the second look, for what was on its way when the key was handed over. */
const settlePause = "1 minute"
/** Pause after a refusal that need not mean that retention has ended. */
const refusedPause = "1 hour"

const retried = Effect.retry(Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("5 minutes")]))

/** Takes in what is left of one key. Until it was seen twice that nothing is, every start looks again. */
const follow = Effect.fnUntraced(function* (current: Session, identity: Identity) {
  const broker = yield* Broker
  const directory = yield* Directory
  const ledger = yield* Ledger
  const formerKey = key.former(identity.key.hex)
  const row = yield* ledger.get(formerKey, Rows.Former)
  if (row === undefined || row.drained === true) return
  const session: Session = { identity, account: current.account, isRetired: true }
  const look = retried(
    Effect.scoped(
      Effect.gen(function* () {
        const connection = yield* broker.connect(identity.brokerLogin)
        if (yield* isShutOut(connection)) return "refused"
        yield* drain(session, connection)
        return "empty"
      })
    )
  )
  for (let looks = 0; looks < 2;) {
    if ((yield* look) === "empty") {
      looks += 1
      if (looks < 2) yield* Effect.sleep(settlePause)
      continue
    }
    // A home can refuse for other reasons, too.
    const { limits } = yield* retried(directory.wellKnown)
    const retentionMillis = (limits["retention_days"] ?? defaultRetentionDays) * 86_400_000
    if ((yield* Clock.currentTimeMillis) >= row.at + retentionMillis) break
    yield* Effect.sleep(refusedPause)
  }
  yield* ledger.transact((transaction) =>
    Effect.map(transaction.get(formerKey, Rows.Former), (now) => {
      if (now !== undefined) transaction.put(formerKey, Rows.Former, { ...now, drained: true })
    })
  )
})

/** Takes in what is left of each former key, until all of it is here. One that is stuck holds up no other. */
export const run = (current: Session, identities: ReadonlyArray<Identity>) =>
  Effect.forEach(identities, (identity) => follow(current, identity), { concurrency: "unbounded", discard: true })
