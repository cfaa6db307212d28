/** The `manifests` group: store one's own, read anybody's. Bodies are stored and served byte for byte. */
import { ChatServerApi } from "@kez-chat/sdk/api"
import { Bytes, Hash, KeyAdmission, Limits, Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import { ChatConfig } from "../ChatConfig.ts"
import { bodySlots } from "../../http/BodySlots.ts"
import { clientKey } from "../../http/ClientAddress.ts"
import { counted } from "../../metrics/Counted.ts"
import { isHeld } from "../../http/EntityTag.ts"
import { largeBodyTimes, readJsonBytes } from "../../http/RequestBody.ts"
import { Manifests, type Stored } from "../../storage/Manifests.ts"
import { Registry } from "../../storage/Registry.ts"

const notFound = new Problem.Problem({ code: "manifest_not_found", detail: "no such manifest is stored here" })

/** 32 MiB at most. */
const slots = { total: 32, perClient: 4 }

/** Found by its hash, it never changes; one day only, so that caches soon forget what was deleted. */
const immutable = "public, max-age=86400, immutable"

const tag = (hash: string): string => `"${hash}"`

export const layer = HttpApiBuilder.group(
  ChatServerApi,
  "manifests",
  Effect.fnUntraced(function* (handlers) {
    const config = yield* ChatConfig
    const manifests = yield* Manifests
    const registry = yield* Registry
    const clientOf = clientKey(config.listeners.trustedProxies)
    const inSlot = bodySlots(slots)
    const body = { maxBytes: Limits.manifestBytes, timeoutMillis: config.timing.requestTimeoutMillis * largeBodyTimes }

    const answer = (request: HttpServerRequest, found: Stored | undefined, cacheControl: string) => {
      if (found === undefined) return Effect.fail(notFound)
      const headers = { etag: tag(found.hash), "cache-control": cacheControl }
      return Effect.succeed(
        isHeld(request.headers["if-none-match"], headers.etag)
          ? HttpServerResponse.empty({ status: 304, headers })
          : HttpServerResponse.stream(manifests.pieces(found), {
              contentType: "application/json",
              contentLength: found.bytes,
              headers
            })
      )
    }

    const put = Effect.fn("Manifests.put")(function* (hex: string, request: HttpServerRequest) {
      const owner = yield* Effect.fromResult(KeyAdmission.admitHex(hex))
      // Before a byte of the body is read: a key without a handle here cannot make the server take a megabyte.
      yield* registry.byPrimary(owner.hex)
      return yield* inSlot(clientOf(request), readJsonBytes(request, body), (bytes) => manifests.put(owner, bytes))
    }, counted("manifest"))

    return handlers
      .handleRaw("put", ({ params, request }) =>
        put(params.hex, request).pipe(
          Effect.map(({ created, hash, revision }) =>
            HttpServerResponse.jsonUnsafe(
              { revision, hash: Hash.format("blake3", hash) },
              { status: created ? 201 : 200, headers: { etag: tag(hash) } }
            )
          )
        )
      )
      .handle("current", ({ params, request }) =>
        Effect.fromResult(KeyAdmission.admitHex(params.hex)).pipe(
          Effect.flatMap((owner) => manifests.find(owner.hex)),
          Effect.flatMap((found) => answer(request, found, "no-cache"))
        )
      )
      .handle("byHash", ({ params, request }) =>
        Effect.fromResult(Result.all([KeyAdmission.admitHex(params.hex), Bytes.fromHex(params.hash)])).pipe(
          Effect.flatMap(([owner]) => manifests.find(owner.hex, params.hash)),
          Effect.flatMap((found) => answer(request, found, immutable))
        )
      )
  })
)
