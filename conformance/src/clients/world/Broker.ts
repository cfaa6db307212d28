/**
 * The broker and the responders of the home server behind it. It follows the specification; a check changes its answers
 * by `answers`, and what it delivers by `live`. Everything that a client asked is kept.
 */
import { randomBytes } from "node:crypto"
import { base64Url, concat, fromBase64Url, fromHex, u16, u32, u64, u8, utf8 } from "../crypto/Bytes.ts"
import { Reader, verifies } from "../crypto/Keys.ts"
import { covers, type NatsPeer, type Published } from "./nats/NatsPeer.ts"
import { NatsServer } from "./nats/NatsServer.ts"

export type Box = "inbox" | "self"

export interface Frame {
  readonly seq: number
  /** The number of the frame before it in the same box; 0 for none. */
  readonly lastSeq: number
  readonly account: string
  readonly box: Box
  readonly timeMillis: number
  readonly frame: Uint8Array
}

export interface Login {
  readonly at: number
  readonly connect: Readonly<Record<string, unknown>>
  /** The account, where the signature is over the login bytes. */
  readonly account: string | undefined
}

/** A request of a client. `ask` is the JSON of all but `send`. */
export interface Asked {
  readonly at: number
  readonly kind: "send" | "fetch" | "trim" | "block"
  /** Who asked. */
  readonly from: string
  /** Whose inbox it is about. */
  readonly account: string
  readonly kezId: string
  readonly payload: Uint8Array
  readonly ask: Readonly<Record<string, unknown>>
  /** The answer that went out: JSON, the bytes of a page, or `undefined` for none. */
  answer?: Uint8Array | undefined
}

/** What a check answers instead: bytes, JSON, nothing at all, or what the broker would. */
export type Instead = Uint8Array | string | object | "silent"
export type Answerer = (asked: Asked, usual: () => Uint8Array) => Instead | Promise<Instead>

export interface Live {
  readonly subject: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Uint8Array
}

const encode = (answer: Uint8Array | string | object): Uint8Array =>
  answer instanceof Uint8Array ? answer : utf8(typeof answer === "string" ? answer : JSON.stringify(answer))

const kinds = { inbox: "send", fetch: "fetch", trim: "trim", block: "block" } as const

export class Broker {
  readonly nats: NatsServer
  readonly logins: Array<Login> = []
  readonly asked: Array<Asked> = []
  /** Subscriptions and subjects outside of a user's rights, and other faults of clients. */
  readonly violations: Array<string> = []
  readonly answers: Partial<Record<Asked["kind"], Answerer>> = {}
  /** How the broker reads what a client publishes; a test of the suite has a right client look wrong by it. */
  read: (message: Published) => Published = (message) => message
  readConnect: (connect: Login["connect"]) => Login["connect"] = (connect) => connect
  /** Changes or drops what is delivered as it is stored. */
  live: (delivery: Live) => Live | undefined = (delivery) => delivery
  /** Members of INFO instead of the usual ones. */
  info: Readonly<Record<string, unknown>> = {}
  /** Refuses every login with these words. */
  refusal: string | undefined
  epoch = randomBytes(16)
  /** As `server_id` tells. */
  serverId = base64Url(randomBytes(16))
  frames: Array<Frame> = []
  lastSeq = 0
  readonly #isRegistered: (account: string) => boolean
  readonly #hasMoved: (account: string) => boolean
  readonly #now: () => number
  /** Recipient, sender and `Kez-Id` of what was stored. */
  readonly #stored = new Set<string>()
  readonly blocks = new Set<string>()

  constructor(options: {
    readonly isRegistered: (account: string) => boolean
    /** Whether a key handed its handle over. */
    readonly hasMoved?: (account: string) => boolean
    readonly now: () => number
  }) {
    this.#isRegistered = options.isRegistered
    this.#hasMoved = options.hasMoved ?? (() => false)
    this.#now = options.now
    this.nats = new NatsServer({
      info: () => ({
        server_id: this.serverId,
        server_name: "home",
        version: "2.11.0",
        proto: 1,
        go: "go1.24",
        host: "127.0.0.1",
        port: 4222,
        headers: true,
        auth_required: true,
        max_payload: 66_560,
        ...this.info
      }),
      login: (peer, connect) => this.#login(peer, connect),
      subscribed: (peer, subject) => this.#subscribed(peer, subject),
      published: (peer, message) => void this.#published(peer, message),
      ended: () => undefined
    })
  }

