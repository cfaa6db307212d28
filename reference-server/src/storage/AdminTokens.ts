/**
 * Tokens of programs that use the operator's API: each has a name, which the audit names as the actor, and can be revoked
 * by itself. Only their hashes are kept.
 */
import { Problem, Timestamp } from "@kez-chat/sdk/protocol"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { createHash, randomBytes } from "node:crypto"
import * as Audit from "./Audit.ts"
import type { Database, Sql } from "./Database.ts"

export interface AdminToken {
  /** Lower case, never used again for another. */
  readonly name: string
  /** RFC 3339. */
  readonly createdAt: string
  readonly revokedAt: string | null
  readonly note: string
}

const nameForm = /^[a-z0-9][a-z0-9._-]{0,31}$/
/** Tells a token from other secrets, in a leak for one. */
const prefix = "kezadm_"
const form = /^kezadm_[A-Za-z0-9_-]{43}$/
const lock = "tokens"

/** A token is random, so a plain hash suffices, and looking it up shows nothing by its time. */
const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex")

const malformed = (detail: string) => new Problem.Problem({ code: "request_malformed", detail })

/** Names the secret in the keys folder in the audit. */
export const secretName = "internal.secret"

/** Makes a token, which is told now and never again. */
export const create = Effect.fnUntraced(function* ({ transaction }: Database["Service"], name: string, by: Audit.By) {
  if (!nameForm.test(name)) {
    return yield* malformed("a token's name is of 1 to 32 lower-case letters, digits, dots, dashes and underscores")
  }
  if (name === secretName) return yield* malformed(`${name} names the secret in the keys folder; take another name`)
  const token = prefix + randomBytes(32).toString("base64url")
  const time = Timestamp.fromMillis(yield* Clock.currentTimeMillis)
  yield* transaction(
    { lock },
    Effect.fnUntraced(function* (within) {
      const known = yield* within<{ name: string }>`SELECT name FROM admin_tokens WHERE name = ${name}`
      if (known.length > 0) return yield* malformed(`there is or was a token ${name}; take another name`)
      yield* within`INSERT INTO admin_tokens (name, token_hash, created_at, note)
        VALUES (${name}, ${hashOf(token)}, ${time}, ${by.note})`
      yield* Audit.record(within, "token-create", name, by)
    })
  )
  return { name, token }
})

/** All tokens by name. */
export const list = ({ sql }: Database["Service"]): Effect.Effect<ReadonlyArray<AdminToken>, Problem.Problem> =>
  sql<AdminToken>`SELECT name, created_at AS "createdAt", revoked_at AS "revokedAt", note FROM admin_tokens ORDER BY name`

/** Ends a token at once, on every server. `not_found` if there is none. Repeating it changes nothing. */
export const revoke = ({ transaction }: Database["Service"], name: string, by: Audit.By) =>
  transaction(
    { lock },
    Effect.fnUntraced(function* (within) {
      const time = Timestamp.fromMillis(yield* Clock.currentTimeMillis)
      const ended = yield* within<{ name: string }>`UPDATE admin_tokens SET revoked_at = ${time}
        WHERE name = ${name} AND revoked_at IS NULL RETURNING name`
      if (ended.length > 0) return yield* Audit.record(within, "token-revoke", name, by)
      const known = yield* within<{ name: string }>`SELECT name FROM admin_tokens WHERE name = ${name}`
      if (known.length === 0) return yield* new Problem.Problem({ code: "not_found", detail: `no token is ${name}` })
    })
  )

/** The name of a token that lets in; undefined for any other text. */
export const nameOf = Effect.fnUntraced(function* (sql: Sql, token: string) {
  if (!form.test(token)) return undefined
  const [found] = yield* sql<{ name: string }>`SELECT name FROM admin_tokens
    WHERE token_hash = ${hashOf(token)} AND revoked_at IS NULL`
  return found?.name
})
