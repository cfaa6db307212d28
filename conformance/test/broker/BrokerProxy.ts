/** A proxy before a broker that reads NATS, over TCP or WebSocket, and does one thing wrong. */
import { connect, createServer, type Socket } from "node:net"
import type { AddressInfo } from "node:net"
import { type Codec, plain, webSocket } from "./Codec.ts"

/** One element of the protocol. */
export interface Op {
  /** `PUB` for HPUB too, and `MSG` for HMSG. */
  readonly verb: string
  /** What follows the verb in its line, but for lengths. */
  readonly words: ReadonlyArray<string>
  /** The header block, empty where there is none. */
  readonly header: string
  readonly payload: Buffer
}

export interface Session {
  /** 64 hexadecimal digits, of the key that CONNECT named. */
  readonly hex: string
  /** Requests without an answer, by their reply subjects. */
  readonly asked: ReadonlyMap<string, Op>
  /** Subjects by the names of subscriptions. */
  readonly subscriptions: ReadonlyMap<string, string>
  readonly proxy: BrokerProxy
  toClient(op: Op): void
  toServer(op: Op): void
  /** Answers a request of the client in the server's place. */
  answer(request: Op, payload: string | Buffer): void
}

export type Faults = {
  /** What the server gets instead of what the client wrote; undefined for the same. */
  readonly up?: ((op: Op, session: Session) => ReadonlyArray<Op> | undefined) | undefined
  /** What the client gets; `request` where it is an answer. */
  readonly down?: ((op: Op, session: Session, request: Op | undefined) => ReadonlyArray<Op> | undefined) | undefined
  /** Connections stay open when the server ends them, and refusals of logins are kept back. */
  readonly keepsOpen?: boolean | undefined
  /** Forgets who is asking: pages of the web come in from everywhere. */
  readonly dropsOrigin?: boolean | undefined
}

export interface BrokerProxy {
  readonly url: string
  readonly sessions: ReadonlyArray<Session>
  /** After the server's end was simulated. */
  isRestarted: boolean
  /** Ends all connections. */
  restart(): void
  stop(): Promise<void>
}

const empty = Buffer.alloc(0)

/** An element without payload. */
export const line = (verb: string, ...words: ReadonlyArray<string>): Op => ({ verb, words, header: "", payload: empty })

const hasPayload = /^H?(?:PUB|MSG)$/

const written = ({ header, payload, verb, words }: Op): Buffer => {
  if (!hasPayload.test(verb)) return Buffer.from(`${[verb, ...words].join(" ")}\r\n`, "latin1")
  const head = Buffer.from(header, "latin1")
  const sizes = header === "" ? `${payload.length}` : `${head.length} ${head.length + payload.length}`
  const text = `${header === "" ? verb : `H${verb}`} ${words.join(" ")} ${sizes}\r\n`
  return Buffer.concat([Buffer.from(text, "latin1"), head, payload, Buffer.from("\r\n")])
}

/** Splits bytes into elements. */
const makeReader = (take: (op: Op) => void) => {
  let buffered: Buffer = empty
  const step = (): boolean => {
    const end = buffered.indexOf("\r\n")
    if (end < 0) return false
    const [first = "", ...words] = buffered.subarray(0, end).toString("latin1").split(" ")
    if (!hasPayload.test(first)) {
      buffered = buffered.subarray(end + 2)
      take({ verb: first, words, header: "", payload: empty })
      return true
    }
    const total = Number(words.at(-1))
    if (buffered.length < end + 4 + total) return false
    const body = Buffer.from(buffered.subarray(end + 2, end + 2 + total))
    buffered = buffered.subarray(end + 4 + total)
    const hasHeader = first.startsWith("H")
    const headerBytes = hasHeader ? Number(words.at(-2)) : 0
    take({
      verb: hasHeader ? first.slice(1) : first,
      words: words.slice(0, hasHeader ? -2 : -1),
      header: body.subarray(0, headerBytes).toString("latin1"),
      payload: body.subarray(headerBytes)
    })
    return true
  }
  return (bytes: Buffer) => {
    buffered = buffered.length === 0 ? bytes : Buffer.concat([buffered, bytes])
    while (step());
  }
}

