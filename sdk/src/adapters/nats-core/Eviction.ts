/**
 * When a client stops coming back (spec KEZ-NAT-053): a home that closes its connection again and again soon after
 * login has a reason, and logging in at once would close another device's connection or feed a flood.
 */

/** How an attempt to be connected ended. */
export type End =
  /** The other side closed the connection, so long after login. */
  | { readonly _tag: "Closed"; readonly heldMillis: number }
  /** The login was refused. */
  | { readonly _tag: "Refused" }
  /** Nobody answered, or the login ran out: nothing that the home did to this client. */
  | { readonly _tag: "Lost" }

/** A connection that is closed sooner than this after its login counts, in milliseconds. */
const soonMillis = 60_000
/** So many of them in a row are an eviction. */
const most = 3
/** How long an evicted client waits before it logs in again, in milliseconds. */
export const waitMillis = 600_000

export const detail =
  "the home server closed the connection three times within a minute of login: more than eight programs use this account at once, or one of them sends too fast; trying again in ten minutes"

/** How many ends in a row count after one more. */
export const count = (before: number, end: End): number => {
  if (end._tag === "Closed") return end.heldMillis < soonMillis ? before + 1 : 0
  // A refused login says for itself what is wrong; it may follow a closure, and another closure may follow it.
  return end._tag === "Refused" ? before : 0
}

export const isEvicted = (counted: number): boolean => counted >= most
