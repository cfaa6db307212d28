/**
 * A hostile NATS client: it writes whatever bytes a test wants, over TCP or WebSocket, and keeps what comes back.
 *
 * No client library, so that nothing is checked, escaped or held back on the way out.
 */
import { connect as dial } from "node:net"
import type { BrokerLogin } from "@kez-chat/sdk/services"

export type Port = "tcp" | "websocket"

export interface Message {
  readonly subject: string
  readonly sid: string
  readonly reply: string
  /** The header block as text, empty when there is none. */
  readonly header: string
  readonly payload: Buffer
}

export interface RawClient {
  readonly info: Readonly<Record<string, unknown>>
  readonly nonce: string
  readonly messages: Array<Message>
  /** Texts of `-ERR` lines. */
  readonly errors: Array<string>
  readonly isClosed: () => boolean
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>
  write(bytes: string | Uint8Array): void
  /** Bytes written and not sent yet. */
  backlog(): number
  /** Sends CONNECT and waits for the verdict: undefined when let in, else the error. */
  connect(options: Readonly<Record<string, unknown>>): Promise<string | undefined>
  /** CONNECT as this account would do it, for `host`. */
  login(account: BrokerLogin, host?: string): Promise<string | undefined>
  /** Waits until the server has handled everything written so far (or closed the connection). */
  fence(): Promise<void>
  subscribe(subject: string, queue?: string): Promise<void>
  publish(subject: string, payload: Uint8Array | string, options?: { reply?: string; header?: string }): void
  /** Publishes with a reply of one's own and waits for the answer. */
  request(subject: string, payload: Uint8Array | string, header?: string): Promise<Message>
  /** Stops reading; only for TCP. */
  pause(): void
  close(): void
}

export interface OpenOptions {
  readonly kind: Port
  readonly port: number
  /** The page a browser would name. */
  readonly origin?: string
}

interface Wire {
  write(bytes: Buffer): void
  backlog(): number
  pause(): void
  close(): void
}

type Handlers = { onBytes(bytes: Buffer): void; onClose(): void }

