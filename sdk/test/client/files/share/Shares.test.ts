/** Sharing files: what is kept, offered, listed and exported, and taking shares back. */
import { Effect, Redacted, Result, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import type { FileSource } from "@kez-chat/sdk"
import { SealedFile, WrappedKey } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, FileCipher, KeyAdmission, Ticket } from "@kez-chat/sdk/protocol"
import { completeIn, hashOf, unreadable } from "../../kit/Files.ts"
import { codeOf, identityOf, join, makeWorld, twoFriends } from "../../kit/People.ts"
import { file } from "../../kit/Publishing.ts"

describe("sharing a file", () => {
  it.live("keeps the blob, offers it without a byte of it, and lists it", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const progress: Array<number> = []
      const share = yield* alice.chat.share({
        file: file("report.txt", "hello bob", { mediaType: "text/plain" }),
        with: ["bob"],
        onProgress: (bytes) => progress.push(bytes)
      })
      assert.deepInclude(share, {
        name: "report.txt",
        mediaType: "text/plain",
        size: 9,
        listed: "readers",
        manifest: "pending",
        here: true
      })
      assert.deepStrictEqual(share.readers, [{ primary: bob.account.primary, handle: "bob@home.test", sentBytes: 0 }])
      assert.deepStrictEqual(progress, [9])
      assert.deepStrictEqual(yield* completeIn(alice.device.blobs), [hashOf(share.blobHash)])
      const { message } = yield* bob.program.event("Message", ({ message }) => message.type === "file_share")
      assert.deepInclude(message.body, { filename: "report.txt", size: 9, blob_hash: share.blobHash })
      assert.deepStrictEqual(yield* bob.device.blobs.list, [])
      yield* alice.program.event("Shared", (event) => event.share.manifest === "published")
      assert.deepStrictEqual(yield* alice.chat.shared, [{ ...share, manifest: "published" }])
      const own = yield* alice.program.event("Message", ({ message }) => message.type === "file_share")
      assert.strictEqual(own.message.direction, "out")
      const listing = yield* bob.chat.browse("alice")
      assert.deepInclude(listing, { revision: 1, source: "home" })
      assert.deepStrictEqual(listing.files, [
        {
          id: share.id,
          name: "report.txt",
          mediaType: "text/plain",
          size: 9,
          blobHash: share.blobHash,
          sharedAt: Math.floor(share.sharedAt / 1_000) * 1_000,
          public: false
        }
      ])
    })
  )

  it.live(
    "replaces the older share of a path for everybody who may fetch the newer one (KEZ-MAN-040, KEZ-MAN-041)",
    () =>
      Effect.gen(function* () {
        const world = makeWorld()
        const { alice, bob } = yield* twoFriends(world)
        const share = (text: string, more: Partial<FileSource> = {}) =>
          alice.chat.share({ file: file("a.txt", text, { folder: "f", ...more }), with: ["bob"] })
        // In one second: readers tell them apart all the same.
        const [first, second, elsewhere] = [
          yield* share("one"),
          yield* share("two"),
          yield* share("three", { folder: "g" })
        ]
        assert.isAbove(Math.floor(second.sharedAt / 1_000), Math.floor(first.sharedAt / 1_000))
        const replaced = (files: ReadonlyArray<{ readonly id: string; readonly replacedBy?: string }>) =>
          Object.fromEntries(files.map(({ id, replacedBy }) => [id, replacedBy]))
        const expected = { [first.id]: second.id, [second.id]: undefined, [elsewhere.id]: undefined }
        assert.deepStrictEqual(replaced(yield* alice.chat.shared), expected)
        yield* alice.chat.flush
        assert.deepStrictEqual(replaced((yield* bob.chat.browse("alice")).files), expected)
        // The path leads to the newest, an id to each.
        const isText = (what: string, text: string) => bob.chat.matches(what, file(text).bytes)
        assert.isTrue(yield* isText("@alice/f/a.txt", "two"))
        assert.isTrue(yield* isText(`@alice/${first.id}`, "one"))
        for (const other of ["one", "tw", "two ", "", "twotwo"]) assert.isFalse(yield* isText("@alice/f/a.txt", other))
        assert.strictEqual(codeOf(yield* Effect.flip(isText("@alice/none", ""))), "file_not_found")
        assert.strictEqual(
          codeOf(yield* Effect.flip(bob.chat.matches("@alice/f/a.txt", unreadable.bytes))),
          "FileError"
        )
        // Nothing was fetched, and the owner may ask the same of their own.
        assert.deepStrictEqual(yield* bob.device.blobs.list, [])
        assert.isTrue(yield* alice.chat.matches("@alice/f/a.txt", file("two").bytes))
      })
  )

  it.live(
    "names only our own device in the ticket, and wraps a new key for reader and author (KEZ-FIL-001, KEZ-FIL-008)",
    () =>
      Effect.gen(function* () {
        const world = makeWorld()
        const { alice, bob } = yield* twoFriends(world)
        const shares = [
          yield* alice.chat.share({ file: file("same"), with: ["bob"] }),
          yield* alice.chat.share({ file: file("same"), with: ["bob"] })
        ]
        assert.notStrictEqual(shares[0]!.blobHash, shares[1]!.blobHash)
        yield* alice.chat.flush
        yield* bob.chat.sync
        const owner = Result.getOrThrow(KeyAdmission.admitHex(alice.account.primary.slice(8)))
        for (const message of yield* bob.chat.history("alice")) {
          const ticket = Result.getOrThrow(Ticket.decode(String(message.body["ticket"])))
          assert.deepInclude(ticket, { addresses: [], format: "raw" })
          assert.strictEqual(ticket.endpoint.hex, owner.hex)
          assert.isUndefined(ticket.relayUrl)
          const binding = { blobHash: ticket.hash, owner }
          for (const [words, member] of [
            [bob.words, "wrapped_content_key"],
            [alice.words, "self_wrapped_content_key"]
          ] as const) {
            const wrapped = Result.getOrThrow(Bytes.fromBase64Url(String(message.body[member])))
            const key = yield* WrappedKey.unwrap(yield* identityOf(words), binding, wrapped)
            const blob = yield* Effect.scoped(
              Effect.flatMap(alice.device.blobs.open(Bytes.toHex(ticket.hash)), (blob) =>
                blob.read(0, FileCipher.blobLength(4))
              )
            )
            const plain = yield* Stream.runCollect(SealedFile.decrypt(key, 4, Stream.succeed(blob)))
            assert.strictEqual(new TextDecoder().decode(Bytes.concat(...plain)), "same")
          }
        }
      }).pipe(Effect.provide(NodeCrypto.layer))
  )

  it.live("is for nobody but its readers, for everybody, or unlisted", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const carol = yield* join(world, "carol")
      yield* alice.chat.addContact("carol")
      yield* carol.chat.addContact("alice")
      yield* alice.chat.share({ file: file("for-bob", "b"), with: ["bob"] })
      yield* alice.chat.share({ file: file("for-carol", "c"), with: ["carol", "carol"] })
      yield* alice.chat.share({ file: file("for-all", "p", { folder: "deep/down" }), public: true })
      const secret = yield* alice.chat.share({ file: file("unlisted", "u"), with: ["bob"], unlisted: true })
      assert.strictEqual(secret.manifest, "none")
      yield* alice.chat.flush
      const names = (who: typeof bob, whom = "alice") =>
        Effect.map(who.chat.browse(whom), ({ files }) => files.map(({ name }) => name).sort())
      assert.deepStrictEqual(yield* names(bob), ["for-all", "for-bob"])
      assert.deepStrictEqual(yield* names(carol), ["for-all", "for-carol"])
      assert.deepStrictEqual(yield* names(alice), ["for-all", "for-bob", "for-carol"])
      const open = (yield* carol.chat.browse("alice")).files.find(({ name }) => name === "for-all")!
      assert.deepInclude(open, { public: true, folder: "deep/down" })
      yield* bob.chat.sync
      assert.deepStrictEqual(
        (yield* bob.chat.history("alice")).map(({ body }) => body["filename"]),
        ["for-bob", "unlisted"]
      )
      yield* carol.chat.sync
      assert.deepStrictEqual(
        (yield* carol.chat.history("alice")).map(({ body }) => body["filename"]),
        ["for-carol"]
      )
    })
  )

  it.live("works offline; offers and manifest go out when there is a network", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.program.close
      const offline = yield* world.start(alice.device, { offline: true })
      const share = yield* offline.chat.share({ file: file("later"), with: ["bob"] })
      assert.strictEqual(share.manifest, "pending")
      yield* offline.close
      assert.deepStrictEqual((yield* bob.chat.browse("alice")).files, [])
      const again = yield* world.start(alice.device)
      yield* again.event("Shared", (event) => event.share.id === share.id && event.share.manifest === "published")
      yield* bob.program.event("Message", ({ message }) => message.body["blob_hash"] === share.blobHash)
      assert.strictEqual((yield* bob.chat.browse("alice")).files.length, 1)
    })
  )
})

