/** Files that go from one person's device to another's: what the tests of sharing, fetching and serving begin with. */
import { Effect, Fiber, Stream } from "effect"
import type { FetchProgress, FileSource, KezChatError, Message, Share } from "@kez-chat/sdk"
import { Bytes } from "@kez-chat/sdk/protocol"
import type { BlobStore, StoredBlob } from "@kez-chat/sdk/services"
import { type Device, eventually, newDevice, type Program, twoFriends, type World } from "./People.ts"

/** Bytes that differ everywhere, the same for the same arguments. */
export const contentOf = (size: number, salt = 0): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >>> 8) * 7 + salt) % 251)

export const fileOf = (content: Uint8Array, name = "report.pdf"): FileSource => ({
  name,
  mediaType: "application/pdf",
  bytes: (async function* () {
    for (let at = 0; at < content.length; at += 10_000) yield content.subarray(at, at + 10_000)
  })()
})

/** A file that may not be read: reading it fails. */
export const unreadable: FileSource = {
  name: "unread.txt",
  bytes: {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        throw new Error("it was read")
      }
    })
  }
}

/** Somebody with a program that runs. */
export interface Person {
  readonly program: Program
  readonly chat: Program["chat"]
}

/** The offer of a share as it comes in. */
export const offerTo = ({ program }: Person, share: Share): Effect.Effect<Message> =>
  Effect.map(
    program.event("Message", ({ message }) => message.file?.blobHash === share.blobHash),
    ({ message }) => message
  )

/** A file that Alice shares with Bob, and the offer that he gets. */
export const sharedWithBob = ({ alice, bob }: { readonly alice: Person; readonly bob: Person }, file: FileSource) =>
  Effect.gen(function* () {
    const share = yield* alice.chat.share({ file, with: ["bob"] })
    return { share, offer: yield* offerTo(bob, share) }
  })

/** The hexadecimal hash that a `blobHash` has after its prefix. */
export const hashOf = (blobHash: string): string => blobHash.slice("blake3:".length)

/** What `read` gives, in one piece. */
export const contentAt = ({ chat }: Pick<Person, "chat">, fileRef: string): Effect.Effect<Uint8Array, KezChatError> =>
  Effect.map(Stream.runCollect(chat.read(fileRef)), (pieces) => Bytes.concat(...pieces))

/** Fetches in the background, and shows every step as it comes. */
export const follow = ({ chat }: Pick<Person, "chat">, fileRef: string) =>
  Effect.gen(function* () {
    const steps: Array<FetchProgress> = []
    const fiber = yield* Effect.forkChild(
      Stream.runForEach(chat.fetch(fileRef), (step) => Effect.sync(() => void steps.push(step))),
      { startImmediately: true }
    )
    return {
      steps,
      /** Waits for a step that is, or was, shown. */
      reaches: (state: FetchProgress["state"], test: (step: FetchProgress) => boolean = () => true) =>
        eventually(() => steps.some((step) => step.state === state && test(step))),
      done: Fiber.join(fiber),
      stop: Fiber.interrupt(fiber)
    }
  })

/** Fetches a file to its end: every step. */
export const fetched = (person: Pick<Person, "chat">, fileRef: string) =>
  Effect.flatMap(follow(person, fileRef), ({ done, steps }) => Effect.as(done, steps))

/** Serves in the background, until it is interrupted. */
export const serving = ({ chat }: Pick<Person, "chat">) => Effect.forkChild(chat.serve, { startImmediately: true })

/** A provider's blobs, with a note of every read and a gate in front of them. */
export const watched = (device: Device) => {
  const reads: Array<{ readonly offset: number; readonly length: number }> = []
  const gate = { readsLeft: Infinity }
  const blobs: BlobStore["Service"] = {
    ...device.blobs,
    open: (hash) =>
      Effect.map(device.blobs.open(hash), (blob): StoredBlob => ({
        tree: blob.tree,
        read: (offset, length) =>
          Effect.gen(function* () {
            yield* eventually(() => gate.readsLeft > 0)
            gate.readsLeft -= 1
            reads.push({ offset, length })
            return yield* blob.read(offset, length)
          })
      }))
  }
  return { device: { ...device, blobs }, reads, gate }
}

/** Alice, whose blobs are watched, and Bob, who have added each other. */
export const watchedFriends = (world: World) =>
  Effect.gen(function* () {
    const { device, gate, reads } = watched(newDevice())
    return { ...(yield* twoFriends(world, { alice: device })), gate, reads }
  })

/** The hashes of the blobs that are here completely. */
export const completeIn = (blobs: BlobStore["Service"]) =>
  Effect.map(blobs.list, (list) => list.flatMap(({ complete, hash }) => (complete ? [hash] : [])))

/** Bytes of a partial blob that are here, and where they lie. */
export const arrived = (blobs: BlobStore["Service"], hash: string, size: number) =>
  Effect.scoped(Effect.map(blobs.resume(hash, size), ({ have }) => have))
