/** A name server over UDP and TCP, and the same over HTTPS (RFC 8484). */
import { createSocket } from "node:dgram"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import dnsPacket, { type DecodedPacket, type TxtAnswer } from "dns-packet"
import { Effect } from "effect"

export interface DnsServer {
  /** As a resolver's address: `127.0.0.1:5353`. */
  readonly address: string
  /** Records by name in lower case, each a list of strings. A missing name does not exist. */
  readonly txt: Map<string, ReadonlyArray<ReadonlyArray<string | Buffer>>>
  readonly aliases: Map<string, string>
  /** Domains that nobody has registered any more. */
  readonly expired: Set<string>
  /** A response code for every answer, such as `SERVFAIL`; `silent` gives none. */
  fails: "SERVFAIL" | "REFUSED" | "silent" | undefined
  /** What DNS over HTTPS says of DNSSEC. */
  isAuthenticated: boolean
  readonly asked: Array<string>
  /** Answers a message. */
  readonly answer: (query: Buffer, transport: "udp" | "tcp" | "https") => Buffer | undefined
}

const authenticData = 1 << 5
const truncated = 1 << 9
const recursion = (1 << 8) | (1 << 7)
const codes = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 }

const answering =
  (server: Omit<DnsServer, "address" | "answer">): DnsServer["answer"] =>
  (bytes, transport) => {
    const query: DecodedPacket = dnsPacket.decode(bytes)
    const question = query.questions?.[0]
    if (question === undefined || server.fails === "silent") return undefined
    const asked = question.name.toLowerCase()
    server.asked.push(asked)
    const target = server.aliases.get(asked)
    const name = target ?? asked
    const records = server.txt.get(name)
    const code =
      server.fails === undefined
        ? records === undefined && target === undefined && (name.startsWith("_") || server.expired.has(name))
          ? codes.NXDOMAIN
          : 0
        : codes[server.fails]
    const txt = (records ?? []).map((data): TxtAnswer => ({ type: "TXT", name, ttl: 60, data: data as Array<string> }))
    const alias = target === undefined ? [] : [{ type: "CNAME" as const, name: asked, ttl: 60, data: target }]
    const flags = recursion | code | (transport === "https" && server.isAuthenticated ? authenticData : 0)
    const whole = { id: query.id ?? 0, type: "response" as const, flags, questions: [question] }
    const answers = code === 0 && question.type === "TXT" ? [...alias, ...txt] : []
    const encoded = dnsPacket.encode({ ...whole, answers })
    return transport === "udp" && encoded.length > 512
      ? dnsPacket.encode({ ...whole, flags: flags | truncated, answers: [] })
      : encoded
  }

export const dnsServer = Effect.gen(function* () {
  const state = {
    txt: new Map(),
    aliases: new Map(),
    expired: new Set(),
    fails: undefined,
    isAuthenticated: false,
    asked: []
  } as unknown as DnsServer
  const tcp = createServer((socket) => {
    let received = Buffer.alloc(0)
    socket.on("error", () => undefined)
    socket.on("data", (piece) => {
      received = Buffer.concat([received, piece])
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const length = received.readUInt16BE(0)
        const reply = state.answer(received.subarray(2, 2 + length), "tcp")
        received = received.subarray(2 + length)
        if (reply === undefined) continue
        const prefix = Buffer.alloc(2)
        prefix.writeUInt16BE(reply.length)
        socket.write(Buffer.concat([prefix, reply]))
      }
    })
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      tcp.listen(0, "127.0.0.1", () => resume(Effect.succeed((tcp.address() as AddressInfo).port)))
    }),
    () => Effect.sync(() => tcp.close())
  )
  const udp = createSocket("udp4")
  udp.on("message", (query, { address, port }) => {
    const reply = state.answer(query, "udp")
    if (reply !== undefined) udp.send(reply, port, address)
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      udp.bind(port, "127.0.0.1", () => resume(Effect.void))
    }),
    () => Effect.sync(() => udp.close())
  )
  return Object.assign(state, { address: `127.0.0.1:${port}`, answer: answering(state) })
})
