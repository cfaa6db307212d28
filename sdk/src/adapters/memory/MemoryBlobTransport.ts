/**
 * Endpoints of one process, connected without a network, with the same protocol bytes as over Iroh. For tests, and for
 * programs with several accounts. An endpoint's address is a made-up `127.0.0.1:port`.
 */
import { ed25519 } from "@noble/curves/ed25519.js"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as KeyAdmission from "../../protocol/identity/KeyAdmission.ts"
import { BlobTransport, BlobTransportError } from "../../services/BlobTransport.ts"
import * as Endpoint from "../blobs-core/Endpoint.ts"
import { type Connection, type DuplexStream, type Network, StreamFailure } from "../blobs-core/Network.ts"
import { defaultLimits, type TransferLimits } from "../blobs-core/TransferLimits.ts"
import { Pipe } from "./Pipe.ts"

/** A separate network: endpoints of different nets never meet. */
export interface MemoryNet {
  readonly transport: BlobTransport["Service"]
  readonly layer: Layer.Layer<BlobTransport>
  /** An endpoint below the blob protocol, for tests with hostile peers. */
  readonly network: (secret: Redacted.Redacted<Uint8Array>) => Effect.Effect<Network, BlobTransportError, Scope.Scope>
}

interface Station {
  readonly key: KeyAdmission.AdmittedKey
  readonly address: string
  readonly incoming: Queue.Queue<Connection, BlobTransportError>
  readonly connections: Set<Effect.Effect<void>>
}

const firstPort = 49_152

const closed = new BlobTransportError({ reason: "closed", detail: "this endpoint has closed" })
const ownKey = new BlobTransportError({ reason: "unreachable", detail: "that is this device's own key" })

/** A new, empty net. Tests may lower `limits`. */
export const net = (limits: TransferLimits = defaultLimits): MemoryNet => {
  const stations = new Map<string, Station>()
  let port = firstPort

  const arrive = (key: KeyAdmission.AdmittedKey) =>
    Effect.map(Queue.unbounded<Connection, BlobTransportError>(), (incoming): Station => {
      const station = { key, address: `127.0.0.1:${port++}`, incoming, connections: new Set<Effect.Effect<void>>() }
      stations.set(station.address, station)
      return station
    })
  const leave = Effect.fnUntraced(function* (station: Station) {
    stations.delete(station.address)
    yield* Effect.all([...station.connections])
    yield* Queue.fail(station.incoming, closed)
  })

  const network: MemoryNet["network"] = Effect.fnUntraced(function* (secret) {
    const key = Result.getOrThrow(KeyAdmission.admit(ed25519.getPublicKey(Redacted.value(secret))))
    const station = yield* Effect.acquireRelease(arrive(key), leave)
    return {
      addresses: Effect.succeed({ direct: [station.address] }),
      usable: (addresses) => addresses,
      dial: Effect.fnUntraced(function* (peer, { direct }) {
        if (peer.hex === key.hex) return yield* ownKey
        const found = direct.map((address) => stations.get(address)).find((other) => other?.key.hex === peer.hex)
        // Waits forever, like a network whose peer does not answer.
        if (found === undefined) return yield* Effect.never
        const [ours, theirs] = yield* connect(station, found)
        yield* Queue.offer(found.incoming, theirs)
        return ours
      }),
      accept: Queue.take(station.incoming)
    }
  })

  const transport: BlobTransport["Service"] = {
    open: (secret) => Effect.flatMap(network(secret), (opened) => Endpoint.make(opened, limits))
  }
  return { transport, layer: Layer.succeed(BlobTransport, transport), network }
}

const connect = Effect.fnUntraced(function* (
  from: Station,
  to: Station
): Effect.fn.Return<readonly [Connection, Connection]> {
  const pipes = new Set<Pipe>()
  const opened = [
    yield* Queue.unbounded<DuplexStream, StreamFailure>(),
    yield* Queue.unbounded<DuplexStream, StreamFailure>()
  ] as const
  let over: StreamFailure | undefined

  const end = (detail: string, words?: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (over !== undefined) return Effect.void
      const failure = (over = new StreamFailure({
        reason: "lost",
        detail,
        ...(words === undefined ? {} : { words })
      }))
      from.connections.delete(vanish)
      to.connections.delete(vanish)
      for (const pipe of pipes) pipe.fail(failure)
      return Effect.asVoid(Effect.all(opened.map((queue) => Queue.fail(queue, failure))))
    })
  const vanish = end("the endpoint was closed")
  from.connections.add(vanish)
  to.connections.add(vanish)

  const side = (
    peer: KeyAdmission.AdmittedKey,
    own: Queue.Queue<DuplexStream, StreamFailure>,
    other: typeof own
  ): Connection => ({
    peer,
    open: Effect.suspend(() => {
      if (over !== undefined) return Effect.fail(over)
      for (const pipe of pipes) if (pipe.over) pipes.delete(pipe)
      const [there, back] = [new Pipe(), new Pipe()]
      pipes.add(there).add(back)
      return Effect.as(Queue.offer(other, duplex(back, there)), duplex(there, back))
    }),
    accept: Queue.take(own),
    close: (code, reason) => end(`closed: ${reason} (${code})`, reason)
  })
  return [side(to.key, opened[0], opened[1]), side(from.key, opened[1], opened[0])] as const
})

const duplex = (out: Pipe, back: Pipe): DuplexStream => ({
  read: (limit) => back.read(limit),
  ready: () => back.ready,
  write: (bytes) => out.write(bytes),
  end: out.end,
  arrived: out.arrived,
  abort: (code) =>
    Effect.sync(() => {
      const failure = new StreamFailure({ reason: "aborted", code, detail: `abandoned with code ${code}` })
      out.fail(failure)
      back.fail(failure)
    })
})
