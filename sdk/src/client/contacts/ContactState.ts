/**
 * Trust in a contact's key as a state machine: two tables and the user's decisions (spec/messages.md, Key changes).
 *
 * `nameTable` follows the home server's answers about the contact's handle, `chainTable` the contact's sigchain.
 * Neither replaces the pinned key: only `user_accepts` does, which names the key that it accepts.
 *
 * Pure. Tests compare these tables with those of the specification and with the vectors `contact-state`.
 */

export type NameState = "named" | "offered" | "offered_kept" | "gone" | "gone_kept"
export type NameEvent = "names_pinned" | "names_other" | "names_nobody" | "user_keeps"

export const nameTable: Readonly<Record<NameState, Readonly<Record<NameEvent, NameState>>>> = {
  named: { names_pinned: "named", names_other: "offered", names_nobody: "gone", user_keeps: "named" },
  offered: { names_pinned: "named", names_other: "offered", names_nobody: "gone", user_keeps: "offered_kept" },
  offered_kept: {
    names_pinned: "named",
    names_other: "offered_kept",
    names_nobody: "gone_kept",
    user_keeps: "offered_kept"
  },
  gone: { names_pinned: "named", names_other: "offered", names_nobody: "gone", user_keeps: "gone_kept" },
  gone_kept: { names_pinned: "named", names_other: "offered_kept", names_nobody: "gone_kept", user_keeps: "gone_kept" }
}

export type ChainState = "whole" | "behind" | "behind_kept" | "rotated" | "rotated_kept" | "forked" | "forked_kept"
export type ChainEvent = "extends" | "falls_behind" | "rotates" | "forks" | "user_keeps"

export const chainTable: Readonly<Record<ChainState, Readonly<Record<ChainEvent, ChainState>>>> = {
  whole: { extends: "whole", falls_behind: "behind", rotates: "rotated", forks: "forked", user_keeps: "whole" },
  behind: { extends: "whole", falls_behind: "behind", rotates: "rotated", forks: "forked", user_keeps: "behind_kept" },
  behind_kept: {
    extends: "whole",
    falls_behind: "behind_kept",
    rotates: "rotated",
    forks: "forked",
    user_keeps: "behind_kept"
  },
  rotated: {
    extends: "rotated",
    falls_behind: "rotated",
    rotates: "rotated",
    forks: "forked",
    user_keeps: "rotated_kept"
  },
  rotated_kept: {
    extends: "rotated_kept",
    falls_behind: "rotated_kept",
    rotates: "rotated_kept",
    forks: "forked",
    user_keeps: "rotated_kept"
  },
  forked: { extends: "forked", falls_behind: "forked", rotates: "forked", forks: "forked", user_keeps: "forked_kept" },
  forked_kept: {
    extends: "forked_kept",
    falls_behind: "forked",
    rotates: "rotated",
    forks: "forked",
    user_keeps: "forked_kept"
  }
}

/** States in which nothing is sent until the user decides or the cause goes away. */
const stopping: ReadonlySet<NameState | ChainState> = new Set(["offered", "gone", "behind", "rotated", "forked"])

/** Somebody else may hold the pinned key too, so an earlier comparison of safety numbers proves nothing. */
const endsVerification: ReadonlySet<ChainState> = new Set(["rotated", "forked"])

export interface ContactState {
  /** The only key that anything is sent to. */
  readonly pinned: string
  readonly relation: "accepted" | "requested" | "blocked"
  readonly name: NameState
  /** The key that the home server names; present exactly in `offered` and `offered_kept`. */
  readonly names?: string
  readonly chain: ChainState
  /** The key that the pinned key's chain leads to; present exactly in `rotated` and `rotated_kept`. */
  readonly rotatedTo?: string
  /** The user compared the pinned key's safety number. Callers use {@link isVerified}. */
  readonly verified: boolean
  /** When the user kept the pinned key or was last reminded of an offer, milliseconds since the epoch. */
  readonly noticedAt?: number
}

export type Event =
  | { readonly event: "names"; readonly primary: string }
  | { readonly event: "names_nobody" }
  | { readonly event: "extends" | "falls_behind" | "forks" }
  | { readonly event: "rotates"; readonly primary: string }
  | { readonly event: "user_keeps" }
  | { readonly event: "user_accepts" | "user_confirms"; readonly primary: string }

/**
 * What to notify the user of. `changed`: sending stopped, or is stopped for another reason. `healed`: a cause went away
 * by itself, and sending resumes with the pinned key. `offered`: another key is still offered while the user keeps the
 * pinned one.
 */
export type Notice = "changed" | "healed" | "offered"

export interface Transition {
  readonly state: ContactState
  readonly notice?: Notice
  /** Why the user's decision changed nothing. */
  readonly refused?: "not_offered" | "not_accepted"
}

