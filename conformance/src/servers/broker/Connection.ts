/**
 * A connection to a broker that writes whatever a check wants, right or wrong, and keeps what comes back. No client
 * library, so that nothing is checked, escaped or held back on the way out, and refusals are seen as the broker sends
 * them.
 */
import { randomUUID } from "node:crypto"
import { Violation } from "../Outcome.ts"
import type { Signer } from "../Signing.ts"
import { openTcp, openWebSocket, type Wire } from "./Wire.ts"

export interface Message {
  readonly subject: string
  /** The header block as text, empty when there is none. */
  readonly header: string
  readonly payload: Buffer
}

/** The bytes that a login signs, for a host and a nonce. */
export const loginBytes = (host: string, nonce: string): Buffer => Buffer.from(`kez/nats-auth/v1\0${host}\0${nonce}`)

/** The host that a login over this URL is bound to. */
export const hostOf = (url: string): string => new URL(url.replace(/^\w+:/, "http:")).hostname.replace(/\.$/, "")

/** A header block with these lines. */
export const headerBlock = (...lines: ReadonlyArray<string>): string => `NATS/1.0\r\n${lines.join("\r\n")}\r\n\r\n`

/** Values of a header by its exact name. */
export const valuesOf = ({ header }: Message, name: string): ReadonlyArray<string> =>
  header.split("\r\n").flatMap((line) => (line.startsWith(`${name}:`) ? [line.slice(name.length + 1).trim()] : []))

/** Fails where a promise takes longer. */
export const within = <A>(promise: Promise<A>, millis: number, what: string): Promise<A> => {
  const late = Promise.withResolvers<A>()
  const timer = setTimeout(() => late.reject(new Violation(`${what} within ${millis / 1_000} s`)), millis)
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer))
}

const crlf = Buffer.from("\r\n")

export class Connection {
  readonly url: string
  readonly info: Readonly<Record<string, unknown>> = {}
  /** What nobody waited for. */
  readonly messages: Array<Message> = []
  /** Texts of `-ERR` lines. */
  readonly errors: Array<string> = []
  isClosed = false
  readonly #timeoutMillis: number
  readonly #closed = Promise.withResolvers<void>()
  readonly #informed = Promise.withResolvers<void>()
  /** Who waits for a message: by its subject for an answer, otherwise by what it is. */
  readonly #asked = new Map<string, (message: Message) => void>()
  #wanted: Array<{ fits: (message: Message) => boolean; resolve: (message: Message) => void }> = []
  #pongs: Array<() => void> = []
  #buffered: Buffer = Buffer.alloc(0)
  #wire: Wire | undefined
  #inbox = ""
  #count = 0

  private constructor(url: string, timeoutMillis: number) {
    this.url = url
    this.#timeoutMillis = timeoutMillis
  }

