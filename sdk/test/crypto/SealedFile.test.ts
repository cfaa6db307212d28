import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Exit, Redacted, Stream } from "effect"
import * as fc from "fast-check"
import { NodeCrypto } from "../../src/adapters/node/index.ts"
import { FastBlake3, SealedFile, SealedMessage, WrappedKey } from "../../src/crypto/index.ts"
import { Blake3, Body, Bytes, FileCipher, Ticket } from "../../src/protocol/index.ts"
import { Crypto } from "../../src/services/Crypto.ts"
import { alice, bob, carol, codeOf, draft, fixture, frame, head, ok } from "../kits/Accounts.ts"
import { backends } from "../kits/Backends.ts"
import { codeOf as codeOfResult } from "../kits/DecoderKit.ts"
import { checkProperty } from "../kits/Property.ts"

const hasher = await fixture(FastBlake3.load)
const key = Redacted.make(new Uint8Array(32).fill(9), { label: "content key" })
const fileOf = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 13 + (i >> 9)) & 255)

/** Byte strings of a length each, as files are read. */
const cut = (bytes: Uint8Array, length: number) =>
  Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) => bytes.subarray(i * length, (i + 1) * length))

const encrypt = (file: Uint8Array, piece = 50_000) =>
  Effect.gen(function* () {
    const parts: Array<Uint8Array> = []
    const encrypted = yield* SealedFile.encrypt(key, Stream.fromIterable(cut(file, piece)), hasher, (chunk) =>
      Effect.sync(() => void parts.push(chunk.slice()))
    )
    return { ...encrypted, blob: Bytes.concat(...parts) }
  })

const decrypt = (size: number, blob: Uint8Array, piece = 50_000, part?: SealedFile.Part, with_ = key) =>
  Effect.map(Stream.runCollect(SealedFile.decrypt(with_, size, Stream.fromIterable(cut(blob, piece)), part)), (parts) =>
    Bytes.concat(...parts)
  )

const sizes = fc.oneof(fc.constantFrom(0, 1, 65_535, 65_536, 65_537, 131_072, 131_073), fc.nat(300_000))

describe("FileCipher", () => {
  it("KEZ-FIL-002 lays blobs out, and knows the file of every blob length", () => {
    for (const [size, length] of [
      [0, 16],
      [1, 17],
      [65_535, 65_551],
      [65_536, 65_552],
      [65_537, 65_569],
      [1_048_576, 1_048_832]
    ] as const) {
      assert.strictEqual(FileCipher.blobLength(size), length)
    }
    fc.assert(
      fc.property(fc.oneof(sizes, fc.integer({ min: 0, max: 2 ** 50 })), (size) => {
        assert.strictEqual(ok(FileCipher.fileSize(FileCipher.blobLength(size))), size)
      })
    )
    for (const length of [0, 15, 65_553, 65_568, -1, 0.5, 2 ** 60]) {
      assert.strictEqual(codeOfResult(FileCipher.fileSize(length)), "file_undecryptable", String(length))
    }
  })

  it("counts in the nonce and marks the last chunk", () => {
    assert.strictEqual(Bytes.toHex(FileCipher.nonce(0, true)), "000000000000000000000001")
    assert.strictEqual(Bytes.toHex(FileCipher.nonce(0x0102, false)), "000000000000000000010200")
  })
})

