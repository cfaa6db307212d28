/** An Iroh endpoint as a network of byte streams. */
import type * as Iroh from "@number0/iroh/index.js"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as BlobRequest from "../../protocol/files/BlobRequest.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as KeyAdmission from "../../protocol/identity/KeyAdmission.ts"
import * as Limits from "../../protocol/Limits.ts"
import { type Addresses, BlobTransportError } from "../../services/BlobTransport.ts"
import {
  type Connection,
  closings,
  type DuplexStream,
  type Network,
  StreamFailure,
  waysTo
} from "../blobs-core/Network.ts"
import { pieceBytes, type TransferLimits } from "../blobs-core/TransferLimits.ts"
import type { Binding } from "./Binding.ts"
import { attempt } from "./StreamErrors.ts"

/** The allowed paths to a peer. */
export interface Ways {
  readonly direct: boolean
  readonly relay: boolean
}

/** The protocol's ALPN. */
export const alpn = Array.from(Bytes.utf8(BlobRequest.alpn))

/** How long to wait for a relay before reporting addresses without one, in milliseconds. */
const relayMillis = 5_000
/** How often to look for it, in milliseconds. */
const lookMillis = 100
/** Limit on connections whose peer has not proven its key yet. */
const handshakes = 32

const closed = new BlobTransportError({ reason: "closed", detail: "this endpoint has closed" })
const unreachable = (detail: string, cause?: unknown): BlobTransportError =>
  new BlobTransportError({ reason: "unreachable", detail, ...(cause === undefined ? {} : { cause }) })

/** For calls whose outcome is irrelevant, including those queued behind an unfinished read or write. */
const unwatched = (call: () => Promise<unknown>): void => {
  Promise.resolve()
    .then(call)
    .catch(() => undefined)
}

/**
 * Reads a stream one piece at a time, because every call into the binding costs a thread switch. While a full piece is
 * processed, the next read is already running. It does not start earlier, because a waiting read cannot be cancelled.
 */
const readerOf = ({ received }: Binding, recv: Iroh.RecvStream): Pick<DuplexStream, "read" | "ready"> => {
  let rest: Uint8Array = new Uint8Array(0)
  let ahead: Promise<Array<number>> | undefined
  const take = (limit: number): Uint8Array => {
    const taken = rest.subarray(0, limit)
    rest = rest.subarray(taken.length)
    return taken
  }
  const cross = (): Promise<Array<number>> => {
    const now = ahead ?? recv.read(pieceBytes)
    ahead = undefined
    return now
  }
  const read = (limit: number) =>
    Effect.map(attempt(cross), (given) => {
      rest = received(given)
      if (rest.length === pieceBytes) {
        ahead = recv.read(pieceBytes)
        ahead.catch(() => undefined)
      }
      return take(limit)
    })
  return {
    ready: () => rest.length > 0,
    read: (limit) => Effect.suspend(() => (rest.length > 0 ? Effect.succeed(take(limit)) : read(limit)))
  }
}

const streamOf = (binding: Binding, stream: Iroh.BiStream): DuplexStream => {
  const { recv, send } = stream
  return {
    ...readerOf(binding, recv),
    ...binding.answers?.(stream),
    write: (bytes) => Effect.asVoid(attempt(() => binding.give(bytes, (given) => send.writeAll(given)))),
    end: attempt(() => send.finish()),
    arrived: Effect.gen(function* () {
      const code = yield* attempt(() => send.stopped())
      if (code !== null) yield* new StreamFailure({ reason: "aborted", code, detail: `stopped with code ${code}` })
    }),
    abort: (code) =>
      Effect.sync(() => {
        unwatched(() => send.reset(BigInt(code)))
        unwatched(() => recv.stop(BigInt(code)))
      })
  }
}

const connectionOf = (binding: Binding, connection: Iroh.Connection, peer: KeyAdmission.AdmittedKey): Connection => ({
  peer,
  open: Effect.map(
    attempt(() => connection.openBi()),
    (stream) => streamOf(binding, stream)
  ),
  accept: Effect.map(
    attempt(() => connection.acceptBi()),
    (stream) => streamOf(binding, stream)
  ),
  path: () => {
    const used = connection.paths().find(({ isSelected }) => isSelected)
    return used === undefined ? undefined : used.isRelay ? "relayed" : "direct"
  },
  close: (code, reason) => Effect.sync(() => connection.close(BigInt(code), Array.from(Bytes.utf8(reason))))
})

