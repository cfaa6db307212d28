/** RFC 9457 answers: the only place that turns a `Problem` into bytes. */
import { ProblemBody } from "@kez-chat/sdk/api"
import type { Problem } from "@kez-chat/sdk/protocol"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { ServerResponse } from "node:http"

type Headers = Readonly<Record<string, string>>

const render = (problem: Problem.Problem, extension?: Readonly<Record<string, unknown>>) => {
  const body = { ...ProblemBody.fromProblem(problem), ...extension }
  return { status: body.status, text: JSON.stringify(body) }
}

/** For handlers; `extension` adds members to the body (RFC 9457 section 3.2). */
export const toResponse = (
  problem: Problem.Problem,
  extension?: Readonly<Record<string, unknown>>
): HttpServerResponse.HttpServerResponse => {
  const { status, text } = render(problem, extension)
  return HttpServerResponse.text(text, { status, contentType: ProblemBody.mediaType })
}

/** For refusals before a handler runs. */
export const write = (response: ServerResponse, problem: Problem.Problem, headers: Headers): void => {
  const { status, text } = render(problem)
  response.writeHead(status, {
    ...headers,
    "content-type": ProblemBody.mediaType,
    "content-length": Buffer.byteLength(text)
  })
  response.end(response.req.method === "HEAD" ? undefined : text)
}

/** For input that Node's parser refused, when there is only a socket. */
export const raw = (problem: Problem.Problem): string => {
  const { status, text } = render(problem)
  return `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: ${ProblemBody.mediaType}\r\nContent-Length: ${Buffer.byteLength(
    text
  )}\r\nAccess-Control-Allow-Origin: *\r\n\r\n${text}`
}
