/**
 * A listening socket with an Effect application behind it.
 *
 * Whatever a request's head decides (length, route, method, rate) is decided here in plain Node, before a fiber exists:
 * refusing a flood must cost less than the flood. Every refusal is problem+json; every request is counted, and logged
 * as one line that names the route and never the path.
 */
import { AddressClass, Problem } from "@kez-chat/sdk/protocol"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpServerError from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import type { Timing } from "./ListenerConfig.ts"
import * as Log from "../process/Log.ts"
import { incoming, largeBodyTimes } from "./RequestBody.ts"
import { clientAddress, isTrustedProxy, loggedAddress, peerAddress, rateKey } from "./ClientAddress.ts"
import * as Metrics from "../metrics/Metrics.ts"
import { openPerAddress, type OpenPerAddress } from "./OpenPerAddress.ts"
import type { PreparedAnswer } from "./PreparedAnswer.ts"
import * as ProblemResponse from "./ProblemResponse.ts"
import type { NamedLimit } from "./RateLimit.ts"
import type { Match, RouteTable } from "./RouteTable.ts"
import { sendFile, type StaticFile } from "./StaticFile.ts"

/** The address cannot be bound. */
export class ListenError extends Data.TaggedError("ListenError")<{ readonly address: string; readonly cause: Error }> {
  override get message(): string {
    const { code } = this.cause as NodeJS.ErrnoException
    const why = code === "EADDRINUSE" ? "is in use by another program" : this.cause.message
    return `cannot listen on ${this.address}: it ${why}`
  }
}

export interface ListenerOptions {
  readonly name: "public" | "internal"
  readonly host: string
  readonly port: number
  readonly timing: Timing
  readonly routes: RouteTable
  /** Addresses or CIDR ranges of reverse proxies whose `X-Forwarded-For` is trusted. */
  readonly trustedProxies: ReadonlyArray<string>
  /** The limit that a request counts against; undefined for none. */
  readonly limit: (method: string, route: string) => NamedLimit | undefined
  /**
   * The complete JSON answer to a GET, from its path alone. Undefined, or a throw, hands the request to the
   * application.
   */
  readonly prepared?: (path: string) => PreparedAnswer | undefined
  /** The file at a path, if there is one. */
  readonly file?: (path: string) => StaticFile | undefined
}

/** The address of a listener. */
export interface Listening {
  readonly url: string
  readonly port: number
}

type Headers = Readonly<Record<string, string>>

/** Largest request target; the longest legitimate one (WebFinger) has fewer than 500 bytes. */
const targetBytes = 2_048
const headerBytes = 16_384

const corsHeaders = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Date, ETag, Retry-After",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store"
}
const internalHeaders = { "x-content-type-options": "nosniff", "cache-control": "no-store" }

const problem = (code: Problem.Code, detail: string) => new Problem.Problem({ code, detail })

/** The parts of a request that the contract's schemas check, by Effect's names. */
const inRequest = new Set<string>(["Params", "Headers", "Query", "Payload"])

/**
 * An answer before the end of the body closes the connection: nobody reads the rest, and the rest is all that can
 * follow on the wire.
 */
const closing = (request: IncomingMessage): Headers =>
  request.complete || !hasBody(request) ? {} : { connection: "close" }

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

/** The application's answer, or the front's refusal. The client learns nothing about a defect. */
const answered = <E, R>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  headers: Headers
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R | HttpServerRequest> => {
  const caught = Effect.catchCause(app, answerFor)
  return Effect.flatMap(HttpServerRequest, (request) => {
    const source = incoming(request)
    const refusal = refusals.get(source)
    const response = refusal === undefined ? caught : Effect.succeed(ProblemResponse.toResponse(refusal.problem))
    return Effect.map(response, (found) =>
      HttpServerResponse.setHeaders(found, { ...headers, ...refusal?.headers, ...found.headers, ...closing(source) })
    )
  })
}

/** The answer to a failure of the application. */
const answerFor = (cause: Cause.Cause<unknown>): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
  const failure = Cause.squash(cause)
  const refusal = problemFor(failure)
  if (refusal !== undefined) return Effect.succeed(ProblemResponse.toResponse(refusal))
  return Effect.logError("a handler failed", cause).pipe(
    Effect.as(ProblemResponse.toResponse(problem("internal", "the server failed to answer; it has been logged")))
  )
}

/** The problem behind a failure or one of Effect's own refusals; undefined for a defect. */
const problemFor = (failure: unknown): Problem.Problem | undefined => {
  if (failure instanceof Problem.Problem) return failure
  if (HttpServerError.isHttpServerError(failure)) {
    const { _tag } = failure.reason
    if (_tag === "RouteNotFound") return problem("not_found", "no such resource")
    return _tag === "RequestParseError" ? problem("request_malformed", "the request cannot be read") : undefined
  }
  return HttpApiError.HttpApiSchemaError.is(failure) && inRequest.has(failure.kind)
    ? problem("request_malformed", `${failure.kind.toLowerCase()}: ${failure.cause.message.replace(/\s+/g, " ")}`)
    : undefined
}

