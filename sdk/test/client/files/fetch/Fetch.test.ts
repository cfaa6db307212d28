/** Files from device to device: clients at one home, joined by a net inside this process. */
import { Cause, Effect, Exit, Redacted, Result, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import type { KezChatError } from "@kez-chat/sdk"
import { WrappedKey } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, ChunkRanges, FileCipher, PrimaryKey, Ticket } from "@kez-chat/sdk/protocol"
import { type BlobStore, BlobStoreError, BlobTransport, noFiles } from "@kez-chat/sdk/services"
import { arrived, contentAt, contentOf, fileOf, follow, offerTo, serving, watched } from "../../kit/Files.ts"
import { ghost } from "../../kit/Ghost.ts"
import { identityOf, join, makeWorld, newDevice, newWords, twoFriends, type World } from "../../kit/People.ts"

/** A net whose dead devices are noticed soon. */
const brisk = {
  connections: 64,
  connectionsPerPeer: 4,
  requests: 64,
  requestsPerPeer: 8,
  requestMillis: 10_000,
  stallMillis: 30_000,
  dialMillis: 500,
  keepMillis: 100
}

const keyOf = (primary: string) => Result.getOrThrow(PrimaryKey.parseEd25519(primary))
const hashOf = (blobHash: string) => blobHash.slice("blake3:".length)

const failureOf = <A>(effect: Effect.Effect<A, KezChatError>) =>
  Effect.map(Effect.exit(effect), (exit) => {
    const error = Exit.isFailure(exit) ? Cause.findErrorOption(exit.cause) : undefined
    if (error?._tag !== "Some") return assert.fail("it should have failed")
    return error.value
  })

const fetched = (person: Parameters<typeof follow>[0], what: string) =>
  Effect.flatMap(follow(person, what), ({ done, steps }) => Effect.as(done, steps))

/** No provider read anything of what was here already. */
const assertNotIn = (have: ChunkRanges.ChunkRanges, reads: ReadonlyArray<{ offset: number; length: number }>) => {
  assert.isNotEmpty(reads)
  for (const { offset, length } of reads) {
    const asked = ChunkRanges.ofBytes(offset, offset + length)
    assert.isTrue(ChunkRanges.isEmpty(ChunkRanges.intersection(asked, have)), `${offset} was here already`)
  }
}

/** A person on this device. */
const joinOn = (world: World, device: ReturnType<typeof newDevice>, handle: string) =>
  Effect.gen(function* () {
    const words = newWords()
    const program = yield* world.start(device)
    const account = yield* program.chat.create({ handle, words })
    return { device, words, program, account, chat: program.chat }
  })

/** Alice, whose blobs are watched, and Bob, who have added each other. */
const watchedFriends = (world: World) =>
  Effect.gen(function* () {
    const { device, gate, reads } = watched(newDevice())
    const alice = yield* joinOn(world, device, "alice")
    const bob = yield* join(world, "bob")
    yield* alice.chat.addContact("bob")
    yield* bob.chat.addContact("alice")
    return { alice, bob, gate, reads }
  })

