/**
 * What is believed of a claim, and when it is checked again (spec/proofs.md, Claims and their states). A provider that
 * cannot be asked says nothing: only an answer makes a claim valid or broken. Pure.
 */
import * as Result from "effect/Result"
import { Identifier, type Sigchain } from "../../protocol/index.ts"
import type { ClaimRow } from "../internal/rows/index.ts"
import type { Claim, ProofEvidence } from "../model/index.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Between two checks of a claim whose state is certain; up to a quarter is added at random. */
const recheckMillis = day
/** A claim that once held is broken when it was missed for at least this long. */
export const breakAfterMillis = hour
/** Pauses while a service cannot be asked: doubled from the first one, up to the last. */
const firstRetryMillis = 15 * minute
const lastRetryMillis = day
/** Where a service limits requests without saying until when. */
const rateLimitMillis = hour
/** Without a look at the proof for longer than this, a claim is not shown as proven (KEZ-PRF-152). */
const staleMillis = 7 * day
/** Opening a profile checks claims again that were last checked longer ago than this. */
const profileMillis = hour
/** Newest claims of one account that are kept, and those of them that are checked: a chain has room for thousands. */
const keptMax = 128
const checkedMax = 32
/** Claims of one system that are checked of a stranger, who would else use up what a service answers to this device. */
const strangerMax = 3

/** What one check found out. */
export type Finding =
  | { readonly _tag: "Good"; readonly evidence: ProofEvidence; readonly expiresAt?: number }
  | {
      readonly _tag: "Bad"
      /** Nothing was found, or what was found does not hold. */
      readonly sentence: string
      readonly evidence?: ProofEvidence
      /** It cannot be otherwise, so it counts at once: the proof itself says that it ended. */
      readonly certain?: true
    }
  | { readonly _tag: "Unreachable"; readonly sentence: string; readonly reason: NonNullable<Claim["reason"]> }
  | { readonly _tag: "Limited"; readonly sentence: string; readonly retryAt?: number }

/** What subjects are compared by: the normal form, or the text of what is no identifier (KEZ-SIG-045). */
export const normal = (subject: string): string =>
  Result.match(Identifier.parse(subject), { onFailure: () => subject, onSuccess: ({ text }) => text })

export const systemOf = (subject: string): string =>
  Result.match(Identifier.parse(subject), {
    onFailure: () => subject.split(":", 1)[0] ?? "",
    onSuccess: ({ system }) => system
  })

/** The service that a check burdens: the identity's own host, or the provider of its system. */
export const laneOf = (subject: string): string => {
  const parsed = Identifier.parse(subject)
  if (Result.isFailure(parsed)) return ""
  const { id, system } = parsed.success
  if (system === "web") return `web:${URL.parse(id)?.host ?? id}`
  return system === "ap" ? `ap:${id.slice(id.indexOf("@") + 1)}` : system
}

const unchecked: Pick<ClaimRow, "state" | "sentence" | "failures"> = {
  state: "unchecked",
  sentence: "it was not checked yet",
  failures: 0
}

/** The claims of a chain that this device keeps, and those of them that it checks. */
export const newest = (claims: ReadonlyArray<Sigchain.ChainClaim>) => {
  const kept = [...claims].sort((a, b) => b.seq - a.seq).slice(0, keptMax)
  return { kept, checked: new Set(kept.filter(({ revoked }) => !revoked).slice(0, checkedMax)) }
}

/** The row of a claim as the chain has it now. What checks found stays, unless the account claimed it anew. */
export const afterChain = (
  before: ClaimRow | undefined,
  { revoked, seq, subject }: Sigchain.ChainClaim,
  isChecked: boolean,
  now: number
): ClaimRow => {
  const { nextCheckAt, ...known } = before ?? { ...unchecked, nextCheckAt: now }
  if (revoked) return { ...known, subject, seq, revoked }
  if (!isChecked) {
    const state = known.state === "valid" ? "unreachable" : known.state
    return { ...known, subject, seq, revoked, state, sentence: `only the newest ${checkedMax} claims are checked` }
  }
  const isNew = before === undefined || before.revoked || before.seq !== seq
  const soon = Math.max(now, before?.retryAt ?? 0)
  return { ...known, subject, seq, revoked, nextCheckAt: isNew ? soon : (nextCheckAt ?? soon) }
}

/** The claims of a stranger that are checked: the newest ones of each system. */
export const ofStranger = (rows: ReadonlyArray<ClaimRow>): ReadonlyArray<ClaimRow> => {
  const counts = new Map<string, number>()
  return [...rows]
    .sort((a, b) => b.seq - a.seq)
    .filter(({ nextCheckAt, revoked, subject }) => {
      if (revoked || nextCheckAt === undefined) return false
      const count = (counts.get(systemOf(subject)) ?? 0) + 1
      counts.set(systemOf(subject), count)
      return count <= strangerMax
    })
}

const isExpired = ({ expiresAt }: ClaimRow, now: number): boolean => expiresAt !== undefined && expiresAt <= now

const isStale = ({ lastGoodAt, state }: ClaimRow, now: number): boolean =>
  state === "valid" && now - (lastGoodAt ?? 0) > staleMillis

const stale = { state: "unreachable", sentence: "the proof was not seen for a week" } as const

const withoutAnswer = (row: ClaimRow): ClaimRow => {
  const { reason: _, retryAt: __, ...rest } = row
  return rest
}

