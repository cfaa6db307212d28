/** The HTTP adapters' `fetch`, in Node and browsers, with limits on the time and size of every answer. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as ProblemBody from "../../api/ProblemBody.ts"
import * as AddressClass from "../../protocol/registration/AddressClass.ts"
import * as Json from "../../protocol/encoding/Json.ts"
import { Problem, type Code } from "../../protocol/Problem.ts"
import { ServerUnreachable } from "../../services/Directory.ts"
import * as HomeReach from "../../services/homes/HomeReach.ts"
import { type Answer, exchange, retryAfter } from "../http-core/Exchange.ts"

export interface TransportOptions {
  /** Base URL of the server: https, or http on this machine. */
  readonly baseUrl: string
  /** Size limit of an answer's body after content decoding (spec KEZ-CAN-015). */
  readonly maxBytes: number
  /** Content of a successful answer: `json` is parsed strictly here, `bytes` by the caller. */
  readonly body: "json" | "bytes"
  /** Time limit for the head of an answer and for each further piece of it. */
  readonly timeoutMillis?: number
  readonly fetch?: typeof globalThis.fetch
  /** The home server that named this URL; absent if the user or the program chose it. */
  readonly namedBy?: HomeReach.HomeReach
}

export type TransportError = Problem | ServerUnreachable

/** A client that fails with the server's problems, or with the reason why it could not be asked. */
export type Transport = HttpClient.HttpClient.With<TransportError>

const defaultTimeoutMillis = 10_000
/** Total time limit of an answer, as a multiple of the time limit per piece. */
const wholeAnswer = 6
const problemBytes = 16_384

/** Why a URL is not requested; undefined if it may be. */
const forbidden = (url: URL): string | undefined => {
  if (url.username !== "" || url.password !== "") return "its URL carries a password"
  if (url.protocol === "https:") return undefined
  if (url.protocol !== "http:") return "its URL is neither http nor https"
  return AddressClass.isLoopback(url.hostname) ? undefined : "plain http is allowed only to this machine; use https"
}