/** Listens until the scope closes; then stops accepting, lets requests in flight finish, and returns. */
export const listen = Effect.fnUntraced(function* <E, R>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  options: ListenerOptions
): Effect.fn.Return<Listening, ListenError, Scope.Scope | Exclude<R, HttpServerRequest | Scope.Scope>> {
  const headers = options.name === "public" ? corsHeaders : internalHeaders
  // Opened before the server, so closed after it: requests in flight are not interrupted by the stop itself.
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) => Scope.close(scope, exit))
  const handle = yield* NodeHttpServer.makeHandler(answered(app, headers), { scope })
  const server = yield* Effect.acquireRelease(start(options), (server) => stop(server, options.timing))
  server.on("request", front(options, headers, handle))
  if (options.name === "public") limitConnections(server, options)
  if (options.name === "internal" && !AddressClass.isLoopback(options.host)) {
    yield* Effect.logWarning("the internal listener is not on loopback; let nobody but your own monitoring reach it")
  }
  const { address, family, port } = server.address() as AddressInfo
  return { url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`, port }
})

const start = (options: ListenerOptions): Effect.Effect<Server, ListenError> =>
  Effect.callback((resume) => {
    const { idleTimeoutMillis, maxConnections, requestTimeoutMillis } = options.timing
    const server = createServer({
      maxHeaderSize: headerBytes,
      // A backstop, longer than the limit in `RequestBody`, which gives the better answer.
      requestTimeout: requestTimeoutMillis * (largeBodyTimes + 1),
      headersTimeout: requestTimeoutMillis,
      keepAliveTimeout: Math.min(idleTimeoutMillis, 30_000),
      connectionsCheckingInterval: Math.min(1_000, requestTimeoutMillis),
      noDelay: true
    })
    server.maxConnections = maxConnections
    server.timeout = idleTimeoutMillis
    server.on("clientError", refuseSocket)
    const onError = (cause: Error) =>
      resume(Effect.fail(new ListenError({ address: `${options.host}:${options.port}`, cause })))
    server.once("error", onError)
    server.listen(options.port, options.host, () => {
      server.off("error", onError)
      resume(Effect.succeed(server))
    })
  })

/** Keeps one address from taking all connections; a trusted proxy stands for many clients. */
const limitConnections = (server: Server, options: ListenerOptions): void => {
  const isProxy = isTrustedProxy(options.trustedProxies)
  const open = openPerAddress(options.timing.maxConnectionsPerAddress)
  const refusal = ProblemResponse.raw(problem("unavailable", "this address has too many connections open"))
  server.on("connection", (socket) => {
    const peer = peerAddress(socket)
    if (isProxy(peer)) return
    const key = rateKey(peer)
    if (open.take(key)) socket.once("close", () => open.release(key))
    else {
      Metrics.observeConnectionRefused("address")
      socket.end(refusal, () => socket.destroy())
    }
  })
  server.on("drop", () => Metrics.observeConnectionRefused("total"))
}

const stop = (server: Server, timing: Timing): Effect.Effect<void> =>
  Effect.callback((resume) => {
    // `close` ends connections that are idle now; those that become idle later are closed by the interval.
    const idle = setInterval(() => server.closeIdleConnections(), 20)
    const cut = setTimeout(() => server.closeAllConnections(), timing.shutdownTimeoutMillis)
    server.close(() => {
      clearInterval(idle)
      clearTimeout(cut)
      resume(Effect.void)
    })
  })

/** For bytes that are not an HTTP request, and for heads that arrive too late. */
const refuseSocket = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  // The answer under way on this socket, which Node keeps without a public name.
  // oxlint-disable-next-line no-underscore-dangle
  const answering = (socket as { _httpMessage?: ServerResponse | null })._httpMessage
  if (!socket.writable || error.code === "ECONNRESET" || answering?.headersSent === true) {
    socket.destroy()
    return
  }
  const refusal =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? problem("request_timeout", "the request did not arrive in time")
      : error.code === "HPE_HEADER_OVERFLOW"
        ? problem("too_large", `the headers may have ${headerBytes} bytes`)
        : problem("request_malformed", "not an HTTP/1.1 request")
  socket.end(ProblemResponse.raw(refusal), () => socket.destroy())
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Answers what a request's head decides; hands the rest to the application. */
const front = (options: ListenerOptions, headers: Headers, handle: Handler): Handler => {
  const preparedHeaders = Object.entries({ ...headers, "content-type": "application/json" }).flat()
  const addressOf = clientAddress(options.trustedProxies)
  const underWay = openPerAddress(options.name === "public" ? options.timing.maxConnectionsPerAddress : 0)
  return (request, response) => {
    const from = performance.now()
    const target = request.url as string
    const method = request.method as string
    const query = target.indexOf("?")
    const path = query === -1 ? target : target.slice(0, query)
    const match = options.routes(path)
    const address = addressOf(request)
    const route = match?.path ?? "unknown"
    const note = (status: number) => record(options.name, method, route, address, status, performance.now() - from)
    let refusal = refuse(options, method, target, match, address)
    const answer = refusal === undefined && method === "GET" ? prepared(options, path) : undefined
    if (answer !== undefined) {
      response.writeHead(200, [...preparedHeaders, "content-length", answer.length])
      response.end(answer.body, answer.encoding)
      return note(200)
    }
    // Direct clients are limited by connections; behind a proxy only requests distinguish them.
    if (refusal === undefined && address !== peerAddress(request.socket)) {
      refusal = holdRequest(underWay, rateKey(address), response)
    }
    const file = refusal === undefined && method !== "OPTIONS" ? options.file?.(path) : undefined
    if (file !== undefined && hasBody(request)) {
      refusal = { problem: problem("request_malformed", "a file is asked for without a body"), headers: {} }
    }
    response.on("close", () => note(response.writableFinished ? response.statusCode : abandoned))
    if (refusal !== undefined) {
      // With a body still under way only the adapter knows how to close without losing the answer.
      if (!hasBody(request)) return ProblemResponse.write(response, refusal.problem, { ...headers, ...refusal.headers })
      refusals.set(request, refusal)
      return handle(request, response)
    }
    if (method === "OPTIONS") return preflight(response, match as Match, headers)
    return file === undefined ? handle(request, response) : sendFile(request, response, file)
  }
}

/** Counts a request until it is answered; the refusal if its address has too many under way. */
const holdRequest = (underWay: OpenPerAddress, key: string, response: ServerResponse): Refusal | undefined => {
  if (!underWay.take(key)) {
    return { problem: problem("unavailable", "this address has too many requests under way"), headers: {} }
  }
  response.once("close", () => underWay.release(key))
  return undefined
}

/** A throw here would end the process; the application answers and logs instead. */
const prepared = (options: ListenerOptions, path: string): PreparedAnswer | undefined => {
  try {
    return options.prepared?.(path)
  } catch {
    return undefined
  }
}

interface Refusal {
  readonly problem: Problem.Problem
  readonly headers: Headers
}

/** Refusals by the front that the adapter has to send. */
const refusals = new WeakMap<IncomingMessage, Refusal>()

const refuse = (
  options: ListenerOptions,
  method: string,
  target: string,
  match: Match | undefined,
  address: string
): Refusal | undefined => {
  const limit = method === "OPTIONS" ? undefined : options.limit(method, match?.path ?? "unknown")
  const wait = limit === undefined ? 0 : limit.take(rateKey(address))
  if (limit !== undefined && wait > 0) {
    Metrics.observeRateLimited(limit.name)
    return { problem: problem("rate_limited", `ask again in ${wait} s`), headers: { "retry-after": String(wait) } }
  }
  if (target.length > targetBytes) {
    return { problem: problem("uri_too_long", `the target may have ${targetBytes} bytes`), headers: {} }
  }
  if (match === undefined) return { problem: problem("not_found", "no such resource"), headers: {} }
  if (method === "OPTIONS" || match.methods.includes(method)) return undefined
  return {
    problem: problem("method_not_allowed", `allowed: ${match.methods.join(", ")}`),
    headers: { allow: [...match.methods, "OPTIONS"].join(", ") }
  }
}

const preflight = (response: ServerResponse, match: Match, headers: Headers): void => {
  const allow = [...match.methods, "OPTIONS"].join(", ")
  response.writeHead(204, {
    ...headers,
    allow,
    "access-control-allow-methods": allow,
    "access-control-allow-headers": "Content-Type, Accept, If-None-Match",
    "access-control-max-age": "86400"
  })
  response.end()
}

/** Status of a request whose client left before the end of the answer, as in nginx. */
const abandoned = 499

const logSafe = /^[A-Z]{1,16}$/

/** Counts and logs an answered request. */
const record = (
  listener: string,
  method: string,
  route: string,
  address: string,
  status: number,
  millis: number
): void => {
  const verb = logSafe.test(method) ? method : "OTHER"
  Metrics.observeRequest(route, verb, status, millis)
  Log.requestLine(
    `"listener":"${listener}","method":"${verb}","route":"${route}","status":${status}`,
    `"ms":${millis.toFixed(1)},"client":"${loggedAddress(address)}"`
  )
}
