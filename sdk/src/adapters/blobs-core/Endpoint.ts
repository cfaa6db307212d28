/** A blob endpoint over any network: serves inbound connections and pools outbound ones. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as RcMap from "effect/RcMap"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type * as ChunkRanges from "../../protocol/files/ChunkRanges.ts"
import * as BlobRequest from "../../protocol/files/BlobRequest.ts"
import * as KeyAdmission from "../../protocol/identity/KeyAdmission.ts"
import type { Problem } from "../../protocol/Problem.ts"
import { type Addresses, type BlobEndpoint, BlobTransportError } from "../../services/BlobTransport.ts"
import * as Fetch from "./Fetch.ts"
import * as InboundConnections from "./InboundConnections.ts"
import { type Connection, closings, type DuplexStream, type Network, waysTo } from "./Network.ts"
import { defaultLimits, type TransferLimits } from "./TransferLimits.ts"

/** An outbound connection, shared by all fetches from one peer. */
interface Link {
  readonly connection: Connection
  /** Bounds concurrent requests to what a peer accepts. */
  readonly slots: Semaphore.Semaphore
}

/** The key of a pooled connection; compared by value. */
interface Target {
  readonly peer: string
  readonly addresses: Addresses
}

const closed = new BlobTransportError({ reason: "closed", detail: "this device has closed its endpoint" })

/** The endpoint of a network, open until the scope closes. The network itself closes after it. */
export const make = Effect.fnUntraced(function* (
  network: Network,
  limits: TransferLimits = defaultLimits
): Effect.fn.Return<BlobEndpoint, never, Scope.Scope> {
  let host: InboundConnections.Host | undefined
  let open = true
  const inbound = InboundConnections.make(limits, () => host)
  const receptions = yield* FiberSet.make<void>()
  const accepting = Effect.flatMap(network.accept, (connection) =>
    FiberSet.run(receptions, inbound.receive(connection))
  )
  // Stops accepting when the network ends, for whatever reason.
  const ended = Effect.sync(() => void (open = false))
  yield* Effect.forkScoped(Effect.ensuring(Effect.ignore(Effect.forever(accepting)), ended))

  const connected = new Map<string, Connection>()
  const join = (target: Target) =>
    Effect.tap(dial(network, target, limits), ({ connection }) =>
      Effect.sync(() => connected.set(target.peer, connection))
    )
  const leave = ({ connection }: Link) => {
    if (connected.get(connection.peer.hex) === connection) connected.delete(connection.peer.hex)
    return hangUp(connection)
  }
  const links = yield* RcMap.make({
    lookup: (target: Target) => Effect.acquireRelease(join(target), leave, { interruptible: true }),
    idleTimeToLive: limits.keepMillis
  })
  yield* Effect.addFinalizer(() => ended)

  const serve: BlobEndpoint["serve"] = Effect.fnUntraced(function* (provider) {
    const answers = yield* FiberSet.make<void>()
    const run = yield* FiberSet.runtime(answers)()
    const mine: InboundConnections.Host = { provider, run: (answer) => void run(answer) }
    host = mine
    yield* Effect.addFinalizer(() => Effect.sync(() => void (host = host === mine ? undefined : host)))
  })

  const openOn = (link: Link) =>
    Effect.andThen(
      Effect.acquireRelease(link.slots.take(1), () => link.slots.release(1), { interruptible: true }),
      Effect.timeoutOrElse(link.connection.open, { duration: limits.dialMillis, orElse: () => busy })
    )

  /** A new stream to the peer, on a pooled connection or on a new one. */
  const openStream = Effect.fnUntraced(function* (
    target: Target
  ): Effect.fn.Return<DuplexStream, BlobTransportError, Scope.Scope> {
    if (!open) return yield* closed
    const link = yield* RcMap.get(links, target)
    return yield* openOn(link).pipe(
      // A pooled connection may have died in the meantime; opening a stream detects that and dials again.
      Effect.catchTag("StreamFailure", () =>
        RcMap.invalidate(links, target).pipe(Effect.andThen(RcMap.get(links, target)), Effect.flatMap(openOn))
      ),
      Effect.catchTag("StreamFailure", (failure) => Effect.fail(Fetch.lost(failure)))
    )
  })

  const fetch: BlobEndpoint["fetch"] = ({ addresses, hash, peer, ranges, size }) => {
    const target = { peer: peer.hex, addresses }
    const parts = requests(ranges).map((part, i) => {
      const items = Fetch.fetch({ hash, size, ranges: part }, openStream(target), limits)
      return i === 0 ? items : Stream.map(items, (some) => some.filter(({ kind }) => kind !== "size"))
    })
    // A silent connection is not reused.
    const forget = (error: BlobTransportError | Problem) =>
      open && error._tag === "BlobTransportError" && error.reason === "unreachable"
        ? RcMap.invalidate(links, target)
        : Effect.void
    const all = parts.reduce((before, next) => Stream.concat(before, next), Stream.empty as (typeof parts)[number])
    return Stream.mapError(Stream.tapError(all, forget), (error) =>
      !open && error._tag === "BlobTransportError" ? closed : error
    )
  }

  const addresses = Effect.suspend(() => (open ? network.addresses : closed))
  return { binding: network.binding, addresses, serve, fetch, pathTo: ({ hex }) => connected.get(hex)?.path?.() }
})

const busy = Effect.fail(
  new BlobTransportError({ reason: "busy", detail: "the peer is at its request limit; try again later" })
)

const hangUp = (connection: Connection) => connection.close(closings.done.code, closings.done.reason)

const dial = (network: Network, { addresses, peer }: Target, limits: TransferLimits) =>
  network.dial(Result.getOrThrow(KeyAdmission.admitHex(peer)), addresses).pipe(
    Effect.timeoutOrElse({
      duration: limits.dialMillis,
      orElse: () =>
        Effect.fail(
          new BlobTransportError({
            reason: "unreachable",
            detail: `the peer did not answer within ${limits.dialMillis / 1000} s${waysTo(network.usable(addresses))}`
          })
        )
    }),
    Effect.map((connection): Link => ({ connection, slots: Semaphore.makeUnsafe(limits.requestsPerPeer) }))
  )

/** The chunk sets to request one after another, each small enough for one request. */
const requests = ({ boundaries }: ChunkRanges.ChunkRanges): ReadonlyArray<ChunkRanges.ChunkRanges> => {
  const most = BlobRequest.maxBoundaries - (BlobRequest.maxBoundaries % 2)
  const parts: Array<ChunkRanges.ChunkRanges> = []
  for (let at = 0; at < boundaries.length; at += most) parts.push({ boundaries: boundaries.slice(at, at + most) })
  return parts
}
