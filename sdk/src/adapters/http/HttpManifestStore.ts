/** `ManifestStore` over the home server's HTTP interface. */
import * as Effect from "effect/Effect"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import { ChatServerApi } from "../../api/ChatServerApi.ts"
import * as Hash from "../../protocol/encoding/Hash.ts"
import * as Limits from "../../protocol/Limits.ts"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import { Problem } from "../../protocol/Problem.ts"
import type { DirectoryError } from "../../services/Directory.ts"
import { ManifestStore } from "../../services/ManifestStore.ts"
import * as Transport from "./Transport.ts"

export interface HttpManifestStoreOptions {
  /** Base URL of the home server: https, or http on this machine. */
  readonly home: string
  /** Time limit for an answer, including the upload, and for each further piece of it; default 30 s. */
  readonly timeoutMillis?: number
  readonly fetch?: typeof globalThis.fetch
}

/** Allows for a manifest of the maximum size over a slow line. */
const defaultTimeoutMillis = 30_000

/** A store at one home server. Follows no redirect and reads at most the maximum size of a manifest. */
export const layer = (options: HttpManifestStoreOptions): Layer.Layer<ManifestStore> =>
  Layer.effect(ManifestStore, make(options))

const make = Effect.fnUntraced(function* ({ home, ...options }: HttpManifestStoreOptions) {
  const { manifests } = yield* HttpApiClient.makeWith(ChatServerApi, {
    httpClient: Transport.make({
      baseUrl: home,
      maxBytes: Limits.manifestBytes,
      body: "bytes",
      timeoutMillis: defaultTimeoutMillis,
      ...options
    })
  })
  const settled = Transport.mapErrors(home)

  /** The unmodified body, to be checked by its hash and signature. */
  const bytesOf = (response: HttpClientResponse): Effect.Effect<Uint8Array, DirectoryError> =>
    response.status === 200
      ? Effect.map(settled(response.arrayBuffer), (buffer) => new Uint8Array(buffer))
      : Effect.fail(Transport.unexpected(home, response.status, undefined))

  return ManifestStore.of({
    put: Effect.fnUntraced(function* (primary, body) {
      const { hex } = yield* keyOf(primary)
      if (body.length > Limits.manifestBytes) {
        const detail = `the manifest has ${body.length} bytes, more than ${Limits.manifestBytes}`
        return yield* new Problem({ code: "too_large", detail })
      }
      const response = yield* settled(manifests.put({ params: { hex }, payload: body, responseMode: "response-only" }))
      if (response.status !== 200 && response.status !== 201) {
        return yield* Transport.unexpected(home, response.status, undefined)
      }
    }),
    current: Effect.fnUntraced(function* (primary, held) {
      const { hex } = yield* keyOf(primary)
      const digits = held === undefined ? undefined : digitsOf(held)
      const headers = digits === undefined ? {} : { "if-none-match": `"${digits}"` }
      const response = yield* settled(manifests.current({ params: { hex }, headers, responseMode: "response-only" }))
      return digits !== undefined && response.status === 304 ? undefined : yield* bytesOf(response)
    }),
    byHash: Effect.fnUntraced(function* (primary, hash) {
      const { hex } = yield* keyOf(primary)
      const digits = digitsOf(hash)
      if (digits === undefined) {
        return yield* new Problem({ code: "encoding_malformed", detail: "the hash is not blake3: and 64 hex digits" })
      }
      return yield* bytesOf(
        yield* settled(manifests.byHash({ params: { hex, hash: digits }, responseMode: "response-only" }))
      )
    })
  })
})

const digitsOf = (hash: string) => (Hash.is("blake3", hash) ? Hash.hexOf(hash) : undefined)

const keyOf = (primary: string) => Effect.fromResult(PrimaryKey.parseEd25519(primary))
