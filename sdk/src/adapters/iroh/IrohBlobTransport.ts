/**
 * Blobs over Iroh 1.x: QUIC between devices, directly or over a relay. Needs Node and one of two optional peers:
 * `@kez-chat/iroh-native`, which is fast, or `@number0/iroh`. Uses no discovery service: a peer can reach this device
 * only with its addresses.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as AddressClass from "../../protocol/registration/AddressClass.ts"
import type { AdapterUnavailable } from "../../services/AdapterUnavailable.ts"
import { BlobTransport, BlobTransportError } from "../../services/BlobTransport.ts"
import * as Endpoint from "../blobs-core/Endpoint.ts"
import type { Network } from "../blobs-core/Network.ts"
import { defaultLimits, type TransferLimits } from "../blobs-core/TransferLimits.ts"
import * as Binding from "./Binding.ts"
import * as IrohNetwork from "./IrohNetwork.ts"
import { firstLine } from "./StreamErrors.ts"

export interface IrohOptions {
  /**
   * Which relays help when devices cannot connect directly: those of n0, who makes Iroh (`default`; they see which
   * devices talk, when and how much, but no content), none (`direct`), or your own (`urls`).
   */
  readonly relay: "default" | "direct" | { readonly urls: ReadonlyArray<string> }
  /**
   * Hides this device's IP addresses from peers: only the relay sees them. Iroh always looks for direct paths, so both
   * its UDP sockets are bound to loopback and find, announce and reach no address beyond this machine. A peer on the
   * same machine may still connect directly. Excludes `direct` and `bind`.
   */
  readonly relayOnly?: boolean
  /**
   * `ip:port` to listen on; port 0 for any. Default: all interfaces. Iroh always listens on both IPv4 and IPv6: for a
   * loopback address the other is loopback too, for any other all interfaces on a random port.
   */
  readonly bind?: string
  /** `compatible` leaves `@kez-chat/iroh-native` aside. Default: that where it is installed, else `@number0/iroh`. */
  readonly binding?: "compatible"
}

/** The binding with which files are sent and fetched here; see {@link available}. */
export interface Available {
  readonly binding: "native" | "compatible"
  /** Why `@kez-chat/iroh-native` is not used although it is installed. */
  readonly fault?: string
}

/** What files are sent and fetched with here; fails with `AdapterUnavailable` where there is nothing. */
export const available: Effect.Effect<Available, AdapterUnavailable> = Effect.map(
  Binding.load(undefined),
  ({ fault, kind }) => ({ binding: kind, ...(fault === undefined ? {} : { fault }) })
)

const unavailable = (detail: string, cause?: unknown): BlobTransportError =>
  new BlobTransportError({ reason: "unavailable", detail, ...(cause === undefined ? {} : { cause }) })

const loopback = ["127.0.0.1:0", "[::1]:0"] as const
/** `address` is `ip:port` as Iroh writes it. */
const isLoopback = (address: string): boolean => AddressClass.isLoopback(address.replace(/:\d+$/, ""))

/** The addresses to bind, and the fallback for a system without one of the families. */
const socketsFor = ({ bind, relayOnly }: IrohOptions): ReadonlyArray<ReadonlyArray<string>> => {
  if (relayOnly === true) return [loopback, loopback.slice(0, 1)]
  if (bind === undefined) return [[]]
  if (!isLoopback(bind)) return [[bind]]
  return [[bind, bind.startsWith("[") ? loopback[0] : loopback[1]], [bind]]
}

const relayMode = ({ RelayMode }: Binding.Binding["iroh"], { relay }: IrohOptions) => {
  if (relay === "direct") return RelayMode.disabled()
  return relay === "default" ? RelayMode.defaultMode() : RelayMode.customFromUrls([...relay.urls])
}

const bindEndpoint = (
  { iroh }: Binding.Binding,
  secret: Redacted.Redacted<Uint8Array>,
  options: IrohOptions,
  sockets: ReadonlyArray<string>
) =>
  Effect.tryPromise({
    try: async () => {
      const builder = iroh.Endpoint.builder()
      // A preset without discovery, so nothing is published.
      iroh.presetMinimal(builder)
      builder.relayMode(relayMode(iroh, options))
      builder.alpns([IrohNetwork.alpn])
      const seed = Array.from(Redacted.value(secret))
      builder.secretKey(seed)
      seed.fill(0)
      for (const address of sockets) builder.bindAddr(address)
      return await builder.bind()
    },
    catch: (cause) => unavailable(`the network endpoint cannot be opened: ${firstLine(cause)}`, cause)
  })

/** An endpoint's raw network, below the blob protocol. */
export const network = Effect.fnUntraced(function* (
  options: IrohOptions,
  secret: Redacted.Redacted<Uint8Array>,
  limits: TransferLimits = defaultLimits
): Effect.fn.Return<Network, BlobTransportError, Scope.Scope> {
  const relayOnly = options.relayOnly === true
  if (relayOnly && (options.relay === "direct" || options.bind !== undefined)) {
    return yield* unavailable("relay-only mode needs a relay and excludes an address to listen on")
  }
  const binding = yield* Effect.mapError(Binding.load(options.binding), (error) => unavailable(error.message, error))
  const [first = [], second] = socketsFor(options)
  const bound = bindEndpoint(binding, secret, options, first).pipe(
    Effect.catch((error) => (second === undefined ? error : bindEndpoint(binding, secret, options, second)))
  )
  const endpoint = yield* Effect.acquireRelease(bound, (opened) => Effect.promise(() => opened.close()))
  if (relayOnly && !endpoint.boundSockets().every(isLoopback)) {
    return yield* unavailable("relay-only mode is not possible here: Iroh listens beyond this machine")
  }
  return yield* IrohNetwork.make(binding, endpoint, { direct: !relayOnly, relay: options.relay !== "direct" }, limits)
})

/** Opens Iroh endpoints; `unavailable`, with the install command, if the binding is missing. Loads it on first use. */
export const make = (options: IrohOptions, limits: TransferLimits = defaultLimits): BlobTransport["Service"] => ({
  open: (secret) => Effect.flatMap(network(options, secret, limits), (opened) => Endpoint.make(opened, limits))
})

/** A `BlobTransport` over Iroh. */
export const layer = (options: IrohOptions): Layer.Layer<BlobTransport> =>
  Layer.sync(BlobTransport, () => make(options))
