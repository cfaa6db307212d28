/** What an operator is shown of one account. Nothing here is recorded for this purpose: no login times, no addresses. */
import { PrimaryKey, type Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Audit from "../../storage/Audit.ts"
import { Database } from "../../storage/Database.ts"
import { openAgainst } from "../../storage/Reports.ts"
import { type Account, Registry } from "../../storage/Registry.ts"

export interface AccountDetails extends Account {
  readonly primary: string
  /** The keys that it had before this one, the newest first. */
  readonly formerKeys: ReadonlyArray<FormerKey>
  /** Bytes as quotas count them. */
  readonly mailBytes: number
  readonly ownCopyBytes: number
  readonly manifestBytes: number
  /** Reports against it that are not closed. */
  readonly openReports: number
  /** What operators did to it, the newest first. */
  readonly audit: ReadonlyArray<Audit.Entry>
}

export interface FormerKey {
  readonly primary: string
  readonly movedAt: string
  /** Until then the key can fetch the mail that it has. */
  readonly fetchUntil: string
}

const auditEntries = 20

/** `handle_not_found` if nobody ever registered it. */
export const accountDetails = Effect.fn("accountDetails")(function* (
  handle: string
): Effect.fn.Return<AccountDetails, Problem.Problem, Registry | Database> {
  const { sql } = yield* Database
  const registry = yield* Registry
  const account = yield* registry.find(handle)
  const key = Buffer.from(account.primaryHex, "hex")
  const sum = (found: ReadonlyArray<{ n: number | null }>): number => found[0]?.n ?? 0
  /** Kinds of `broker_counters`: "s" is mail in the inbox, "o" are own copies. */
  const counted = (kind: "s" | "o") =>
    Effect.map(
      sql<{ n: number | null }>`SELECT CAST(sum(n) AS BIGINT) AS n FROM broker_counters
        WHERE key = ${Buffer.concat([Buffer.from(kind), key])}`,
      sum
    )
  const manifestBytes = Effect.map(
    sql<{ n: number | null }>`SELECT CAST(sum(octet_length(body)) AS BIGINT) AS n FROM manifests
      WHERE primary_hex = ${account.primaryHex}`,
    sum
  )
  return {
    ...account,
    primary: PrimaryKey.ofHex(account.primaryHex),
    formerKeys: (yield* registry.formerKeys(handle)).map(({ fetchUntil, movedAt, primaryHex }) => ({
      primary: PrimaryKey.ofHex(primaryHex),
      movedAt,
      fetchUntil
    })),
    mailBytes: yield* counted("s"),
    ownCopyBytes: yield* counted("o"),
    manifestBytes: yield* manifestBytes,
    openReports: yield* openAgainst(sql, account.primaryHex),
    audit: yield* Audit.entries(sql, { subject: handle, limit: auditEntries })
  }
})