describe("fetching", () => {
  it.live.each([0, 1, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 300_000])("brings a file of %d bytes", (size) =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      const content = contentOf(size)
      yield* serving(alice)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob"] })
      const offer = yield* offerTo(bob, share)
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

  it.live("goes by the entry's id, by its path, and by the ticket", () =>
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

  it.live("says what it cannot find", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      const code = (what: string) =>
        Effect.map(failureOf(Stream.runDrain(bob.chat.fetch(what))), (error) =>
          error._tag === "Problem" ? error.code : error._tag
        )
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

  it.live("goes on where the receiver's last run stopped, and asks for no group again", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob, gate, reads } = yield* watchedFriends(world)
      yield* serving(alice)
      const content = contentOf(1_000_000)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob"] })
      const offer = yield* offerTo(bob, share)
      gate.readsLeft = 20
      const first = yield* follow(bob, offer.id)
      yield* first.reaches("receiving")
      yield* bob.program.close
      const bytes = FileCipher.blobLength(content.length)
      const have = yield* arrived(bob.device.blobs, hashOf(share.blobHash), bytes)
      assert.isFalse(ChunkRanges.isEmpty(have))
      reads.length = 0
      gate.readsLeft = Infinity

      const again = yield* world.start(bob.device)
      const steps = yield* fetched(again, offer.id)
      assert.isAbove(steps[0]!.haveBytes, 0)
      assertNotIn(have, reads)
      assert.deepStrictEqual(yield* contentAt(again, offer.id), content)
    })
  )

  it.live("goes on by itself when the sender comes back, and asks for no group again", () =>
    Effect.gen(function* () {
      const world = makeWorld({ limits: brisk })
      const { alice, bob, gate, reads } = yield* watchedFriends(world)
      yield* serving(alice)
      const content = contentOf(1_000_000)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob"] })
      const offer = yield* offerTo(bob, share)
      gate.readsLeft = 20
      const fetching = yield* follow(bob, offer.id)
      yield* fetching.reaches("receiving")
      yield* alice.program.close
      yield* fetching.reaches("waiting", ({ reason }) => reason?.startsWith("the connection broke") === true)
      const partial = yield* bob.device.blobs.info(hashOf(share.blobHash))
      assert.strictEqual(partial?.complete, false)
      const have = fetching.steps.at(-1)!.haveBytes
      assert.isAbove(have, 0)
      reads.length = 0
      gate.readsLeft = Infinity
      const again = yield* world.start(alice.device)
      yield* serving(again)
      yield* fetching.done
      // Bytes arrive in order, so what is here is a beginning.
      assertNotIn(ChunkRanges.ofBytes(0, have), reads)
      assert.deepStrictEqual(yield* contentAt(bob, offer.id), content)
    })
  )

  it.live("notices that a device which fell silent was started anew, and does not wait for the silence to end", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { device, gate } = watched(newDevice())
      const alice = yield* joinOn(world, device, "alice")
      // Bob's side of a connection to a machine without power: no end, no error, nothing.
      let isFirst = true
      const transport: typeof world.net.transport = {
        open: (secret) =>
          Effect.map(world.net.transport.open(secret), (endpoint) => ({
            ...endpoint,
            fetch: (options) => {
              const answer = endpoint.fetch(options)
              if (!isFirst) return answer
              isFirst = false
              return answer.pipe(Stream.catch(() => Stream.never))
            }
          }))
      }
      const bob = yield* joinOn(world, { ...newDevice(), transport }, "bob")
      yield* alice.chat.addContact("bob")
      yield* bob.chat.addContact("alice")
      yield* serving(alice)
      const content = contentOf(1_000_000)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob"] })
      const offer = yield* offerTo(bob, share)
      gate.readsLeft = 20
      const fetching = yield* follow(bob, offer.id)
      yield* fetching.reaches("receiving")
      yield* alice.program.close
      gate.readsLeft = Infinity
      yield* fetching.reaches("waiting", ({ reason }) => reason?.startsWith("nothing arrives any more") === true)
      yield* serving(yield* world.start(alice.device))
      yield* fetching.done
      assert.deepStrictEqual(yield* contentAt(bob, offer.id), content)
    })
  )

  it.live("waits for an owner who is away, says so, and goes on within moments of their return", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const content = contentOf(50_000)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob"] })
      const offer = yield* offerTo(bob, share)
      yield* alice.program.close
      const fetching = yield* follow(bob, offer.id)
      // Ten seconds: so long an answer is waited for.
      yield* fetching.reaches("waiting")
      assert.match(fetching.steps.at(-1)!.reason!, /^their device does not answer: .*; next attempt in 1 min$/)
      const returned = yield* world.start(alice.device)
      yield* serving(returned)
      yield* fetching.done
      assert.deepStrictEqual(yield* contentAt(bob, offer.id), content)
    })
  )

  it.live("waits while this device is offline, and says so", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* serving(alice)
      const share = yield* alice.chat.share({ file: fileOf(contentOf(10)), with: ["bob"] })
      const offer = yield* offerTo(bob, share)
      world.broker.setOnline(false, keyOf(bob.account.primary))
      const fetching = yield* follow(bob, offer.id)
      yield* fetching.reaches("waiting", ({ reason }) => reason?.startsWith("you are offline") === true)
      world.broker.setOnline(true, keyOf(bob.account.primary))
      yield* fetching.done
    })
  )

  it.live("ends with a clear error when the owner has taken the file back", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      yield* serving(alice)
      const share = yield* alice.chat.share({ file: fileOf(contentOf(10)), with: ["bob"] })
      const offer = yield* offerTo(bob, share)
      yield* alice.chat.unshare(share.id)
      const error = yield* failureOf(Stream.runDrain(bob.chat.fetch(offer.id)))
      assert.strictEqual(error._tag, "BlobTransportError")
      assert.match(error.message, /alice@home\.test does not give this file to you: it is no longer shared/)
    })
  )

  it.live("gives nothing to a contact who was blocked, not even where the device is", () =>
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

  it.live("takes nothing from strangers until they are accepted", () =>
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
      const error = yield* failureOf(Stream.runDrain(bob.chat.fetch(request.message.id)))
      assert.deepStrictEqual(error._tag === "FetchBlocked" && error.reason, "requested")
      yield* bob.chat.accept("carol")
      assert.strictEqual((yield* fetched(bob, request.message.id)).at(-1)?.state, "complete")
    })
  )

  it.live("takes nothing from whom the user blocked, and leaves what is here", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      yield* serving(alice)
      const one = yield* alice.chat.share({ file: fileOf(contentOf(10)), with: ["bob"] })
      const two = yield* alice.chat.share({ file: fileOf(contentOf(20)), with: ["bob"] })
      const offers = [(yield* offerTo(bob, one)).id, (yield* offerTo(bob, two)).id] as const
      yield* fetched(bob, offers[0])
      yield* bob.chat.block("alice")
      const error = yield* failureOf(Stream.runDrain(bob.chat.fetch(offers[1])))
      assert.strictEqual(error._tag === "FetchBlocked" && error.reason, "blocked")
      assert.deepStrictEqual(yield* contentAt(bob, offers[0]), contentOf(10))
    })
  )

  it.live("KEZ-FIL-011 shows what is offered as its owner signed it, fit for showing", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      const thumbnail = contentOf(300)
      const name = "invoice\u202Efdp.exe"
      const share = yield* alice.chat.share({ file: { ...fileOf(contentOf(10), name), thumbnail }, with: ["bob"] })
      const offer = yield* offerTo(bob, share)
      const { blobHash } = share
      assert.deepStrictEqual(offer.file, { name, mediaType: "application/pdf", size: 10, blobHash, thumbnail })
      assert.strictEqual(offer.text, "invoice\uFFFDfdp.exe")
      const [own] = yield* alice.chat.history("bob")
      assert.deepStrictEqual(own?.file, offer.file)
      const [kept] = yield* bob.chat.history("alice")
      assert.deepStrictEqual(kept?.file, offer.file)
    })
  )

  it.live("lets no stranger take the place of somebody's offer by using its id", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* serving(alice)
      const content = contentOf(10)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob"] })
      const offer = yield* offerTo(bob, share)
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
      const error = yield* failureOf(Stream.runDrain(bob.chat.fetch(offer.id)))
      assert.strictEqual(error._tag === "Problem" && error.code, "file_not_found")
      assert.match(error.message, /several people/)
      assert.strictEqual((yield* fetched(bob, `@alice/${offer.id}`)).at(-1)?.state, "complete")
    })
  )

  it.live("opens nothing with a stolen ticket: no bytes without being a reader, and no key with the bytes", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob, reads } = yield* watchedFriends(world)
      const carol = yield* join(world, "carol")
      yield* carol.chat.addContact("alice")
      yield* alice.chat.addContact("carol")
      yield* serving(alice)
      const share = yield* alice.chat.share({ file: fileOf(contentOf(10_000)), with: ["bob"] })
      const offer = yield* offerTo(bob, share)
      const ticket = String(offer.body["ticket"])
      const code = (error: KezChatError) => (error._tag === "Problem" ? error.code : error._tag)
      assert.strictEqual(code(yield* failureOf(Stream.runDrain(carol.chat.fetch(ticket)))), "no_content_key")

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
      assert.strictEqual(code(yield* failureOf(Stream.runDrain(carol.chat.read(ticket)))), "no_content_key")
      const identity = yield* identityOf(carol.words)
      const wrapped = Result.getOrThrow(Bytes.fromBase64Url(String(offer.body["wrapped_content_key"])))
      const binding = { blobHash: Result.getOrThrow(Bytes.fromHex(hash)), owner: keyOf(alice.account.primary) }
      const opened = yield* Effect.result(
        Effect.provide(WrappedKey.unwrap(identity, binding, wrapped), NodeCrypto.layer)
      )
      assert.strictEqual(Result.isFailure(opened) && opened.failure.code, "content_key_invalid")
    })
  )

  it.live("ends where an owner sends other bytes than they offered, and says whose fault it is", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const honest = newDevice()
      const other = new Map<string, string>()
      const blobs: BlobStore["Service"] = {
        ...honest.blobs,
        open: (hash) => honest.blobs.open(other.get(hash) ?? hash)
      }
      const alice = yield* joinOn(world, { ...honest, blobs }, "alice")
      const bob = yield* join(world, "bob")
      yield* alice.chat.addContact("bob")
      yield* bob.chat.addContact("alice")
      yield* serving(alice)
      const share = yield* alice.chat.share({ file: fileOf(contentOf(100_000)), with: ["bob"] })
      const decoy = yield* alice.chat.share({ file: fileOf(contentOf(100_000, 1)), with: ["bob"] })
      other.set(hashOf(share.blobHash), hashOf(decoy.blobHash))
      const offer = yield* offerTo(bob, share)
      const error = yield* failureOf(Stream.runDrain(bob.chat.fetch(offer.id)))
      assert.strictEqual(error._tag === "Problem" && error.code, "blob_mismatch")
      assert.match(error.message, /the device of alice@home\.test sent other bytes than the file it offered/)
      const kept = yield* arrived(bob.device.blobs, hashOf(share.blobHash), FileCipher.blobLength(100_000))
      assert.isTrue(ChunkRanges.isEmpty(kept))
    })
  )

  it.live("fetches one blob once, however many wait for it", () =>
    Effect.gen(function* () {
      const { alice, bob, gate, reads } = yield* watchedFriends(makeWorld())
      yield* serving(alice)
      const content = contentOf(500_000)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob"] })
      const offer = yield* offerTo(bob, share)
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

  it.live("ends when the disk is full, keeps what arrived, and goes on from there", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, reads } = yield* watchedFriends(world)
      const device = newDevice()
      let room = 300_000
      const blobs: BlobStore["Service"] = {
        ...device.blobs,
        resume: (hash, size) =>
          Effect.map(device.blobs.resume(hash, size), (partial) => ({
            get have() {
              return partial.have
            },
            complete: partial.complete,
            write: (items) =>
              Effect.suspend(() => {
                for (const item of items) if (item.kind === "leaf") room -= item.bytes.length
                return room < 0
                  ? Effect.fail(new BlobStoreError({ reason: "full", detail: "no space left" }))
                  : partial.write(items)
              })
          }))
      }
      const dave = yield* joinOn(world, { ...device, blobs }, "dave")
      yield* dave.chat.addContact("alice")
      yield* alice.chat.addContact("dave")
      yield* serving(alice)
      const content = contentOf(800_000)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["dave"] })
      const offer = yield* offerTo(dave, share)
      const error = yield* failureOf(Stream.runDrain(dave.chat.fetch(offer.id)))
      assert.strictEqual(error._tag === "BlobStoreError" && error.reason, "full")
      const have = yield* arrived(device.blobs, hashOf(share.blobHash), FileCipher.blobLength(content.length))
      reads.length = 0
      room = Infinity
      const steps = yield* fetched(dave, offer.id)
      assert.isAbove(steps[0]!.haveBytes, 200_000)
      assertNotIn(have, reads)
      assert.deepStrictEqual(yield* contentAt(dave, offer.id), content)
    })
  )
})

