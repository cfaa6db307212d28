/** Keys that handed their handle over to another key (spec: registration, Handing over). */
import { Envelope, Limits, PrimaryKey, Timestamp, Transfer } from "@kez-chat/sdk/protocol"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Audit from "../Audit.ts"
import type { Sql } from "../Database.ts"
import { byHandle, byPrimary, gone, moved, refuse, suspended, toActive } from "./Accounts.ts"

const dayMillis = 86_400_000

/** A key that handed its handle over. */
export interface MovedKey {
  readonly primaryHex: string
  /** RFC 3339. */
  readonly movedAt: string
  /** RFC 3339; until then it can fetch the mail that it has. */
  readonly fetchUntil: string
}

/** The key that a key handed its handle over to; undefined if it did not. */
const find = (within: Sql, primaryHex: string) =>
  Effect.map(
    within<{ new_hex: string; state: string }>`
      SELECT new_hex, state FROM moved_keys WHERE primary_hex = ${primaryHex}`,
    ([found]) => found
  )

/** Fails with `primary_moved` if a key handed its handle over, or `handle_deleted` if the account ended since. */
export const check = Effect.fnUntraced(function* (within: Sql, primaryHex: string) {
  const found = yield* find(within, primaryHex)
  if (found === undefined) return
  return yield* found.state === "ended"
    ? gone("this key had a handle here that was given up or revoked")
    : moved(found.new_hex)
})

/** Those of an account, the newest first. */
export const ofHandle = (within: Sql, handle: string) =>
  within<MovedKey>`SELECT primary_hex AS "primaryHex", moved_at AS "movedAt", fetch_until AS "fetchUntil" FROM moved_keys
    WHERE handle = ${handle} ORDER BY moved_at DESC, version DESC`

export const count = (within: Sql) =>
  Effect.map(within<{ n: number }>`SELECT count(*) AS n FROM moved_keys`, ([found]) => found?.n ?? 0)

/**
 * Puts the new key of a verified statement in the place of the old one; a repeat changes nothing.
 *
 * The sig-server is not asked for the `rotate` event that the statement names: who can sign this can sign that event, so
 * it would prove nothing more, and an account whose key was stolen must not wait for another server. A contact who sees
 * no such event is warned of the new key as of any other.
 */
export const handOver = Effect.fnUntraced(function* (within: Sql, statement: Transfer.Parsed, fetchMillis: number) {
  const { handle, old, request } = statement
  const now = yield* Clock.currentTimeMillis
  const registration = Envelope.encodeText(request.registration)
  const holder = yield* byHandle(within, handle)
  if (holder === undefined) return yield* refuse("handle_not_found", "nobody has registered it")
  if (holder.state !== "active") return yield* gone("it was given up or revoked")
  if (holder.suspended_at !== null) return yield* suspended
  const before = yield* find(within, old.hex)
  const isRepeat = before?.new_hex === statement.new.hex && holder.primary_hex === statement.new.hex
  if (isRepeat) return toActive(holder)
  if (before !== undefined) return yield* moved(before.new_hex)
  if (holder.primary_hex !== old.hex) return yield* refuse("unauthorized", "the handle belongs to another key")
  yield* check(within, statement.new.hex)
  const other = yield* byPrimary(within, statement.new.hex)
  if (other !== undefined) {
    return yield* other.state === "active"
      ? refuse("primary_taken", "the new key already has a handle here")
      : gone("the new key had a handle here that was given up or revoked")
  }
  const dayAgo = Timestamp.fromMillis(now - dayMillis)
  const [recent] = yield* within<{ n: number }>`
    SELECT count(*) AS n FROM moved_keys WHERE handle = ${handle} AND moved_at > ${dayAgo}`
  if ((recent?.n ?? 0) >= Limits.transfersPerDay) {
    return yield* refuse("rate_limited", `a handle changes hands at most ${Limits.transfersPerDay} times a day`)
  }
  yield* Effect.fromResult(Transfer.checkWindow(statement, now))
  const time = Timestamp.fromMillis(now)
  const until = Timestamp.fromMillis(now + fetchMillis)
  // Names `state` as well, so that every server hears of the change (ActiveKeys).
  yield* within`UPDATE accounts SET primary_hex = ${statement.new.hex}, registration = ${registration}, state = 'active'
    WHERE handle = ${handle}`
  yield* within`INSERT INTO moved_keys (primary_hex, handle, new_hex, moved_at, fetch_until, transfer, state)
    VALUES (${old.hex}, ${handle}, ${statement.new.hex}, ${time}, ${until},
      ${Envelope.encodeText(request.transfer)}, 'active')`
  // Reports are about accounts, whichever key they name.
  yield* within`UPDATE reports SET reporter_hex = ${statement.new.hex} WHERE reporter_hex = ${old.hex}`
  yield* within`UPDATE reports SET reported_hex = ${statement.new.hex} WHERE reported_hex = ${old.hex}`
  // At once its connections lose the rights that they had; after retention nothing of it is left.
  yield* within`INSERT INTO removals (primary_hex, purge, requested_at) VALUES (${old.hex}, 0, ${time})`
  yield* within`INSERT INTO removals (primary_hex, purge, requested_at, not_before)
    VALUES (${old.hex}, 1, ${time}, ${until})`
  const note = `${PrimaryKey.format(old)} to ${PrimaryKey.format(statement.new)}`
  yield* Audit.record(within, "transfer", handle, { actor: "owner", note })
  return toActive({ ...holder, primary_hex: statement.new.hex, registration })
})
