/** The tools of channels over what a platform offers. */
import * as Effect from "effect/Effect"
import * as AddressClass from "../../../protocol/registration/AddressClass.ts"
import { type Tools, type TxtAnswer, Unreachable } from "../Channel.ts"
import { defaults, type ProofOptions } from "../ProofOptions.ts"
import * as DnsOverHttps from "./DnsOverHttps.ts"
import * as HostPace from "./HostPace.ts"
import * as HttpGet from "./HttpGet.ts"
import * as Relays from "./Relays.ts"

export interface Platform extends Omit<HttpGet.HttpGetOptions, "pace"> {
  /** Opens a WebSocket, to public addresses only where the platform shows them. */
  readonly webSocket: (url: string) => Promise<WebSocket>
  /** The platform's own lookup of TXT records; without it, and with the option, DNS over HTTPS. */
  readonly txt?: Tools["txt"]
  readonly isBrowser: boolean
}

/** A name of this network says nothing to anybody else. */
const checked =
  (txt: Tools["txt"]): Tools["txt"] =>
  (name): Effect.Effect<TxtAnswer, Unreachable> =>
    AddressClass.ofHost(name) === undefined
      ? txt(name)
      : Effect.fail(new Unreachable({ reason: "forbidden", detail: `${name} is a name of a local network` }))

export const make = (platform: Platform, options: ProofOptions): Tools => {
  const get = HttpGet.make({ ...platform, pace: HostPace.make(options.spacingMillis) })
  const byHttps = DnsOverHttps.txt(get, options.dnsOverHttps ?? defaults.dnsOverHttps)
  return {
    get,
    txt: checked(options.dnsOverHttps === undefined ? (platform.txt ?? byHttps) : byHttps),
    events: Relays.events(platform, options.relays ?? defaults.relays),
    xrpc: (options.xrpc ?? defaults.xrpc).replace(/\/+$/, ""),
    isBrowser: platform.isBrowser
  }
}