/** Opens a connection and waits for the server's INFO. */
export const openRaw = async (options: OpenOptions): Promise<RawClient> => {
  let buffered: Buffer = Buffer.alloc(0)
  let isClosed = false
  let pongs: Array<() => void> = []
  let sids = 0
  let inbox = ""
  const messages: Array<Message> = []
  const errors: Array<string> = []
  const waiting = new Map<string, (message: Message) => void>()
  const closed = Promise.withResolvers<void>()
  const info = Promise.withResolvers<Record<string, unknown>>()
  info.promise.catch(() => undefined)

  const onClose = () => {
    isClosed = true
    info.reject(new Error("closed before INFO"))
    for (const resolve of pongs) resolve()
    pongs = []
    closed.resolve()
  }

  const take = (message: Message) => {
    const waiter = waiting.get(message.subject)
    if (waiter === undefined) {
      messages.push(message)
    } else {
      waiting.delete(message.subject)
      waiter(message)
    }
  }

  /** Handles one protocol element at the start of `buffered`; false when it is not complete. */
  const step = (): boolean => {
    const end = buffered.indexOf("\r\n")
    if (end < 0) return false
    const line = buffered.subarray(0, end).toString("latin1")
    const [verb = "", ...words] = line.split(" ")
    if (verb === "MSG" || verb === "HMSG") {
      const total = Number(words.at(-1))
      const headerBytes = verb === "HMSG" ? Number(words.at(-2)) : 0
      if (buffered.length < end + 2 + total + 2) return false
      const body = Buffer.from(buffered.subarray(end + 2, end + 2 + total))
      buffered = buffered.subarray(end + 2 + total + 2)
      const fixed = verb === "HMSG" ? 4 : 3
      take({
        subject: words[0] ?? "",
        sid: words[1] ?? "",
        reply: words.length > fixed ? (words[2] ?? "") : "",
        header: body.subarray(0, headerBytes).toString("latin1"),
        payload: body.subarray(headerBytes)
      })
      return true
    }
    buffered = buffered.subarray(end + 2)
    if (verb === "INFO") info.resolve(JSON.parse(line.slice(5)) as Record<string, unknown>)
    else if (verb === "PING") wire.write(Buffer.from("PONG\r\n"))
    else if (verb === "PONG") pongs.shift()?.()
    else if (verb === "-ERR") errors.push(line.slice(5))
    return true
  }

  const wire = await (options.kind === "tcp" ? openTcp : openWebSocket)(options, {
    onBytes: (bytes) => {
      buffered = Buffer.concat([buffered, bytes])
      while (step());
    },
    onClose
  })
  const first = await info.promise

  const client: RawClient = {
    info: first,
    nonce: typeof first.nonce === "string" ? first.nonce : "",
    messages,
    errors,
    isClosed: () => isClosed,
    closed: closed.promise,
    write: (bytes) => {
      if (!isClosed) wire.write(Buffer.from(bytes))
    },
    backlog: () => wire.backlog(),
    fence: () =>
      new Promise((resolve) => {
        if (isClosed) return resolve()
        pongs.push(resolve)
        wire.write(Buffer.from("PING\r\n"))
      }),
    connect: async (fields) => {
      const settings = { verbose: false, pedantic: false, headers: true, no_responders: true, protocol: 1, ...fields }
      client.write(`CONNECT ${JSON.stringify(settings)}\r\n`)
      await client.fence()
      if (errors.length > 0) return errors[0]
      return isClosed ? "closed" : undefined
    },
    login: async (account, host = "127.0.0.1") => {
      const sig = Buffer.from(account.sign(host, client.nonce)).toString("base64url")
      const verdict = await client.connect({ nkey: account.nkey, sig })
      if (verdict === undefined) {
        inbox = `_INBOX_${account.account.hex}.${crypto.randomUUID().slice(0, 8)}`
        await client.subscribe(`${inbox}.*`)
      }
      return verdict
    },
    subscribe: async (subject, queue) => {
      client.write(`SUB ${subject}${queue === undefined ? "" : ` ${queue}`} ${++sids}\r\n`)
      await client.fence()
    },
    publish: (subject, payload, { reply, header } = {}) => {
      const body = Buffer.from(payload)
      const to = reply === undefined ? subject : `${subject} ${reply}`
      if (header === undefined) {
        client.write(Buffer.concat([Buffer.from(`PUB ${to} ${body.length}\r\n`), body, crlf]))
      } else {
        const head = Buffer.from(header, "latin1")
        const sizes = `${head.length} ${head.length + body.length}`
        client.write(Buffer.concat([Buffer.from(`HPUB ${to} ${sizes}\r\n`), head, body, crlf]))
      }
    },
    request: (subject, payload, header) => {
      const reply = `${inbox}.${++sids}`
      return new Promise((resolve, reject) => {
        waiting.set(reply, resolve)
        void closed.promise.then(() => reject(new Error(`closed: ${errors.join("; ")}`)))
        client.publish(subject, payload, header === undefined ? { reply } : { reply, header })
      })
    },
    pause: () => wire.pause(),
    close: () => wire.close()
  }
  return client
}

const crlf = Buffer.from("\r\n")

/** A header block as an honest client would write it. */
export const headerBlock = (...lines: ReadonlyArray<string>): string => `NATS/1.0\r\n${lines.join("\r\n")}\r\n\r\n`

const openTcp = (options: OpenOptions, { onBytes, onClose }: Handlers): Promise<Wire> =>
  new Promise((resolve, reject) => {
    const socket = dial(options.port, "127.0.0.1")
    socket.setNoDelay(true)
    socket.once("connect", () =>
      resolve({
        write: (bytes) => void socket.write(bytes),
        backlog: () => socket.writableLength,
        pause: () => void socket.pause(),
        close: () => void socket.destroy()
      })
    )
    socket.on("error", reject)
    socket.on("data", onBytes)
    socket.on("close", onClose)
  })

const openWebSocket = (options: OpenOptions, { onBytes, onClose }: Handlers): Promise<Wire> =>
  new Promise((resolve, reject) => {
    // Node's WebSocket takes headers here, which browsers do not; the DOM's types know only the browsers'.
    const init = { headers: options.origin === undefined ? {} : { origin: options.origin } }
    const socket = new WebSocket(`ws://127.0.0.1:${options.port}`, init as unknown as string[])
    socket.binaryType = "arraybuffer"
    socket.addEventListener("open", () =>
      resolve({
        write: (bytes) => socket.send(Uint8Array.from(bytes)),
        backlog: () => socket.bufferedAmount,
        pause: () => {
          throw new Error("a WebSocket cannot stop reading")
        },
        close: () => socket.close()
      })
    )
    socket.addEventListener("message", ({ data }) => onBytes(Buffer.from(data as ArrayBuffer)))
    socket.addEventListener("error", () => reject(new Error("the WebSocket was refused")))
    socket.addEventListener("close", onClose)
  })