describe("what was fetched", () => {
  it.live("can be read once it is whole, also when its owner took it back, until it is discarded", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      yield* serving(alice)
      const content = contentOf(200_000)
      const share = yield* alice.chat.share({ file: fileOf(content, "plan.txt"), with: ["bob"] })
      yield* alice.chat.flush
      const offer = yield* offerTo(bob, share)
      const early = yield* failureOf(Stream.runDrain(bob.chat.read(offer.id)))
      assert.strictEqual(early._tag === "BlobStoreError" && early.reason, "missing")
      yield* bob.chat.refreshContact("alice")
      yield* fetched(bob, "@alice/plan.txt")
      yield* alice.chat.unshare(share.id)
      yield* alice.chat.flush
      yield* bob.chat.refreshContact("alice")
      assert.deepStrictEqual((yield* bob.chat.browse("alice")).files, [])
      for (const what of [offer.id, "@alice/plan.txt", `@alice/${share.id}`]) {
        assert.deepStrictEqual(yield* contentAt(bob, what), content, what)
      }
      yield* bob.chat.discard("@alice/plan.txt")
      assert.deepStrictEqual(yield* bob.device.blobs.list, [])
      const late = yield* failureOf(Stream.runDrain(bob.chat.read("@alice/plan.txt")))
      assert.strictEqual(late._tag === "Problem" && late.code, "file_not_found")
    })
  )

  it.live("may be one's own, which is here already and cannot be discarded", () =>
    Effect.gen(function* () {
      const { alice } = yield* twoFriends(makeWorld())
      const content = contentOf(100)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob"] })
      const [message] = yield* alice.chat.history("bob")
      for (const what of [message!.id, `@alice/${share.id}`]) {
        assert.strictEqual((yield* fetched(alice, what)).at(-1)?.state, "complete")
        yield* alice.chat.discard(what)
        assert.deepStrictEqual(yield* contentAt(alice, what), content)
      }
    })
  )

  it.live("may lie on another device of one's own, which cannot be asked for it", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      yield* serving(alice)
      yield* alice.chat.share({ file: fileOf(contentOf(100)), with: ["bob"] })
      yield* alice.chat.flush
      const [message] = yield* alice.chat.history("bob")
      const tablet = yield* world.start(newDevice())
      yield* tablet.chat.restore({ words: alice.words })
      yield* tablet.chat.sync
      for (const what of [message!.id, "@alice/report.pdf"]) {
        const error = yield* failureOf(Stream.runDrain(tablet.chat.fetch(what)))
        assert.strictEqual(error._tag === "BlobStoreError" && error.reason, "missing", what)
        assert.match(error.message, /another device of this account/)
      }
    })
  )

  it.live("stays when somebody offers us what is ours", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      const content = contentOf(100)
      const share = yield* alice.chat.share({ file: fileOf(content), with: ["bob"] })
      const mallory = yield* ghost(67)
      const to = keyOf(alice.account.primary)
      const hash = Result.getOrThrow(Bytes.fromHex(hashOf(share.blobHash)))
      const binding = { blobHash: hash, owner: mallory.key }
      const wrapped = yield* Effect.provide(
        WrappedKey.wrap(Redacted.make(new Uint8Array(32)), binding, to),
        NodeCrypto.layer
      )
      const body = {
        type: "file_share" as const,
        filename: "yours.pdf",
        media_type: "application/pdf",
        size: 100,
        blob_hash: share.blobHash,
        ticket: Ticket.encode({ endpoint: mallory.key, addresses: [], format: "raw", hash }),
        wrapped_content_key: wrapped,
        self_wrapped_content_key: wrapped,
        chain: { seq: 0, hash: `sha256:${"1".repeat(64)}` }
      }
      world.broker.store(to, yield* mallory.frame({ to, body }))
      const request = yield* alice.program.event("Request")
      yield* alice.chat.accept(mallory.primary)
      yield* alice.chat.discard(request.message.id)
      assert.deepStrictEqual(yield* contentAt(alice, `@alice/${share.id}`), content)
    })
  )

  it.live(
    "is collected at the start when it is a part that nobody touched for thirty days, and goes with the account",
    () =>
      Effect.gen(function* () {
        const world = makeWorld()
        const { alice, bob, gate } = yield* watchedFriends(world)
        yield* serving(alice)
        const whole = yield* alice.chat.share({ file: fileOf(contentOf(10)), with: ["bob"] })
        yield* fetched(bob, (yield* offerTo(bob, whole)).id)
        gate.readsLeft = 8
        const part = yield* alice.chat.share({ file: fileOf(contentOf(200_000)), with: ["bob"] })
        const fetching = yield* follow(bob, (yield* offerTo(bob, part)).id)
        yield* fetching.reaches("receiving")
        yield* bob.program.close
        assert.strictEqual((yield* bob.device.blobs.list).length, 2)
        const old = 31 * 24 * 60 * 60 * 1000
        const blobs: BlobStore["Service"] = {
          ...bob.device.blobs,
          list: Effect.map(bob.device.blobs.list, (infos) =>
            infos.map((info) => ({ ...info, writtenAt: info.writtenAt - old }))
          )
        }
        const again = yield* world.start({ ...bob.device, blobs })
        while ((yield* blobs.list).length > 1) yield* Effect.sleep(5)
        assert.deepStrictEqual(
          (yield* blobs.list).map(({ hash }) => hash),
          [hashOf(whole.blobHash)]
        )
        yield* again.chat.deleteAccount
        assert.deepStrictEqual(yield* blobs.list, [])
      })
  )

  it.live("says at once where this client has no way to fetch, and asks nobody", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const transport = yield* BlobTransport.pipe(Effect.provide(noFiles))
      const alice = yield* join(world, "alice")
      const page = yield* joinOn(world, { ...newDevice(), transport }, "page")
      yield* alice.chat.addContact("page")
      yield* page.chat.addContact("alice")
      const share = yield* alice.chat.share({ file: fileOf(contentOf(10)), with: ["page"] })
      const offer = yield* offerTo(page, share)
      yield* page.chat.flush
      const before = world.broker.stored(keyOf(alice.account.primary)).length
      for (const failing of [Stream.runDrain(page.chat.fetch(offer.id)), page.chat.serve]) {
        const error = yield* failureOf<void>(failing)
        assert.strictEqual(error._tag === "BlobTransportError" && error.reason, "unavailable")
        assert.match(error.message, /does not send or fetch files/)
      }
      assert.strictEqual(world.broker.stored(keyOf(alice.account.primary)).length, before)
    })
  )

  it.live("needs no network where the client is to use none", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* serving(alice)
      const one = yield* alice.chat.share({ file: fileOf(contentOf(10)), with: ["bob"] })
      const two = yield* alice.chat.share({ file: fileOf(contentOf(20)), with: ["bob"] })
      const offers = [(yield* offerTo(bob, one)).id, (yield* offerTo(bob, two)).id] as const
      yield* fetched(bob, offers[0])
      yield* bob.program.close
      const offline = yield* world.start(bob.device, { offline: true })
      assert.strictEqual((yield* fetched(offline, offers[0])).at(-1)?.state, "complete")
      assert.deepStrictEqual(yield* contentAt(offline, offers[0]), contentOf(10))
      const error = yield* failureOf(Stream.runDrain(offline.chat.fetch(offers[1])))
      assert.strictEqual(error._tag, "BrokerUnavailable")
      assert.strictEqual((yield* failureOf(offline.chat.serve))._tag, "BrokerUnavailable")
    })
  )
})
