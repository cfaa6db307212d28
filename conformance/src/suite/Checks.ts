/** What can be checked: the cases of the vectors here, and the checks of servers in `servers/`. */
import { type VectorCase, type VectorFile, vectorFiles } from "./Data.ts"

/** What an implementation can claim to be. */
export const profiles = ["identity", "chat", "files", "transfer", "proofs"] as const
export type Profile = (typeof profiles)[number]

/** The folders of the vectors, by profile. */
const folders: Readonly<Record<string, Profile>> = {
  identity: "identity",
  json: "identity",
  envelope: "identity",
  sigchain: "identity",
  registration: "identity",
  messages: "chat",
  broker: "chat",
  files: "files",
  manifest: "files",
  proofs: "proofs"
}

/** What all checks have in common. */
export interface Check {
  /** Never renamed: `identity/handle.invalid.json#capital`, `server/registration#taken`. */
  readonly id: string
  readonly requirements: ReadonlyArray<string>
  /** What the shim is asked to do, or the group of a server's check. */
  readonly operation: string
  /** What the check is there for. */
  readonly why: string
}

/** One question to a shim, and its right answer. */
export interface VectorCheck extends Check {
  readonly profile: Profile
  readonly kind: VectorFile["kind"]
  readonly description: string
  readonly case: VectorCase
}

const profileOf = (name: string): Profile => {
  const profile = folders[name.split("/")[0] ?? ""]
  if (profile === undefined) throw new Error(`no profile has the vectors ${name}`)
  return profile
}

/** Takes a whole client with its store, not a function: for the checks of clients. */
const ofClients = "inbox.take"

export const vectorChecks = (): ReadonlyArray<VectorCheck> =>
  vectorFiles().flatMap(([name, { cases, description, kind, operation }]) =>
    (operation === ofClients ? [] : cases).map((one) => ({
      id: `${name}#${one.id}`,
      profile: profileOf(name),
      requirements: one.requirements,
      operation,
      why: one.why,
      kind,
      description,
      case: one
    }))
  )

/** Matches `KEZ-DM-*`, `identity/*` and plain ids. */
const matches = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[.\\+?^${}()|[\]]/g, "\\$&"))
      .join(".*")}$`
  ).test(text)

/** The checks whose own id or one of whose requirements matches one of the patterns; all without patterns. */
export const selected = <C extends Check>(
  checks: ReadonlyArray<C>,
  patterns: ReadonlyArray<string>
): ReadonlyArray<C> =>
  patterns.length === 0
    ? checks
    : checks.filter(({ id, requirements }) =>
        patterns.some((pattern) => [id, ...requirements].some((name) => matches(pattern, name)))
      )

/** The checks in an order that depends on the seed alone (mulberry32, Fisher-Yates). */
export const shuffled = <C extends Check>(checks: ReadonlyArray<C>, seed: number): ReadonlyArray<C> => {
  let state = seed >>> 0
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const order = [...checks]
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[order[last], order[other]] = [order[other]!, order[last]!]
  }
  return order
}
