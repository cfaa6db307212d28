/**
 * Identities on other systems, as used in proofs: `system:identifier`. KEZ's own normalisation rules were not
 * available; these only decide whether two identifiers are the same, and signed text is kept as written.
 */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import * as Handle from "./Handle.ts"
import * as Limits from "../Limits.ts"
import * as PrimaryKey from "./PrimaryKey.ts"
import { fail, type Problem } from "../Problem.ts"

export interface Identifier {
  /** The system, aliases resolved: `mastodon` is `ap`. */
  readonly system: string
  /** The identifier, normalised for known systems and as written for others. */
  readonly id: string
  /** `system:id`: equal for all spellings of one identity. */
  readonly text: string
}

const aliases: Readonly<Record<string, string>> = { mastodon: "ap" }

/** The normal form, or undefined if the system cannot have such an identifier. */
type Normalise = (id: string) => string | undefined

const withoutAt = (id: string): string => id.replace(/^@/, "").toLowerCase()
const domain: Normalise = (id) => {
  const name = id.toLowerCase()
  return Handle.isServerName(name) && name.includes(".") ? name : undefined
}
const primary =
  (system: string): Normalise =>
  (id) =>
    Result.isSuccess(PrimaryKey.parse(`${system}:${id}`)) ? id : undefined

const systems: Readonly<Record<string, Normalise>> = {
  ed25519: primary("ed25519"),
  nostr: primary("nostr"),
  github: (id) => {
    const name = withoutAt(id)
    return /^[a-z0-9](?:-?[a-z0-9]){0,38}$/.test(name) ? name : undefined
  },
  dns: (id) => domain(id.replace(/\.$/, "")),
  bluesky: (id) => domain(withoutAt(id)),
  ap: (id) => {
    const [name, server, ...more] = withoutAt(id).split("@")
    const host = domain(server ?? "")
    return more.length === 0 && host !== undefined && /^[a-z0-9_](?:[a-z0-9_.-]{0,62}[a-z0-9_])?$/.test(name ?? "")
      ? `${name}@${host}`
      : undefined
  },
  web: (id) => {
    const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(id) ? id : `https://${id}`)
    if (url === null || url.protocol !== "https:" || url.username !== "" || url.password !== "") return undefined
    if (url.search !== "" || url.hash !== "" || domain(url.hostname) === undefined) return undefined
    return `https://${url.host}${url.pathname.replace(/\/+$/, "")}`
  }
}

/** Whether this version knows the identifier format of a system. */
export const isKnownSystem = (system: string): boolean => Object.hasOwn(systems, system)

/** The name of a system, aliases resolved: `ap` for `mastodon`. */
export const systemNamed = (name: string): string => (Object.hasOwn(aliases, name) ? (aliases[name] as string) : name)

/**
 * Parses an identifier. `identifier_malformed` for a missing or malformed system, white space or control characters,
 * more than 512 characters, and identifiers that a known system cannot have. Unknown systems are accepted.
 */
export const parse = (text: string): Result.Result<Identifier, Problem> => {
  const match = Bytes.isLongerThan(text, Limits.identifierMax)
    ? null
    : /^([a-z][a-z0-9]{0,31}):([^\p{C}\p{Z}]+)$/u.exec(text)
  if (match === null) return fail("identifier_malformed", "expected system:identifier, as in github:octocat")
  const written = match[1] as string
  const system = systemNamed(written)
  const normalise = isKnownSystem(system) ? systems[system] : undefined
  const id = normalise === undefined ? match[2] : normalise(match[2] as string)
  return id === undefined
    ? fail("identifier_malformed", `there is no such identifier in ${written}`)
    : Result.succeed({ system, id, text: `${system}:${id}` })
}

/** Whether two texts name the same identity, in any spelling. */
export const same = (a: string, b: string): boolean => {
  const left = parse(a)
  const right = parse(b)
  return Result.isSuccess(left) && Result.isSuccess(right) && left.success.text === right.success.text
}
