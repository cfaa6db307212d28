/** Inbound connections and their limits. Keys cost nothing, so those that were never given a blob close first. */
import * as Effect from "effect/Effect"
import * as BlobRequest from "../../protocol/files/BlobRequest.ts"
import type { Provider } from "../../services/BlobTransport.ts"
import { type Connection, closings, type DuplexStream } from "./Network.ts"
import * as Provide from "./Provide.ts"
import type { TransferLimits } from "./TransferLimits.ts"

interface InboundConnection {
  readonly connection: Connection
  /** Requests being answered. */
  requests: number
  /** Whether it was ever given a blob. */
  served: boolean
}

/** The current provider of this endpoint; its answers end when it stops serving. */
export interface Host {
  readonly provider: Provider
  readonly run: (answer: Effect.Effect<void>) => void
}

export const make = (limits: TransferLimits, host: () => Host | undefined) => {
  // In the order of arrival.
  const inbound = new Set<InboundConnection>()
  const requestsOf = new Map<string, number>()
  let requests = 0

  const dismiss = (from: InboundConnection, { code, reason }: { readonly code: number; readonly reason: string }) =>
    Effect.suspend(() => {
      inbound.delete(from)
      return from.connection.close(code, reason)
    })

  const makeRoom = Effect.fnUntraced(function* (peer: string) {
    const others = [...inbound].filter(({ connection }) => connection.peer.hex === peer)
    const ownOldest = others[0]
    if (ownOldest !== undefined && others.length >= limits.connectionsPerPeer) yield* dismiss(ownOldest, closings.limit)
    if (inbound.size < limits.connections) return true
    const all = [...inbound]
    const leaving = all.find(({ served }) => !served) ?? all.find((from) => from.requests === 0)
    if (leaving !== undefined) yield* dismiss(leaving, closings.limit)
    return leaving !== undefined
  })

  const count = (from: InboundConnection, by: number) => {
    const { hex } = from.connection.peer
    const own = (requestsOf.get(hex) ?? 0) + by
    if (own === 0) requestsOf.delete(hex)
    else requestsOf.set(hex, own)
    from.requests += by
    requests += by
  }

  const take = (from: InboundConnection, stream: DuplexStream): Effect.Effect<void> =>
    Effect.suspend(() => {
      const now = host()
      const { peer } = from.connection
      // "limit" and not "refused": a provider may start serving soon.
      if (now === undefined) return stream.abort(BlobRequest.errorCodes.limit)
      if (requests >= limits.requests || (requestsOf.get(peer.hex) ?? 0) >= limits.requestsPerPeer) {
        return stream.abort(BlobRequest.errorCodes.limit)
      }
      count(from, 1)
      const onServed = () => void (from.served = true)
      const hangUp = dismiss(from, closings.limit)
      now.run(
        Effect.ensuring(
          Provide.answer({ peer, stream, provider: now.provider, limits, onServed, hangUp }),
          Effect.sync(() => count(from, -1))
        )
      )
      return Effect.void
    })

  /** Answers requests from a connection until it ends. */
  const receive = Effect.fnUntraced(function* (connection: Connection): Effect.fn.Return<void> {
    if (!(yield* makeRoom(connection.peer.hex))) {
      return yield* connection.close(closings.limit.code, closings.limit.reason)
    }
    const from: InboundConnection = { connection, requests: 0, served: false }
    inbound.add(from)
    yield* Effect.forever(Effect.flatMap(connection.accept, (stream) => take(from, stream))).pipe(
      Effect.catch(() => Effect.void),
      Effect.ensuring(dismiss(from, closings.terminating))
    )
  })

  return { receive }
}