layer(NodeCrypto.layer)("SealedFile", (it) => {
  it.effect("KEZ-FIL-001 makes a new key for each file, and hides it", () =>
    Effect.gen(function* () {
      const [a, b] = yield* Effect.all([SealedFile.makeKey, SealedFile.makeKey])
      assert.strictEqual(Redacted.value(a).length, 32)
      assert.notDeepEqual(Redacted.value(a), Redacted.value(b))
      assert.notInclude(String(a) + JSON.stringify(a), Bytes.toHex(Redacted.value(a)))
    })
  )

  it.effect("KEZ-FIL-002 KEZ-FIL-004 encrypts and hashes in one pass and decrypts again, in pieces of any size", () =>
    Effect.gen(function* () {
      yield* checkProperty(
        [sizes, fc.integer({ min: 700, max: 200_000 }), fc.integer({ min: 700, max: 200_000 })],
        Effect.fnUntraced(function* (size, a, b) {
          const file = fileOf(size)
          const { blob, tree, ...rest } = yield* encrypt(file, a)
          assert.strictEqual(rest.size, size)
          assert.strictEqual(blob.length, FileCipher.blobLength(size))
          assert.strictEqual(tree.size, blob.length)
          assert.deepStrictEqual(tree.hash, Blake3.hash(blob, hasher))
          assert.isTrue(Bytes.equal(yield* decrypt(size, blob, b), file))
        }),
        { numRuns: 40 }
      )
    })
  )

  it.effect("decrypts any part of a file", () =>
    Effect.gen(function* () {
      const size = 400_000
      const file = fileOf(size)
      const { blob } = yield* encrypt(file)
      yield* checkProperty(
        [fc.nat(size - 1), fc.nat(size)],
        Effect.fnUntraced(function* (start, length) {
          const end = Math.min(size, start + length + 1)
          const where = FileCipher.locate(size, start, end)
          const plain = yield* decrypt(size, blob.subarray(where.blob.start, where.blob.end), 9999, where)
          const from = where.firstChunk * FileCipher.plainBytes
          assert.isTrue(Bytes.equal(plain.subarray(start - from, end - from), file.subarray(start, end)))
        }),
        { numRuns: 30 }
      )
    })
  )

  it.effect("KEZ-FIL-003 refuses chunks exchanged, left out, repeated, cut off and appended", () =>
    Effect.gen(function* () {
      const size = 3 * 65_536 + 100
      const { blob } = yield* encrypt(fileOf(size))
      const chunk = (i: number) => blob.subarray(i * 65_552, (i + 1) * 65_552)
      const refused = Effect.fnUntraced(function* (bytes: Uint8Array, claimed = size) {
        return assert.strictEqual(yield* codeOf(decrypt(claimed, bytes)), "file_undecryptable")
      })
      yield* refused(Bytes.concat(chunk(1), chunk(0), chunk(2), chunk(3)))
      yield* refused(Bytes.concat(chunk(0), chunk(0), chunk(2), chunk(3)))
      yield* refused(Bytes.concat(chunk(0), chunk(2), chunk(3)))
      yield* refused(Bytes.concat(chunk(0), chunk(2), chunk(3)), size - 65_536)
      yield* refused(Bytes.concat(chunk(0), chunk(1), chunk(2)))
      yield* refused(Bytes.concat(chunk(0), chunk(1), chunk(2)), 3 * 65_536)
      yield* refused(Bytes.concat(blob, chunk(3)))
      yield* refused(blob.subarray(0, -1))
      yield* refused(blob, size - 1)
      yield* refused(new Uint8Array(0))
      assert.strictEqual(
        yield* codeOf(decrypt(size, blob, 50_000, undefined, Redacted.make(new Uint8Array(32)))),
        "file_undecryptable"
      )
    })
  )

  it.effect("hands nothing of a wrong chunk out, and all before it", () =>
    Effect.gen(function* () {
      const size = 3 * 65_536
      const file = fileOf(size)
      const { blob } = yield* encrypt(file)
      blob[2 * 65_552 + 5] = (blob[2 * 65_552 + 5] as number) ^ 1
      const seen: Array<Uint8Array> = []
      const reading = Stream.runForEach(SealedFile.decrypt(key, size, Stream.make(blob)), (bytes) =>
        Effect.sync(() => void seen.push(bytes))
      )
      assert.strictEqual(yield* codeOf(reading), "file_undecryptable")
      assert.isTrue(Bytes.equal(Bytes.concat(...seen), file.subarray(0, seen.length * 65_536)))
    })
  )

  it.effect("passes on what reading and writing fail with", () =>
    Effect.gen(function* () {
      const failing = SealedFile.encrypt(key, Stream.fail("disk"), hasher, () => Effect.void)
      assert.strictEqual(yield* Effect.flip(failing), "disk")
      const full = SealedFile.encrypt(key, Stream.make(fileOf(9)), hasher, () => Effect.fail("full"))
      assert.strictEqual(yield* Effect.flip(full), "full")
    })
  )
})

