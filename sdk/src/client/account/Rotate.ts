/**
 * Rotating the account to a new key (spec/sigchain.md, Rotating). Each step is done before the one after it, and recorded
 * when it is, so that a later call goes on; each can be repeated without harm.
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as FormerSeed from "../../crypto/FormerSeed.ts"
import * as Identity from "../../crypto/Identity.ts"
import { VerifiedRecord } from "../../crypto/index.ts"
import * as Hash from "../../protocol/encoding/Hash.ts"
import { ofHex, parseEd25519 } from "../../protocol/identity/PrimaryKey.ts"
import { Problem } from "../../protocol/Problem.ts"
import { Directory, Vault } from "../../services/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Events } from "../internal/Events.ts"
import { Ledger } from "../internal/Ledger.ts"
import { OwnSigchain } from "../internal/OwnSigchain.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"
import { AccountMoved, NoAccount, type Rotation, RotationRefused } from "../model/index.ts"
import { Lifecycle } from "./Lifecycle.ts"
import { explainSkew, statementOf } from "./Registration.ts"
import { seedOf } from "./Words.ts"

const { key } = Rows

const find = Effect.flatMap(Ledger, (ledger) => ledger.get(key.rotation, Rows.Rotation))

const save = Effect.fnUntraced(function* (row: Rows.RotationRow) {
  const ledger = yield* Ledger
  yield* ledger.transact((transaction) => Effect.sync(() => transaction.put(key.rotation, Rows.Rotation, row)))
  return row
})

const shown = (
  { handle, primary }: Rows.AccountRow,
  { step, to }: Pick<Rows.RotationRow, "to" | "step">
): Rotation => ({
  handle,
  from: primary,
  to,
  step
})

/** See `KezChat.rotation`. */
export const pending = Effect.gen(function* () {
  const row = yield* find
  return row === undefined ? undefined : shown(yield* (yield* CurrentAccount).get, row)
})

/** The new key of a rotation, from the seed that waits in its row. */
const successorOf = Effect.fnUntraced(function* (session: Session, row: Rows.RotationRow) {
  const next = yield* Effect.fromResult(parseEd25519(row.to))
  return yield* Identity.fromSeed(yield* FormerSeed.open(session.identity, next, row.seed))
})

/**
 * Asks the home for everything that it has against the handover, by a statement that is too old to be accepted: after
 * the `rotate` event it would be too late to find out. Only a home that would take it complains about the time alone.
 */
const rehearse = Effect.fnUntraced(function* (session: Session, successor: Identity.Identity) {
  const directory = yield* Directory
  const statement = { ...(yield* statementOf(session.account())), createdAt: 0 }
  const request = yield* session.identity.signTransfer({ ...statement, successor, rotate: Hash.blank("sha256") })
  const answer = yield* Effect.result(directory.transfer(request))
  if (Result.isFailure(answer) && !(answer.failure instanceof Problem && answer.failure.code === "clock_skew")) {
    return yield* answer.failure
  }
})

const begin = Effect.fnUntraced(function* (session: Session, words: Redacted.Redacted<string> | undefined) {
  const before = yield* find
  if (words === undefined) {
    if (before !== undefined) return before
    return yield* new RotationRefused({
      reason: "none",
      detail: "no rotation is under way: it needs the words of a new key"
    })
  }
  const seed = yield* seedOf(words)
  const successor = yield* Identity.fromSeed(seed)
  if (before?.to === successor.primary) return before
  if (before?.step === "rotated" || before?.step === "transferred") {
    const detail = `a rotation to ${before.to} has ended the old key's sigchain: it can only be finished, with its own words`
    return yield* new RotationRefused({ reason: "other_words", detail })
  }
  const { identity } = session
  const isFormer = session.account().former?.includes(successor.key.hex) === true
  if (successor.primary === identity.primary || isFormer) {
    return yield* new RotationRefused({
      reason: "same_key",
      detail: "these are words that the account has or had: use new ones"
    })
  }
  yield* rehearse(session, successor)
  const held = yield* (yield* Vault).load
  if (Option.isNone(held)) return yield* new NoAccount()
  return yield* save({
    to: successor.primary,
    step: "saved",
    seed: yield* FormerSeed.seal(seed, successor.key, identity.key),
    former: yield* FormerSeed.seal(held.value, identity.key, successor.key)
  })
})

/** The rotation to the account's present key, for a caller that did not hear that it was finished. */
const finishedBefore = Effect.fnUntraced(function* (session: Session, words: Redacted.Redacted<string> | undefined) {
  const { former = [], handle, primary } = session.account()
  const [before] = former
  if (words === undefined || before === undefined) return undefined
  const { primary: to } = yield* Identity.fromSeed(yield* seedOf(words))
  return to === primary ? ({ handle, from: ofHex(before), to, step: "finished" } satisfies Rotation) : undefined
})

const transfer = Effect.fnUntraced(function* (session: Session, successor: Identity.Identity, rotate: string) {
  const directory = yield* Directory
  const statement = yield* statementOf(session.account())
  const record = yield* session.identity
    .signTransfer({ ...statement, successor, rotate })
    .pipe(Effect.flatMap(directory.transfer), Effect.catchTag("Problem", explainSkew))
  const { handle, server } = statement
  yield* VerifiedRecord.verify(record, { server, handle, primary: successor.primary })
})

/** Takes the next step; `finished` where there is none left. */
const advance = Effect.fnUntraced(function* (before: Rotation) {
  const row = yield* find
  const lifecycle = yield* Lifecycle
  if (row === undefined) return { ...before, step: "finished" as const }
  if (row.step === "transferred") {
    yield* lifecycle.restart
    return { ...before, step: "finished" as const }
  }
  const session = yield* lifecycle.start()
  const ownSigchain = yield* OwnSigchain
  const successor = yield* successorOf(session, row)
  if (row.step === "saved") {
    const { head } = yield* ownSigchain.append(successor, () => Effect.undefined)
    return shown(session.account(), yield* save({ ...row, step: "published", ...(head === undefined ? {} : { head }) }))
  }
  if (row.step === "published") {
    const rotate = yield* ownSigchain.rotate(session.identity, successor)
    return shown(session.account(), yield* save({ ...row, step: "rotated", rotate }))
  }
  yield* transfer(session, successor, row.rotate ?? Hash.blank("sha256"))
  return shown(session.account(), yield* save({ ...row, step: "transferred" }))
})

/** See `KezChat.rotate`. */
export const rotate = (words: Redacted.Redacted<string> | undefined) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const events = yield* Events
      const lifecycle = yield* Lifecycle
      const isUnderWay = (yield* find) !== undefined
      const session = isUnderWay ? yield* lifecycle.start() : yield* lifecycle.published
      const { handle, movedTo } = session.account()
      if (movedTo !== undefined) return yield* new AccountMoved({ handle, to: movedTo })
      const done = yield* finishedBefore(session, words)
      if (done !== undefined) return Stream.succeed(done)
      const first = shown(session.account(), yield* begin(session, words))
      const rest = Stream.unfold(
        first,
        Effect.fnUntraced(function* (before: Rotation) {
          if (before.step === "finished") return undefined
          // A step that has begun is completed and recorded, whoever stops listening.
          const after = yield* Effect.uninterruptible(advance(before))
          events.publish({ _tag: "Rotating", rotation: after })
          return [after, after] as const
        })
      )
      return Stream.concat(Stream.succeed(first), rest)
    })
  )
