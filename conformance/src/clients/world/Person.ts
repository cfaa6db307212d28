/** Somebody of the suite's own in the world: with keys, a handle, a chain, and the freedom to break every rule. */
import { randomBytes } from "node:crypto"
import type { Envelope } from "../../servers/Signing.ts"
import { base64Url, utf8 } from "../crypto/Bytes.ts"
import { canonical } from "../crypto/Canonical.ts"
import { Keys, type Reader } from "../crypto/Keys.ts"
import { encrypt, openFrame, pad, type Payload, randomId, sealFrame, timeOf } from "../crypto/Messages.ts"
import type { Box, Broker, Frame } from "./Broker.ts"
import type { HomeServer } from "./HomeServer.ts"
import { type Head, headOf, type SigServer } from "./SigServer.ts"

/** The servers around a person. */
export interface Surroundings {
  readonly home: HomeServer
  readonly sig: SigServer
  readonly broker: Broker
  readonly people: Array<Person>
  now(): number
}

export interface Writing {
  /** Members of the envelope's payload instead of the usual ones. */
  readonly payload?: Payload
  /** Members of the body instead of the usual ones. */
  readonly body?: Payload
  /** The padded plaintext instead of the body. */
  readonly plaintext?: Uint8Array
}

export class Person {
  readonly keys: Keys
  readonly local: string
  readonly device = base64Url(randomBytes(16))
  /** The chain as its owner has it, whatever the sig-server shows. */
  chain: ReadonlyArray<Envelope> = []
  readonly #world: Surroundings
  readonly #counts = new Map<string, number>()

  constructor(world: Surroundings, local: string, keys = new Keys()) {
    this.#world = world
    this.local = local
    this.keys = keys
  }

  get handle(): string {
    return `${this.local}@${this.#world.home.name}`
  }

  get primary(): string {
    return this.keys.primary
  }

  get head(): Head {
    return headOf(this.chain) ?? { seq: 0, hash: `sha256:${"0".repeat(64)}` }
  }

  registration(change: Payload = {}): Envelope {
    return this.keys.sign("handle_registration", {
      type: "kez.chat.handle_registration",
      version: 1,
      handle: this.local,
      server: this.#world.home.name,
      primary: this.primary,
      created_at: timeOf(this.#world.now()),
      ...change
    })
  }

  /** Takes the handle and begins the chain. */
  register(): this {
    this.#world.home.handles.set(this.local, this.registration())
    this.append("add_endpoint", this.endpoint())
    return this
  }

  /** Ends the chain in a rotation, and hands the handle over: the same person under the next key. */
  handOver(keys = new Keys(), { silently = false } = {}): Person {
    const next = new Person(this.#world, this.local, keys)
    this.#world.people.push(next)
    next.append("add_endpoint", next.endpoint())
    if (!silently) this.extend(this.rotation(keys))
    this.#world.home.handOver(this.keys.hex, next.registration())
    return next
  }

  endpoint(change: Payload = {}): Payload {
    return { protocol: "nats", url: this.#world.broker.nats.url, inbox: `kez.inbox.${this.keys.hex}`, ...change }
  }

  /** An event for the end of a chain. */
  event(op: string, payload: Payload, chain = this.chain, change: Payload = {}): Envelope {
    const head = headOf(chain)
    return this.keys.sign("sigchain_event", {
      type: "kez.sigchain.event",
      version: 1,
      primary: this.primary,
      seq: chain.length,
      ...(head === undefined ? {} : { prev: head.hash }),
      created_at: timeOf(this.#world.now()),
      op,
      payload,
      ...change
    })
  }

  /** The event with which this key names its successor. */
  rotation(to: Keys, chain = this.chain): Envelope {
    const head = headOf(chain)
    const created_at = timeOf(this.#world.now())
    const acceptance = {
      type: "kez.rotation_acceptance",
      version: 1,
      old: this.primary,
      new: to.primary,
      seq: chain.length,
      ...(head === undefined ? {} : { prev: head.hash }),
      created_at
    }
    const payload = { new_primary: to.primary, new_sig: to.signPayload(acceptance) }
    return this.event("rotate", payload, chain, { created_at })
  }

  /** Extends the chain, and has the sig-server show it. */
  append(op: string, payload: Payload): Envelope {
    return this.extend(this.event(op, payload))
  }

  extend(event: Envelope): Envelope {
    this.chain = [...this.chain, event]
    this.show(this.chain)
    return event
  }

  /** Has the sig-server show any chain for this key. */
  show(chain: ReadonlyArray<Envelope>): void {
    this.#world.sig.chains.set(this.keys.hex, chain)
  }

  /** A signed message; its place in the count of this device is the next one, unless `payload` says another. */
  write(to: Reader, text: string, { body, payload, plaintext }: Writing = {}): Envelope {
    const seq = this.#counts.get(to.hex) ?? 0
    this.#counts.set(to.hex, Math.max(seq, Number(payload?.["seq"] ?? seq)) + 1)
    const members = {
      type: "kez.chat.message",
      version: 1,
      id: randomId(),
      from: this.primary,
      to: to.primary,
      device: this.device,
      created_at: timeOf(this.#world.now()),
      seq,
      suite: "x25519-hkdf-sha256-chacha20poly1305",
      salt: base64Url(randomBytes(32)),
      ...payload
    }
    const plain = plaintext ?? pad(utf8(canonical({ type: "text", text, chain: this.head, ...body })))
    return encrypt(this.keys, to, members, plain)
  }

  /** Seals an envelope for a reader and puts it into their inbox. */
  deliver(to: Reader, envelope: Envelope, box: Box = "inbox"): Frame {
    return this.#world.broker.store(to.hex, sealFrame(to, utf8(canonical(envelope))), box)
  }

  /** Writes and delivers. */
  send(to: Reader, text: string, writing: Writing = {}): Envelope {
    const envelope = this.write(to, text, writing)
    this.deliver(to, envelope)
    return envelope
  }

  /** A receipt for messages of the reader. */
  receipt(to: Reader, status: string, ids: ReadonlyArray<string>): Envelope {
    return this.send(to, "", { body: { text: undefined, type: "receipt", status, ids } })
  }

  /** What others sent to this person, in the order of the stream; what does not open is left out. */
  get received() {
    return this.#world.broker.frames
      .filter(({ account }) => account === this.keys.hex)
      .flatMap((stored) => {
        const opened = openFrame(this.keys, stored.frame)
        return opened === undefined ? [] : [{ ...opened, stored }]
      })
  }

  /** The texts among it. */
  get texts(): ReadonlyArray<string> {
    return this.received.flatMap(({ body }) => (body["type"] === "text" ? [String(body["text"])] : []))
  }
}

export const idOf = (envelope: Envelope): string => String(envelope.payload["id"])
