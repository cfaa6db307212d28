/**
 * Reports of accounts to the operator (spec: reports), as their reporters signed them. What a message says is read from
 * the statement when an operator asks; it is kept nowhere else.
 */
import { MessageEvidence, SignedEnvelope } from "@kez-chat/sdk/crypto"
import { Envelope, type Json, Problem, Registration, Report, Timestamp } from "@kez-chat/sdk/protocol"
import { Crypto } from "@kez-chat/sdk/services"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Audit from "./Audit.ts"
import { Database, type Sql } from "./Database.ts"

/** A report without its statement. */
export interface Summary {
  readonly id: string
  /** RFC 3339. */
  readonly receivedAt: string
  /** Handles as they are now; the local part. */
  readonly reporter: string
  readonly reported: string
  readonly reason: string
  readonly note: string
  readonly messages: number
  readonly closedAt: string | null
}

/** A message of a report, verified. */
export interface Shown {
  readonly id: string
  /** The author's clock. */
  readonly createdAt: string
  readonly body: Json.JsonObject
}

export interface Details extends Summary {
  readonly shown: ReadonlyArray<Shown>
  /** The signed statement, by which anybody can check all this. */
  readonly statement: Json.JsonObject
}

/** Limits on reports; README.md, "Joining and deciding", tells them to operators. */
export const reportLimits = {
  /** Reports of one account in a day. */
  perDay: 20,
  /** Bytes of all reports together. Those that are closed make room for new ones, the longest closed first. */
  storeBytes: 64 * 1024 ** 2,
  /** One reporter's open reports take at most this part of what those of all others leave: 1 MiB as long as there are none. */
  reporterShare: 1 / 64,
  /** A report is removed so many days after it was closed. */
  closedDays: 90
}
const { closedDays, perDay, reporterShare, storeBytes } = reportLimits
const dayMillis = 86_400_000
const lock = "reports"

const refuse = (code: Problem.Code, detail: string) => new Problem.Problem({ code, detail })

export class Reports extends Context.Service<Reports, Effect.Success<ReturnType<typeof make>>>()(
  "@kez-chat/server/Reports"
) {
  static layer(serverName: string): Layer.Layer<Reports, never, Database | Crypto> {
    return Layer.effect(Reports, make(serverName))
  }
}

