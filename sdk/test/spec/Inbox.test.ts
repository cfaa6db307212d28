/** The inbox vectors, taken in by a whole client over an in-process broker. */
import { Effect, Redacted, Result } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Bytes, Mnemonic, PrimaryKey } from "@kez-chat/sdk/protocol"
import { makeWorld, newDevice } from "../client/kit/People.ts"

interface Held {
  readonly peer: string
  readonly direction: "in" | "out"
  readonly id: string
  readonly text: string
}
interface Case {
  readonly id: string
  readonly why: string
  readonly input: {
    readonly seed: string
    readonly now: string
    readonly frames: ReadonlyArray<{ readonly subject: "inbox" | "self"; readonly frame: string }>
  }
  readonly result: { readonly messages: ReadonlyArray<Held>; readonly dropped: ReadonlyArray<string> }
}

const file = path.resolve(import.meta.dirname, "../../../spec/vectors/messages/inbox.valid.json")
const { cases } = JSON.parse(fs.readFileSync(file, "utf8")) as { readonly cases: ReadonlyArray<Case> }

const bytes = (text: string) => Result.getOrThrow(Bytes.fromBase64Url(text))

describe("inbox vectors", () => {
  for (const { id, input, result, why } of cases) {
    it.live(`${id}: ${why}`, () =>
      Effect.gen(function* () {
        const world = makeWorld({ now: () => Date.parse(input.now) })
        const words = Redacted.make(Mnemonic.fromSeed(Result.getOrThrow(Bytes.fromHex(input.seed))))
        const device = newDevice()
        const { chat } = yield* world.start(device)
        const account = yield* chat.create({ handle: "owner", words })
        const key = Result.getOrThrow(PrimaryKey.parseEd25519(account.primary))
        for (const { frame, subject } of input.frames) world.broker.store(key, bytes(frame), subject)
        yield* chat.sync
        const peers = [...new Set(result.messages.map(({ peer }) => peer))]
        const histories = yield* Effect.forEach(peers, (peer) => chat.history(peer))
        const messages = histories
          .flat()
          .sort((a, b) => a.order - b.order)
          .map(({ direction, equivocation, fork, gap, id, peer, state, suspicious, text }) => ({
            peer,
            direction,
            id,
            text,
            ...(state === undefined ? {} : { state }),
            ...(gap === undefined ? {} : { gap }),
            ...(equivocation === undefined ? {} : { equivocation }),
            ...(fork === undefined ? {} : { fork }),
            ...(suspicious === undefined ? {} : { suspicious })
          }))
        assert.deepStrictEqual(messages, result.messages)
        const dropped = (yield* device.store.scan({ prefix: "dropped/" })).map(
          ({ value }) => (JSON.parse(Buffer.from(value).toString()) as { readonly code: string }).code
        )
        // A frame that a later version may read is kept with its code, and not dropped.
        assert.deepStrictEqual(
          dropped.filter((code) => !code.endsWith("_unsupported")),
          result.dropped
        )
      })
    )
  }
})
