/** The table of channels: a row for each system. A channel is loaded when it is first needed. */
import type { Channel } from "./Channel.ts"

export interface Row {
  /** Whether a browser can ask: its servers answer any page (CORS), and the page's policy admits them. */
  readonly inBrowser: boolean
  readonly load: () => Promise<Channel>
}

export const channels: Readonly<Record<string, Row>> = {
  dns: { inBrowser: true, load: async () => (await import("./channels/Dns.ts")).dns },
  github: { inBrowser: false, load: async () => (await import("./channels/Github.ts")).github },
  web: { inBrowser: false, load: async () => (await import("./channels/Web.ts")).web },
  nostr: { inBrowser: true, load: async () => (await import("./channels/Nostr.ts")).nostr },
  bluesky: { inBrowser: true, load: async () => (await import("./channels/Bluesky.ts")).bluesky },
  ap: { inBrowser: false, load: async () => (await import("./channels/ActivityPub.ts")).activityPub },
  did: { inBrowser: false, load: async () => (await import("./channels/Did.ts")).did }
}
