/** Who gets a file from whom, and what people try who should not get or give one. */
import { Effect, Result, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { WrappedKey } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, ChunkRanges, FileCipher, Ticket } from "@kez-chat/sdk/protocol"
import type { BlobStore } from "@kez-chat/sdk/services"
import {
  arrived,
  contentAt,
  contentOf,
  fetched,
  fileOf,
  follow,
  hashOf,
  offerTo,
  serving,
  sharedWithBob,
  watchedFriends
} from "../../kit/Files.ts"
import { ghost } from "../../kit/Ghost.ts"
import { codeOf, identityOf, join, keyOf, makeWorld, newDevice, twoFriends } from "../../kit/People.ts"

describe("access to files", () => {
  it.live("ends with a clear error when the owner has taken the file back", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      yield* serving(alice)
      const { offer, share } = yield* sharedWithBob({ alice, bob }, fileOf(contentOf(10)))
      yield* alice.chat.unshare(share.id)
      const error = yield* Effect.flip(Stream.runDrain(bob.chat.fetch(offer.id)))
      assert.strictEqual(error._tag, "BlobTransportError")
      assert.match(error.message, /alice@home\.test does not give this file to you: it is no longer shared/)
    })
  )

  it.live("denies a blocked contact everything, even the addresses of the device", () =>
    Effect.gen(function* () {
      const { alice, bob, reads } = yield* watchedFriends(makeWorld())
      yield* serving(alice)
      const one = yield* alice.chat.share({ file: fileOf(contentOf(10)), with: ["bob"] })
      const two = yield* alice.chat.share({ file: fileOf(contentOf(20)), with: ["bob"] })
      yield* fetched(bob, (yield* offerTo(bob, one)).id)
      yield* alice.chat.block("bob")
      reads.length = 0
      // The address is known from the first file; it is refused there, and then nobody answers.
      const fetching = yield* follow(bob, (yield* offerTo(bob, two)).id)
      yield* fetching.reaches("waiting", ({ reason }) => reason?.startsWith("their device does not answer") === true)
      assert.deepStrictEqual(reads, [])
      assert.deepStrictEqual((yield* bob.device.blobs.info(hashOf(two.blobHash)))?.complete, false)
    })
  )

  it.live.each(["blocked", "taken back"])("ends in the middle of a file that is %s", (how) =>
    Effect.gen(function* () {
      const { alice, bob, gate } = yield* watchedFriends(makeWorld())
      yield* serving(alice)
      const share = yield* alice.chat.share({ file: fileOf(contentOf(2_000_000)), with: ["bob"] })
      gate.readsLeft = 20
      const fetching = yield* follow(bob, (yield* offerTo(bob, share)).id)
      yield* fetching.reaches("receiving")
      yield* how === "blocked" ? alice.chat.block("bob") : alice.chat.unshare(share.id)
      // One reading a little later than the last look at whether it is allowed.
      yield* Effect.forkChild(
        Effect.forever(
          Effect.andThen(
            Effect.sleep(100),
            Effect.sync(() => void (gate.readsLeft = 1))
          )
        )
      )
      yield* fetching.reaches("waiting")
      assert.isFalse((yield* bob.device.blobs.info(hashOf(share.blobHash)))?.complete)
    })
  )

  it.live("fetches nothing from strangers until they are accepted", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { bob } = yield* twoFriends(world)
      const carol = yield* join(world, "carol")
      yield* carol.chat.addContact("bob")
      yield* serving(carol)
      const share = yield* carol.chat.share({ file: fileOf(contentOf(10), "bill.pdf"), with: ["bob"] })
      const request = yield* bob.program.event("Request")
      assert.strictEqual(request.message.file?.name, "bill.pdf")
      assert.strictEqual(request.message.file?.blobHash, share.blobHash)
      const error = yield* Effect.flip(Stream.runDrain(bob.chat.fetch(request.message.id)))
      assert.deepStrictEqual(error._tag === "FetchBlocked" && error.reason, "requested")
      yield* bob.chat.accept("carol")
      assert.strictEqual((yield* fetched(bob, request.message.id)).at(-1)?.state, "complete")
    })
  )

  it.live("fetches nothing from a blocked contact, and keeps what is here", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      yield* serving(alice)
      const one = yield* alice.chat.share({ file: fileOf(contentOf(10)), with: ["bob"] })
      const two = yield* alice.chat.share({ file: fileOf(contentOf(20)), with: ["bob"] })
      const offers = [(yield* offerTo(bob, one)).id, (yield* offerTo(bob, two)).id] as const
      yield* fetched(bob, offers[0])
      yield* bob.chat.block("alice")
      const error = yield* Effect.flip(Stream.runDrain(bob.chat.fetch(offers[1])))
      assert.strictEqual(error._tag === "FetchBlocked" && error.reason, "blocked")
      assert.deepStrictEqual(yield* contentAt(bob, offers[0]), contentOf(10))
    })
  )

  it.live("KEZ-FIL-011 shows an offer as its owner signed it, safe to display", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      const thumbnail = contentOf(300)
      const name = "invoice\u202Efdp.exe"
      const { offer, share } = yield* sharedWithBob({ alice, bob }, { ...fileOf(contentOf(10), name), thumbnail })
      const { blobHash } = share
      assert.deepStrictEqual(offer.file, { name, mediaType: "application/pdf", size: 10, blobHash, thumbnail })
      assert.strictEqual(offer.text, "invoice\uFFFDfdp.exe")
      const [own] = yield* alice.chat.history("bob")
      assert.deepStrictEqual(own?.file, offer.file)
      const [kept] = yield* bob.chat.history("alice")
      assert.deepStrictEqual(kept?.file, offer.file)
    })
  )

  it.live("lets no stranger replace somebody's offer by reusing its id", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* serving(alice)
      const content = contentOf(10)
      const { offer } = yield* sharedWithBob({ alice, bob }, fileOf(content))
      const mallory = yield* ghost(66)
      const to = keyOf(bob.account.primary)
      const endpoint = mallory.key
      const hash = new Uint8Array(32).fill(9)
      const ticket = Ticket.encode({ endpoint, addresses: [], format: "raw", hash })
      const key = new Uint8Array(80)
      const body = {
        type: "file_share" as const,
        filename: "malware.exe",
        media_type: "application/pdf",
        size: 10,
        blob_hash: `blake3:${Bytes.toHex(hash)}`,
        ticket,
        wrapped_content_key: key,
        self_wrapped_content_key: key,
        chain: { seq: 0, hash: `sha256:${"1".repeat(64)}` }
      }
      world.broker.store(to, yield* mallory.frame({ to, id: offer.id, body }))
      yield* bob.program.event("Request")
      const steps = yield* fetched(bob, offer.id)
      assert.strictEqual(steps.at(-1)?.file.name, "report.pdf")
      assert.deepStrictEqual(yield* contentAt(bob, offer.id), content)
      yield* bob.chat.accept(mallory.primary)
      const error = yield* Effect.flip(Stream.runDrain(bob.chat.fetch(offer.id)))
      assert.strictEqual(codeOf(error), "file_not_found")
      assert.match(error.message, /several people/)
      assert.strictEqual((yield* fetched(bob, `@alice/${offer.id}`)).at(-1)?.state, "complete")
    })
  )

  it.live("opens nothing with a stolen ticket: only readers get the bytes, and the bytes alone open nothing", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob, reads } = yield* watchedFriends(world)
      const carol = yield* join(world, "carol")
      yield* carol.chat.addContact("alice")
      yield* alice.chat.addContact("carol")
      yield* serving(alice)
      const { offer, share } = yield* sharedWithBob({ alice, bob }, fileOf(contentOf(10_000)))
      const ticket = String(offer.body["ticket"])
      assert.strictEqual(codeOf(yield* Effect.flip(Stream.runDrain(carol.chat.fetch(ticket)))), "no_content_key")

      // With a transport of her own, and Alice's address, which Alice tells her contacts.
      yield* alice.chat.share({ file: fileOf(contentOf(1)), with: ["carol"] })
      const mine = yield* carol.program.event("Message", ({ message }) => message.file?.size === 1)
      yield* fetched(carol, mine.message.id)
      reads.length = 0
      const seed = yield* carol.device.vault.load
      const hash = hashOf(share.blobHash)
      const size = FileCipher.blobLength(10_000)
      const refused = yield* Effect.result(
        Effect.scoped(
          Effect.gen(function* () {
            if (seed._tag === "None") return assert.fail("she has a seed")
            const endpoint = yield* world.net.transport.open(seed.value)
            const direct = Array.from({ length: 16 }, (_, i) => `127.0.0.1:${49_152 + i}`)
            const options = { peer: keyOf(alice.account.primary), hash, size, ranges: ChunkRanges.all }
            yield* Stream.runDrain(endpoint.fetch({ ...options, addresses: { direct } }))
          })
        )
      )
      assert.strictEqual(Result.isFailure(refused) && refused.failure._tag, "BlobTransportError")
      assert.deepStrictEqual(reads, [])

      // With the bytes as well: they open for Bob, and the wrapped key for nobody else.
      yield* fetched(bob, offer.id)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const blob = yield* bob.device.blobs.open(hash)
          yield* carol.device.blobs.put((write) =>
            Effect.as(Effect.flatMap(blob.read(0, size), write), { tree: blob.tree })
          )
        })
      )
      assert.strictEqual(codeOf(yield* Effect.flip(Stream.runDrain(carol.chat.read(ticket)))), "no_content_key")
      const identity = yield* identityOf(carol.words)
      const wrapped = Result.getOrThrow(Bytes.fromBase64Url(String(offer.body["wrapped_content_key"])))
      const binding = { blobHash: Result.getOrThrow(Bytes.fromHex(hash)), owner: keyOf(alice.account.primary) }
      const opened = yield* Effect.result(
        Effect.provide(WrappedKey.unwrap(identity, binding, wrapped), NodeCrypto.layer)
      )
      assert.strictEqual(Result.isFailure(opened) && opened.failure.code, "content_key_invalid")
    })
  )

  it.live("ends when an owner sends other bytes than offered, and says whose fault it is", () =>
    Effect.gen(function* () {
      const honest = newDevice()
      const other = new Map<string, string>()
      const blobs: BlobStore["Service"] = {
        ...honest.blobs,
        open: (hash) => honest.blobs.open(other.get(hash) ?? hash)
      }
      const { alice, bob } = yield* twoFriends(makeWorld(), { alice: { ...honest, blobs } })
      yield* serving(alice)
      const share = yield* alice.chat.share({ file: fileOf(contentOf(100_000)), with: ["bob"] })
      const decoy = yield* alice.chat.share({ file: fileOf(contentOf(100_000, 1)), with: ["bob"] })
      other.set(hashOf(share.blobHash), hashOf(decoy.blobHash))
      const offer = yield* offerTo(bob, share)
      const error = yield* Effect.flip(Stream.runDrain(bob.chat.fetch(offer.id)))
      assert.strictEqual(codeOf(error), "blob_mismatch")
      assert.match(error.message, /the device of alice@home\.test sent other bytes than the file it offered/)
      const kept = yield* arrived(bob.device.blobs, hashOf(share.blobHash), FileCipher.blobLength(100_000))
      assert.isTrue(ChunkRanges.isEmpty(kept))
    })
  )
})
