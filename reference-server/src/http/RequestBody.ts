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

/** How much longer a body of up to a megabyte may take: with 10 s for others, what a slow uplink needs. */
export const largeBodyTimes = 3

const jsonType = /^application\/(?:[a-z0-9.-]+\+)?json[\t ]*(?:;[\t ]*charset[\t ]*=[\t ]*"?utf-8"?[\t ]*)?$/i

/** `media_type_unsupported` unless the headers declare JSON in UTF-8. */
const checkJson = (request: IncomingMessage): Effect.Effect<void, Problem.Problem> => {
  const type = request.headers["content-type"]
  const encoding = request.headers["content-encoding"]
  if (type === undefined || !jsonType.test(type.trim())) {
    return Effect.fail(new Problem.Problem({ code: "media_type_unsupported", detail: "send application/json" }))
  }
  return encoding === undefined || encoding === "identity"
    ? Effect.void
    : Effect.fail(
        new Problem.Problem({ code: "media_type_unsupported", detail: "send the body without Content-Encoding" })
      )
}

/** The bytes of the body; `too_large`, `request_timeout`, or `request_malformed` when it breaks off. */
export const readBytes = (
  request: HttpServerRequest,
  options: BodyOptions
): Effect.Effect<Uint8Array, Problem.Problem> =>
  Effect.callback((resume) => {
    const source = NodeHttpServerRequest.toIncomingMessage(request) as IncomingMessage
    const tooLarge = () =>
      new Problem.Problem({ code: "too_large", detail: `the body may have ${options.maxBytes} bytes` })
    if (Number(source.headers["content-length"] ?? 0) > options.maxBytes) return resume(Effect.fail(tooLarge()))
    const chunks: Array<Buffer> = []
    let length = 0
    const stop = () => {
      clearTimeout(timer)
      source.off("data", onData).off("end", onEnd).off("error", onBreak).off("close", onBreak)
      // Paused, not drained: after the answer the adapter drains or cuts the rest.
      source.pause()
    }
    const done = (result: Effect.Effect<Uint8Array, Problem.Problem>) => {
      stop()
      resume(result)
    }
    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (length > options.maxBytes) return done(Effect.fail(tooLarge()))
      chunks.push(chunk)
    }
    const onEnd = () => done(Effect.succeed(Buffer.concat(chunks, length)))
    const onBreak = () =>
      done(Effect.fail(new Problem.Problem({ code: "request_malformed", detail: "the body broke off" })))
    const timer = setTimeout(
      () =>
        done(
          Effect.fail(
            new Problem.Problem({
              code: "request_timeout",
              detail: `the body did not arrive within ${options.timeoutMillis / 1_000} s`
            })
          )
        ),
      options.timeoutMillis
    )
    source.on("data", onData).on("end", onEnd).on("error", onBreak).on("close", onBreak)
    return Effect.sync(stop)
  })

/** The bytes of a body whose media type is JSON, not yet parsed. */
export const readJsonBytes = (
  request: HttpServerRequest,
  options: BodyOptions
): Effect.Effect<Uint8Array, Problem.Problem> =>
  Effect.andThen(
    checkJson(NodeHttpServerRequest.toIncomingMessage(request) as IncomingMessage),
    readBytes(request, options)
  )

/** The body as strict JSON (spec: JSON). */
export const readJson = (request: HttpServerRequest, options: BodyOptions): Effect.Effect<Json.Json, Problem.Problem> =>
  readJsonBytes(request, options).pipe(
    Effect.flatMap((bytes) =>
      Effect.fromResult(Json.parse(bytes, { maxBytes: options.maxBytes, maxDepth: Limits.jsonDepth }))
    )
  )
