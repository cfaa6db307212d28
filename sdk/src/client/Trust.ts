/**
 * What a contact's key is trusted with, as a pure function of what was seen: trust on first use, and from then on every
 * change of key or history stops sending until the user decides (spec KEZ-SEQ, sigchain).
 */
import * as Result from "effect/Result"
import * as VerifiedChain from "../crypto/VerifiedChain.ts"
import { fail, Problem } from "../protocol/Problem.ts"
import * as Sigchain from "../protocol/Sigchain.ts"
import type { Contact } from "./KezChat.ts"
import { SendBlocked } from "./KezChatError.ts"
import type { ContactRow } from "./Rows.ts"

/** A key met for the first time. Its handle is the primary until the home server names it and proves the name. */
export const meet = (hex: string, state: "accepted" | "requested", now: number): ContactRow => ({
  handle: `ed25519:${hex}`,
  primary: `ed25519:${hex}`,
  resolved: false,
  state,
  verified: false,
  former: [],
  addedAt: now
})

/** A contact as callers see it. */
export const toContact = (row: ContactRow): Contact => ({
  handle: row.handle,
  primary: row.primary,
  state: row.state,
  ...(row.changedTo === undefined ? {} : { changedTo: row.changedTo }),
  ...(row.warning === undefined ? {} : { warning: row.warning }),
  verified: row.verified,
  ...(row.head === undefined ? {} : { head: row.head }),
  addedAt: row.addedAt
})

/** The user takes somebody who asked for a contact. What there is a warning of stops sending all the same. */
export const accept = (row: ContactRow): ContactRow =>
  row.state === "requested" ? { ...row, state: row.warning === undefined ? "accepted" : "changed" } : row

/** Stops sending to an accepted contact. Whoever was not accepted keeps that state and carries the warning along. */
export const stop = (row: ContactRow, warning: string, changedTo?: string): ContactRow => {
  const warned = { ...row, verified: false, warning, ...(changedTo === undefined ? {} : { changedTo }) }
  if (row.state === "accepted") return { ...warned, state: "changed" }
  if (row.state === "blocked" && row.before === "accepted") return { ...warned, before: "changed" }
  return warned
}

/** The home server names `primary` for the contact's handle. */
export const afterRecord = (row: ContactRow, primary: string): ContactRow =>
  primary === row.primary || row.changedTo === primary
    ? row
    : stop(row, `${row.handle} now stands for another key: it was ${row.primary}, it is ${primary}`, primary)

/** The home server says that the contact's handle stands for nobody any more. */
export const afterLoss = (row: ContactRow, problem: Problem): ContactRow =>
  row.warning === undefined ? stop(row, `${row.handle}: ${problem.message}`) : row

/**
 * The contact's chain was fetched and every event verified. `before` is what their messages had named when it was
 * asked for: one that came since may be newer than the answer. Fails with `unavailable` where a chain that is known is not
 * shown: that is an outage, never an empty chain.
 */
export const afterChain = (
  row: ContactRow,
  chain: VerifiedChain.VerifiedChain,
  now: number,
  before: Sigchain.Head | undefined
): Result.Result<ContactRow, Problem> => {
  const comparison = VerifiedChain.compare(row.head, chain)
  if (comparison._tag === "unavailable") {
    return fail("unavailable", `the sig-server does not show the sigchain of ${row.handle}, which is known`)
  }
  const checked = { ...row, checkedAt: now }
  // What the user was warned of stays until they decide, also when the servers change their mind.
  if (row.changedTo !== undefined || row.warning !== undefined) return Result.succeed(checked)
  const alarm = Sigchain.alarm(row.primary, comparison)
  if (alarm !== undefined) return Result.succeed(stop(checked, alarm.message))
  const { head, state } = chain
  const { claimed, ...rest } = checked
  const beyond = claimed !== undefined && (head === undefined || claimed.seq > head.seq)
  if (beyond && claimed.seq === before?.seq) {
    const shown = head === undefined ? "none" : `only up to event ${head.seq} ${head.hash}`
    const warning = `${row.handle} wrote with event ${claimed.seq} ${claimed.hash} of their sigchain; the sig-server shows ${shown}`
    return Result.succeed(stop(checked, warning))
  }
  const there = claimed === undefined || beyond ? undefined : chain.hashes[claimed.seq - chain.first]
  if (claimed !== undefined && there !== undefined && there !== claimed.hash) {
    return Result.succeed(stop(checked, forked(row, claimed, { seq: claimed.seq, hash: there })))
  }
  if (state.rotatedTo !== undefined) {
    return Result.succeed(stop(checked, `${row.handle} rotated their key to ${state.rotatedTo}`, state.rotatedTo))
  }
  const reachable = state.endpoints.some((endpoint) => endpoint.protocol === "nats")
  const open = beyond ? { claimed } : {}
  return Result.succeed({ ...rest, ...open, ...(head === undefined ? {} : { head }), reachable })
}

const forked = (row: ContactRow, written: Sigchain.Head, shown: Sigchain.Head): string =>
  `${row.handle} has two sigchains: event ${written.seq} is ${written.hash} in their message and ${shown.hash} elsewhere`

/**
 * The contact's own message names the head of their chain. `check` says that the chain should be fetched: it went
 * beyond what is known here, so the server must show it too.
 */
export const afterClaim = (
  row: ContactRow,
  head: Sigchain.Head
): { readonly row: ContactRow; readonly check: boolean } => {
  if (row.warning !== undefined) return { row, check: false }
  for (const known of [row.head, row.claimed]) {
    if (known?.seq === head.seq && known.hash !== head.hash) {
      return { row: stop(row, forked(row, head, known)), check: false }
    }
  }
  const news = head.seq > (row.head?.seq ?? -1) && head.seq > (row.claimed?.seq ?? -1)
  return news ? { row: { ...row, claimed: head }, check: true } : { row, check: false }
}

/**
 * The user's word that the chain as it is now is right: what was stopped goes on. Whoever was no accepted contact before
 * is none afterwards.
 */
export const acceptChain = (
  row: ContactRow,
  chain: VerifiedChain.VerifiedChain,
  now: number
): Result.Result<ContactRow, Problem> => {
  const { changedTo: _, claimed: __, head: ___, warning: ____, ...rest } = row
  const state = row.state === "changed" ? "accepted" : row.state
  const before = row.before === "changed" ? { before: "accepted" as const } : {}
  return afterChain({ ...rest, state, ...before, verified: false }, chain, now, undefined)
}

/** Why nothing may be sent to a contact as things stand. */
export const reasonNotToSend = (row: ContactRow): SendBlocked | Problem | undefined => {
  const { handle } = row
  switch (row.state) {
    case "changed":
      return new SendBlocked({ who: handle, reason: "changed", detail: row.warning ?? "the key changed" })
    case "blocked":
      return new SendBlocked({ who: handle, reason: "blocked", detail: "you blocked them" })
    case "requested":
      return new SendBlocked({
        who: handle,
        reason: "requested",
        detail: "they wrote to you first: accept them to answer"
      })
    case "accepted":
      return row.reachable === false
        ? new Problem({ code: "contact_unreachable", detail: `${handle}: their sigchain names no inbox` })
        : undefined
  }
}
