/** Fetches that are interrupted, wait, and go on where they stopped. */
import { Effect, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { ChunkRanges, FileCipher } from "@kez-chat/sdk/protocol"
import { type BlobStore, BlobStoreError } from "@kez-chat/sdk/services"
import {
  arrived,
  contentAt,
  contentOf,
  fetched,
  fileOf,
  follow,
  hashOf,
  serving,
  sharedWithBob,
  watched,
  watchedFriends
} from "../../kit/Files.ts"
import { keyOf, makeWorld, newDevice, twoFriends } from "../../kit/People.ts"

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

/** No provider read anything of what was here already. */
const assertNotIn = (have: ChunkRanges.ChunkRanges, reads: ReadonlyArray<{ offset: number; length: number }>) => {
  assert.isNotEmpty(reads)
  for (const { offset, length } of reads) {
    const asked = ChunkRanges.ofBytes(offset, offset + length)
    assert.isTrue(ChunkRanges.isEmpty(ChunkRanges.intersection(asked, have)), `${offset} was here already`)
  }
}

describe("interrupted fetches", () => {
  it.live("resume where the receiver's last run stopped, and request no group twice", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob, gate, reads } = yield* watchedFriends(world)
      yield* serving(alice)
      const content = contentOf(1_000_000)
      const { offer, share } = yield* sharedWithBob({ alice, bob }, fileOf(content))
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

  it.live("resume by themselves when the sender comes back, and request no group twice", () =>
    Effect.gen(function* () {
      const world = makeWorld({ limits: brisk })
      const { alice, bob, gate, reads } = yield* watchedFriends(world)
      yield* serving(alice)
      const content = contentOf(1_000_000)
      const { offer, share } = yield* sharedWithBob({ alice, bob }, fileOf(content))
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

  it.live("notice that a silent device was restarted, and do not wait for its answer to time out", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { device, gate } = watched(newDevice())
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
      const { alice, bob } = yield* twoFriends(world, { alice: device, bob: { ...newDevice(), transport } })
      yield* serving(alice)
      const content = contentOf(1_000_000)
      const { offer } = yield* sharedWithBob({ alice, bob }, fileOf(content))
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

  it.live("wait for an owner who is away, say so, and resume within moments of their return", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const content = contentOf(50_000)
      const { offer } = yield* sharedWithBob({ alice, bob }, fileOf(content))
      yield* alice.program.close
      const fetching = yield* follow(bob, offer.id)
      // Ten seconds: how long a fetch waits for an answer.
      yield* fetching.reaches("waiting")
      assert.match(fetching.steps.at(-1)!.reason!, /^their device does not answer: .*; next attempt in 1 min$/)
      const returned = yield* world.start(alice.device)
      yield* serving(returned)
      yield* fetching.done
      assert.deepStrictEqual(yield* contentAt(bob, offer.id), content)
    })
  )

  it.live("wait while this device is offline, and say so", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* serving(alice)
      const { offer } = yield* sharedWithBob({ alice, bob }, fileOf(contentOf(10)))
      world.broker.setOnline(false, keyOf(bob.account.primary))
      const fetching = yield* follow(bob, offer.id)
      yield* fetching.reaches("waiting", ({ reason }) => reason?.startsWith("you are offline") === true)
      world.broker.setOnline(true, keyOf(bob.account.primary))
      yield* fetching.done
    })
  )

  it.live("end when the disk is full, keep what arrived, and resume from there", () =>
    Effect.gen(function* () {
      const { device: owner, reads } = watched(newDevice())
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
      const { alice, bob } = yield* twoFriends(makeWorld(), { alice: owner, bob: { ...device, blobs } })
      yield* serving(alice)
      const content = contentOf(800_000)
      const { offer, share } = yield* sharedWithBob({ alice, bob }, fileOf(content))
      const error = yield* Effect.flip(Stream.runDrain(bob.chat.fetch(offer.id)))
      assert.strictEqual(error._tag === "BlobStoreError" && error.reason, "full")
      const have = yield* arrived(device.blobs, hashOf(share.blobHash), FileCipher.blobLength(content.length))
      reads.length = 0
      room = Infinity
      const steps = yield* fetched(bob, offer.id)
      assert.isAbove(steps[0]!.haveBytes, 200_000)
      assertNotIn(have, reads)
      assert.deepStrictEqual(yield* contentAt(bob, offer.id), content)
    })
  )
})