describe("taking a share back", () => {
  it.live("removes blob, entry and permission; offers stay where they are", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const share = yield* alice.chat.share({ file: file("mistake"), with: ["bob"] })
      const other = yield* alice.chat.share({ file: file("fine"), public: true })
      yield* alice.chat.flush
      const gone = yield* alice.chat.unshare(share.id)
      assert.deepInclude(gone, { id: share.id, manifest: "pending" })
      assert.deepStrictEqual(yield* completeIn(alice.device.blobs), [hashOf(other.blobHash)])
      assert.deepStrictEqual(
        (yield* alice.chat.shared).map(({ id }) => id),
        [other.id]
      )
      yield* alice.program.event("Unshared", (event) => event.share.id === share.id && event.share.manifest === "none")
      assert.deepStrictEqual(
        (yield* bob.chat.browse("alice")).files.map(({ id }) => id),
        [other.id]
      )
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.unshare(share.id))), "file_not_found")
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.unshare("x"))), "file_not_found")
      const keys = (yield* alice.device.store.scan({ prefix: "share" })).map(({ key }) => key)
      assert.deepStrictEqual(keys, [`share/${other.id}`, `shareOf/${hashOf(other.blobHash)}`])
    })
  )

  it.live("leaves no trace of an unlisted share", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      const share = yield* alice.chat.share({ file: file("psst"), with: ["bob"], unlisted: true })
      assert.strictEqual((yield* alice.chat.unshare(share.id)).manifest, "none")
      assert.deepStrictEqual(yield* alice.device.store.scan({ prefix: "share" }), [])
      assert.deepStrictEqual(yield* alice.device.blobs.list, [])
      yield* alice.program.event("Unshared")
    })
  )
})

