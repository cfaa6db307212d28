/** Quotas over a fresh database and under a clock that tests set. */
import { Effect } from "effect"
import { afterEach, beforeEach } from "vitest"
import { defaultQuotaLimits, type QuotaLimits } from "../../../src/broker/limits/QuotaLimits.ts"
import * as Quotas from "../../../src/broker/limits/Quotas.ts"
import * as StreamPosition from "../../../src/broker/limits/StreamPosition.ts"
import type { TestDatabase, TestDatabases } from "./TestDatabases.ts"

export const day = 86_400_000
export const MiB = 1024 * 1024
export const frameBytes = 65_536
export const alice = "aa".repeat(32)
export const bob = "bb".repeat(32)
export const person = (n: number): string => n.toString(16).padStart(64, "0")

/** The day, in UTC, on which every test begins. */
export const firstDay = 20_700

/** The clock of the test that runs, in milliseconds since the epoch, and its database. */
export const bench: { now: number; opened: TestDatabase | undefined } = { now: firstDay * day, opened: undefined }

export const database = () => {
  if (bench.opened === undefined) throw new Error("no test runs")
  return bench.opened.database
}

/** Gives every test of a file a database and a clock of its own. */
export const useFreshBench = (databases: TestDatabases) => {
  beforeEach(async () => {
    bench.opened = await databases.open()
    bench.now = firstDay * day
  })
  afterEach(async () => {
    await bench.opened?.close()
  })
}

export const open = (limits: QuotaLimits = defaultQuotaLimits, pepper = "pepper") =>
  Quotas.make(database(), {
    limits,
    pepper: Buffer.from(pepper),
    positions: [StreamPosition.make(database())],
    now: () => bench.now
  })

export const charge = (quotas: Quotas.Quotas, from: string, to: string, bytes: number, isBlocked = false) =>
  Effect.map(quotas.charge([{ sender: from, recipient: to, bytes, isBlocked }]), ([found]) => found as Quotas.Verdict)
export const verdict = (quotas: Quotas.Quotas, from: string, to: string, bytes: number, isBlocked = false) =>
  Effect.map(charge(quotas, from, to, bytes, isBlocked), codeOf)
const codeOf = (found: Quotas.Verdict) => ("code" in found ? found.code : "ok")
/** Of messages that are charged together. */
export const verdicts = (quotas: Quotas.Quotas, from: string, to: string, count: number, bytes = 1_000) =>
  Effect.map(
    quotas.charge(Array.from({ length: count }, () => ({ sender: from, recipient: to, bytes, isBlocked: false }))),
    (found) => found.map(codeOf)
  )
/** Sends until it is refused; how many bytes got through. */
export const pour = Effect.fnUntraced(function* (
  quotas: Quotas.Quotas,
  from: string,
  to: string,
  bytes: number,
  isBlocked = false
) {
  let sent = 0
  while ((yield* verdict(quotas, from, to, bytes, isBlocked)) === "ok") sent += bytes
  return sent
})
export const nextDay = Effect.fnUntraced(function* (quotas: Quotas.Quotas) {
  yield* quotas.flush
  bench.now += day
  yield* quotas.flush
})
