/**
 * Trust in contacts' keys: trust on first use, and then every change of key or history stops sending until the user
 * decides (spec/messages.md, Key changes). `ContactState` holds the rules; this module turns answers of servers into
 * its events and rows into its states. Pure.
 */
import * as Result from "effect/Result"
import * as VerifiedChain from "../../crypto/verified/VerifiedChain.ts"
import { PrimaryKey, Sigchain } from "../../protocol/index.ts"
import { fail, Problem } from "../../protocol/Problem.ts"
import type { ContactRow } from "../internal/rows/index.ts"
import type { Contact } from "../model/index.ts"
import { FetchBlocked, KeyRefused, SendBlocked } from "../model/index.ts"
import * as ContactState from "./ContactState.ts"

/** A contact after an event, and what to notify the user of. */
export interface Judged {
  readonly row: ContactRow
  readonly notice?: ContactState.Notice
}

/** A contact seen for the first time. Its handle is the primary key until the home server proves a handle. */
export const newContact = (hex: string, state: "accepted" | "requested", now: number): ContactRow => ({
  handle: PrimaryKey.ofHex(hex),
  primary: PrimaryKey.ofHex(hex),
  resolved: false,
  state,
  verified: false,
  former: [],
  addedAt: now
})

/** Removes a handle that is not, or no longer, proven for this key. */
export const unnamed = (row: ContactRow): ContactRow => ({ ...named(row, row.primary, undefined), resolved: false })

/** Gives a contact the handle that a verified record proves; `home` is its server if that is not the account's own. */
export const named = (row: ContactRow, handle: string, home: string | undefined): ContactRow => {
  const { home: _, ...rest } = row
  return { ...rest, handle, resolved: true, ...(home === undefined ? {} : { home }) }
}

export const stateOf = (row: ContactRow): ContactState.ContactState => ({
  pinned: row.primary,
  relation: row.state === "changed" ? "accepted" : row.state,
  name: row.name?.state ?? "named",
  ...(row.name?.to === undefined ? {} : { names: row.name.to }),
  chain: row.chain?.state ?? "whole",
  ...(row.chain?.to === undefined ? {} : { rotatedTo: row.chain.to }),
  verified: row.verified,
  ...(row.noticedAt === undefined ? {} : { noticedAt: row.noticedAt })
})

/** `name` or `chain` of a row: `to` is a key, `detail` a sentence about what led to the state. */
type Mark<State extends string> = { readonly state: State; readonly to?: string; readonly detail: string }

const mark = <State extends string>(
  state: State,
  to: string | undefined,
  detail: string | undefined,
  before: Mark<string> | undefined
): Mark<State> => {
  const isNew = state !== before?.state || to !== before.to
  const sentence = isNew ? (detail ?? before?.detail) : before.detail
  return { state, ...(to === undefined ? {} : { to }), detail: sentence ?? "" }
}

/** `detail`: a sentence about the event, stored with a state that it leads to. */
const withState = (row: ContactRow, state: ContactState.ContactState, detail?: string): ContactRow => {
  const { chain, name, noticedAt: _, ...rest } = row
  const sendState = ContactState.isStopped(state) ? ("changed" as const) : ("accepted" as const)
  return {
    ...rest,
    state: state.relation === "accepted" ? sendState : state.relation,
    ...(state.name === "named" ? {} : { name: mark(state.name, state.names, detail, name) }),
    ...(state.chain === "whole" ? {} : { chain: mark(state.chain, state.rotatedTo, detail, chain) }),
    ...(state.noticedAt === undefined ? {} : { noticedAt: state.noticedAt }),
    verified: state.verified
  }
}

const judge = (row: ContactRow, event: ContactState.Event, now: number, detail?: string): Judged => {
  const { notice, state } = ContactState.apply(stateOf(row), event, now)
  return { row: withState(row, state, detail), ...(notice === undefined ? {} : { notice }) }
}

