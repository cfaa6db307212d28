/** Reads a request's body under a hard limit, counted while it arrives. */
import { Json, Limits, Problem } from "@kez-chat/sdk/protocol"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { IncomingMessage } from "node:http"

export interface BodyOptions {
  readonly maxBytes: number
  /** Within this time the whole body must have arrived, in milliseconds. */
  readonly timeoutMillis: number
}

/** Node's side of a request. */
export const incoming = (request: HttpServerRequest): IncomingMessage =>
  NodeHttpServerRequest.toIncomingMessage(request) as IncomingMessage

/** How much longer a body of up to a megabyte may take: with 10 s for others, what a slow uplink needs. */
export const largeBodyTimes = 3

const problem = (code: Problem.Code, detail: string) => new Problem.Problem({ code, detail })

const jsonType = /^application\/(?:[a-z0-9.-]+\+)?json[\t ]*(?:;[\t ]*charset[\t ]*=[\t ]*"?utf-8"?[\t ]*)?$/i

/** `media_type_unsupported` unless the headers declare JSON in UTF-8. */
const checkJson = (request: IncomingMessage): Effect.Effect<void, Problem.Problem> => {
  const type = request.headers["content-type"]
  const encoding = request.headers["content-encoding"]
  if (type === undefined || !jsonType.test(type.trim())) {
    return Effect.fail(problem("media_type_unsupported", "send application/json"))
  }
  return encoding === undefined || encoding === "identity"
    ? Effect.void
    : Effect.fail(problem("media_type_unsupported", "send the body without Content-Encoding"))
}

/** The bytes of the body; `too_large`, `request_timeout`, or `request_malformed` when it breaks off. */
export const readBytes = (
  request: HttpServerRequest,
  options: BodyOptions
): Effect.Effect<Uint8Array, Problem.Problem> =>
  Effect.callback((resume) => {
    const source = incoming(request)
    const tooLarge = problem("too_large", `the body may have ${options.maxBytes} bytes`)
    if (Number(source.headers["content-length"] ?? 0) > options.maxBytes) return resume(Effect.fail(tooLarge))
    const chunks: Array<Buffer> = []
    let length = 0
    const stop = () => {
      clearTimeout(timer)
      source.off("data", onData).off("end", onEnd).off("error", onBreak).off("close", onBreak)
      // Paused, not drained: after the answer the adapter drains or cuts the rest.
      source.pause()
    }
    const fail = (reason: Problem.Problem) => {
      stop()
      resume(Effect.fail(reason))
    }
    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (length > options.maxBytes) return fail(tooLarge)
      chunks.push(chunk)
    }
    const onEnd = () => {
      stop()
      resume(Effect.succeed(Buffer.concat(chunks, length)))
    }
    const onBreak = () => fail(problem("request_malformed", "the body broke off"))
    const late = problem("request_timeout", `the body did not arrive within ${options.timeoutMillis / 1_000} s`)
    const timer = setTimeout(fail, options.timeoutMillis, late)
    source.on("data", onData).on("end", onEnd).on("error", onBreak).on("close", onBreak)
    return Effect.sync(stop)
  })

/** The bytes of a body whose media type is JSON, not yet parsed. */
export const readJsonBytes = (
  request: HttpServerRequest,
  options: BodyOptions
): Effect.Effect<Uint8Array, Problem.Problem> =>
  Effect.andThen(checkJson(incoming(request)), readBytes(request, options))

/** The body as strict JSON (spec: JSON). */
export const readJson = (request: HttpServerRequest, options: BodyOptions): Effect.Effect<Json.Json, Problem.Problem> =>
  readJsonBytes(request, options).pipe(
    Effect.flatMap((bytes) =>
      Effect.fromResult(Json.parse(bytes, { maxBytes: options.maxBytes, maxDepth: Limits.jsonDepth }))
    )
  )
