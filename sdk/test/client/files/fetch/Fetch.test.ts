/** Files from device to device: clients at one home, joined by a net inside this process. */
import { Effect, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { FileCipher, Ticket } from "@kez-chat/sdk/protocol"
import {
  contentAt,
  contentOf,
  fetched,
  fileOf,
  follow,
  offerTo,
  serving,
  sharedWithBob,
  watchedFriends
} from "../../kit/Files.ts"
import { codeOf, join, keyOf, makeWorld, twoFriends } from "../../kit/People.ts"

describe("fetching", () => {
  it.live.each([0, 1, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 300_000])("brings a file of %d bytes", (size) =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      const content = contentOf(size)
      yield* serving(alice)
      const { offer } = yield* sharedWithBob({ alice, bob }, fileOf(content))
      assert.strictEqual(offer.text, "report.pdf")
      assert.strictEqual(offer.file?.size, size)
      const last = (yield* fetched(bob, offer.id)).at(-1)!
      assert.strictEqual(last.state, "complete")
      assert.strictEqual(last.haveBytes, FileCipher.blobLength(size))
      assert.strictEqual(last.owner.handle, "alice@home.test")
      assert.deepStrictEqual(yield* contentAt(bob, offer.id), content)
      const served = yield* alice.program.event("Served", ({ sentBytes, totalBytes }) => sentBytes === totalBytes)
      assert.strictEqual(served.contact.handle, "bob@home.test")
    })
  )

  it.live("KEZ-FIL-009 asks nobody for anything before the user does", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob, reads } = yield* watchedFriends(world)
      yield* serving(alice)
      yield* alice.chat.flush
      const before = world.broker.stored(keyOf(alice.account.primary)).length
      const share = yield* alice.chat.share({ file: fileOf(contentOf(1_000)), with: ["bob"] })
      yield* offerTo(bob, share)
      // A stream that is not run is no request either.
      bob.chat.fetch((yield* offerTo(bob, share)).id)
      yield* bob.chat.sync
      yield* bob.chat.flush
      yield* alice.chat.flush
      const frames = world.broker.stored(keyOf(alice.account.primary)).slice(before)
      // Bob's receipt for the offer, and Alice's own copy of it.
      assert.deepStrictEqual(frames.map(({ subject }) => subject).sort(), ["inbox", "self"])
      assert.deepStrictEqual(reads, [])
      assert.deepStrictEqual(yield* bob.device.blobs.list, [])
    })
  )

  it.live("finds a file by its entry's id, by its path, and by its ticket", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      yield* serving(alice)
      const content = contentOf(70_000)
      const file = { ...fileOf(content, "q3.pdf"), folder: "reports/2026" }
      const share = yield* alice.chat.share({ file, with: ["bob"] })
      yield* alice.chat.flush
      const offer = yield* offerTo(bob, share)
      yield* bob.chat.refreshContact("alice")
      const names = [`@alice/${share.id}`, "@alice@home.test/reports/2026/q3.pdf", String(offer.body["ticket"])]
      for (const what of [...names, `@alice/${offer.id}`]) {
        assert.strictEqual((yield* fetched(bob, what)).at(-1)?.state, "complete", what)
        assert.deepStrictEqual(yield* contentAt(bob, what), content)
        yield* bob.chat.discard(what)
        assert.deepStrictEqual(yield* bob.device.blobs.list, [])
      }
    })
  )

  it.live("reports why a file cannot be found", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      const code = (what: string) => Effect.map(Effect.flip(Stream.runDrain(bob.chat.fetch(what))), codeOf)
      assert.strictEqual(yield* code("AAAAAAAAAAAAAAAAAAAAAA"), "file_not_found")
      assert.strictEqual(yield* code("@alice/nothing.pdf"), "file_not_found")
      assert.strictEqual(yield* code("@nobody/nothing.pdf"), "ContactUnknown")
      assert.strictEqual(yield* code("report.pdf"), "file_not_found")
      assert.strictEqual(yield* code("blobaaaa"), "ticket_malformed")
      const endpoint = keyOf(alice.account.primary)
      const ticket = Ticket.encode({ endpoint, addresses: [], format: "raw", hash: new Uint8Array(32).fill(1) })
      assert.strictEqual(yield* code(ticket), "no_content_key")
    })
  )

  it.live("fetches one blob once, however many wait for it", () =>
    Effect.gen(function* () {
      const { alice, bob, gate, reads } = yield* watchedFriends(makeWorld())
      yield* serving(alice)
      const content = contentOf(500_000)
      const { offer } = yield* sharedWithBob({ alice, bob }, fileOf(content))
      gate.readsLeft = 5
      const one = yield* follow(bob, offer.id)
      yield* one.reaches("receiving")
      const two = yield* follow(bob, `@alice/${offer.id}`)
      yield* two.reaches("receiving")
      yield* one.stop
      gate.readsLeft = Infinity
      yield* two.done
      assert.strictEqual(
        reads.reduce((sum, { length }) => sum + length, 0),
        FileCipher.blobLength(content.length)
      )
      assert.deepStrictEqual(yield* contentAt(bob, offer.id), content)
    })
  )

  it.live("serves two readers at once", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const carol = yield* join(world, "carol")
      yield* carol.chat.addContact("alice")
      yield* alice.chat.addContact("carol")
      yield* serving(alice)
      const content = contentOf(400_000)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob", "carol"] })
      yield* Effect.forEach(
        [bob, carol],
        (reader) =>
          Effect.gen(function* () {
            const offer = yield* offerTo(reader, share)
            yield* fetched(reader, offer.id)
            assert.deepStrictEqual(yield* contentAt(reader, offer.id), content)
          }),
        { concurrency: 2 }
      )
      // Either of them may be the last.
      yield* alice.program.event("Served", ({ share }) =>
        share.readers.every(({ fetchedAt }) => fetchedAt !== undefined)
      )
    })
  )
})