const ask = (
  options: TransportOptions,
  url: URL,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<Answer, TransportError> => {
  const { fetch = globalThis.fetch, maxBytes, namedBy, timeoutMillis = defaultTimeoutMillis } = options
  const fail = (detail: string, cause?: unknown) =>
    new ServerUnreachable({ url: url.origin, detail, ...(cause === undefined ? {} : { cause }) })
  const why = forbidden(url)
  if (why !== undefined) return Effect.fail(fail(why))
  const named = namedBy === undefined ? undefined : HomeReach.checkHost(namedBy, url.hostname)
  if (named !== undefined && Result.isFailure(named)) return Effect.fail(named.failure)
  const { body } = request
  return exchange(
    fetch,
    url,
    {
      method: request.method,
      headers: request.headers,
      body: body._tag === "Uint8Array" ? (body.body as Uint8Array<ArrayBuffer>) : null
    },
    { maxBytes, pieceMillis: timeoutMillis, wholeMillis: timeoutMillis * wholeAnswer }
  ).pipe(
    Effect.mapError(({ cause, detail }) => {
      const known = [cause, cause instanceof Error ? cause.cause : undefined].find(isOurs)
      return known ?? fail(detail, cause)
    }),
    // Redirects are never followed: the user chose the server by its name.
    Effect.flatMap((answer) =>
      answer.isRedirect ? Effect.fail(fail("it redirects elsewhere, which is not followed")) : Effect.succeed(answer)
    )
  )
}

/** A request refused by this client; `fetch` wraps errors of its connections. */
const isOurs = (cause: unknown): cause is TransportError =>
  cause instanceof ServerUnreachable || cause instanceof Problem

/** Fallback for a problem document with an unknown code, from a newer version (spec KEZ-ERR-002). */
const byStatus: Readonly<Record<number, Code>> = {
  400: "request_malformed",
  401: "unauthorized",
  404: "not_found",
  405: "method_not_allowed",
  408: "request_timeout",
  413: "too_large",
  414: "uri_too_long",
  415: "media_type_unsupported"
}

/** The problem in an answer, if it is a problem document, whatever its media type (spec KEZ-CAN-014). */
const problemOf = ({ body, status }: Answer): Problem | undefined => {
  if (status < 400) return undefined
  const json = Json.parse(body, { maxBytes: problemBytes })
  if (Result.isFailure(json)) return undefined
  const known = ProblemBody.toProblem(json.success)
  if (known !== undefined) return known
  const code = byStatus[status]
  const isProblem = Json.isObject(json.success) && typeof json.success["code"] === "string"
  return isProblem && code !== undefined
    ? new Problem({ code, detail: "the server gives a reason this version does not know" })
    : undefined
}

const isEmptyStatus = (status: number): boolean => status === 204 || status === 304

/** Why a successful answer cannot be used: an HTML page (as of a captive portal), or JSON that is not strict. */
const faultOf = (options: TransportOptions, url: URL, { body, status }: Answer): TransportError | undefined => {
  if (status >= 300 || isEmptyStatus(status)) return undefined
  const first = body.find((byte) => byte > 0x20)
  const isForeign = options.body === "json" ? first !== openBrace : first === openAngle
  if (isForeign) return unexpected(url.origin, undefined, undefined)
  if (options.body === "bytes") return undefined
  const strict = Json.parse(body, { maxBytes: options.maxBytes })
  return Result.isFailure(strict) ? strict.failure : undefined
}

const openBrace = 0x7b
const openAngle = 0x3c

/** Turns an answer into a response for the contract's client, or into the reason why there is none. */
const settle = (
  options: TransportOptions,
  url: URL,
  request: HttpClientRequest.HttpClientRequest,
  answer: Answer
): Effect.Effect<HttpClientResponse.HttpClientResponse, TransportError> => {
  const { body, headers, status } = answer
  const problem = problemOf(answer)
  if (problem !== undefined) {
    return Effect.fail(
      status === 429 || status === 503
        ? new ServerUnreachable({ url: url.origin, detail: problem.message, ...retryAfter(headers) })
        : problem
    )
  }
  const fault = faultOf(options, url, answer)
  if (fault !== undefined) return Effect.fail(fault)
  return Effect.succeed(
    HttpClientResponse.fromWeb(request, new Response(isEmptyStatus(status) ? null : body, { status, headers }))
  )
}

/** A client for one server. Busy answers (429, 503) are `ServerUnreachable` with the server's retry time. */
export const make = (options: TransportOptions): Transport =>
  HttpClient.makeWith<never, never, TransportError, never>(
    Effect.flatMap((request: HttpClientRequest.HttpClientRequest) => {
      const url = Option.getOrUndefined(HttpClientRequest.toUrl(request))
      return url === undefined
        ? Effect.fail(new ServerUnreachable({ url: options.baseUrl, detail: "its URL is malformed" }))
        : Effect.flatMap(ask(options, url, request), (answer) => settle(options, url, request, answer))
    }),
    (request) => Effect.succeed(HttpClientRequest.prependUrl(request, options.baseUrl))
  )

/** Maps failures of the contract's client to the errors of the services. */
export const mapErrors = (url: string) =>
  Effect.mapError((error: TransportError | HttpClientError.HttpClientError | Schema.SchemaError): TransportError => {
    if (isOurs(error)) return error
    return unexpected(url, HttpClientError.isHttpClientError(error) ? error.response?.status : undefined, error)
  })

/** Whether an error is one of {@link unexpected} rather than an outage. */
export const isUnexpected = ({ detail }: ServerUnreachable): boolean =>
  /^it answers (?:in another protocol|[1-4])/.test(detail)

/** An answer that no schema of the contract matches. */
export const unexpected = (baseUrl: string, status: number | undefined, cause: unknown): ServerUnreachable =>
  new ServerUnreachable({
    url: baseUrl,
    detail: status === undefined ? "it answers in another protocol" : `it answers ${status} without saying why`,
    cause
  })