  of(kind: Asked["kind"], account?: string): ReadonlyArray<Asked> {
    return this.asked.filter((one) => one.kind === kind && (account === undefined || one.account === account))
  }

  /** Stores a frame and delivers it. */
  store(account: string, frame: Uint8Array, box: Box = "inbox", timeMillis = this.#now()): Frame {
    const last = this.frames.findLast((one) => one.account === account && one.box === box)
    const stored = { seq: ++this.lastSeq, lastSeq: last?.seq ?? 0, account, box, timeMillis, frame }
    this.frames.push(stored)
    this.deliver(stored)
    return stored
  }

  /** Stores a frame that is not delivered: only a fetch brings it. */
  storeQuietly(account: string, frame: Uint8Array, box: Box = "inbox", timeMillis?: number): Frame {
    const { live } = this
    this.live = () => undefined
    try {
      return this.store(account, frame, box, timeMillis)
    } finally {
      this.live = live
    }
  }

  deliver({ account, box, frame, lastSeq, seq, timeMillis }: Frame): void {
    const delivery = this.live({
      subject: `kez.dlv.${account}`,
      headers: {
        "Nats-Stream": "KEZ_INBOX",
        "Nats-Subject": `kez.${box}.${account}`,
        "Nats-Sequence": String(seq),
        "Nats-Last-Sequence": String(lastSeq),
        "Nats-Time-Stamp": new Date(timeMillis).toISOString(),
        "Nats-Msg-Id": base64Url(randomBytes(16))
      },
      payload: frame
    })
    if (delivery === undefined) return
    for (const peer of this.nats.of(account)) peer.deliver(delivery.subject, delivery.payload, delivery.headers)
  }

  /** The stream is made anew: another epoch, and nothing in it. */
  renew(): void {
    this.epoch = randomBytes(16)
    this.frames = []
    this.lastSeq = 0
    this.#stored.clear()
  }

  /** A page as the specification has it, with some of its fields changed. */
  page(
    fetch: Asked,
    change: {
      readonly epoch?: Uint8Array
      readonly account?: string
      readonly n?: Uint8Array
      readonly lastSeq?: number
      readonly pending?: number
      readonly frames?: ReadonlyArray<Frame>
    } = {}
  ): Uint8Array {
    const { ask } = fetch
    const epoch = change.epoch ?? this.epoch
    const named = ask["epoch"]
    const after = named === undefined || named === base64Url(this.epoch) ? Number(ask["after"]) : 0
    const all = this.frames.filter((one) => one.account === fetch.account && one.seq > after)
    const held: Array<Frame> = []
    let length = 79
    for (const one of all) {
      length += 20 + one.frame.length
      if (held.length === 512 || length > 1_048_576) break
      held.push(one)
    }
    const frames = change.frames ?? held
    return concat(
      u8(1),
      epoch,
      fromHex(change.account ?? fetch.account),
      change.n ?? fromBase64Url(String(ask["n"])),
      u64(change.lastSeq ?? this.lastSeq),
      u32(change.pending ?? all.length - held.length),
      u16(frames.length),
      ...frames.flatMap(({ frame, seq, timeMillis }) => [u64(seq), u64(timeMillis), u32(frame.length), frame])
    )
  }

  #login(peer: NatsPeer, connect: Readonly<Record<string, unknown>>): string | undefined {
    const { nkey, sig } = connect as { nkey?: unknown; sig?: unknown }
    const key = typeof nkey === "string" ? keyOf(nkey) : undefined
    const bytes = utf8(["kez/nats-auth/v1", "127.0.0.1", peer.nonce].join("\u{0}"))
    const holds =
      key !== undefined &&
      typeof sig === "string" &&
      verifies(key.ed25519, bytes, fromBase64Url(sig.replace(/=+$/, "")))
    const account = holds ? key.hex : undefined
    this.logins.push({ at: Date.now(), connect: this.readConnect(connect), account })
    if (this.refusal !== undefined) return this.refusal
    if (account === undefined || !(this.#isRegistered(account) || this.#hasMoved(account)))
      return "Authorization Violation"
    peer.account = account
    return undefined
  }

  #subscribed({ account = "" }: NatsPeer, subject: string): string | undefined {
    if (subject === `kez.dlv.${account}` || covers(`_INBOX_${account}.>`, subject)) return undefined
    this.violations.push(`subscribed to ${subject}`)
    return `Permissions Violation for Subscription to "${subject}"`
  }