const make = Effect.fnUntraced(function* (serverName: string) {
  const { sql, transaction } = yield* Database
  const context = yield* Effect.context<Crypto>()

  const holderOf = Effect.fnUntraced(function* (hex: string, within: Sql) {
    const [found] = yield* within<{ handle: string; primary_hex: string; state: string; suspended_at: string | null }>`
      SELECT handle, primary_hex, state, suspended_at FROM accounts
      WHERE primary_hex = ${hex} OR handle = (SELECT handle FROM moved_keys WHERE primary_hex = ${hex})`
    return found === undefined ? yield* refuse("handle_not_found", "the key has no handle here") : found
  })

  const summaries = (within: Sql, isAll: boolean, id: string | undefined) =>
    within<Summary>`SELECT r.id, r.received_at AS "receivedAt", a.handle AS reporter, b.handle AS reported, r.reason, r.note,
        r.messages, r.closed_at AS "closedAt"
      FROM reports r JOIN accounts a ON a.primary_hex = r.reporter_hex JOIN accounts b ON b.primary_hex = r.reported_hex
      WHERE (r.closed_at IS NULL OR ${isAll ? 1 : 0} = 1) AND (r.id = ${id ?? ""} OR ${id === undefined ? 1 : 0} = 1)
      ORDER BY r.received_at DESC, r.id LIMIT 1000`

  return {
    /** Takes a report in, whose messages hold; `created` is false for the same one again. */
    receive: Effect.fnUntraced(function* (envelope: Envelope.Envelope) {
      const report = yield* Effect.fromResult(Report.parse(envelope))
      yield* Effect.provideContext(SignedEnvelope.verify(envelope), context)
      if (report.server !== serverName) return yield* refuse("wrong_server", `this server is ${serverName}`)
      for (const evidence of report.messages) yield* Effect.provideContext(MessageEvidence.reveal(evidence), context)
      const hash = yield* Effect.provideContext(SignedEnvelope.hash(envelope), context)
      const id = hash.slice("sha256:".length, "sha256:".length + 16)
      const text = Envelope.encodeText(envelope)
      // PostgreSQL keeps no NUL in text; the statement has the note as it was signed.
      const note = report.note.replaceAll("\0", " ")
      const now = yield* Clock.currentTimeMillis
      return yield* transaction(
        { lock },
        Effect.fnUntraced(function* (within) {
          const [known] = yield* within<{ id: string }>`SELECT id FROM reports WHERE id = ${id}`
          if (known !== undefined) return { created: false, id }
          yield* Effect.fromResult(Registration.checkWindow(report, now))
          const reporter = yield* holderOf(report.reporter.hex, within)
          if (reporter.state !== "active") return yield* refuse("handle_deleted", "it was given up or revoked")
          if (reporter.suspended_at !== null) return yield* refuse("account_suspended", "its reports are not taken")
          if (reporter.primary_hex !== report.reporter.hex) {
            return yield* refuse("primary_moved", "it speaks for nobody here")
          }
          const reported = yield* holderOf(report.reported.hex, within)
          const dayAgo = Timestamp.fromMillis(now - dayMillis)
          const bytes = Buffer.byteLength(text)
          const [used] = yield* within<{ today: number; mine: number; open: number; everything: number }>`
            SELECT count(CASE WHEN reporter_hex = ${report.reporter.hex} AND received_at > ${dayAgo} THEN 1 END) AS today,
              CAST(coalesce(sum(CASE WHEN reporter_hex = ${report.reporter.hex} AND closed_at IS NULL THEN bytes END), 0) AS BIGINT) AS mine,
              CAST(coalesce(sum(CASE WHEN closed_at IS NULL THEN bytes END), 0) AS BIGINT) AS open,
              CAST(coalesce(sum(bytes), 0) AS BIGINT) AS everything FROM reports`
          const { everything = 0, mine = 0, open = 0, today = 0 } = used ?? {}
          if (today >= perDay) return yield* refuse("rate_limited", `an account may report ${perDay} times a day`)
          if (mine + bytes > (storeBytes - (open - mine)) * reporterShare) {
            return yield* refuse("store_full", "the account's share of the room for open reports is used up")
          }
          const missing = everything + bytes - storeBytes
          if (missing > 0) {
            yield* within`DELETE FROM reports WHERE id IN (
              SELECT id FROM (
                SELECT id, sum(bytes) OVER (ORDER BY closed_at, id) - bytes AS freed FROM reports WHERE closed_at IS NOT NULL
              ) AS closed WHERE freed < ${missing})`
          }
          yield* within`INSERT INTO reports (id, received_at, reporter_hex, reported_hex, reason, note, messages, statement, bytes)
            VALUES (${id}, ${Timestamp.fromMillis(now)}, ${report.reporter.hex}, ${reported.primary_hex}, ${report.reason},
              ${note}, ${report.messages.length}, ${text}, ${bytes})`
          return { created: true, id }
        })
      )
    }),

    /** Those that are not closed, or all; the newest first, at most 1,000. */
    list: (isAll: boolean) => summaries(sql, isAll, undefined),

    /** A report with its messages, verified again; `not_found` if there is none. */
    show: Effect.fnUntraced(function* (id: string) {
      const [summary] = yield* summaries(sql, true, id)
      const [row] = yield* sql<{ statement: string }>`SELECT statement FROM reports WHERE id = ${id}`
      if (summary === undefined || row === undefined) return yield* refuse("not_found", `no report is ${id}`)
      const statement = JSON.parse(row.statement) as Json.JsonObject
      const envelope = yield* Effect.fromResult(Envelope.fromJson(statement))
      const report = yield* Effect.fromResult(Report.parse(envelope))
      const shown: Array<Shown> = []
      for (const evidence of report.messages) {
        const { body, message } = yield* Effect.provideContext(MessageEvidence.reveal(evidence), context)
        shown.push({ id: message.id, createdAt: Timestamp.fromMillis(message.createdAt), body })
      }
      const details: Details = { ...summary, shown, statement }
      return details
    }),

    /** Marks a report as dealt with; repeating it changes nothing. `not_found` if there is none. */
    close: (id: string, by: Audit.By) =>
      transaction(
        { lock },
        Effect.fnUntraced(function* (within) {
          const time = Timestamp.fromMillis(yield* Clock.currentTimeMillis)
          const closed = yield* within<{ id: string }>`UPDATE reports SET closed_at = ${time}
            WHERE id = ${id} AND closed_at IS NULL RETURNING id`
          if (closed.length > 0) return yield* Audit.record(within, "report-close", id, by)
          const known = yield* within<{ id: string }>`SELECT id FROM reports WHERE id = ${id}`
          if (known.length === 0) return yield* refuse("not_found", `no report is ${id}`)
        })
      ),

    /** Removes a report for good, open or closed. `not_found` if there is none. */
    delete: (id: string, by: Audit.By) =>
      transaction(
        { lock },
        Effect.fnUntraced(function* (within) {
          const deleted = yield* within<{ id: string }>`DELETE FROM reports WHERE id = ${id} RETURNING id`
          if (deleted.length === 0) return yield* refuse("not_found", `no report is ${id}`)
          yield* Audit.record(within, "report-delete", id, by)
        })
      ),

    /** Removes reports that were closed `closedDays` ago. */
    removeOld: Effect.flatMap(
      Clock.currentTimeMillis,
      (now) => sql`DELETE FROM reports WHERE closed_at < ${Timestamp.fromMillis(now - closedDays * dayMillis)}`
    )
  }
})

/** Reports against a key that are not closed. */
export const openAgainst = (sql: Sql, hex: string) =>
  Effect.map(
    sql<{ n: number }>`SELECT count(*) AS n FROM reports WHERE reported_hex = ${hex} AND closed_at IS NULL`,
    ([found]) => found?.n ?? 0
  )
