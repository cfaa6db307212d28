/**
 * `Broker` over NATS on TCP, for Node.
 *
 * `nats://` without TLS is dialled on loopback only; elsewhere it and `tls://` need a certificate that the machine
 * trusts (`NODE_EXTRA_CA_CERTS` adds authorities).
 */
import type { TlsOptions } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import type * as Layer from "effect/Layer"
import type { Broker } from "../../services/Broker.ts"
import type { Crypto } from "../../services/Crypto.ts"
import * as NatsBroker from "../nats-core/NatsBroker.ts"
import type { Target } from "../nats-core/Target.ts"

export type { NatsBrokerOptions } from "../nats-core/NatsBroker.ts"

/** A broker reached at `nats://host:port` or `tls://host:port`. */
export const layer = (options: NatsBroker.NatsBrokerOptions): Layer.Layer<Broker, never, Crypto> =>
  NatsBroker.layer(
    {
      schemes: { plain: "nats", encrypted: "tls" },
      connect: (target, settings) => connect({ ...settings, tls: target.encrypted ? tlsFor(target) : null })
    },
    options
  )

/** nats.js knows the host only where it resolves names itself; its TLS takes these two all the same. */
const tlsFor = ({ host }: Target): TlsOptions => {
  const name = host.replace(/^\[|\]$/g, "")
  const isAddress = host.startsWith("[") || /^[0-9.]+$/.test(host)
  const options: TlsOptions & { readonly host: string; readonly servername: string } = {
    host: name,
    servername: isAddress ? "" : name
  }
  return options
}
