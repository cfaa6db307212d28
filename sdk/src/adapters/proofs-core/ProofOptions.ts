/** The services that fetchers ask, and which ones by default. */

export interface ProofOptions {
  /** A resolver by DNS over HTTPS (RFC 8484), without a query: it learns which domains are checked. */
  readonly dnsOverHttps?: string
  /** Relays that are asked for nostr's events. */
  readonly relays?: ReadonlyArray<string>
  /** Base URL of Bluesky's public XRPC. */
  readonly xrpc?: string
  /** Base URL of the directory of `did:plc`. */
  readonly plc?: string
  /** Requests to one host begin at least this many milliseconds apart; default `Limits.proofSpacingMillis`. */
  readonly spacingMillis?: number
}

export const defaults = {
  relays: ["wss://relay.damus.io", "wss://nos.lol", "wss://relay.primal.net"],
  xrpc: "https://public.api.bsky.app",
  plc: "https://plc.directory"
} as const
