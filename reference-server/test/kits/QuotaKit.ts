/** Quotas over a fresh database and under a clock that tests set. */
import BetterSqlite3 from "better-sqlite3"
import { afterEach, beforeEach } from "vitest"
import { defaultQuotaLimits, type QuotaLimits } from "../../src/broker/limits/QuotaLimits.ts"
import * as Quotas from "../../src/broker/limits/Quotas.ts"
import * as StreamPosition from "../../src/broker/limits/StreamPosition.ts"
import { brokerTables as migrations } from "../../src/storage/tables/BrokerTables.ts"

export const day = 86_400_000
export const MiB = 1024 * 1024
export const frameBytes = 65_536
export const alice = "aa".repeat(32)
export const bob = "bb".repeat(32)
export const person = (n: number): string => n.toString(16).padStart(64, "0")

/** The day, in UTC, on which every test begins. */
export const firstDay = 20_700

/** The database of the test that runs, and its clock, in milliseconds since the epoch. */
export const bench: { sqlite: BetterSqlite3.Database; now: number } = {
  sqlite: new BetterSqlite3(":memory:"),
  now: firstDay * day
}

/** Gives every test of a file a database and a clock of its own. */
export const useFreshBench = () => {
  beforeEach(() => {
    bench.sqlite = new BetterSqlite3(":memory:")
    for (const { sqlite: sql } of migrations) bench.sqlite.exec(sql)
    bench.now = firstDay * day
  })
  afterEach(() => void bench.sqlite.close())
}

export const open = (limits: QuotaLimits = defaultQuotaLimits, database = bench.sqlite, pepper = "pepper") =>
  Quotas.make(database, {
    limits,
    pepper: Buffer.from(pepper),
    position: StreamPosition.make(database),
    now: () => bench.now
  })

export const verdict = (quotas: Quotas.Quotas, from: string, to: string, bytes: number, blocked = false) => {
  const charge = quotas.charge(from, to, bytes, blocked)
  return "code" in charge ? charge.code : "ok"
}
export const verdicts = (quotas: Quotas.Quotas, from: string, to: string, count: number, bytes = 1_000) =>
  Array.from({ length: count }, () => verdict(quotas, from, to, bytes))
/** Sends until it is refused; how many bytes got through. */
export const pour = (quotas: Quotas.Quotas, from: string, to: string, bytes: number, blocked = false): number => {
  let sent = 0
  while (verdict(quotas, from, to, bytes, blocked) === "ok") sent += bytes
  return sent
}
export const nextDay = (quotas: Quotas.Quotas) => {
  quotas.flush()
  bench.now += day
  quotas.flush()
}
