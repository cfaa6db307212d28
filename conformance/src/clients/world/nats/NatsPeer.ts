/** A client's connection to the broker: the NATS client protocol, spoken as a server. */
import { randomBytes } from "node:crypto"
import { base64Url, concat, utf8 } from "../../crypto/Bytes.ts"
import type { Wire } from "./Wire.ts"

export interface Published {
  readonly subject: string
  readonly reply: string | undefined
  readonly headers: ReadonlyMap<string, string>
  readonly payload: Uint8Array
}

export interface NatsHandlers {
  /** Members of INFO beside the usual ones. */
  info(peer: NatsPeer): object
  /** A refusal, such as `Authorization Violation`; undefined where the login holds. */
  login(peer: NatsPeer, connect: Readonly<Record<string, unknown>>): string | undefined
  /** A refusal; undefined where the subscription may stand. */
  subscribed(peer: NatsPeer, subject: string): string | undefined
  published(peer: NatsPeer, message: Published): void
  ended(peer: NatsPeer): void
}

const crlf = utf8("\r\n")

/** A message or line longer than this ends the connection, in bytes. */
const maxBytes = 1_048_576

/** Whether a subject falls under a subscription with `*` and `>`. */
export const covers = (pattern: string, subject: string): boolean => {
  const tokens = subject.split(".")
  const wanted = pattern.split(".")
  for (const [index, token] of wanted.entries()) {
    if (token === ">") return tokens.length > index
    if (tokens[index] === undefined || (token !== "*" && token !== tokens[index])) return false
  }
  return tokens.length === wanted.length
}

const readHeaders = (block: string): ReadonlyMap<string, string> =>
  new Map(
    block
      .split("\r\n")
      .slice(1)
      .filter((line) => line.includes(":"))
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()])
  )

export class NatsPeer {
  readonly nonce = base64Url(randomBytes(12)).slice(0, 15)
  readonly openedAt = Date.now()
  /** The account that logged in, 64 hexadecimal digits. */
  account: string | undefined
  isOpen = true
  readonly #wire: Wire
  readonly #handlers: NatsHandlers
  readonly #subscriptions = new Map<string, string>()
  #kept: Buffer = Buffer.alloc(0)

  /** Whether it came over WebSocket. */
  readonly isWeb: boolean

  constructor(wire: Wire, handlers: NatsHandlers, isWeb: boolean) {
    this.isWeb = isWeb
    this.#wire = wire
    this.#handlers = handlers
    wire.read(
      (bytes) => this.#take(bytes),
      () => {
        this.isOpen = false
        handlers.ended(this)
      }
    )
    this.#line(`INFO ${JSON.stringify({ nonce: this.nonce, ...handlers.info(this) })}`)
  }

  get subjects(): ReadonlyArray<string> {
    return [...this.#subscriptions.values()]
  }

  /** Delivers a message to every subscription that covers its subject. */
  deliver(subject: string, payload: Uint8Array, headers?: Readonly<Record<string, string>>): void {
    for (const [sid, pattern] of this.#subscriptions) {
      if (!covers(pattern, subject)) continue
      if (headers === undefined)
        this.#wire.write(concat(utf8(`MSG ${subject} ${sid} ${payload.length}\r\n`), payload, crlf))
      else {
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
        const block = utf8(`NATS/1.0\r\n${lines.join("")}\r\n`)
        const sizes = `${block.length} ${block.length + payload.length}`
        this.#wire.write(concat(utf8(`HMSG ${subject} ${sid} ${sizes}\r\n`), block, payload, crlf))
      }
    }
  }

  /** Sends `-ERR` and, where it ends the connection, closes. */
  refuse(message: string, andClose = true): void {
    this.#line(`-ERR '${message}'`)
    if (andClose) this.#wire.end()
  }

  /** Closes without a word. */
  drop(): void {
    this.#wire.destroy()
  }

  #line(text: string): void {
    this.#wire.write(utf8(`${text}\r\n`))
  }

  #take(bytes: Uint8Array): void {
    this.#kept = Buffer.concat([this.#kept, bytes])
    while (this.isOpen) {
      const end = this.#kept.indexOf("\r\n")
      if (end < 0) return this.#kept.length > maxBytes ? this.drop() : undefined
      const line = this.#kept.toString("utf8", 0, end)
      const [verb = "", ...words] = line.split(/[ \t]+/)
      const name = verb.toUpperCase()
      if (name === "PUB" || name === "HPUB") {
        const size = Number(words.at(-1))
        if (!(size >= 0 && size <= maxBytes)) return this.refuse("Parser Error")
        const begin = end + 2
        if (this.#kept.length < begin + size + 2) return
        const whole = Buffer.from(this.#kept.subarray(begin, begin + size))
        this.#kept = this.#kept.subarray(begin + size + 2)
        this.#publish(words, whole, name === "HPUB")
        continue
      }
      this.#kept = this.#kept.subarray(end + 2)
      this.#obey(name, words, line)
    }
  }

  #publish(words: ReadonlyArray<string>, whole: Buffer, hasHeaders: boolean): void {
    const sizes = hasHeaders ? 2 : 1
    const [subject = "", reply] = words.slice(0, -sizes)
    const headerSize = hasHeaders ? Number(words.at(-2)) : 0
    this.#handlers.published(this, {
      subject,
      reply,
      headers: readHeaders(whole.toString("utf8", 0, headerSize)),
      payload: whole.subarray(headerSize)
    })
  }

  #obey(name: string, words: ReadonlyArray<string>, line: string): void {
    switch (name) {
      case "CONNECT": {
        let connect: Readonly<Record<string, unknown>> = {}
        try {
          connect = JSON.parse(line.slice(line.indexOf(" ")))
        } catch {
          // Refused below, as it has no key.
        }
        const refusal = this.#handlers.login(this, connect)
        if (refusal !== undefined) this.refuse(refusal)
        return
      }
      case "PING":
        if (this.account !== undefined) this.#line("PONG")
        return
      case "SUB": {
        const [subject = ""] = words
        const refusal = this.#handlers.subscribed(this, subject)
        if (refusal !== undefined) this.refuse(refusal, false)
        else this.#subscriptions.set(words.at(-1) ?? "", subject)
        return
      }
      case "UNSUB":
        // With a number the subscription ends by itself; the client drops it then.
        if (words[1] === undefined) this.#subscriptions.delete(words[0] ?? "")
    }
  }
}