/** The key of an nkey: base32 without padding, one byte of type before it. */
const hexOf = (nkey: string): string => {
  let bits = ""
  for (const letter of nkey) bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")
  const bytes = bits.match(/.{8}/g) ?? []
  return Buffer.from(bytes.slice(1, 33).map((byte) => Number.parseInt(byte, 2))).toString("hex")
}

const serve = (client: Socket, server: Socket, codec: Codec, faults: Faults, proxy: BrokerProxy): Session => {
  let hex = ""
  const asked = new Map<string, Op>()
  const subscriptions = new Map<string, string>()
  /** PINGs of the client without PONG, which a client whose login was refused is still to get. */
  let pings = 0
  let isCut = false
  const session: Session = {
    get hex() {
      return hex
    },
    asked,
    subscriptions,
    proxy,
    toClient: (op) => void client.write(codec.toClient(written(op))),
    toServer: (op) => void (server.writable && server.write(codec.toServer(written(op)))),
    answer: (request, payload) => {
      const reply = request.words[1] ?? ""
      asked.delete(reply)
      const [sid = ""] = [...subscriptions].find(([, subject]) => subject.startsWith(reply.slice(0, 40))) ?? []
      session.toClient({ verb: "MSG", words: [reply, sid], header: "", payload: Buffer.from(payload) })
    }
  }

  const up = (op: Op) => {
    const { verb, words } = op
    if (verb === "CONNECT") hex = hexOf((JSON.parse(words.join(" ")) as { nkey?: string }).nkey ?? "")
    if (verb === "SUB") subscriptions.set(words.at(-1) ?? "", words[0] ?? "")
    if (verb === "PUB" && words.length > 1) asked.set(words[1]!, op)
    if (verb === "PING") {
      if (isCut) return session.toClient(line("PONG"))
      pings += 1
    }
    for (const one of faults.up?.(op, session) ?? [op]) session.toServer(one)
  }
  const down = (op: Op) => {
    const { verb, words } = op
    if (verb === "PONG") pings -= 1
    const request = verb === "MSG" ? asked.get(words[0] ?? "") : undefined
    if (request !== undefined) asked.delete(words[0] ?? "")
    if (faults.keepsOpen === true && verb === "-ERR" && !/Permissions/.test(words.join(" "))) return
    for (const one of faults.down?.(op, session, request) ?? [op]) session.toClient(one)
  }
  const [readUp, readDown] = [makeReader(up), makeReader(down)]
  client.on("data", (bytes) => {
    for (const piece of codec.fromClient(bytes))
      if (piece.isRaw) server.write(faults.dropsOrigin === true ? withoutOrigin(piece.bytes) : piece.bytes)
      else readUp(piece.bytes)
  })
  server.on("data", (bytes) => {
    for (const piece of codec.fromServer(bytes))
      if (piece.isRaw) client.write(piece.bytes)
      else readDown(piece.bytes)
  })
  server.on("close", () => {
    if (faults.keepsOpen !== true) return client.destroy()
    isCut = true
    for (; pings > 0; pings--) session.toClient(line("PONG"))
  })
  client.on("close", () => server.destroy())
  for (const socket of [client, server]) socket.on("error", () => socket.destroy())
  return session
}

const withoutOrigin = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.toString("latin1").replace(/^origin:.*\r\n/im, ""), "latin1")

/** Starts the proxy before a broker at a URL of scheme `nats` or `ws`. */
export const startBrokerProxy = async (url: string, faults: Faults): Promise<BrokerProxy> => {
  const { port, protocol } = new URL(url)
  const sockets = new Set<Socket>()
  const sessions: Array<Session> = []
  const listener = createServer((client) => {
    const server = connect(Number(port), "127.0.0.1")
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on("close", () => sockets.delete(socket))
    }
    const session = serve(client, server, protocol === "ws:" ? webSocket() : plain, faults, proxy)
    sessions.push(session)
  })
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const proxy: BrokerProxy = {
    url: `${protocol}//127.0.0.1:${(listener.address() as AddressInfo).port}`,
    sessions,
    isRestarted: false,
    restart: () => {
      proxy.isRestarted = true
      destroyAll()
    },
    stop: () =>
      new Promise((resolve) => {
        listener.close(() => resolve())
        destroyAll()
      })
  }
  return proxy
}