/** The warning about a contact as a sentence; undefined if there is none. */
export const warningOf = (row: ContactRow): string | undefined => {
  const { chain, name } = row
  if (name === undefined) return chain?.detail
  // A rotation to the key that the home server names explains both.
  if (chain === undefined || chain.detail === name.detail) return name.detail
  return chain.to !== undefined && chain.to === name.to ? chain.detail : `${name.detail}; ${chain.detail}`
}

type Cause = NonNullable<Contact["cause"]>

/** What {@link warningOf} is about, whether the user keeps the key or not. */
const causeOf = ({ chain, name }: ContactRow): Cause => ({
  ...(name === undefined ? {} : { name: name.state.replace("_kept", "") as NonNullable<Cause["name"]> }),
  ...(chain === undefined ? {} : { chain: chain.state.replace("_kept", "") as NonNullable<Cause["chain"]> })
})

/** Whether the user keeps the key of a contact in spite of a warning. */
export const isKept = (row: ContactRow): boolean => {
  const state = stateOf(row)
  return !ContactState.isClean(state) && !ContactState.isStopped(state)
}

/** A contact as callers see it. */
export const toContact = (row: ContactRow): Contact => {
  const state = stateOf(row)
  const offered = ContactState.offered(state)
  const warning = warningOf(row)
  const verified = ContactState.isVerified(state)
  return {
    handle: row.handle,
    ...(row.home === undefined ? {} : { home: row.home }),
    primary: row.primary,
    state: row.state,
    ...(offered === undefined ? {} : { offered }),
    ...(warning === undefined ? {} : { warning, cause: causeOf(row) }),
    ...(isKept(row) ? { kept: true as const } : {}),
    verified,
    ...(verified && row.verifiedAt !== undefined ? { verifiedAt: row.verifiedAt } : {}),
    ...(row.head === undefined ? {} : { head: row.head }),
    ...(row.admission === undefined ? {} : { admission: row.admission }),
    addedAt: row.addedAt
  }
}

/** Which warning ended by itself between two rows of a contact, as a sentence. */
export const healedBy = (before: ContactRow, { handle, name }: ContactRow): string =>
  before.name !== undefined && name === undefined
    ? `the home server names the key that you hold for ${handle} again`
    : `the sigchain of ${handle} extends the known one again`

/** The user accepts a request. A warning stops sending nevertheless. */
export const accept = (row: ContactRow): ContactRow =>
  row.state === "requested" ? withState(row, { ...stateOf(row), relation: "accepted" }) : row

export const block = (row: ContactRow): ContactRow =>
  row.state === "blocked"
    ? row
    : { ...row, state: "blocked", before: row.state === "requested" ? "requested" : "accepted" }

/** Returns to the relation before the block; warnings that arose meanwhile apply. */
export const unblock = (row: ContactRow): ContactRow => {
  if (row.state !== "blocked") return row
  const { before, ...rest } = row
  const relation = before === undefined || before === "requested" ? "requested" : "accepted"
  return withState(rest, { ...stateOf(row), relation })
}

/** The home server names `primary` for the contact's handle. */
export const afterRecord = (row: ContactRow, primary: string, now: number): Judged =>
  judge(
    row,
    { event: "names", primary },
    now,
    `the home server now names another key for ${row.handle}: ${primary} instead of ${row.primary}`
  )

/** The home server says that the contact's handle does not exist any more. */
export const afterLoss = (row: ContactRow, problem: Problem, now: number): Judged =>
  judge(row, { event: "names_nobody" }, now, `${row.handle}: ${problem.message}`)

/**
 * The contact's chain was fetched and verified. `before` is the head that the contact's messages had claimed when it
 * was requested: a claim that arrived since may be newer than the answer. Fails with `unavailable` if a known chain is
 * not shown: that is an outage, never an empty chain. `line`: the keys that the chain's last event leads to, one after
 * the other; the one of them that the home names is offered, else the last.
 */
