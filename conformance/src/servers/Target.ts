/** A server under its URL: asked with plain HTTP, so that no client of ours hides what it answers. */
import { Violation } from "./Outcome.ts"

/** Nothing answers at a URL, or something else than the server in question. */
export class TargetUnusable extends Error {
  override readonly name = "TargetUnusable"
}

export interface Answer {
  /** `POST /v1/register`. */
  readonly request: string
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
  readonly text: string
}

export interface Asking {
  /** Sent as it is if it is text or bytes, otherwise as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer longer than this is cut off, in bytes. */
const maxAnswerBytes = 8 * 1024 * 1024

const read = async (response: Response): Promise<Uint8Array> => {
  const pieces: Array<Uint8Array> = []
  let length = 0
  for await (const piece of response.body ?? []) {
    pieces.push(piece)
    length += piece.length
    if (length > maxAnswerBytes) throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`)
  }
  return Buffer.concat(pieces)
}

/** The reason behind undici's "fetch failed". */
const reasonOf = (error: unknown): string => {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } }
  return cause?.message || cause?.code || message
}

export class Target {
  /** Without a slash at the end. */
  readonly url: string
  /** Every answer 429 of the run. */
  readonly limited: Array<Answer> = []
  readonly #timeoutMillis: number

  constructor(url: string, timeoutMillis: number) {
    this.url = url
    this.#timeoutMillis = timeoutMillis
  }

  /** Sends one request and reads the whole answer, within the timeout; redirects are not followed. */
  async ask(method: string, path: string, { body, headers = {} }: Asking = {}): Promise<Answer> {
    const isRaw = typeof body === "string" || body instanceof Uint8Array
    const request = `${method} ${path.length > 120 ? `${path.slice(0, 120)}…` : path}`
    try {
      const response = await fetch(`${this.url}${path}`, {
        method,
        redirect: "manual",
        headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body: isRaw ? (body as BodyInit) : JSON.stringify(body) }),
        signal: AbortSignal.timeout(this.#timeoutMillis)
      })
      const bytes = await read(response)
      const answer = { request, status: response.status, headers: response.headers, bytes, text: textOf(bytes) }
      if (answer.status === 429) this.limited.push(answer)
      return answer
    } catch (error) {
      throw new Violation(
        (error as Error).name === "TimeoutError"
          ? `no answer to ${request} within ${this.#timeoutMillis / 1_000} s`
          : `no answer to ${request}: ${reasonOf(error)}`
      )
    }
  }

  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer> {
    return this.ask("GET", path, headers === undefined ? {} : { headers })
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.ask("POST", path, { body })
  }
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
