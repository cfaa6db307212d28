/** Files from device to device: two clients at one home, joined by a net inside this process. */
import { Effect, Fiber, Redacted, Result, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import type { FetchProgress, FileSource, Message, Share } from "@kez-chat/sdk"
import { MemoryBlobStore } from "@kez-chat/sdk/memory"
import { Bytes, FileCipher, KeyAdmission, Problem, Ticket } from "@kez-chat/sdk/protocol"
import type { BlobStore, StoredBlob } from "@kez-chat/sdk/services"
import { type Device, eventually, join, makeWorld, newDevice, type Program, twoFriends, type World } from "./people.ts"

const contentOf = (size: number, salt = 0): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >>> 8) * 7 + salt) % 251)

const fileOf = (content: Uint8Array, name = "report.pdf"): FileSource => ({
  name,
  mediaType: "application/pdf",
  bytes: (async function* () {
    for (let at = 0; at < content.length; at += 10_000) yield content.subarray(at, at + 10_000)
  })()
})

interface Person {
  readonly device: Device
  readonly program: Program
  readonly chat: Program["chat"]
}

/** The offer of a share as it comes in. */
const offerTo = (reader: Person, share: Share): Effect.Effect<Message> =>
  Effect.map(
    reader.program.event("Message", ({ message }) => message.file?.blobHash === share.blobHash),
    ({ message }) => message
  )

const collected = (person: { readonly chat: Program["chat"] }, what: string) =>
  Effect.map(Stream.runCollect(person.chat.read(what)), (pieces) => Bytes.concat(...pieces))

/** Fetches, and shows every step as it comes. */
const follow = (person: { readonly chat: Program["chat"] }, what: string) =>
  Effect.gen(function* () {
    const steps: Array<FetchProgress> = []
    const fiber = yield* Effect.forkChild(
      Stream.runForEach(person.chat.fetch(what), (step) => Effect.sync(() => void steps.push(step))),
      { startImmediately: true }
    )
    return {
      steps,
      states: () => steps.map(({ state }) => state).filter((state, i, all) => state !== all[i - 1]),
      reaches: (state: FetchProgress["state"], test: (step: FetchProgress) => boolean = () => true) =>
        eventually(() => steps.some((step) => step.state === state && test(step))),
      done: Fiber.join(fiber),
      stop: Fiber.interrupt(fiber)
    }
  })

const serving = (person: { readonly chat: Program["chat"] }) =>
  Effect.forkChild(person.chat.serve, { startImmediately: true })

describe("fetching", () => {
  it.live.each([0, 1, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 300_000])("brings a file of %d bytes", (size) =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const content = contentOf(size)
      yield* serving(alice)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob"] })
      const offer = yield* offerTo(bob, share)
      assert.strictEqual(offer.text, "report.pdf")
      assert.strictEqual(offer.file?.size, size)
      const fetched = yield* follow(bob, offer.id)
      yield* fetched.done
      const last = fetched.steps.at(-1)!
      assert.strictEqual(last.state, "complete")
      assert.strictEqual(last.haveBytes, FileCipher.blobLength(size))
      assert.strictEqual(last.owner.handle, "alice@home.test")
      assert.deepStrictEqual(yield* collected(bob, offer.id), content)
    })
  )
})
