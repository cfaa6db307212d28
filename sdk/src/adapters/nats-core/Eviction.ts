/**
 * When a client stops reconnecting (spec KEZ-NAT-053): a home that repeatedly closes its connection soon after login
 * has a reason, and an immediate login would close another device's connection or add to a flood.
 */

/** How a connection attempt ended. */
export type End =
  /** The other side closed the connection, `heldMillis` after login. `server` is the id of the NATS server process. */
  | { readonly _tag: "Closed"; readonly heldMillis: number; readonly server: string | undefined }
  | { readonly _tag: "Refused" }
  /** Nobody answered, or the login expired: not caused by the home's policy. */
  | { readonly _tag: "Lost" }

/** A connection closed sooner than this after login counts, in milliseconds. */
const soonMillis = 60_000
/** This many of them in a row are an eviction. */
const most = 3
/** How long an evicted client waits before it logs in again, in milliseconds. */
export const waitMillis = 600_000

export const detail =
  "the home server closed the connection three times within a minute of login: more than eight programs use this account at once, or one of them sends too fast; trying again in ten minutes"

/** Counted closures in a row, and the server that made them. */
export interface Closures {
  readonly times: number
  readonly server: string | undefined
}

export const none: Closures = { times: 0, server: undefined }

/** The counted closures after one more end. */
export const count = (before: Closures, end: End): Closures => {
  // A refused login reports its own reason; it may alternate with closures, so it does not reset the count.
  if (end._tag === "Refused") return before
  if (end._tag === "Lost" || end.heldMillis >= soonMillis) return none
  // A different server was restarted or is another one of a cluster: the previous one did not evict us.
  return { times: end.server === before.server ? before.times + 1 : 1, server: end.server }
}

export const isEvicted = ({ times }: Closures): boolean => times >= most
