/** The lines that show a sigchain: one for each event, and one for a run of changes to the shared files. */
import type { Verification } from "@kez-chat/sdk/promise"

type Envelope = Verification["events"][number]
export type Head = NonNullable<Verification["head"]>

/** An event as it was signed, with its place in the chain. */
export interface ChainEvent {
  readonly seq: number
  /** Absent where no later event and no head names it. */
  readonly hash?: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly envelope: Envelope
}

export type Statement =
  | { readonly _tag: "mail" | "mail_removed"; readonly server: string }
  | { readonly _tag: "files" | "files_removed" | "device" | "unknown" | "rotated" }
  | { readonly _tag: "claim"; readonly subject: string; readonly revoked: boolean }
  | { readonly _tag: "claim_revoked"; readonly subject: string }
  | { readonly _tag: "shared_files" }

export interface ChainLink {
  readonly statement: Statement
  /** Oldest first; more than one only for `shared_files`. */
  readonly events: ReadonlyArray<ChainEvent>
}

/** Where a chain contradicts what was seen of it. */
export interface ChainBreak {
  readonly _tag: "forked" | "rolled_back"
  readonly known: Head
  /** Absent if nothing is shown. */
  readonly shown?: Head
}

const text = (value: unknown): string => (typeof value === "string" ? value : "")

/** The host of a broker's URL. `URL` does not know hosts of `nats:` in every supported browser. */
export const hostOf = (url: string): string => /^[a-z]+:\/\/(\[[^\]]*\]|[^:/?#\s]+)/.exec(url)?.[1] ?? url

const statementOf = (op: string, payload: Readonly<Record<string, unknown>>, revoked: boolean): Statement => {
  const isMail = payload["protocol"] === "nats"
  const subject = payload["subject"]
  switch (op) {
    case "add_endpoint":
      return isMail ? { _tag: "mail", server: hostOf(text(payload["url"])) } : { _tag: "files" }
    case "remove_endpoint":
      return isMail ? { _tag: "mail_removed", server: hostOf(text(payload["url"])) } : { _tag: "files_removed" }
    case "add":
      return typeof subject === "string" ? { _tag: "claim", subject, revoked } : { _tag: "unknown" }
    case "revoke":
      return typeof subject === "string" ? { _tag: "claim_revoked", subject } : { _tag: "unknown" }
    case "set_shared_files":
      return { _tag: "shared_files" }
    case "add_device":
      return { _tag: "device" }
    case "rotate":
      return { _tag: "rotated" }
    default:
      return { _tag: "unknown" }
  }
}

const payloadOf = (envelope: Envelope): Readonly<Record<string, unknown>> => {
  const { payload } = envelope.payload
  return typeof payload === "object" && payload !== null && !Array.isArray(payload) ? { ...payload } : {}
}

/** The events of a verified chain. An event's hash is what the next one, or the head, names. */
export const eventsOf = ({ events, head }: Pick<Verification, "events" | "head">): ReadonlyArray<ChainEvent> =>
  events.map((envelope, index) => {
    const next = events[index + 1]
    const hash = next === undefined ? head?.hash : text(next.payload["prev"])
    return {
      seq: index,
      ...(hash === undefined ? {} : { hash }),
      at: Date.parse(text(envelope.payload["created_at"])),
      envelope
    }
  })

/** Oldest first. */
export const linksOf = (events: ReadonlyArray<ChainEvent>): ReadonlyArray<ChainLink> => {
  const links: Array<ChainLink> = []
  const revoked = new Set<unknown>()
  // Backwards, so that whether a claim is taken back later is known when it is reached.
  for (const event of [...events].reverse()) {
    const op = text(event.envelope.payload["op"])
    const payload = payloadOf(event.envelope)
    const statement = statementOf(op, payload, revoked.has(payload["subject"]))
    if (op === "revoke") revoked.add(payload["subject"])
    const later = links.at(-1)
    if (statement._tag === "shared_files" && later?.statement._tag === "shared_files") {
      links[links.length - 1] = { statement, events: [event, ...later.events] }
    } else links.push({ statement, events: [event] })
  }
  return links.reverse()
}

/**
 * Compares the newest head that was seen before with the chain that is shown. Undefined if the chain contains it, and
 * if nothing is shown, which is an outage.
 */
export const breakOf = (known: Head | undefined, events: ReadonlyArray<ChainEvent>): ChainBreak | undefined => {
  const last = events.at(-1)
  if (known === undefined || last === undefined) return undefined
  if (last.seq < known.seq) {
    const shown = last.hash === undefined ? {} : { shown: { seq: last.seq, hash: last.hash } }
    return { _tag: "rolled_back", known, ...shown }
  }
  const hash = events[known.seq]?.hash
  if (hash === undefined || hash === known.hash) return undefined
  return { _tag: "forked", known, shown: { seq: known.seq, hash } }
}

/** An event as JSON in ASCII: no character of a stranger is invisible or turns the direction of the text. */
export const rawOf = (envelope: Envelope): string =>
  JSON.stringify(envelope, null, 2).replaceAll(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