/** Peers send us only requests, on connections that they opened. */
const restrict = (connection: Iroh.Connection, requests: number): void => {
  connection.setMaxConcurrentUniStreams(0n)
  connection.setMaxConcurrentBiStreams(BigInt(requests))
  if (requests > 0) connection.setReceiveWindow(BigInt(requests * Limits.blobRequestBytes))
}

const remoteKey = (connection: Iroh.Connection): KeyAdmission.AdmittedKey | undefined => {
  const admitted = KeyAdmission.admit(Uint8Array.from(connection.remoteId().toBytes()))
  return Result.isSuccess(admitted) ? admitted.success : undefined
}

/** The network of a bound endpoint, until the scope closes. Whoever bound the endpoint closes it. */
export const make = Effect.fnUntraced(function* (
  binding: Binding,
  endpoint: Iroh.Endpoint,
  ways: Ways,
  limits: TransferLimits
): Effect.fn.Return<Network, never, Scope.Scope> {
  const incoming = yield* Queue.unbounded<Connection, BlobTransportError>()
  let handshaking = 0

  const welcome = async (arriving: Iroh.Incoming): Promise<void> => {
    const { kind } = await arriving.remoteAddr()
    if (handshaking >= handshakes || (kind === "ip" && !ways.direct)) return await arriving.refuse()
    handshaking++
    try {
      const connection = await (await arriving.accept()).connect()
      const peer = remoteKey(connection)
      restrict(connection, limits.requestsPerPeer)
      if (peer === undefined) connection.close(BigInt(closings.permission.code), [])
      else Queue.offerUnsafe(incoming, connectionOf(binding, connection, peer))
    } finally {
      handshaking--
    }
  }
  const receive = async (): Promise<void> => {
    for (let next = await endpoint.acceptNext(); next !== null; next = await endpoint.acceptNext()) {
      const arriving = next
      unwatched(() => welcome(arriving))
    }
  }
  unwatched(() => receive().finally(() => Effect.runSync(Queue.fail(incoming, closed))))

  const usable: Network["usable"] = ({ direct, relayUrl }) => ({
    direct: ways.direct ? direct : [],
    ...(ways.relay && relayUrl !== undefined ? { relayUrl } : {})
  })

  const dial: Network["dial"] = (peer, given) =>
    Effect.callback((resume) => {
      const { direct, relayUrl } = usable(given)
      if (direct.length === 0 && relayUrl === undefined) {
        return resume(Effect.fail(unreachable("no address of the peer may be used under this device's relay policy")))
      }
      let abandoned = false
      const reached = (connection: Iroh.Connection): void => {
        restrict(connection, 0)
        if (abandoned) connection.close(BigInt(closings.done.code), [])
        else resume(Effect.succeed(connectionOf(binding, connection, peer)))
      }
      const { EndpointAddr, EndpointId } = binding.iroh
      const id = EndpointId.fromBytes(Array.from(peer.ed25519))
      Promise.resolve()
        .then(() => endpoint.connect(new EndpointAddr(id, relayUrl, [...direct]), alpn))
        .then(reached)
        .catch((cause: unknown) =>
          resume(Effect.fail(unreachable(`the peer cannot be reached${waysTo(usable(given))}`, cause)))
        )
      return Effect.sync(() => void (abandoned = true))
    })

  // Not `endpoint.online()`: where no relay answers, its promise outlives the endpoint and keeps the program alive.
  const relay = Effect.gen(function* () {
    while (endpoint.addr().relayUrl() === null) yield* Effect.sleep(lookMillis)
  })

  const addresses = Effect.gen(function* () {
    if (ways.relay) yield* Effect.timeoutOption(relay, relayMillis)
    const here = endpoint.addr()
    const relayUrl = ways.relay ? here.relayUrl() : null
    const found: Addresses = {
      direct: ways.direct ? here.directAddresses().slice(0, Limits.addressesMax) : [],
      ...(relayUrl === null ? {} : { relayUrl })
    }
    if (found.direct.length > 0 || found.relayUrl !== undefined) return found
    return yield* new BlobTransportError({
      reason: "unavailable",
      detail: ways.relay
        ? "no relay answers; check the network and the relay's URL"
        : "this device has no network address"
    })
  })

  return { binding: binding.kind, addresses, usable, dial, accept: Queue.take(incoming) }
})
