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

/** Bytes of all reports together, and reports of one account in a day. */
const storeBytes = 64 * 1024 ** 2
const perDay = 20
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
    const [found] = yield* within<{ handle: string; state: string; suspended_at: string | null }>`
      SELECT handle, state, suspended_at FROM accounts WHERE primary_hex = ${hex}`
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
          yield* holderOf(report.reported.hex, within)
          const dayAgo = Timestamp.fromMillis(now - 86_400_000)
          const [count] = yield* within<{ mine: number; bytes: number }>`
            SELECT coalesce(sum(CASE WHEN reporter_hex = ${report.reporter.hex} AND received_at > ${dayAgo} THEN 1 ELSE 0 END), 0)
              AS mine, coalesce(sum(octet_length(statement)), 0) AS bytes FROM reports`
          if (Number(count?.mine ?? 0) >= perDay) {
            return yield* refuse("rate_limited", `an account may report ${perDay} times a day`)
          }
          if (Number(count?.bytes ?? 0) + text.length > storeBytes) {
            return yield* refuse("store_full", "the server's room for reports is used up")
          }
          yield* within`INSERT INTO reports (id, received_at, reporter_hex, reported_hex, reason, note, messages, statement)
            VALUES (${id}, ${Timestamp.fromMillis(now)}, ${report.reporter.hex}, ${report.reported.hex}, ${report.reason},
              ${report.note}, ${report.messages.length}, ${text})`
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
      )
  }
})

/** Reports against a key that are not closed. */
export const openAgainst = (sql: Sql, hex: string) =>
  Effect.map(
    sql<{ n: number }>`SELECT count(*) AS n FROM reports WHERE reported_hex = ${hex} AND closed_at IS NULL`,
    ([found]) => found?.n ?? 0
  )