export const afterChain = (
  row: ContactRow,
  chain: VerifiedChain.VerifiedChain,
  now: number,
  before: Sigchain.Head | undefined,
  line: ReadonlyArray<string> = []
): Result.Result<Judged, Problem> => {
  const comparison = VerifiedChain.compare(row.head, chain)
  if (comparison._tag === "unavailable") {
    return fail("unavailable", `the sig-server does not show the known sigchain of ${row.handle}`)
  }
  const checked = { ...row, checkedAt: now }
  const alarm = Sigchain.alarm(row.primary, comparison)
  if (alarm !== undefined) {
    const event = comparison._tag === "fork" ? "forks" : "falls_behind"
    return Result.succeed(judge(checked, { event }, now, alarm.message))
  }
  const { head, state } = chain
  const { claimed, ...rest } = checked
  const there = claimed === undefined ? undefined : chain.hashes[claimed.seq - chain.first]
  if (claimed !== undefined && there !== undefined && there !== claimed.hash) {
    const detail = forked(row, claimed, { seq: claimed.seq, hash: there })
    return Result.succeed(judge(checked, { event: "forks" }, now, detail))
  }
  const beyond = claimed !== undefined && there === undefined
  const reachable = state.endpoints.some((endpoint) => endpoint.protocol === "nats")
  const seen = { ...rest, ...(beyond ? { claimed } : {}), ...(head === undefined ? {} : { head }), reachable }
  if (beyond) {
    // The claim arrived after the request, so the answer need not contain it.
    if (claimed.seq !== before?.seq) return Result.succeed({ row: seen })
    const shown = head === undefined ? "none" : `only up to event ${head.seq} ${head.hash}`
    const claim = `${row.handle} claimed event ${claimed.seq} ${claimed.hash} of their sigchain in a message`
    const detail = `${claim}; the sig-server shows ${shown}`
    return Result.succeed(judge(seen, { event: "falls_behind" }, now, detail))
  }
  // The user already decided to keep the key in spite of a rotation in this history.
  const isKnown = comparison._tag === "same" && row.chain?.state === "forked_kept"
  if (state.rotatedTo !== undefined && !isKnown) {
    const named = row.name?.to
    const primary = named !== undefined && line.includes(named) ? named : (line.at(-1) ?? state.rotatedTo)
    const detail = `${row.handle} rotated their key to ${primary}`
    return Result.succeed(judge(seen, { event: "rotates", primary }, now, detail))
  }
  return Result.succeed(judge(seen, { event: "extends" }, now))
}

const forked = (row: ContactRow, written: Sigchain.Head, shown: Sigchain.Head): string =>
  `${row.handle} has two sigchains: event ${written.seq} is ${written.hash} in a message, ${shown.hash} elsewhere`

/**
 * A message of the contact claims a head of its chain. `check`: the claim goes beyond the known chain, which must be
 * fetched because the sig-server must show it too.
 */
export const afterClaim = (
  row: ContactRow,
  head: Sigchain.Head,
  now: number
): { readonly judged: Judged; readonly check: boolean } => {
  for (const known of [row.head, row.claimed]) {
    if (known?.seq !== head.seq || known.hash === head.hash) continue
    // The fork is known already; which of its branches a message claims changes nothing.
    if (row.chain?.state === "forked" || row.chain?.state === "forked_kept") return { judged: { row }, check: false }
    return { judged: judge(row, { event: "forks" }, now, forked(row, head, known)), check: false }
  }
  const news = head.seq > (row.head?.seq ?? -1) && head.seq > (row.claimed?.seq ?? -1)
  return { judged: { row: news ? { ...row, claimed: head } : row }, check: news }
}

/** Whether keeping a contact's key needs the chain that the sig-server shows now. */
export const needsChainToKeep = (row: ContactRow): boolean => row.chain?.state === "forked"

/**
 * The user keeps the pinned key in spite of the warning: sending to it resumes. After a fork, `chain` is the branch to
 * follow from now on.
 */
