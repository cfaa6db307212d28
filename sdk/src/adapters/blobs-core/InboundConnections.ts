/**
 * The connections that peers have made to an endpoint, and how much of it they may use. A key costs nothing, so when
 * there are too many connections those make room first that were never given a blob.
 */
import * as Effect from "effect/Effect"
import * as BlobRequest from "../../protocol/files/BlobRequest.ts"
import type { Provider } from "../../services/BlobTransport.ts"
import { type Connection, closings, type DuplexStream } from "./Network.ts"
import * as Provide from "./Provide.ts"
import type { TransferLimits } from "./TransferLimits.ts"

interface Guest {
  readonly connection: Connection
  /** Requests in work. */
  requests: number
  /** Whether it was given a blob. */
  welcome: boolean
}

/** Runs an answer for as long as whoever provides does so; undefined while nobody does. */
export interface Host {
  readonly provider: Provider
  readonly run: (answer: Effect.Effect<void>) => void
}

export const make = (limits: TransferLimits, host: () => Host | undefined) => {
  // In the order of arrival.
  const guests = new Set<Guest>()
  const requestsOf = new Map<string, number>()
  let requests = 0

  const dismiss = (guest: Guest, { code, reason }: { readonly code: number; readonly reason: string }) =>
    Effect.suspend(() => {
      guests.delete(guest)
      return guest.connection.close(code, reason)
    })

  const makeRoom = (peer: string) =>
    Effect.gen(function* () {
      const others = [...guests].filter(({ connection }) => connection.peer.hex === peer)
      const ownOldest = others[0]
      if (ownOldest !== undefined && others.length >= limits.connectionsPerPeer)
        yield* dismiss(ownOldest, closings.limit)
      if (guests.size < limits.connections) return true
      const all = [...guests]
      const leaving = all.find(({ welcome }) => !welcome) ?? all.find((guest) => guest.requests === 0)
      if (leaving !== undefined) yield* dismiss(leaving, closings.limit)
      return leaving !== undefined
    })

  const count = (guest: Guest, by: number) => {
    const { hex } = guest.connection.peer
    const own = (requestsOf.get(hex) ?? 0) + by
    if (own === 0) requestsOf.delete(hex)
    else requestsOf.set(hex, own)
    guest.requests += by
    requests += by
  }

  const take = (guest: Guest, stream: DuplexStream): Effect.Effect<void> =>
    Effect.suspend(() => {
      const now = host()
      const { peer } = guest.connection
      // Whoever begins to serve in a moment has refused nothing.
      if (now === undefined) return stream.abort(BlobRequest.errorCodes.limit)
      if (requests >= limits.requests || (requestsOf.get(peer.hex) ?? 0) >= limits.requestsPerPeer) {
        return stream.abort(BlobRequest.errorCodes.limit)
      }
      count(guest, 1)
      const welcome = () => void (guest.welcome = true)
      const hangUp = dismiss(guest, closings.limit)
      now.run(
        Effect.ensuring(
          Provide.answer({ peer, stream, provider: now.provider, limits, welcome, hangUp }),
          Effect.sync(() => count(guest, -1))
        )
      )
      return Effect.void
    })

  /** Takes requests from a connection until it ends. */
  const receive = (connection: Connection): Effect.Effect<void> =>
    Effect.gen(function* () {
      if (!(yield* makeRoom(connection.peer.hex))) {
        return yield* connection.close(closings.limit.code, closings.limit.reason)
      }
      const guest: Guest = { connection, requests: 0, welcome: false }
      guests.add(guest)
      yield* Effect.forever(Effect.flatMap(connection.accept, (stream) => take(guest, stream))).pipe(
        Effect.catch(() => Effect.void),
        Effect.ensuring(dismiss(guest, closings.terminating))
      )
    })

  return { receive }
}
