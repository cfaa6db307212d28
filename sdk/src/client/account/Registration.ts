/** The account at its home server (spec/registration.md): finishing its creation, and giving the handle up. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Identity } from "../../crypto/Identity.ts"
import * as VerifiedRecord from "../../crypto/verified/VerifiedRecord.ts"
import * as Handle from "../../protocol/identity/Handle.ts"
import { Problem } from "../../protocol/Problem.ts"
import { Directory } from "../../services/Directory.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { OwnSigchain } from "../internal/OwnSigchain.ts"
import type { AccountRow } from "../internal/rows/index.ts"
import { AccountMoved } from "../model/index.ts"

/** In place of the key that an account was handed over to, where neither its chain nor its home says which. */
export const unknownKey = "unknown"

/** The server judges a statement by its own clock: says by how much this device's clock differs from it. */
export const explainSkew = Effect.fnUntraced(function* (problem: Problem) {
  if (problem.code !== "clock_skew") return yield* problem
  const directory = yield* Directory
  const skew = yield* Effect.result(directory.clockSkewMillis)
  if (Result.isFailure(skew)) return yield* problem
  const seconds = Math.round(Math.abs(skew.success) / 1_000)
  const side = skew.success > 0 ? "behind" : "ahead of"
  return yield* new Problem({
    code: "clock_skew",
    detail: `this device's clock is ${seconds} s ${side} the home server's: set it and try again`
  })
})

export const statementOf = Effect.fnUntraced(function* (row: AccountRow) {
  const { local, server } = yield* Effect.fromResult(Handle.parse(row.handle))
  return { handle: local, server, createdAt: yield* Clock.currentTimeMillis }
})

const register = Effect.fnUntraced(function* (identity: Identity, row: AccountRow) {
  const account = yield* CurrentAccount
  const directory = yield* Directory
  const statement = yield* statementOf(row)
  const record = yield* identity.signRegistration(statement).pipe(
    Effect.flatMap((registration) => directory.register(registration, row.invite)),
    Effect.catchTag("Problem", explainSkew)
  )
  const { handle, server } = statement
  yield* VerifiedRecord.verify(record, { server, handle, primary: identity.primary })
  const { invite: _, ...rest } = row
  const registered: AccountRow = { ...rest, step: "registered" }
  yield* account.save(registered)
  return registered
})

/** Completes the remaining steps of creation: registers the handle, publishes the sigchain. */
export const finishCreation = Effect.fnUntraced(function* (identity: Identity) {
  const account = yield* CurrentAccount
  const ownSigchain = yield* OwnSigchain
  let row: AccountRow = yield* account.get
  if (row.step === "created") row = yield* register(identity, row)
  if (row.step === "registered") {
    const { head } = yield* ownSigchain.append(identity, () => Effect.undefined)
    yield* account.save({ ...row, step: "published", ...(head === undefined ? {} : { head }) })
  }
})

/** Why the home refuses this key: it handed the handle over, which is noted if it is news. */
const explainMove = Effect.fnUntraced(function* (primary: string, problem: Problem) {
  const account = yield* CurrentAccount
  const directory = yield* Directory
  const answer = yield* Effect.result(directory.byPrimary(primary))
  const isMoved =
    Result.isFailure(answer) && answer.failure instanceof Problem && answer.failure.code === "primary_moved"
  if (!isMoved) return yield* problem
  const row = yield* account.get
  const to = row.movedTo ?? unknownKey
  if (row.movedTo === undefined) yield* account.save({ ...row, movedTo: to })
  return yield* new AccountMoved({ handle: row.handle, to })
})

/** Gives the handle up at the home server; fails with `AccountMoved` where another key has it. Nothing is removed here. */
export const revokeHandle = Effect.fnUntraced(function* (identity: Identity) {
  const account = yield* CurrentAccount
  const directory = yield* Directory
  const row = yield* account.get
  yield* Effect.flatMap(identity.signDeletion(yield* statementOf(row)), directory.delete).pipe(
    Effect.catchTag("Problem", (problem) =>
      // Gone in every case: deleted by an attempt whose answer was lost, unknown to a server that was set up anew, or
      // perhaps never registered.
      problem.code === "handle_deleted" || problem.code === "handle_not_found" || row.step === "created"
        ? Effect.void
        : problem.code === "unauthorized"
          ? explainMove(identity.primary, problem)
          : explainSkew(problem)
    )
  )
})
