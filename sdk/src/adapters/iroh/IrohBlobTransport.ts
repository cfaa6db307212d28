/**
 * Blobs over Iroh 1.x: QUIC between devices, directly where a way can be found and over a relay where not. Needs the
 * optional peer `@number0/iroh` and Node.
 *
 * Nothing is published: no discovery service learns of this device, and whoever is to reach it must be told its addresses.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as AddressClass from "../../protocol/registration/AddressClass.ts"
import { AdapterUnavailable } from "../../services/AdapterUnavailable.ts"
import { BlobTransport, BlobTransportError } from "../../services/BlobTransport.ts"
import * as Endpoint from "../blobs-core/Endpoint.ts"
import type { Network } from "../blobs-core/Network.ts"
import { defaultLimits, type TransferLimits } from "../blobs-core/TransferLimits.ts"
import * as ByteConversion from "./ByteConversion.ts"
import * as IrohNetwork from "./IrohNetwork.ts"

export interface IrohOptions {
  /**
   * Which relays help when two devices cannot reach each other directly. `default`: the public relays of n0, the company
   * that makes Iroh; they see which devices talk, when and how much, and none of what they say. `direct`: none.
   * `urls`: these, such as one of your own.
   */
  readonly relay: "default" | "direct" | { readonly urls: ReadonlyArray<string> }
  /**
   * Keeps this device's IP addresses from peers: everything goes over a relay, which alone still sees them. Iroh has no
   * such switch and looks for direct paths by itself, so both its UDP sockets are bound to loopback: it finds, tells and
   * reaches no address beyond this machine. A peer on this very machine may still be met directly. Not together with
   * `direct` or `bind`.
   */
  readonly relayOnly?: boolean
  /**
   * `ip:port` to listen on; port 0 for any. Default: all interfaces, IPv4 and IPv6. Iroh always listens on both families:
   * a loopback address keeps the other family to loopback as well; with any other address, the other family listens on
   * all its interfaces, on a random port.
   */
  readonly bind?: string
}

const missing = (cause: unknown) =>
  new AdapterUnavailable({
    adapter: "sending and fetching files",
    package: "@number0/iroh",
    install: "npm install @number0/iroh",
    cause
  })

/** Loads the binding; it fails where the package, or its binary for this system, is not installed. */
const load: Effect.Effect<IrohNetwork.Binding, AdapterUnavailable> = Effect.tryPromise({
  // The file itself: the package names a main file that it does not contain, and Node warns of that.
  try: async () => (await import("@number0/iroh/index.js")).default,
  catch: missing
})

/** Whether files can be sent and fetched here; what to install where not. */
export const available: Effect.Effect<void, AdapterUnavailable> = Effect.asVoid(load)

const unavailable = (detail: string, cause?: unknown): BlobTransportError =>
  new BlobTransportError({ reason: "unavailable", detail, ...(cause === undefined ? {} : { cause }) })

const loopback = ["127.0.0.1:0", "[::1]:0"] as const
/** Of `ip:port` as Iroh writes it. */
const isLoopback = (address: string): boolean => AddressClass.isLoopback(address.replace(/:\d+$/, ""))

/** What to bind, and what instead where a family of addresses is missing. */
const socketsFor = ({ bind, relayOnly }: IrohOptions): ReadonlyArray<ReadonlyArray<string>> => {
  if (relayOnly === true) return [loopback, loopback.slice(0, 1)]
  if (bind === undefined) return [[]]
  if (!isLoopback(bind)) return [[bind]]
  return [[bind, bind.startsWith("[") ? loopback[0] : loopback[1]], [bind]]
}

const relayMode = ({ RelayMode }: IrohNetwork.Binding, { relay }: IrohOptions) => {
  if (relay === "direct") return RelayMode.disabled()
  return relay === "default" ? RelayMode.defaultMode() : RelayMode.customFromUrls([...relay.urls])
}

const bindEndpoint = (
  binding: IrohNetwork.Binding,
  secret: Redacted.Redacted<Uint8Array>,
  options: IrohOptions,
  sockets: ReadonlyArray<string>
) =>
  Effect.tryPromise({
    try: async () => {
      const builder = binding.Endpoint.builder()
      // Cryptography and nothing else: no discovery, so nothing is published.
      binding.presetMinimal(builder)
      builder.relayMode(relayMode(binding, options))
      builder.alpns([IrohNetwork.alpn])
      const seed = ByteConversion.numbers(Redacted.value(secret))
      builder.secretKey(seed)
      seed.fill(0)
      for (const address of sockets) builder.bindAddr(address)
      return await builder.bind()
    },
    catch: (cause) => unavailable(`the network endpoint cannot be opened: ${IrohNetwork.firstLine(cause)}`, cause)
  })

/** An endpoint's own network, below the blob protocol: what it exchanges with peers are bytes. */
export const network = Effect.fnUntraced(function* (
  options: IrohOptions,
  secret: Redacted.Redacted<Uint8Array>,
  limits: TransferLimits = defaultLimits
): Effect.fn.Return<Network, BlobTransportError, Scope.Scope> {
  const relayOnly = options.relayOnly === true
  if (relayOnly && (options.relay === "direct" || options.bind !== undefined)) {
    return yield* unavailable("relay only needs relays, and no address of its own to listen on")
  }
  const binding = yield* Effect.mapError(load, (error) => unavailable(error.message, error))
  const [first = [], second] = socketsFor(options)
  const bound = bindEndpoint(binding, secret, options, first).pipe(
    Effect.catch((error) => (second === undefined ? error : bindEndpoint(binding, secret, options, second)))
  )
  const endpoint = yield* Effect.acquireRelease(bound, (opened) => Effect.promise(() => opened.close()))
  if (relayOnly && !endpoint.boundSockets().every(isLoopback)) {
    return yield* unavailable("relay only cannot be kept to here: Iroh listens beyond this machine")
  }
  return yield* IrohNetwork.make(binding, endpoint, { direct: !relayOnly, relay: options.relay !== "direct" }, limits)
})

/**
 * Opens Iroh endpoints. The binding is loaded when the first one is opened: where it is missing, that fails with
 * `unavailable` and says what to install.
 */
export const make = (options: IrohOptions, limits: TransferLimits = defaultLimits): BlobTransport["Service"] => ({
  open: (secret) => Effect.flatMap(network(options, secret, limits), (opened) => Endpoint.make(opened, limits))
})

/** A `BlobTransport` over Iroh. */
export const layer = (options: IrohOptions): Layer.Layer<BlobTransport> =>
  Layer.sync(BlobTransport, () => make(options))