/** Interval of reminders that another key is offered. */
export const noticeMillis = 24 * 60 * 60 * 1_000

export interface OfferedKey {
  readonly primary: string
  /** `handed_over`: the pinned key signed a rotation to it, or to a key that led there. `unexplained`: only the home server names it. */
  readonly origin: "handed_over" | "unexplained"
}

/** The key that the user may accept in place of the pinned one. */
export const offered = ({ names, rotatedTo }: ContactState): OfferedKey | undefined => {
  const primary = names ?? rotatedTo
  if (primary === undefined) return undefined
  return { primary, origin: primary === rotatedTo ? "handed_over" : "unexplained" }
}

/** Whether sending is stopped by what is known of the key. */
export const isStopped = ({ chain, name }: ContactState): boolean => stopping.has(name) || stopping.has(chain)

/** Whether there is no warning about the pinned key. */
export const isClean = ({ chain, name }: ContactState): boolean => name === "named" && chain === "whole"

export const maySend = (state: ContactState): boolean => state.relation === "accepted" && !isStopped(state)

export const isVerified = (state: ContactState): boolean => state.verified && maySend(state)

/** The key whose safety number the user should compare. The pinned key's number is always shown. */
export const numberOf = (state: ContactState): "pinned" | "offered" =>
  isStopped(state) && offered(state) !== undefined ? "offered" : "pinned"

const withName = (state: ContactState, name: NameState, primary?: string): ContactState => {
  const { names: _, ...rest } = state
  return { ...rest, name, ...(primary === undefined ? {} : { names: primary }) }
}

const withChain = (state: ContactState, chain: ChainState, primary?: string): ContactState => {
  const { rotatedTo: _, ...rest } = state
  const verified = state.verified && !endsVerification.has(chain)
  return { ...rest, chain, verified, ...(primary === undefined ? {} : { rotatedTo: primary }) }
}

const move = (state: ContactState, event: Event, now: number): ContactState => {
  switch (event.event) {
    case "names": {
      const isPinned = event.primary === state.pinned
      const name = nameTable[state.name][isPinned ? "names_pinned" : "names_other"]
      return withName(state, name, isPinned ? undefined : event.primary)
    }
    case "names_nobody":
      return withName(state, nameTable[state.name].names_nobody)
    case "extends":
    case "falls_behind":
    case "forks":
    case "rotates": {
      const chain = chainTable[state.chain][event.event]
      const isRotated = chain === "rotated" || chain === "rotated_kept"
      const to = event.event === "rotates" ? event.primary : state.rotatedTo
      return withChain(state, chain, isRotated ? to : undefined)
    }
    case "user_keeps":
      return isStopped(state)
        ? {
            ...state,
            name: nameTable[state.name].user_keeps,
            chain: chainTable[state.chain].user_keeps,
            noticedAt: now
          }
        : state
    case "user_accepts":
      return {
        pinned: event.primary,
        relation: state.relation === "blocked" ? "blocked" : "accepted",
        name: "named",
        chain: "whole",
        verified: false
      }
    case "user_confirms":
      return { ...state, verified: true }
  }
}

const refusalOf = (state: ContactState, event: Event): Transition["refused"] => {
  if (event.event === "user_accepts" && offered(state)?.primary !== event.primary) return "not_offered"
  if (event.event === "user_confirms" && !(maySend(state) && state.pinned === event.primary)) return "not_accepted"
  return undefined
}

/** The notice of a change that the user did not make. */
const noticeOf = (before: ContactState, after: ContactState, event: Event, now: number): Notice | undefined => {
  if (after.relation === "blocked") return undefined
  if (isStopped(after)) {
    const isNews =
      !isStopped(before) ||
      offered(before)?.primary !== offered(after)?.primary ||
      before.name !== after.name ||
      before.chain !== after.chain
    return isNews ? "changed" : undefined
  }
  const healed =
    (after.name === "named" && before.name !== "named") || (after.chain === "whole" && before.chain !== "whole")
  if (healed) return "healed"
  const isOffer = event.event === "names" && after.name === "offered_kept"
  return isOffer && now - (after.noticedAt ?? 0) >= noticeMillis ? "offered" : undefined
}

/** Applies one event; `now` in milliseconds since the epoch. */
export const apply = (state: ContactState, event: Event, now: number): Transition => {
  const refused = refusalOf(state, event)
  if (refused !== undefined) return { state, refused }
  const after = move(state, event, now)
  if (event.event.startsWith("user_")) return { state: after }
  const notice = noticeOf(state, after, event, now)
  if (notice === undefined) return { state: after }
  return { state: notice === "offered" ? { ...after, noticedAt: now } : after, notice }
}
