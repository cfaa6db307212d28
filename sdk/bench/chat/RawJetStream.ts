/**
 * The baselines of chat.bench.ts in a process of their own: publish and acknowledgement on the stream that holds inboxes,
 * delivery to a plain subscription, and the opening of frames by itself. It fills the backlog, too.
 */
import { connect, headers, nkeyAuthenticator, type NatsConnection } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Identity, SealedMessage } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, Subject } from "@kez-chat/sdk/protocol"
import { atPace, type Pace } from "./Pace.ts"
import { now, serve } from "./Party.ts"

const runtime = ManagedRuntime.make(NodeCrypto.layer)
const identity = (seed: number) => runtime.runPromise(Identity.fromSeed(Redacted.make(new Uint8Array(32).fill(seed))))

/** A frame as a client makes it. */
const draft = (from: Identity.Identity, to: Identity.Identity, seq: number, text: string) =>
  runtime.runPromise(
    Effect.flatMap(
      SealedMessage.encrypt(from, {
        id: Bytes.toBase64Url(Uint8Array.from({ length: 16 }, (_, i) => (i < 4 ? (seq >> (i * 8)) & 255 : 7))),
        device: "AAAAAAAAAAAAAAAAAAAAAA",
        to: to.key,
        seq,
        createdAt: Date.now(),
        body: { type: "text", text, chain: { seq: 0, hash: `sha256:${"0".repeat(64)}` } }
      }),
      ({ encoded }) => SealedMessage.sealFrame(encoded, to.key)
    )
  )

interface Opened {
  readonly gateway: NatsConnection
  readonly watcher: NatsConnection
  readonly account: Identity.Identity
  readonly frame: Uint8Array<ArrayBuffer>
}
let opened: Opened | undefined
const raw = (): Opened => {
  if (opened === undefined) throw new Error("the raw side is not open")
  return opened
}

const delivered = new Map<number, (at: number) => void>()
let published = 0
const publish = (account: Identity.Identity, bytes: Uint8Array, id: string) => {
  const header = headers()
  header.set("Nats-Msg-Id", id)
  return raw().gateway.request(Subject.inbox(account.key.hex), bytes, { headers: header, timeout: 30_000 })
}

const sample = 500
let frames: ReadonlyArray<Uint8Array> = []

const commands = {
  /** `seed` is that of an account that nobody else is logged in with. */
  open: async (at: { readonly nats: string; readonly keys: string; readonly seed: number; readonly text: string }) => {
    // The gateway's key may publish to the stream; the account watches its own delivery subject.
    const gateway = await connect({
      servers: at.nats,
      authenticator: nkeyAuthenticator(Bytes.utf8(readFileSync(join(at.keys, "gateway.nk"), "utf8").trim())),
      inboxPrefix: "_INBOX_ing.bench"
    })
    const account = await identity(at.seed)
    const { nkey, sign } = account.brokerLogin
    const watcher = await connect({
      servers: at.nats,
      authenticator: (nonce) => ({ nkey, sig: Bytes.toBase64Url(sign("127.0.0.1", nonce ?? "")) }),
      inboxPrefix: `_INBOX_${account.key.hex}`
    })
    watcher.subscribe(Subject.delivery(account.key.hex), {
      callback: (_, { data }) => {
        const index = new DataView(data.buffer, data.byteOffset).getUint32(0)
        delivered.get(index)?.(now())
        delivered.delete(index)
      }
    })
    await watcher.flush()
    opened = { gateway, watcher, account, frame: Uint8Array.from(await draft(account, account, 0, at.text)) }
  },
  send: async (pace: Pace) => {
    const sent: Array<{ readonly start: number; readonly stored: number; readonly shown: number }> = []
    const shown: Array<Promise<unknown>> = []
    await atPace(pace, async () => {
      const index = published++
      const bytes = raw().frame.slice()
      new DataView(bytes.buffer).setUint32(0, index)
      const arrival = new Promise<number>((resolve) => delivered.set(index, resolve))
      const start = now()
      await publish(raw().account, bytes, `raw-${index}`)
      const stored = now()
      shown.push(arrival.then((at) => sent.push({ start, stored, shown: at })))
    })
    await Promise.all(shown)
    return sent
  },
  backlog: async (of: {
    readonly from: number
    readonly to: number
    readonly count: number
    readonly text: string
  }) => {
    const [from, to] = [await identity(of.from), await identity(of.to)]
    const kept: Array<Uint8Array> = []
    let seq = 0
    await atPace({ count: of.count, way: { width: 64 } }, async () => {
      const mine = seq++
      const bytes = await draft(from, to, 1_000_000 + mine, of.text)
      if (kept.length < sample) kept.push(bytes)
      await publish(to, bytes, `backlog-${mine}`)
    })
    frames = kept
  },
  /** Frames of the backlog opened one after another, a second. */
  opening: async (to: number) => {
    const account = await identity(to)
    const start = now()
    await runtime.runPromise(
      Effect.forEach(frames, (bytes) => SealedMessage.openFrame(account, bytes), { discard: true })
    )
    return frames.length / ((now() - start) / 1_000)
  },
  close: async () => {
    await raw().gateway.close()
    await raw().watcher.close()
    await runtime.dispose()
  }
}
export type RawJetStreamCommands = typeof commands

serve(commands)
