/**
 * `SigchainStore` over kez-sig-server's HTTP interface. The Rust server's append path and answer are not known for
 * certain, so both possible paths are tried, and an answer's body is compared but not required.
 */
import * as Effect from "effect/Effect"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { SigServerApi } from "../../api/SigServerApi.ts"
import * as SignedEnvelope from "../../crypto/SignedEnvelope.ts"
import * as Envelope from "../../protocol/sigchain/Envelope.ts"
import * as Json from "../../protocol/encoding/Json.ts"
import * as Limits from "../../protocol/Limits.ts"
import { Members } from "../../protocol/encoding/Members.ts"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import { Problem } from "../../protocol/Problem.ts"
import * as Sigchain from "../../protocol/sigchain/Sigchain.ts"
import { Crypto } from "../../services/Crypto.ts"
import { ServerUnreachable } from "../../services/Directory.ts"
import type { HomeReach } from "../../services/homes/HomeReach.ts"
import { SigchainStore } from "../../services/SigchainStore.ts"
import * as Transport from "./Transport.ts"

export interface HttpSigchainStoreOptions {
  /** Base URL of the sig-server: https, or http on this machine. An effect is run once, on first use. */
  readonly url: string | Effect.Effect<string, Problem | ServerUnreachable>
  /** Time limit for an answer and for each further piece of it; default 10 s. */
  readonly timeoutMillis?: number
  readonly fetch?: typeof globalThis.fetch
  /** The home server that named `url`, which restricts the addresses it may have (spec KEZ-REG-031). */
  readonly namedBy?: HomeReach
}

/** Other servers may not write JCS: leaves room for white space in a chain of the maximum size. */
const maxBytes = 2 * Limits.chainBytes
const lineBytes = 2 * Limits.eventBytes
const newline = 0x0a

/** The lines of a chain, each parsed strictly; blank lines are skipped (KEZ). */
const parseLines = (bytes: Uint8Array): Result.Result<ReadonlyArray<Envelope.Envelope>, Problem> => {
  const envelopes: Array<Envelope.Envelope> = []
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(newline, from)
    const line = bytes.subarray(from, end === -1 ? bytes.length : end)
    from = end === -1 ? bytes.length : end + 1
    if (line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) continue
    const envelope = Envelope.parse(line, lineBytes)
    if (Result.isFailure(envelope)) return Result.fail(envelope.failure)
    envelopes.push(envelope.success)
  }
  return Result.succeed(envelopes)
}

/** Connects lazily: if the sig-server is down, the calls fail and not the layer. */
export const layer = (options: HttpSigchainStoreOptions): Layer.Layer<SigchainStore, never, Crypto> =>
  Layer.effect(SigchainStore, make(options))

/** The service of {@link layer}. */
export const make = Effect.fnUntraced(function* (options: HttpSigchainStoreOptions) {
  const crypto = yield* Effect.context<Crypto>()
  const { url, ...rest } = options
  const clientFor = (baseUrl: string) =>
    Effect.map(
      HttpApiClient.makeWith(SigServerApi, {
        httpClient: Transport.make({ baseUrl, maxBytes, body: "bytes", ...rest })
      }),
      ({ sigchains }) => ({ baseUrl, sigchains, settled: Transport.mapErrors(baseUrl) })
    )
  type Client = Effect.Success<ReturnType<typeof clientFor>>
  let known: Client | undefined = typeof url === "string" ? yield* clientFor(url) : undefined
  const connected: Effect.Effect<Client, Transport.TransportError> = Effect.suspend(() => {
    if (known !== undefined || typeof url === "string") return Effect.succeed(known as Client)
    return Effect.tap(Effect.flatMap(url, clientFor), (client) => Effect.sync(() => void (known = client)))
  })
  /** The append path of this server, once known. */
  let atChain = false

  const appendAt = ({ settled, sigchains }: Client, own: boolean, hex: string, payload: Envelope.Envelope) =>
    settled(
      (own ? sigchains.appendAtChain : sigchains.append)({ params: { hex }, payload, responseMode: "response-only" })
    )

  return SigchainStore.of({
    fetch: Effect.fnUntraced(function* (primary, since = 0) {
      const key = yield* keyOf(primary)
      const { baseUrl, settled, sigchains } = yield* connected
      const response = yield* settled(
        sigchains.events({
          params: { hex: key.hex },
          query: since === 0 ? {} : { since: String(since) },
          responseMode: "response-only"
        })
      ).pipe(Effect.catchIf(isUnknownChain, () => Effect.succeed(undefined)))
      if (response === undefined || response.status === 404) return []
      if (response.status !== 200) return yield* Transport.unexpected(baseUrl, response.status, undefined)
      const body = yield* settled(response.arrayBuffer)
      const envelopes = yield* Effect.fromResult(parseLines(new Uint8Array(body)))
      // A server without `since` sends the whole chain.
      return envelopes.filter(({ payload }) => typeof payload["seq"] !== "number" || payload["seq"] >= since)
    }),

    append: Effect.fnUntraced(function* (primary, event) {
      const key = yield* keyOf(primary)
      const { seq } = yield* Effect.fromResult(Sigchain.parseEvent(event))
      const hash = yield* Effect.provideContext(SignedEnvelope.hash(event), crypto)
      const client = yield* connected
      let response = yield* appendAt(client, atChain, key.hex, event).pipe(
        Effect.catchIf(isNoSuchRoute, () => Effect.succeed(undefined))
      )
      if (response === undefined || isMissing(response.status)) {
        response = yield* appendAt(client, !atChain, key.hex, event)
        if (response.status < 300) atChain = !atChain
      }
      if (response.status >= 300) return yield* Transport.unexpected(client.baseUrl, response.status, undefined)
      yield* compareHead(client, response, { seq, hash })
      return { seq, hash }
    })
  })
})

const keyOf = (primary: string) => Effect.fromResult(PrimaryKey.parseEd25519(primary))

const isMissing = (status: number): boolean => status === 404 || status === 405

const isUnknownChain = (error: Transport.TransportError): boolean =>
  error instanceof Problem && (error.code === "chain_not_found" || error.code === "not_found")

const isNoSuchRoute = (error: Transport.TransportError): boolean =>
  error instanceof Problem && (error.code === "not_found" || error.code === "method_not_allowed")

/** A head in the answer must match the event; otherwise the server stored something else. */
const compareHead = (
  { settled }: { readonly settled: ReturnType<typeof Transport.mapErrors> },
  response: HttpClientResponse,
  head: Sigchain.Head
): Effect.Effect<void, Transport.TransportError> =>
  Effect.flatMap(settled(response.arrayBuffer), (body) => {
    const json = Json.parse(new Uint8Array(body), { maxBytes })
    const stored = Result.flatMap(json, (value) =>
      Result.flatMap(Members.of(value, "record_invalid", "head"), Sigchain.parseHead)
    )
    if (Result.isFailure(stored) || (stored.success.seq === head.seq && stored.success.hash === head.hash))
      return Effect.void
    const detail = `the sig-server stored event ${stored.success.seq} ${stored.success.hash} instead of ${head.seq} ${head.hash}`
    return Effect.fail(new Problem({ code: "chain_fork", detail }))
  })