describe("the export", () => {
  it.live("has shares and manifest, as JSON, and no content key that opens without the seed", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const share = yield* alice.chat.share({
        file: file("one", "one", { thumbnail: Uint8Array.of(7) }),
        with: ["bob"]
      })
      const gone = yield* alice.chat.share({ file: file("two", "two"), with: ["bob"] })
      yield* alice.chat.flush
      yield* alice.chat.unshare(gone.id)
      const items = yield* Stream.runCollect(alice.chat.export)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(items)), items)
      const [exported, ...others] = items.filter(({ kind }) => kind === "share")
      assert.deepStrictEqual(others, [])
      assert.deepInclude(exported, { id: share.id, name: "one", blobHash: share.blobHash })
      assert.strictEqual(items.filter(({ kind }) => kind === "manifest").length, 1)
      const blobHash = Result.getOrThrow(Bytes.fromHex(hashOf(share.blobHash)))
      const wrapped = Result.getOrThrow(Bytes.fromBase64Url(String(exported!["wrappedContentKey"])))
      const owner = Result.getOrThrow(KeyAdmission.admitHex(alice.account.primary.slice(8)))
      const key = yield* WrappedKey.unwrap(yield* identityOf(alice.words), { blobHash, owner }, wrapped)
      assert.notInclude(JSON.stringify(items), Bytes.toBase64Url(Redacted.value(key)))
      const theirs = yield* Stream.runCollect(bob.chat.export)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(theirs)), theirs)
    }).pipe(Effect.provide(NodeCrypto.layer))
  )
})

describe("the end of an account", () => {
  it.live("takes shares, entries and manifests with it", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      yield* alice.chat.share({ file: file("all"), with: ["bob"] })
      yield* alice.chat.flush
      yield* alice.chat.deleteAccount
      assert.deepStrictEqual(
        (yield* alice.device.store.scan({ prefix: "" })).map(({ key }) => key),
        ["version"]
      )
    })
  )
})
