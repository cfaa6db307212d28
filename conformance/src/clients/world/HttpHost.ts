/** An HTTP server on loopback that keeps what it was asked, and whose answers a check can change. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface HttpAsked {
  readonly at: number
  readonly method: string
  /** Path and query, as sent. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
  readonly text: string
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Writes an answer in a way of its own: slowly, without end, or not at all. */
export type Raw = (response: ServerResponse) => void
export type Change = (usual: Reply, asked: HttpAsked) => Reply | Raw | Promise<Reply | Raw>

export const json = (value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(value)
})

export const problem = (
  status: number,
  code: string,
  more: object = {},
  headers: Readonly<Record<string, string>> = {}
): Reply => ({
  status,
  headers: { "content-type": "application/problem+json", ...headers },
  body: JSON.stringify({ type: `urn:kez:problem:${code}`, title: code, status, code, detail: "by the suite", ...more })
})

/** `GET /v1/u/bob` as one line, for patterns. */
const lineOf = ({ method, path }: HttpAsked): string => `${method} ${path}`

export class HttpHost {
  readonly asked: Array<HttpAsked> = []
  isUp = true
  /** How a request is kept; a test of the suite has a right client look wrong by it. */
  read: (asked: HttpAsked) => HttpAsked = (asked) => asked
  readonly #answer: (asked: HttpAsked) => Reply
  readonly #now: () => number
  readonly #changes: Array<{ readonly pattern: RegExp; readonly change: Change }> = []
  readonly #server = createServer((request, response) => {
    if (!this.isUp) return void request.socket.destroy()
    const pieces: Array<Buffer> = []
    request.on("error", () => undefined)
    request.on("data", (piece: Buffer) => pieces.push(piece))
    request.on("end", () => {
      const body = Buffer.concat(pieces)
      const { headers, method = "", url: path = "" } = request
      const asked = { at: Date.now(), method, path, headers, body, text: body.toString("utf8") }
      this.asked.push(this.read(asked))
      void this.#reply(asked, response)
    })
  })

  /** How many connections were opened. */
  connections = 0

  constructor(answer: (asked: HttpAsked) => Reply, now: () => number) {
    this.#answer = answer
    this.#now = now
    this.#server.on("connection", () => (this.connections += 1))
  }

  listen(): Promise<void> {
    return new Promise((done) => this.#server.listen(0, "127.0.0.1", done))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Changes the answers to requests that fit, such as `/^GET \/v1\/u\//`; later ones come first. The end of it. */
  when(pattern: RegExp, change: Change): () => void {
    const entry = { pattern, change }
    this.#changes.unshift(entry)
    return () => void this.#changes.splice(this.#changes.indexOf(entry), 1)
  }

  /** The requests that fit. */
  of(pattern: RegExp): ReadonlyArray<HttpAsked> {
    return this.asked.filter((one) => pattern.test(lineOf(one)))
  }

  close(): void {
    this.isUp = false
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #replyTo(asked: HttpAsked): Promise<Reply | Raw> {
    const usual = this.#answer(asked)
    const entry = this.#changes.find(({ pattern }) => pattern.test(lineOf(asked)))
    return entry?.change(usual, asked) ?? usual
  }

  async #reply(asked: HttpAsked, response: ServerResponse): Promise<void> {
    response.on("error", () => undefined)
    const reply = await this.#replyTo(asked).catch(() => problem(400, "request_malformed"))
    response.setHeader("date", new Date(this.#now()).toUTCString())
    if (typeof reply === "function") return reply(response)
    response.writeHead(reply.status, { "access-control-allow-origin": "*", ...reply.headers })
    response.end(reply.body)
  }
}