  async #published(peer: NatsPeer, message: Published): Promise<void> {
    const { headers, payload, reply, subject } = this.read(message)
    const from = peer.account ?? ""
    const [, name = "", account = ""] = subject.split(".")
    const kind = kinds[name as keyof typeof kinds]
    if (kind === undefined || (kind !== "send" && account !== from) || from === "") {
      this.violations.push(`published to ${subject}`)
      return peer.refuse(`Permissions Violation for Publish to "${subject}"`, false)
    }
    if (reply === undefined) this.violations.push(`published to ${subject} without a reply subject`)
    const asked: Asked = {
      at: Date.now(),
      kind,
      from,
      account,
      kezId: headers.get("Kez-Id") ?? "",
      payload,
      ask: kind === "send" ? {} : readJson(payload)
    }
    this.asked.push(asked)
    const usual = () => encode(this.#usual(asked))
    const instead = await this.#answer(asked, usual)
    if (instead === "silent") return
    asked.answer = encode(instead)
    if (reply !== undefined) peer.deliver(reply, asked.answer)
  }

  /** A request that cannot be answered is the client's fault: it must not end the run. */
  async #answer(asked: Asked, usual: () => Uint8Array): Promise<Instead> {
    try {
      return await (this.answers[asked.kind]?.(asked, usual) ?? usual())
    } catch (error) {
      this.violations.push(`sent a ${asked.kind} that cannot be answered: ${(error as Error).message}`)
      return { e: "bad" }
    }
  }

  #usual(asked: Asked): Uint8Array | object {
    const { account, ask, from, kezId, kind, payload } = asked
    if (this.#hasMoved(from)) {
      if (kind !== "fetch") return { e: kind === "send" ? "retry" : "bad" }
      const isThere = this.frames.some(({ account: whose, seq }) => whose === from && seq > Number(ask["after"]))
      if (!isThere) return { e: "moved" }
    }
    if (kind === "fetch") return this.page(asked)
    const ofBox = (box: unknown) => this.frames.filter((one) => one.account === account && one.box === box)
    if (kind === "trim") {
      if (ask["upTo"] !== undefined) {
        if (ask["epoch"] !== base64Url(this.epoch)) return { e: "bad" }
        const gone = ofBox(ask["box"]).filter(({ seq }) => seq <= Number(ask["upTo"]))
        this.frames = this.frames.filter((one) => !gone.includes(one))
      }
      const used = ofBox(ask["box"]).reduce((sum, { frame }) => sum + frame.length, 0)
      const usage = { ok: 1, n: ask["n"], epoch: base64Url(this.epoch), used, limit: 33_554_432 }
      return ask["box"] === "inbox" ? { ...usage, strangers: { used: 0, limit: 4_194_304 } } : usage
    }
    if (kind === "block") {
      const name = `${account} ${String(ask["who"])}`
      if (ask["op"] === "add") this.blocks.add(name)
      else this.blocks.delete(name)
      return { ok: 1, n: ask["n"] }
    }
    if (payload.length === 0 || payload.length > 65_536) return { e: "size" }
    if (!/^[A-Za-z0-9_-]{22}$/.test(kezId)) return { e: "bad" }
    if (this.#hasMoved(account)) return { e: "moved" }
    if (!this.#isRegistered(account)) return { e: "unknown" }
    const name = `${account} ${from} ${kezId}`
    if (!this.#stored.has(name)) {
      this.#stored.add(name)
      this.store(account, payload, account === from ? "self" : "inbox")
    }
    return { ok: 1 }
  }
}

const keyOf = (nkey: string): Reader | undefined => {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
  if (!/^U[A-Z2-7]{55}$/.test(nkey)) return undefined
  let bits = ""
  for (const digit of nkey) bits += digits.indexOf(digit).toString(2).padStart(5, "0")
  const bytes = Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2))
  const reader = new Reader(bytes.slice(1, 33))
  return reader.nkey === nkey ? reader : undefined
}

const readJson = (payload: Uint8Array): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString("utf8"))
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
