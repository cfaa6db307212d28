/**
 * When a client stops coming back (spec KEZ-NAT-053): a home that closes its connection again and again soon after
 * login has a reason, and logging in at once would close another device's connection or feed a flood.
 */

/** How an attempt to be connected ended. */
export type End =
  /** The other side closed the connection, so long after login. `server` is the id that a NATS server takes at its start. */
  | { readonly _tag: "Closed"; readonly heldMillis: number; readonly server: string | undefined }
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

/** Closures in a row that count, and the server that made them. */
export interface Closures {
  readonly times: number
  readonly server: string | undefined
}

export const none: Closures = { times: 0, server: undefined }

/** The closures that count after one more end. */
export const count = (before: Closures, end: End): Closures => {
  // A refused login says for itself what is wrong; it may follow a closure, and another closure may follow it.
  if (end._tag === "Refused") return before
  if (end._tag === "Lost" || end.heldMillis >= soonMillis) return none
  // A server that is not the one before has started since, or is another of a cluster: that one did not throw us out.
  return { times: end.server === before.server ? before.times + 1 : 1, server: end.server }
}

export const isEvicted = ({ times }: Closures): boolean => times >= most
