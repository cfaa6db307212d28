/**
 * An account at a home server with a long history: what a page restores, lists and scrolls through.
 *
 * Accounts and frames are real. The frames go straight into the broker's stream, because the outbox of a client would
 * synchronise its disk for each of them.
 */
import { createHash, randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { connect, headers, nkeyAuthenticator } from "@nats-io/transport-node"
import { Identity, SealedMessage } from "@kez-chat/sdk/crypto"
import { MemoryVault } from "@kez-chat/sdk/memory"
import { NodeCrypto, openNode } from "@kez-chat/sdk/node"
import { Bytes, Mnemonic, Subject } from "@kez-chat/sdk/protocol"
import type { Home } from "../../../deploy/local/Home.ts"

/** Frames that are sealed or stored at a time. */
const windowSize = 128

/** Messages in each of the short conversations. */
const shortLength = 20

/** A person by the byte that fills their seed. */
interface Person {
  readonly handle: string
  readonly seed: Uint8Array
}

const person = (handle: string, byte: number): Person => ({ handle, seed: new Uint8Array(32).fill(byte) })

/** The words of a person. */
export const wordsOf = ({ seed }: Person): string => Mnemonic.fromSeed(seed)

/** Whose history it is. */
export const owner = person("olivia", 100)

/** Who the long conversation is with. */
export const friend = person("lena", 1)

/** Text of a message by its place in its conversation, counted from 1. */
export const textOf = (number: number): string =>
  `Number ${number}. ${"Shall we meet at the station at nine? ".repeat(number % 7)}`.trim()

/** What writes history. */
export interface Scribe {
  /** Registers a person. */
  register(person: Person): Promise<void>
  /** Writes numbered messages between the owner and a person, from both sides in turn, the person first. */
  write(with_: Person, from: number, to: number, side?: "both" | "theirs"): Promise<void>
  close(): Promise<void>
}

export const makeScribe = async (home: Home, folder: string): Promise<Scribe> => {
  const runtime = ManagedRuntime.make(NodeCrypto.layer)
  const identityOf = ({ seed }: Person) => runtime.runPromise(Identity.fromSeed(Redacted.make(seed.slice())))
  const own = await identityOf(owner)
  const gateway = await connect({
    servers: home.urls.nats,
    authenticator: nkeyAuthenticator(Bytes.utf8(readFileSync(join(home.data, "keys", "gateway.nk"), "utf8").trim())),
    inboxPrefix: "_INBOX_ing.bench"
  })
  /** The newest event of a person's sigchain, which each of their messages names. */
  const headOf = async (hex: string) => {
    const answer = await fetch(`${home.urls.sigServer}/v1/sigchains/ed25519/${hex}`)
    const events = (await answer.text()).trimEnd().split("\n")
    return {
      seq: events.length - 1,
      hash: `sha256:${createHash("sha256").update(events.at(-1)!).digest("hex")}`
    }
  }
  const id = () => Bytes.toBase64Url(randomBytes(16))
  const devices = new Map<string, string>()
  const deviceOf = (hex: string) => devices.get(hex) ?? devices.set(hex, id()).get(hex)!

  return {
    register: async (one) => {
      const client = await openNode({ home: home.urls.home, dir: join(folder, one.handle), vault: MemoryVault.layer })
      await client.create({ handle: one.handle, words: wordsOf(one) })
      await client.close()
    },
    write: async (other, from, to, side = "both") => {
      const peer = await identityOf(other)
      const heads = { own: await headOf(own.key.hex), peer: await headOf(peer.key.hex) }
      const isOwn = (number: number) => side === "both" && number % 2 === 0
      const frame = (number: number) => {
        const [author, reader] = isOwn(number) ? [own, peer] : [peer, own]
        return Effect.flatMap(
          SealedMessage.encrypt(author, {
            id: id(),
            device: deviceOf(author.key.hex),
            to: reader.key,
            seq: side === "both" ? (number - 1) >> 1 : number - 1,
            createdAt: Date.now(),
            body: { type: "text", text: textOf(number), chain: isOwn(number) ? heads.own : heads.peer }
          }),
          ({ encoded }) => SealedMessage.sealFrame(encoded, own.key)
        )
      }
      for (let first = from; first <= to; first += windowSize) {
        const numbers = Array.from({ length: Math.min(windowSize, to - first + 1) }, (_, index) => first + index)
        const frames = await Promise.all(numbers.map((number) => runtime.runPromise(frame(number))))
        // Requested in one turn, so stored in this order.
        await Promise.all(
          frames.map((bytes, index) => {
            const header = headers()
            header.set("Nats-Msg-Id", id())
            const subject = isOwn(first + index) ? Subject.self(own.key.hex) : Subject.inbox(own.key.hex)
            return gateway.request(subject, bytes, { headers: header, timeout: 60_000 })
          })
        )
      }
    },
    close: async () => {
      await gateway.close()
      await runtime.dispose()
    }
  }
}

/** Registers everybody, writes the short conversations and then the long one; gives the number of all messages. */
export const writeHistory = async (scribe: Scribe, size: { conversations: number; long: number }): Promise<number> => {
  await scribe.register(owner)
  await scribe.register(friend)
  for (let number = 2; number <= size.conversations; number++) {
    const other = person(`person${number}`, number)
    await scribe.register(other)
    await scribe.write(other, 1, shortLength)
  }
  await scribe.write(friend, 1, size.long)
  return size.long + (size.conversations - 1) * shortLength
}

/** Flags of a home that takes any number of messages. */
export const noLimits = {
  chat: [
    ...["--inbox-bytes", "--self-bytes", "--send-bytes-per-day", "--self-bytes-per-day"].flatMap((flag) => [
      flag,
      "1000000000000"
    ]),
    ...["--max-frames", "1000000"]
  ]
}
