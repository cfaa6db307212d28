/** The sig-server's handlers. Bodies are read here and parsed strictly, not by the contract's JSON codec. */
import { SigServerApi } from "@kez-chat/sdk/api"
import { Bytes, Envelope, KeyAdmission, Limits, Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Database, databaseFailing } from "../storage/Database.ts"
import { clientKey } from "../http/ClientAddress.ts"
import { counted } from "../metrics/Counted.ts"
import { isHeld } from "../http/EntityTag.ts"
import * as Metrics from "../metrics/Metrics.ts"
import * as ProblemResponse from "../http/ProblemResponse.ts"
import { rateLimit } from "../http/RateLimit.ts"
import { readJson } from "../http/RequestBody.ts"
import { Chains, type Growth, type Lines } from "../storage/Chains.ts"
import { SigConfig } from "./SigConfig.ts"

/** JCS is the most compact form of an envelope; clients may send a looser one. */
const body = { maxBytes: 2 * Limits.eventBytes }

const notFound = new Problem.Problem({ code: "chain_not_found", detail: "no event of this key has been stored" })
const badSince = new Problem.Problem({ code: "request_malformed", detail: "since must be a whole number" })

const parseSince = (since: string | undefined): number | undefined =>
  since === undefined ? 0 : /^(?:0|[1-9][0-9]{0,8})$/.test(since) ? Number(since) : undefined

/** Chains of more bytes go out page by page, as fast as the client reads. */
const wholeBytes = 65_536

const linesResponse = ({ bytes, pages }: Lines, headers: Readonly<Record<string, string>>) => {
  const contentType = "application/jsonl"
  return bytes <= wholeBytes
    ? Effect.map(Stream.mkString(pages), (text) => HttpServerResponse.text(text, { contentType, headers }))
    : Effect.succeed(
        HttpServerResponse.stream(Stream.map(pages, Bytes.utf8), { contentType, contentLength: bytes, headers })
      )
}

const sigchains = HttpApiBuilder.group(
  SigServerApi,
  "sigchains",
  Effect.fnUntraced(function* (handlers) {
    const chains = yield* Chains
    const config = yield* SigConfig
    const clientOf = clientKey(config.listeners.trustedProxies)
    const newChains = rateLimit({ tokens: config.rates.newChainsPerHour, periodMillis: 3_600_000 })
    const storedBytes = rateLimit({ tokens: config.rates.chainBytesPerDay, periodMillis: 86_400_000 })
    const options = { ...body, timeoutMillis: config.timing.requestTimeoutMillis }

    const appendEvent = Effect.fn("Chains.append")(function* (
      hex: string,
      request: HttpServerRequest,
      admit: (growth: Growth) => Effect.Effect<void, Problem.Problem>
    ) {
      const key = yield* Effect.fromResult(KeyAdmission.admitHex(hex))
      const json = yield* readJson(request, options)
      const envelope = yield* Effect.fromResult(Envelope.fromJson(json))
      const appended = yield* chains.append(key.hex, envelope, admit)
      if (appended._tag === "Conflict" && appended.head === undefined) return yield* appended.problem
      return appended
    }, counted("sigchain_event"))

    type AppendRequest = { readonly params: { readonly hex: string }; readonly request: HttpServerRequest }
    const append = ({ params, request }: AppendRequest) => {
      let wait = 0
      const admit = ({ bytes, isNewChain }: Growth) =>
        Effect.suspend(() => {
          const client = clientOf(request)
          const refuse = (limit: string, detail: string) => {
            Metrics.observeRateLimited(limit)
            return Effect.fail(new Problem.Problem({ code: "rate_limited", detail }))
          }
          wait = isNewChain ? newChains(client) : 0
          if (wait > 0) return refuse("new_chains", `begin another chain in ${wait} s`)
          wait = storedBytes(client, bytes)
          return wait > 0 ? refuse("chain_bytes", `this address has stored enough; go on in ${wait} s`) : Effect.void
        })
      return appendEvent(params.hex, request, admit).pipe(
        Effect.map((appended) =>
          appended._tag === "Conflict"
            ? ProblemResponse.toResponse(appended.problem, { head: appended.head })
            : HttpServerResponse.jsonUnsafe(appended.head, { status: appended._tag === "Created" ? 201 : 200 })
        ),
        Effect.catchIf(
          ({ code }) => code === "rate_limited",
          (limited) => {
            const response = ProblemResponse.toResponse(limited)
            return Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", String(wait)))
          }
        )
      )
    }

    return handlers
      .handle(
        "events",
        Effect.fnUntraced(function* ({ params, query, request }) {
          const key = yield* Effect.fromResult(KeyAdmission.admitHex(params.hex))
          const since = parseSince(query.since)
          if (since === undefined) return yield* badSince
          const found = yield* chains.lines(key.hex, since)
          if (found === undefined) return yield* notFound
          const etag = `"${found.head.hash.slice(7, 39)}-${since}"`
          const headers = { etag, "cache-control": "no-cache" }
          return isHeld(request.headers["if-none-match"], etag)
            ? HttpServerResponse.empty({ status: 304, headers })
            : yield* linesResponse(found, headers)
        })
      )
      .handle(
        "head",
        Effect.fnUntraced(function* ({ params }) {
          const key = yield* Effect.fromResult(KeyAdmission.admitHex(params.hex))
          return (yield* chains.head(key.hex)) ?? (yield* notFound)
        })
      )
      .handleRaw("append", append)
      .handleRaw("appendAtChain", append)
  })
)

/** Whether events can be stored. */
export const health = Effect.map(Database, ({ isWorking }) => {
  const { version } = Metrics
  if (isWorking()) return HttpServerResponse.jsonUnsafe({ status: "ok", version, database: "ok" })
  const state = { status: "degraded", version, database: "failing", reason: databaseFailing }
  return HttpServerResponse.jsonUnsafe(state, { status: 503 })
})

const server = HttpApiBuilder.group(
  SigServerApi,
  "server",
  Effect.fnUntraced(function* (handlers) {
    const context = yield* Effect.context<Database>()
    return handlers.handle("healthz", () => Effect.provideContext(health, context))
  })
)

export const layer = Layer.merge(sigchains, server)
