/** The tools of channels over what a platform offers. */
import * as Effect from "effect/Effect"
import * as AddressClass from "../../../protocol/registration/AddressClass.ts"
import { type Tools, Unreachable } from "../Channel.ts"
import type { ProofOptions } from "../ProofOptions.ts"
import * as DnsOverHttps from "./DnsOverHttps.ts"
import type { HostPace } from "./HostPace.ts"
import * as HttpGet from "./HttpGet.ts"
import * as Relays from "./Relays.ts"

export interface Platform extends Omit<HttpGet.HttpGetOptions, "pace"> {
  /** Opens a WebSocket, to public addresses only where the platform shows them. */
  readonly webSocket: (url: string) => Promise<WebSocket>
  /** The platform's own lookup of TXT records, where `dnsOverHttps` is not given. */
  readonly txt?: Tools["txt"]
  readonly isBrowser: boolean
}

/** A name of this network says nothing to anybody else. */
const checked =
  (txt: Tools["txt"]): Tools["txt"] =>
  (name) =>
    AddressClass.ofHost(name) === undefined
      ? txt(name)
      : Effect.fail(new Unreachable({ reason: "forbidden", detail: `${name} is a name of a local network` }))

const notNamed = (service: string) =>
  Effect.fail(
    new Unreachable({
      reason: "needs_cli",
      detail: `this page may ask no ${service}: the command line, kez-chat, can`
    })
  )

/** A service that `services` does not name is not asked, and what needs it fails with `needs_cli`. */
export const make = (platform: Platform, pace: HostPace, services: ProofOptions): Tools => {
  const get = HttpGet.make({ ...platform, pace })
  const { dnsOverHttps, plc, relays, xrpc } = services
  const named = (url: string | undefined, service: string) =>
    url === undefined ? notNamed(service) : Effect.succeed(url.replace(/\/+$/, ""))
  const txt = dnsOverHttps === undefined ? platform.txt : DnsOverHttps.txt(get, dnsOverHttps)
  return {
    get,
    txt: checked(txt ?? (() => notNamed("resolver of domain names"))),
    events: relays === undefined ? () => notNamed("nostr relay") : Relays.events(platform, relays),
    xrpc: named(xrpc, "server of Bluesky"),
    plc: named(plc, "directory of did:plc"),
    isBrowser: platform.isBrowser
  }
}