export const keep = (
  row: ContactRow,
  chain: VerifiedChain.VerifiedChain | undefined,
  now: number
): Result.Result<ContactRow, Problem> => {
  const kept = judge(row, { event: "user_keeps" }, now).row
  if (!needsChainToKeep(row)) return Result.succeed(kept)
  if (chain?.head === undefined) {
    return fail("unavailable", `the sig-server does not show the known sigchain of ${row.handle}`)
  }
  const { claimed: _, ...rest } = kept
  return Result.succeed({ ...rest, head: chain.head })
}

/** Fails unless `primary` is the key that is offered for the contact. */
export const checkOffered = (row: ContactRow, primary: string): Result.Result<void, KeyRefused> => {
  const { refused, state } = ContactState.apply(stateOf(row), { event: "user_accepts", primary }, 0)
  if (refused === undefined) return Result.succeed(undefined)
  const offered = ContactState.offered(state)
  const now = offered === undefined ? "no other key is offered" : `${offered.primary} is offered`
  return Result.fail(
    new KeyRefused({ who: row.handle, primary, reason: "not_offered", detail: `${now}, not ${primary}` })
  )
}

/** The user confirms the safety number of `primary`. Fails unless that is the key of an accepted contact. */
export const confirm = (row: ContactRow, primary: string, now: number): Result.Result<ContactRow, KeyRefused> => {
  const { refused, state } = ContactState.apply(stateOf(row), { event: "user_confirms", primary }, now)
  if (refused === undefined) return Result.succeed({ ...withState(row, state), verifiedAt: now })
  const why: Record<ContactRow["state"], string> = {
    accepted: `their key is ${row.primary}, not ${primary}`,
    changed: `${warningOf(row) ?? "their key changed"}: accept the offered key or keep theirs first`,
    requested: "they are not accepted yet: accept their request first",
    blocked: "you blocked them"
  }
  return Result.fail(new KeyRefused({ who: row.handle, primary, reason: "not_accepted", detail: why[row.state] }))
}

/** Why nothing may be sent to a contact now; undefined if it may. */
export const reasonNotToSend = (row: ContactRow): SendBlocked | Problem | undefined => {
  const { handle } = row
  switch (row.state) {
    case "changed":
      return new SendBlocked({ who: handle, reason: "changed", detail: warningOf(row) ?? "the key changed" })
    case "blocked":
      return new SendBlocked({ who: handle, reason: "blocked", detail: "you blocked them" })
    case "requested":
      return new SendBlocked({
        who: handle,
        reason: "requested",
        detail: "they wrote to you first: accept them to answer"
      })
    case "accepted":
      if (row.home !== undefined) return atOtherHome(row)
      return row.reachable === false
        ? new Problem({ code: "contact_unreachable", detail: `${handle}: their sigchain names no inbox` })
        : undefined
  }
}

/** Why nothing is exchanged with a contact of another home. */
export const atOtherHome = ({ handle, home }: ContactRow): Problem =>
  new Problem({
    code: "federation_unsupported",
    detail: `${handle} is at ${home}: people of other homes can be verified, but not written to yet`
  })

/** Why no file may be fetched from a contact as things stand. */
export const reasonNotToFetch = (row: ContactRow): FetchBlocked | Problem | undefined => {
  const { handle, state } = row
  switch (state) {
    case "accepted":
      return row.home === undefined ? undefined : atOtherHome(row)
    case "requested":
      return new FetchBlocked({ who: handle, reason: state, detail: "they are a stranger so far: accept them first" })
    case "blocked":
      return new FetchBlocked({ who: handle, reason: state, detail: "you blocked them" })
    case "changed":
      return new FetchBlocked({ who: handle, reason: state, detail: warningOf(row) ?? "their key changed" })
  }
}

/**
 * Whether mail that is already queued for a contact waits for the user's decision. It differs from
 * {@link reasonNotToSend} on purpose: mail to a contact that is only requested by now, or whose sigchain names no inbox,
 * was allowed when it was queued, so it is sent and the home server answers for it.
 */
export const isQueueHeld = (row: ContactRow): boolean => {
  const reason = reasonNotToSend(row)
  return reason instanceof SendBlocked && reason.reason !== "requested"
}
