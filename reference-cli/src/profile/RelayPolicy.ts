/**
 * How other devices reach this one to transfer files: `--relay`, else `KEZ_RELAY`, else by the home's address. Relays
 * are servers of third parties: they see which devices talk to each other, and help where no direct connection works.
 */
import { AddressClass } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import { type CliFailure, usage } from "../Failure.ts"
import { settings } from "../Flags.ts"
import { Host } from "../Host.ts"

export interface RelayPolicy {
  /** The same policy in the syntax of `--relay`. */
  readonly text: string
  /** `default`: n0's public relays. `direct`: no relay. */
  readonly relay: "default" | "direct" | { readonly urls: ReadonlyArray<string> }
  /** Give out no address of this machine: all bytes go through a relay. */
  readonly relayOnly: boolean
}

/** No relay. */
export const direct: RelayPolicy = { text: "direct", relay: "direct", relayOnly: false }
/** n0's public relays where no direct connection works. */
const byDefault: RelayPolicy = { text: "default", relay: "default", relayOnly: false }

/** Most relays in a policy; one is used at a time. */
const maxUrls = 8

const relayUrl = (text: string): string | undefined => {
  const url = URL.parse(text)
  if (url === null || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    return undefined
  if (url.protocol === "https:") return url.href
  return url.protocol === "http:" && AddressClass.isLoopback(url.hostname) ? url.href : undefined
}

/** `default`, `direct`, `only`, or relay URLs between commas, with `only` among them or not; undefined for anything else. */
export const parse = (text: string): RelayPolicy | undefined => {
  const parts = text.split(",").map((part) => part.trim())
  const named = parts.filter((part) => part !== "only")
  const relayOnly = named.length < parts.length
  if (parts.length - named.length > 1) return undefined
  if (named.length === 0) return { text: "only", relay: "default", relayOnly }
  const [first = ""] = named
  if (named.length === 1 && first === "default") return relayOnly ? parse("only") : byDefault
  if (named.length === 1 && first === "direct") return relayOnly ? undefined : direct
  const urls = named.map(relayUrl)
  if (urls.length > maxUrls || !urls.every((url) => url !== undefined)) return undefined
  return { text: [...(relayOnly ? ["only"] : []), ...urls].join(","), relay: { urls }, relayOnly }
}

/** The policy from the flag or the environment; undefined if neither is set. */
export const wanted: Effect.Effect<RelayPolicy | undefined, CliFailure, Host> = Effect.gen(function* () {
  const { env } = yield* Host
  const flag = (yield* settings).relay
  const [text, source] = flag === undefined ? [env["KEZ_RELAY"] || undefined, "KEZ_RELAY"] : [flag, "--relay"]
  if (text === undefined) return undefined
  const policy = parse(text)
  return (
    policy ??
    (yield* usage(`${source} takes default, direct, only, or https URLs between commas, not ${JSON.stringify(text)}`))
  )
})

/** The default: no relay for a home on this machine, whose users are local too; the public ones for any other. */
export const ofHome = (home: string): RelayPolicy =>
  AddressClass.isLoopback(new URL(home).hostname) ? direct : byDefault

/** The policy in a sentence. */
export const describe = ({ relay, relayOnly }: RelayPolicy): string => {
  if (relay === "direct") return "direct connections only, no relay"
  const relays = relay === "default" ? "n0's public relays" : relay.urls.join(", ")
  return relayOnly
    ? `through ${relays} only; no address of this machine is given out`
    : `direct where it works, else through ${relays}`
}
