/** What operators did, and handles that their owners handed to another key: by whom and when. An entry is written in the transaction of its action, and never changed. */
import type { Problem } from "@kez-chat/sdk/protocol"
import { Timestamp } from "@kez-chat/sdk/protocol"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Sql } from "./Database.ts"

/** Who acts, and why as far as they say. */
export interface By {
  /** `user alice` of the operating system, `token NAME`, `token internal.secret`, or `owner` of the account. */
  readonly actor: string
  readonly note: string
}

export type Action =
  | "invite-create"
  | "invite-revoke"
  | "suspend"
  | "transfer"
  | "unsuspend"
  | "revoke"
  | "reserve"
  | "unreserve"
  | "report-close"
  | "report-delete"
  | "backup"
  | "token-create"
  | "token-revoke"

export interface Entry extends By {
  readonly id: number
  /** RFC 3339. */
  readonly at: string
  readonly action: Action
  /** The handle, name or id that it was done to. */
  readonly subject: string
}

/** Writes an entry with the action's own `sql`. */
export const record = (within: Sql, action: Action, subject: string, { actor, note }: By) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.asVoid(within`INSERT INTO audit (at, actor, action, subject, note)
      VALUES (${Timestamp.fromMillis(now)}, ${actor}, ${action}, ${subject}, ${note})`)
  )

/** The newest entry of an action. */
export const lastOf = (sql: Sql, action: Action) =>
  sql<Entry>`SELECT id, at, actor, action, subject, note FROM audit WHERE action = ${action} ORDER BY id DESC LIMIT 1`

export interface Asked {
  readonly limit: number
  /** Only entries older than this one. */
  readonly before?: number | undefined
  readonly subject?: string | undefined
}

/** Entries, the newest first. */
export const entries = (
  sql: Sql,
  { before = Number.MAX_SAFE_INTEGER, limit, subject }: Asked
): Effect.Effect<ReadonlyArray<Entry>, Problem.Problem> =>
  subject === undefined
    ? sql<Entry>`SELECT id, at, actor, action, subject, note FROM audit
        WHERE id < ${before} ORDER BY id DESC LIMIT ${limit}`
    : sql<Entry>`SELECT id, at, actor, action, subject, note FROM audit
        WHERE id < ${before} AND subject = ${subject} ORDER BY id DESC LIMIT ${limit}`