/** `jitter` is in [0, 1). */
const afterUnreachable = (
  row: ClaimRow,
  { reason, sentence }: Extract<Finding, { _tag: "Unreachable" }>,
  now: number,
  jitter: number
): ClaimRow => {
  const pause = Math.min(firstRetryMillis * 2 ** Math.min(row.failures, 10), lastRetryMillis)
  const later = now + Math.round(pause * (1 + jitter / 4))
  const { expiresAt = 0, state } = row
  const nextCheckAt = expiresAt > now ? Math.min(later, expiresAt) : later
  const rest = { ...withoutAnswer(row), failures: row.failures + 1, nextCheckAt, checkedAt: now }
  if (isExpired(row, now) && state !== "unchecked") return { ...rest, state: "broken", sentence: "the proof ended" }
  // What is known to be broken stays so; everything else is merely not known now.
  return state === "broken" ? rest : { ...rest, state: "unreachable", sentence, reason }
}

const afterBad = (
  row: ClaimRow,
  { certain, evidence, sentence }: Extract<Finding, { _tag: "Bad" }>,
  now: number,
  jitter: number
): ClaimRow => {
  const { found: _, ...rest } = withoutAnswer(row)
  const seen = { ...rest, failures: 0, checkedAt: now, ...(evidence === undefined ? {} : { found: evidence }) }
  const missedAt = row.missedAt ?? now
  const mayBeSlip = row.lastGoodAt !== undefined && row.state !== "broken" && certain !== true && !isExpired(row, now)
  if (mayBeSlip && now - missedAt < breakAfterMillis) {
    return {
      ...seen,
      // Whether the proof is gone, the next check decides. A miss makes nothing valid that was not.
      sentence: `${sentence}; it is checked again before that counts`,
      missedAt,
      nextCheckAt: missedAt + breakAfterMillis + Math.round(jitter * 5 * minute)
    }
  }
  return {
    ...seen,
    state: "broken",
    sentence,
    missedAt,
    nextCheckAt: now + Math.round(recheckMillis * (1 + jitter / 4))
  }
}

/** A claim after a check. `jitter`, in [0, 1), spreads the next ones. */
export const afterCheck = (row: ClaimRow, finding: Finding, now: number, jitter: number): ClaimRow => {
  switch (finding._tag) {
    case "Good": {
      const { expiresAt: _, found: __, missedAt: ___, ...rest } = withoutAnswer(row)
      const next = now + Math.round(recheckMillis * (1 + jitter / 4))
      return {
        ...rest,
        state: "valid",
        sentence: "the proof holds",
        failures: 0,
        checkedAt: now,
        lastGoodAt: now,
        good: finding.evidence,
        ...(finding.expiresAt === undefined ? {} : { expiresAt: finding.expiresAt }),
        nextCheckAt: Math.min(next, finding.expiresAt ?? next)
      }
    }
    case "Bad":
      return afterBad(row, finding, now, jitter)
    case "Unreachable":
      return afterUnreachable(row, finding, now, jitter)
    case "Limited": {
      // No answer, so nothing changes but the time of the next check, until what was seen is too old.
      const retryAt = Math.max(finding.retryAt ?? now + rateLimitMillis, now)
      return {
        ...row,
        ...(row.state === "unchecked" ? { sentence: finding.sentence } : {}),
        ...(isStale(row, now) ? stale : {}),
        retryAt,
        nextCheckAt: retryAt + Math.round(jitter * 5 * minute)
      }
    }
  }
}

/** A claim as callers see it. */
export const toClaim = (row: ClaimRow, now: number): Claim => {
  const ended = row.state !== "broken" && isExpired(row, now)
  const shown = isStale(row, now) ? stale : row
  const state = ended ? "broken" : shown.state
  const evidence = state === "broken" ? (row.found ?? row.good) : row.good
  const sentence = ended ? "the proof ended" : shown.sentence
  return {
    subject: row.subject,
    system: systemOf(row.subject),
    seq: row.seq,
    state,
    revoked: row.revoked,
    sentence: row.revoked ? "it was taken back" : sentence,
    ...(state === "unreachable" && row.reason !== undefined ? { reason: row.reason } : {}),
    ...(row.checkedAt === undefined ? {} : { checkedAt: row.checkedAt }),
    ...(row.lastGoodAt === undefined ? {} : { lastGoodAt: row.lastGoodAt }),
    ...(row.nextCheckAt === undefined || row.revoked ? {} : { nextCheckAt: row.nextCheckAt }),
    ...(row.retryAt === undefined || row.retryAt <= now ? {} : { retryAt: row.retryAt }),
    ...(evidence === undefined ? {} : { evidence })
  }
}

/** Whether the user is told of a claim's new state. The first answer about a claim is news, too. */
export const isNews = (before: ClaimRow | undefined, after: ClaimRow, now: number): boolean =>
  before === undefined
    ? after.state !== "unchecked"
    : before.state !== after.state ||
      before.revoked !== after.revoked ||
      // What was shown as too old was seen again.
      (isStale(before, now) && !isStale(after, now))

/** Whether opening a profile checks a claim again. */
export const isDueOnProfile = (row: ClaimRow, now: number): boolean =>
  !row.revoked &&
  row.nextCheckAt !== undefined &&
  (row.retryAt === undefined || row.retryAt <= now) &&
  (row.nextCheckAt <= now || now - (row.checkedAt ?? 0) >= profileMillis)