  /** Opens a connection and reads INFO. */
  static async open(url: string, timeoutMillis: number, origin?: string): Promise<Connection> {
    const connection = new Connection(url, timeoutMillis)
    const parsed = new URL(url)
    const handlers = {
      onBytes: (bytes: Buffer) => connection.#take(bytes),
      onClose: () => connection.#end()
    }
    const isWeb = /^wss?:$/.test(parsed.protocol)
    const opening = isWeb ? openWebSocket(parsed, handlers, origin) : openTcp(parsed, handlers)
    connection.#wire = await within(opening, timeoutMillis, `${url} is not open`)
    await within(connection.#informed.promise, timeoutMillis, `no INFO from ${url}`)
    return connection
  }

  get nonce(): string {
    const { nonce } = this.info
    return typeof nonce === "string" ? nonce : ""
  }

  #end(): void {
    this.isClosed = true
    for (const resolve of this.#pongs) resolve()
    this.#pongs = []
    this.#informed.reject(new Error(`${this.url} closed the connection before INFO`))
    this.#informed.promise.catch(() => undefined)
    this.#closed.resolve()
  }

  #take(bytes: Buffer): void {
    this.#buffered = this.#buffered.length === 0 ? bytes : Buffer.concat([this.#buffered, bytes])
    while (this.#step());
  }

  /** Reads one protocol element; false where it is not whole. */
  #step(): boolean {
    const buffered = this.#buffered
    const end = buffered.indexOf("\r\n")
    if (end < 0) return false
    const line = buffered.subarray(0, end).toString("latin1")
    const [verb = "", ...words] = line.split(" ")
    const isMessage = verb === "MSG" || verb === "HMSG"
    const total = isMessage ? Number(words.at(-1)) : 0
    const next = isMessage ? end + 2 + total + 2 : end + 2
    if (buffered.length < next) return false
    this.#buffered = buffered.subarray(next)
    if (isMessage) {
      const body = Buffer.from(buffered.subarray(end + 2, end + 2 + total))
      const headerBytes = verb === "HMSG" ? Number(words.at(-2)) : 0
      this.#deliver({
        subject: words[0] ?? "",
        header: body.subarray(0, headerBytes).toString("latin1"),
        payload: body.subarray(headerBytes)
      })
    } else if (verb === "INFO") {
      Object.assign(this.info, JSON.parse(line.slice(5)))
      this.#informed.resolve()
    } else if (verb === "PING") this.write("PONG\r\n")
    else if (verb === "PONG") this.#pongs.shift()?.()
    else if (verb === "-ERR") this.errors.push(line.slice(5))
    return true
  }

  #deliver(message: Message): void {
    const asked = this.#asked.get(message.subject)
    if (asked !== undefined) {
      this.#asked.delete(message.subject)
      return asked(message)
    }
    this.messages.push(message)
    const wanted = this.#wanted.find(({ fits }) => fits(message))
    if (wanted === undefined) return
    this.#wanted = this.#wanted.filter((one) => one !== wanted)
    wanted.resolve(message)
  }

  write(bytes: string | Uint8Array): void {
    if (!this.isClosed) this.#wire?.write(Buffer.from(bytes))
  }

  /** Waits until the server has read what was written so far, or has closed the connection. */
  fence(): Promise<void> {
    const read = new Promise<void>((resolve) => {
      if (this.isClosed) return resolve()
      this.#pongs.push(resolve)
      this.write("PING\r\n")
    })
    return within(read, this.#timeoutMillis, `no PONG from ${this.url}`)
  }

  /** Waits until the server has closed the connection. */
  closed(what = "the connection is not closed"): Promise<void> {
    return within(this.#closed.promise, this.#timeoutMillis, `${this.url}: ${what}`)
  }

  /** Sends CONNECT and waits for the verdict: undefined when let in, otherwise why not. */
  async connect(fields: Readonly<Record<string, unknown>>): Promise<string | undefined> {
    const settings = { verbose: false, pedantic: false, headers: true, no_responders: true, protocol: 1, ...fields }
    this.write(`CONNECT ${JSON.stringify(settings)}\r\n`)
    await this.fence()
    return this.errors[0] ?? (this.isClosed ? "closed" : undefined)
  }

  /** The members of CONNECT for a right login, as base64url. */
  credentials(signer: Signer): { readonly nkey: string; readonly sig: string } {
    const sig = signer.signBytes(loginBytes(hostOf(this.url), this.nonce))
    return { nkey: signer.nkey, sig: Buffer.from(sig).toString("base64url") }
  }

  /** A right login, with a subscription to answers. */
  async login(signer: Signer): Promise<void> {
    const refusal = await this.connect(this.credentials(signer))
    if (refusal !== undefined) throw new Violation(`${this.url}: the login of a registered key is refused: ${refusal}`)
    this.#inbox = `_INBOX_${signer.hex}.${randomUUID().slice(0, 8)}`
    await this.subscribe(`${this.#inbox}.*`)
  }

  async subscribe(subject: string): Promise<void> {
    this.write(`SUB ${subject} ${++this.#count}\r\n`)
    await this.fence()
  }

  publish(
    subject: string,
    payload: Uint8Array | string,
    { header = "", reply = "" }: { readonly header?: string; readonly reply?: string } = {}
  ): void {
    const body = Buffer.from(payload)
    const head = Buffer.from(header, "latin1")
    const to = reply === "" ? subject : `${subject} ${reply}`
    const line = header === "" ? `PUB ${to} ${body.length}` : `HPUB ${to} ${head.length} ${head.length + body.length}`
    this.write(Buffer.concat([Buffer.from(`${line}\r\n`), head, body, crlf]))
  }

  /** Publishes with a reply subject of its own, and waits for the answer. */
  request(subject: string, payload: Uint8Array | string, header = ""): Promise<Message> {
    const reply = `${this.#inbox}.${++this.#count}`
    const answer = Promise.withResolvers<Message>()
    this.#asked.set(reply, answer.resolve)
    void this.#closed.promise.then(() =>
      answer.reject(new Violation(`${this.url}: closed instead of an answer to ${subject}: ${this.errors.join("; ")}`))
    )
    this.publish(subject, payload, { reply, header })
    return within(answer.promise, this.#timeoutMillis, `${this.url}: no answer to ${subject}`)
  }

  /** The first message that fits, of those that came or will come. */
  next(fits: (message: Message) => boolean, what: string): Promise<Message> {
    const found = this.messages.find(fits)
    if (found !== undefined) return Promise.resolve(found)
    const { promise, resolve } = Promise.withResolvers<Message>()
    this.#wanted.push({ fits, resolve })
    return within(promise, this.#timeoutMillis, `${this.url}: ${what} has not come`)
  }

  /** Stops or goes on reading; only over TCP. */
  pause(paused: boolean): void {
    this.#wire?.pause(paused)
  }

  close(): void {
    this.#wire?.close()
  }
}
