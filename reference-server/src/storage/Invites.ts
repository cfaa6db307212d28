/**
 * Invites (spec KEZ-REG-046 to 051): secrets that let a number of people register. Only their hashes are kept, so neither
 * a backup nor a list of invites lets anybody in.
 */
import { Problem, Timestamp } from "@kez-chat/sdk/protocol"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { createHash, randomBytes } from "node:crypto"
import * as Audit from "./Audit.ts"
import type { Database, Sql } from "./Database.ts"

/** An invite without its code. */
export interface Invite {
  /** Names it to operators. */
  readonly id: string
  readonly uses: number
  readonly used: number
  /** RFC 3339. */
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  readonly note: string
}

export interface NewInvite {
  /** How many registrations it allows. */
  readonly uses: number
  readonly expiresInMillis?: number | undefined
}

/** 32 characters, none of which is taken for another. */
const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
/** 130 bits. */
const codeCharacters = 26
const idCharacters = 8

const randomText = (characters: number): string =>
  Array.from(randomBytes(characters), (byte) => alphabet[byte % alphabet.length]).join("")

const hashOf = (code: string): string => createHash("sha256").update(code.toLowerCase()).digest("hex")

/** Makes an invite; the code is told now and never again. */
export const create = Effect.fnUntraced(function* (
  { transaction }: Database["Service"],
  { expiresInMillis, uses }: NewInvite,
  by: Audit.By
) {
  const now = yield* Clock.currentTimeMillis
  const invite: Invite = {
    id: randomText(idCharacters),
    uses,
    used: 0,
    createdAt: Timestamp.fromMillis(now),
    expiresAt: expiresInMillis === undefined ? null : Timestamp.fromMillis(now + expiresInMillis),
    revokedAt: null,
    note: by.note
  }
  const code = randomText(codeCharacters)
  const { createdAt, expiresAt, id, note } = invite
  yield* transaction(
    { lock },
    Effect.fnUntraced(function* (within) {
      yield* within`INSERT INTO invites (id, code_hash, uses, created_at, expires_at, note)
        VALUES (${id}, ${hashOf(code)}, ${uses}, ${createdAt}, ${expiresAt}, ${note})`
      yield* Audit.record(within, "invite-create", id, by)
    })
  )
  return { ...invite, code }
})

/** The same lock as for accounts, since a registration uses an invite. */
const lock = "accounts"

/** All invites, the newest first. */
export const list = ({ sql }: Database["Service"]): Effect.Effect<ReadonlyArray<Invite>, Problem.Problem> =>
  sql<Invite>`SELECT id, uses, used, created_at AS "createdAt", expires_at AS "expiresAt", revoked_at AS "revokedAt", note
    FROM invites ORDER BY created_at DESC, id`

/** Whether an invite lets anybody in at a time. */
export const isUsable = ({ expiresAt, revokedAt, used, uses }: Invite, now: number): boolean =>
  used < uses && revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > now)

/** Ends an invite; accounts that registered with it stay. `not_found` if there is none. Repeating it changes nothing. */
export const revoke = ({ transaction }: Database["Service"], id: string, by: Audit.By) =>
  transaction(
    { lock },
    Effect.fnUntraced(function* (within) {
      const time = Timestamp.fromMillis(yield* Clock.currentTimeMillis)
      const ended = yield* within<{ id: string }>`UPDATE invites SET revoked_at = ${time}
        WHERE id = ${id} AND revoked_at IS NULL RETURNING id`
      if (ended.length > 0) return yield* Audit.record(within, "invite-revoke", id, by)
      const known = yield* within<{ id: string }>`SELECT id FROM invites WHERE id = ${id}`
      if (known.length === 0) return yield* new Problem.Problem({ code: "not_found", detail: `no invite is ${id}` })
    })
  )

/** Counts one use, in the registration's own transaction, and gives the invite's id. */
export const use = Effect.fnUntraced(function* (within: Sql, code: string | undefined, now: number) {
  if (code === undefined) {
    return yield* new Problem.Problem({ code: "invite_required", detail: "ask its operator for an invite" })
  }
  const [used] = yield* within<{ id: string }>`UPDATE invites SET used = used + 1
    WHERE code_hash = ${hashOf(code)} AND used < uses AND revoked_at IS NULL
      AND (expires_at IS NULL OR expires_at > ${Timestamp.fromMillis(now)}) RETURNING id`
  if (used !== undefined) return used.id
  return yield* new Problem.Problem({
    code: "invite_invalid",
    detail: "it does not exist, was used up or revoked, or has expired"
  })
})
