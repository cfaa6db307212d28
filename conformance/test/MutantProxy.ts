/** A proxy before a server that does one thing wrong. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly body: Buffer
}

interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

export interface Mutant {
  readonly name: string
  /** Patterns of the checks that must fail. */
  readonly kills: ReadonlyArray<string>
  /** Checks that must run too, without which there is nothing to notice. */
  readonly also?: ReadonlyArray<string>
  /** The address by which the checks reach it; 127.0.0.1 if absent. */
  readonly host?: string
  /** The request as the server sees it. */
  readonly ask?: (asked: Asked) => Partial<Asked>
  /** What becomes of the answer; undefined for nothing, `cut` for no answer at all. */
  readonly answer: (
    answered: Answered & { readonly code: string | undefined },
    asked: Asked
  ) => Partial<Answered> | "cut" | undefined
}

/** A record, with other members of other answers. */
interface Body {
  readonly [name: string]: unknown
  readonly handle: string
  readonly endpoints: ReadonlyArray<object>
  readonly registration: {
    readonly payload: Readonly<Record<string, unknown>>
    readonly signature: { readonly sig: string }
  }
}

const hopByHop = ["connection", "content-length", "content-encoding", "transfer-encoding", "keep-alive", "host"]

const codeOf = (body: string): string | undefined => {
  try {
    return (JSON.parse(body) as { code?: string }).code
  } catch {
    return undefined
  }
}

/** Starts the proxy; its URL, and how it ends. */
export const startMutant = async (url: string, mutant: Pick<Mutant, "ask" | "answer">) => {
  const server = createServer(async (request, response) => {
    const pieces: Array<Buffer> = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const headers = new Headers(request.headers as Record<string, string>)
    const isPacked = headers.has("content-encoding")
    const packed = headers.get("content-encoding") ?? ""
    for (const name of hopByHop) headers.delete(name)
    if (isPacked) headers.set("content-encoding", packed)
    const sent = { method: request.method ?? "", path: request.url ?? "", headers, body: Buffer.concat(pieces) }
    const asked = { ...sent, ...mutant.ask?.(sent) }
    const got = await fetch(`${url}${asked.path}`, {
      method: asked.method,
      headers: asked.headers,
      ...(asked.body.length > 0 ? { body: asked.body as BodyInit } : {})
    })
    const body = await got.text()
    const answered = { status: got.status, headers: new Headers(got.headers), body }
    for (const name of hopByHop) answered.headers.delete(name)
    const changed = mutant.answer({ ...answered, code: codeOf(body) }, asked)
    if (changed === "cut") return void request.socket.destroy()
    const last = { ...answered, ...changed }
    response.writeHead(last.status, Object.fromEntries(last.headers))
    response.end(last.status === 204 || last.status === 304 ? undefined : last.body)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${port}`, stop }
}

/** An answer that refuses with another code, well-formed. */
export const refusal = (status: number, code: string): Partial<Answered> => ({
  status,
  body: JSON.stringify({ type: `urn:kez:problem:${code}`, title: code, status, code, detail: "" })
})

/** The headers without some. */
export const without = (headers: Headers, ...names: ReadonlyArray<string>): Headers => {
  const fewer = new Headers(headers)
  for (const name of names) fewer.delete(name)
  return fewer
}

/** The headers with one replaced. */
export const having = (headers: Headers, name: string, value: string): Headers => {
  const other = new Headers(headers)
  other.set(name, value)
  return other
}

/** A mutant that accepts what the server refuses with a code. */
export const accepts = (code: string, status: number, kills: ReadonlyArray<string>, body = "{}"): Mutant => ({
  name: `accepts ${code}`,
  kills,
  answer: (answer) => (answer.code === code ? { status, body } : undefined)
})

/** A mutant that refuses with another code than the right one. */
export const confuses = (code: string, status: number, other: string, kills: ReadonlyArray<string>): Mutant => ({
  name: `says ${other} for ${code}`,
  kills,
  answer: (answer) => (answer.code === code ? refusal(status, other) : undefined)
})

/** A mutant whose JSON answers to some requests are other than the server's. */
export const rewrites = (
  name: string,
  path: RegExp,
  kills: ReadonlyArray<string>,
  change: (json: Body) => unknown
): Mutant => ({
  name,
  kills,
  answer: ({ body, status }, asked) =>
    status < 300 && path.test(asked.path) && body.startsWith("{")
      ? { body: JSON.stringify(change(JSON.parse(body) as Body)) }
      : undefined
})