for (const [name, cryptoLayer] of Object.entries(backends))
  layer(cryptoLayer)(`SealedFile on ${name}`, (it) => {
    it.effect("seals into a buffer what it seals otherwise", () =>
      Effect.gen(function* () {
        const crypto = yield* Crypto
        const aead = { key: new Uint8Array(32).fill(1), nonce: new Uint8Array(12).fill(2), aad: Bytes.utf8("a") }
        for (const length of [0, 1, 63, 64, 1000]) {
          const output = new Uint8Array(length + 20)
          const sealed = yield* crypto.aeadSeal(aead, fileOf(length))
          yield* crypto.aeadSealInto(aead, fileOf(length), output.subarray(2, length + 18))
          assert.deepStrictEqual(output.slice(2, length + 18), Uint8Array.from(sealed))
          assert.deepStrictEqual([...output.subarray(0, 2), ...output.subarray(-2)], [0, 0, 0, 0])
        }
        const exit = yield* Effect.exit(crypto.aeadSealInto(aead, fileOf(5), new Uint8Array(20)))
        assert.isTrue(Exit.hasDies(exit))
      })
    )
  })

layer(NodeCrypto.layer)("WrappedKey", (it) => {
  const binding = { blobHash: new Uint8Array(32).fill(3), owner: alice.key }

  it.effect("KEZ-FIL-005 KEZ-FIL-006 opens for its reader, owner and blob alone", () =>
    Effect.gen(function* () {
      const wrapped = yield* WrappedKey.wrap(key, binding, bob.key)
      assert.strictEqual(wrapped.length, 80)
      assert.deepStrictEqual(Redacted.value(yield* WrappedKey.unwrap(bob, binding, wrapped)), Redacted.value(key))
      const code = (reader: typeof bob, change: Partial<WrappedKey.Binding>, bytes = wrapped) =>
        codeOf(WrappedKey.unwrap(reader, { ...binding, ...change }, bytes))
      assert.strictEqual(yield* code(carol, {}), "content_key_invalid")
      assert.strictEqual(yield* code(bob, { owner: carol.key }), "content_key_invalid")
      assert.strictEqual(yield* code(bob, { blobHash: new Uint8Array(32) }), "content_key_invalid")
      assert.strictEqual(yield* code(bob, {}, wrapped.subarray(1)), "content_key_invalid")
      yield* checkProperty(
        [fc.uint8Array({ maxLength: 90 })],
        Effect.fnUntraced(function* (bytes) {
          assert.strictEqual(yield* code(bob, {}, bytes), "content_key_invalid")
        }),
        { numRuns: 30 }
      )
    })
  )
})

layer(NodeCrypto.layer)("file_share", (it) => {
  const blobHash = new Uint8Array(32).fill(3)
  const share = (change: Partial<Ticket.Ticket>): Body.FileShare => ({
    type: "file_share",
    filename: "report.pdf",
    media_type: "application/pdf",
    size: 10,
    blob_hash: `blake3:${Bytes.toHex(blobHash)}`,
    ticket: Ticket.encode({ endpoint: alice.key, addresses: [], format: "raw", hash: blobHash, ...change }),
    wrapped_content_key: new Uint8Array(80),
    self_wrapped_content_key: new Uint8Array(80),
    chain: head
  })

  it.effect("KEZ-FIL-007 KEZ-FIL-008 arrives with its author's ticket", () =>
    Effect.gen(function* () {
      const sealed = yield* frame(alice, draft(bob, share({})), bob)
      assert.deepStrictEqual((yield* SealedMessage.openFrame(bob, sealed)).body, share({}))
    })
  )

  it.effect("KEZ-FIL-008 is neither sent nor taken in with another's ticket", () =>
    Effect.gen(function* () {
      for (const change of [{ endpoint: carol.key }, { hash: new Uint8Array(32) }, { addresses: ["10.0.0.1:1"] }]) {
        assert.strictEqual(yield* codeOf(SealedMessage.encrypt(alice, draft(bob, share(change)))), "ticket_mismatch")
        const { body, ...header } = draft(bob, share(change))
        const forged = Effect.gen(function* () {
          const crypto = yield* Crypto
          const signed = yield* SealedMessage.encryptBytes(crypto, alice, header, ok(Body.encode(body)))
          return yield* SealedMessage.openFrame(bob, yield* SealedMessage.sealFrame(signed.encoded, bob.key))
        })
        assert.strictEqual(yield* codeOf(forged), "ticket_mismatch")
      }
      const { body, ...header } = draft(bob, { ...share({}), ticket: "blobac..." })
      const forged = Effect.gen(function* () {
        const crypto = yield* Crypto
        const signed = yield* SealedMessage.encryptBytes(crypto, alice, header, ok(Body.encode(body)))
        return yield* SealedMessage.openFrame(bob, yield* SealedMessage.sealFrame(signed.encoded, bob.key))
      })
      assert.strictEqual(yield* codeOf(forged), "ticket_malformed")
    })
  )
})
