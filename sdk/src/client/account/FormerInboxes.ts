/**
 * Takes in the mail of the keys that the account had before, which only they can open, as long as the home retains it
 * (spec/broker.md, Keys that handed over). One connection after the other, next to that of the account.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { Identity } from "../../crypto/Identity.ts"
import { Broker, type BrokerConnection } from "../../services/Broker.ts"
import { Ledger } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"
import { Inbox, isMoved, Position } from "../messaging/index.ts"

const { key } = Rows

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

/** Takes in what is left of each former key, until all of it is here. */
export const run = Effect.fnUntraced(function* (current: Session, identities: ReadonlyArray<Identity>) {
  const broker = yield* Broker
  const ledger = yield* Ledger
  for (const identity of identities) {
    const formerKey = key.former(identity.key.hex)
    if ((yield* ledger.get(formerKey, Rows.Former))?.drained === true) continue
    const session: Session = { identity, account: current.account, isRetired: true }
    const once = Effect.scoped(
      Effect.gen(function* () {
        const connection = yield* broker.connect(identity.brokerLogin)
        if (!(yield* isShutOut(connection))) yield* drain(session, connection)
      })
    )
    yield* Effect.retry(once, Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("5 minutes")]))
    yield* ledger.transact((transaction) =>
      Effect.map(transaction.get(formerKey, Rows.Former), (row) => {
        if (row !== undefined) transaction.put(formerKey, Rows.Former, { ...row, drained: true })
      })
    )
  }
})
