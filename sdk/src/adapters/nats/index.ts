/**
 * `Broker` over NATS on TCP, for Node, and over WebSocket at homes whose broker has no TCP address. `nats://` without TLS is allowed on loopback only; otherwise the machine must
 * trust the certificate (`NODE_EXTRA_CA_CERTS` adds authorities). Looks a name up once per dial and dials the checked
 * address.
 */
import { errors, type ConnectionOptions, type NatsConnection, type TlsOptions } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import type * as Layer from "effect/Layer"
import type { WellKnown } from "../../protocol/registration/Registration.ts"
import type { Broker } from "../../services/Broker.ts"
import type { Crypto } from "../../services/Crypto.ts"
import * as NatsBroker from "../nats-core/NatsBroker.ts"
import type { Target } from "../nats-core/Target.ts"
import * as WebSocketDial from "../nats-core/WebSocketDial.ts"
import * as Lookup from "../network-core/Lookup.ts"

export interface NatsBrokerOptions extends NatsBroker.NatsBrokerOptions {
  /** Replaces the system's name lookup. */
  readonly resolve?: Lookup.Resolve
  /** Opens WebSockets for `ws://` and `wss://` URLs: `webSocket` of the `HomeNetwork`. Without it those are refused. */
  readonly webSocket?: WebSocketDial.OpenWebSocket
}

const defaultPort = 4222

/** A broker reached at `nats://host:port` or `tls://host:port`, and with `webSocket` at `wss://host/path`. */
export const layer = (options: NatsBrokerOptions): Layer.Layer<Broker, never, Crypto> =>
  NatsBroker.layer(
    {
      schemes: { plain: "nats", encrypted: "tls" },
      connect: (target, settings) => dial(options, target, settings),
      ...(options.webSocket === undefined
        ? {}
        : { other: { schemes: WebSocketDial.schemes, connect: WebSocketDial.connectWith(options.webSocket) } })
    },
    options
  )

/** The URLs of a home's description that a Node program dials: TCP, which costs less, or else WebSocket. */
export const urlsOf = ({ tcp, websocket }: WellKnown["broker"]): ReadonlyArray<string> =>
  tcp.length > 0 ? tcp : websocket

/** Tries the host's addresses one after another until a broker answers, even with a refusal. */
const dial = async (
  { namedBy, resolve }: NatsBrokerOptions,
  target: Target,
  settings: ConnectionOptions
): Promise<NatsConnection> => {
  const { encrypted, host, port = defaultPort } = target
  const addresses = await Lookup.addressesOf(host.replace(/^\[|\]$/g, ""), namedBy, resolve)
  let failure: unknown
  for (const { address, family } of addresses) {
    const servers = `${family === 6 ? `[${address}]` : address}:${port}`
    try {
      return await connect({ ...settings, servers, tls: encrypted ? tlsFor(target) : null })
    } catch (error) {
      if (error instanceof errors.AuthorizationError) throw error
      failure ??= error
    }
  }
  throw failure ?? new Error(`${host} has no address`)
}

/** nats.js dials an address, so TLS needs the name for the certificate. */
const tlsFor = ({ host }: Target): TlsOptions => {
  const name = host.replace(/^\[|\]$/g, "")
  const isAddress = host.startsWith("[") || /^[0-9.]+$/.test(host)
  const options: TlsOptions & { readonly host: string; readonly servername: string } = {
    host: name,
    servername: isAddress ? "" : name
  }
  return options
}
