import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as fc from "fast-check"
import { NodeCrypto } from "../../src/adapters/node/index.ts"
import { FastBlake3, Identity, SealedManifest } from "../../src/crypto/index.ts"
import { Bytes, Limits, Manifest, Ticket } from "../../src/protocol/index.ts"
import { alice, bob, carol, codeOf, fixture, id, ok, seed, time } from "../kits/Accounts.ts"
import { fuzzBytes } from "../kits/DecoderKit.ts"
import { checkProperty } from "../kits/Property.ts"

const hasher = await fixture(FastBlake3.load)

const file = (owner: Identity.Identity, n: number, change: Partial<Manifest.SharedFile> = {}): Manifest.SharedFile => {
  const hash = new Uint8Array(32).fill(n & 255)
  return {
    name: `report ${n}.pdf`,
    mediaType: "application/pdf",
    size: 1_234_567 + n,
    sharedAt: time,
    blobHash: `blake3:${Bytes.toHex(hash)}`,
    ticket: Ticket.encode({ endpoint: owner.key, addresses: [], format: "raw", hash }),
    contentKey: Redacted.make(new Uint8Array(32).fill(n & 255), { label: "content key" }),
    ...change
  }
}
const seal = (owner: Identity.Identity, n: number, readers: ReadonlyArray<Identity.Identity>) =>
  SealedManifest.sealEntry(
    owner,
    id(n),
    file(owner, n),
    readers.map(({ key }) => key)
  )
const names = (opened: SealedManifest.Opened) => opened.files.map((one) => one.file.name)
const manifestOf = (entries: ReadonlyArray<Manifest.Entry>, owner = alice): Manifest.Manifest => ({
  owner: owner.key,
  revision: 1,
  createdAt: time,
  entries
})
const signed = (entries: ReadonlyArray<Manifest.Entry>, revision = 1, owner = alice) =>
  SealedManifest.sign(owner, { revision, createdAt: time, entries }, hasher)

const entries = await fixture(
  Effect.all([seal(alice, 1, [bob]), seal(alice, 2, [carol]), seal(alice, 3, [bob, carol])])
)
const everyones = file(alice, 4, { folder: "a/b", thumbnail: new Uint8Array(9) })
const everyone = ok(Manifest.publicEntry(id(4), everyones, alice.key))

layer(NodeCrypto.layer)("SealedManifest", (it) => {
  it.effect("KEZ-MAN-005 KEZ-MAN-007 shows every reader theirs and nothing else", () =>
    Effect.gen(function* () {
      const { anchor, body } = yield* signed([...entries, everyone])
      const { manifest, seen } = yield* SealedManifest.verify(body, { owner: alice.key, anchor }, hasher)
      assert.deepStrictEqual(seen, { revision: 1, hash: anchor.manifest })
      const see = Effect.fnUntraced(function* (reader: Identity.Identity) {
        return names(yield* SealedManifest.open(reader, manifest))
      })
      assert.deepStrictEqual(yield* see(bob), ["report 1.pdf", "report 3.pdf", "report 4.pdf"])
      assert.deepStrictEqual(yield* see(carol), ["report 2.pdf", "report 3.pdf", "report 4.pdf"])
      assert.deepStrictEqual(yield* see(alice), ["report 1.pdf", "report 2.pdf", "report 3.pdf", "report 4.pdf"])
      assert.deepStrictEqual(yield* see(yield* Identity.fromSeed(seed(9))), ["report 4.pdf"])
      const opened = yield* SealedManifest.open(bob, manifest)
      assert.deepStrictEqual(opened.files[2]?.file, everyones)
      assert.deepStrictEqual(Redacted.value(opened.files[0]?.file.contentKey as never), new Uint8Array(32).fill(1))
    })
  )

  it.effect("names no reader and hides their order", () =>
    Effect.gen(function* () {
      const { body } = yield* signed(entries)
      for (const { key } of [bob, carol]) {
        assert.notInclude(new TextDecoder().decode(body), key.hex)
        assert.notInclude(new TextDecoder().decode(body), Bytes.toBase64Url(key.ed25519).slice(0, 40))
      }
    })
  )

  it.effect("KEZ-MAN-006 sorts keys by what is random in them", () =>
    Effect.gen(function* () {
      const made = yield* Effect.all(Array.from({ length: 12 }, () => seal(alice, 1, [bob])))
      for (const { keys } of made) {
        const order = keys.map(({ enc }) => Bytes.toHex(enc))
        assert.deepStrictEqual(order, order.toSorted())
      }
    })
  )

  it.effect("KEZ-MAN-002 KEZ-MAN-004 takes new ids, keys and salts", () =>
    Effect.gen(function* () {
      const [a, b] = yield* Effect.all([SealedManifest.makeId, SealedManifest.makeId])
      assert.match(a, /^[A-Za-z0-9_-]{22}$/)
      assert.notStrictEqual(a, b)
      const [x, y] = yield* Effect.all([seal(alice, 1, [bob]), seal(alice, 1, [bob])])
      assert.notDeepEqual(x.sealed.subarray(0, 32), y.sealed.subarray(0, 32))
      const every = yield* seal(alice, 1, [bob, bob, alice])
      assert.strictEqual(every.keys.length, 2)
    })
  )

  it.effect("KEZ-MAN-009 opens nothing that was copied into another's manifest or under another id", () =>
    Effect.gen(function* () {
      const copied = manifestOf(entries, carol)
      assert.deepStrictEqual(yield* SealedManifest.open(bob, copied), { files: [], broken: [] })
      const renamed = manifestOf(entries.map((entry, i) => ({ ...entry, id: id(50 + i) })))
      assert.deepStrictEqual(yield* SealedManifest.open(bob, renamed), { files: [], broken: [] })
      // Not even with hints made for the victim: the keys are bound to owner and id.
      const own = yield* seal(carol, 1, [bob])
      const stolen = entries[0] as Manifest.SealedEntry
      const grafted = {
        ...own,
        keys: own.keys.map((key, i) => ({ ...key, ...pick(stolen.keys[i]) })),
        sealed: stolen.sealed
      }
      assert.deepStrictEqual(yield* SealedManifest.open(bob, manifestOf([grafted], carol)), { files: [], broken: [] })
    })
  )

  it.effect("KEZ-MAN-007 tries every key under its hint", () =>
    Effect.gen(function* () {
      const entry = entries[0] as Manifest.SealedEntry
      const decoys = entry.keys.map(({ hint }) => ({ hint, enc: bob.key.x25519, ct: new Uint8Array(48) }))
      const crowded = { ...entry, keys: [...decoys, ...entry.keys] }
      assert.deepStrictEqual(names(yield* SealedManifest.open(bob, manifestOf([crowded]))), ["report 1.pdf"])
    })
  )

  it.effect("KEZ-MAN-010 KEZ-MAN-011 refuses tampered, replayed, foreign and older manifests", () =>
    Effect.gen(function* () {
      const one = yield* signed(entries, 1)
      const two = yield* signed([], 2)
      const foreign = yield* signed([], 5, carol)
      const code = (body: Uint8Array, expected: Partial<SealedManifest.Expected>) =>
        codeOf(SealedManifest.verify(body, { owner: alice.key, anchor: one.anchor, ...expected }, hasher))
      const known = { revision: 2, hash: two.anchor.manifest }
      assert.strictEqual(yield* code(one.body, {}), "accepted")
      assert.strictEqual(yield* code(two.body, { anchor: two.anchor, known }), "accepted")
      assert.strictEqual(yield* code(one.body, { anchor: two.anchor }), "manifest_mismatch")
      assert.strictEqual(yield* code(one.body, { known }), "manifest_rollback")
      const again = yield* signed([everyone], 2)
      assert.strictEqual(yield* code(again.body, { anchor: again.anchor, known }), "manifest_conflict")
      assert.strictEqual(yield* code(foreign.body, { anchor: foreign.anchor }), "manifest_mismatch")
      assert.strictEqual(yield* code(one.body, { owner: carol.key }), "manifest_mismatch")
      yield* checkProperty(
        [fc.nat(one.body.length - 1), fc.integer({ min: 1, max: 255 })],
        Effect.fnUntraced(function* (at, bits) {
          const tampered = one.body.slice()
          tampered[at] = (tampered[at] as number) ^ bits
          assert.notStrictEqual(yield* code(tampered, {}), "accepted")
          const anchored = SealedManifest.verifyAnchored(tampered, { owner: alice.key, anchor: one.anchor }, hasher)
          assert.strictEqual(yield* codeOf(anchored), "manifest_mismatch")
          const anchor = { manifest: Manifest.hashOf(tampered, hasher), size: tampered.length }
          assert.notStrictEqual(yield* code(tampered, { anchor }), "accepted")
        }),
        { numRuns: 60 }
      )
    })
  )

  it.effect("KEZ-MAN-008 shows no entry whose content does not hold up, and says so", () =>
    Effect.gen(function* () {
      const wrong = (change: Partial<Manifest.SharedFile>) =>
        codeOf(SealedManifest.sealEntry(alice, id(1), file(alice, 1, change), [bob.key]))
      assert.strictEqual(yield* wrong({ name: "../x" }), "manifest_malformed")
      assert.strictEqual(yield* wrong({ folder: "a/../b" }), "manifest_malformed")
      assert.strictEqual(yield* wrong({ folder: "/a" }), "manifest_malformed")
      assert.strictEqual(yield* wrong({ folder: "a//b" }), "manifest_malformed")
      assert.strictEqual(yield* wrong({ folder: Array(17).fill("a").join("/") }), "manifest_malformed")
      assert.strictEqual(yield* wrong({ ticket: file(carol, 1).ticket }), "ticket_mismatch")
      assert.strictEqual(yield* wrong({ blobHash: file(alice, 2).blobHash }), "ticket_mismatch")
      assert.strictEqual(yield* wrong({ name: "\ud800" }), "json_string")
      assert.strictEqual(yield* wrong({ name: "..." }), "accepted")
      const entry = entries[0] as Manifest.SealedEntry
      const sealed = entry.sealed.slice()
      sealed[40] = (sealed[40] as number) ^ 1
      const { broken, files } = yield* SealedManifest.open(bob, manifestOf([{ ...entry, sealed }]))
      assert.deepStrictEqual(files, [])
      assert.deepStrictEqual(
        broken.map(({ problem }) => problem.code),
        ["manifest_malformed"]
      )
    })
  )

  it.effect("KEZ-MAN-008 breaks a public entry with a wrong file, and not the manifest", () =>
    Effect.gen(function* () {
      const wrong = { id: id(5), public: { ...everyone.public, name: ".." } }
      const { body } = yield* signed([wrong, everyone])
      const manifest = yield* SealedManifest.verifySignature(body, alice.key)
      const { broken, files } = yield* SealedManifest.open(bob, manifest)
      assert.deepStrictEqual(
        files.map((one) => one.id),
        [everyone.id]
      )
      assert.deepStrictEqual(
        broken.map((one) => [one.id, one.problem.code]),
        [[wrong.id, "manifest_malformed"]]
      )
    })
  )

  it.effect("KEZ-MAN-001 KEZ-MAN-003 refuses to sign what its readers would refuse", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* codeOf(signed([everyone, everyone])), "manifest_malformed")
      assert.strictEqual(yield* codeOf(signed([], -1)), "manifest_malformed")
      assert.strictEqual(yield* codeOf(signed([{ id: "short", public: everyone.public }])), "manifest_malformed")
      const entryOf = (n: number, change: Partial<Manifest.SharedFile>) =>
        Manifest.publicEntry(id(n), file(alice, n, change), alice.key)
      const lone = Effect.fromResult(entryOf(1, { name: "\udc00" }))
      assert.strictEqual(yield* codeOf(lone), "json_string")
      const thumbnail = new Uint8Array(Limits.thumbnailBytes)
      const many = Array.from({ length: 100 }, (_, n) => ok(entryOf(n, { thumbnail })))
      assert.strictEqual(yield* codeOf(signed(many)), "too_large")
    })
  )

  it.effect(
    "KEZ-MAN-014 KEZ-MAN-015 checks for a server what its owner signed, and parses nothing that somebody else did",
    () =>
      Effect.gen(function* () {
        const { body } = yield* signed([...entries, everyone], 8)
        const check = (bytes: Uint8Array) => codeOf(SealedManifest.verifySignature(bytes, alice.key))
        const manifest = yield* SealedManifest.verifySignature(body, alice.key)
        assert.deepStrictEqual(manifest, ok(Manifest.parseBody(body)).manifest)
        const text = new TextDecoder().decode(body)
        assert.strictEqual(yield* check((yield* signed([], 1, bob)).body), "unauthorized")
        assert.strictEqual(yield* check(Bytes.utf8(text.replace('"revision":8', '"revision":9'))), "signature_invalid")
        // Neither JSON nor a signature: which of them is told first shows that nothing was parsed.
        assert.strictEqual(yield* check(Bytes.utf8(text.replace('"entries":', '"entries"'))), "signature_invalid")
        assert.strictEqual(yield* check(Bytes.utf8(` ${text}`)), "manifest_malformed")
        assert.strictEqual(yield* check(new Uint8Array(0)), "manifest_malformed")
        assert.strictEqual(yield* check(new Uint8Array(Limits.manifestBytes + 1)), "too_large")
      })
  )

  it.effect("KEZ-MAN-001 answers every body", () =>
    Effect.gen(function* () {
      const bodies = [(yield* signed(entries)).body, (yield* signed([everyone])).body]
      fuzzBytes(Manifest.parseBody, fc.constantFrom(...bodies), 300)
      const plain = ok(Manifest.encodeFile(everyones, alice.key))
      fuzzBytes((bytes) => Manifest.decodeFile(bytes, alice.key), fc.constant(plain), 300)
    })
  )

  it.effect("holds 1,000 entries for 50 readers", () =>
    Effect.gen(function* () {
      const readers = yield* Effect.all(Array.from({ length: 50 }, (_, i) => Identity.fromSeed(seed(100 + i))))
      const began = performance.now()
      const all = yield* Effect.all(
        Array.from({ length: 1000 }, (_, n) => seal(alice, n, [readers[n % 50] as Identity.Identity]))
      )
      const sealedAt = performance.now()
      const { anchor, body } = yield* signed(all)
      const signedAt = performance.now()
      const { manifest } = yield* SealedManifest.verify(body, { owner: alice.key, anchor }, hasher)
      const verifiedAt = performance.now()
      for (const [i, reader] of readers.slice(0, 3).entries()) {
        const { broken, files } = yield* SealedManifest.open(reader, manifest)
        assert.deepStrictEqual(broken, [])
        assert.deepStrictEqual(
          files.map(({ file }) => file.name),
          Array.from({ length: 20 }, (_, k) => `report ${k * 50 + i}.pdf`)
        )
      }
      const openedAt = performance.now()
      assert.isAtMost(body.length, Limits.manifestBytes)
      // What the numbers are, for whoever reads the log; they prove nothing on a busy machine.
      process.stdout.write(
        `manifest of 1,000 entries, 50 readers: ${body.length} bytes, sealing ${Math.round(sealedAt - began)} ms, ` +
          `signing ${Math.round(signedAt - sealedAt)} ms, verifying ${Math.round(verifiedAt - signedAt)} ms, ` +
          `opening ${Math.round((openedAt - verifiedAt) / 3)} ms\n`
      )
      const crowd = yield* seal(alice, 1, readers)
      const one = (yield* signed([crowd])).body.length - (yield* signed([])).body.length
      process.stdout.write(`an entry for 50 readers and its owner: ${one} bytes, ${Math.floor(1_048_000 / one)} fit\n`)
      assert.strictEqual(crowd.keys.length, 51)
    })
  )
})

const pick = (key: Manifest.EntryKey | undefined) => (key === undefined ? {} : { enc: key.enc, ct: key.ct })

layer(NodeCrypto.layer)("the size of a manifest", (it) => {
  it.effect("is known before anything is sealed or signed", () =>
    Effect.gen(function* () {
      for (const count of [0, 1, 3]) {
        const some = entries.slice(0, count)
        const { body } = yield* signed(some)
        const lengths = some.map((entry) => Manifest.encodeEntry(entry).length)
        assert.strictEqual(Manifest.bodyLength({ revision: 1, createdAt: time }, lengths), body.length)
      }
      const padded = ok(Manifest.encodeFile(file(alice, 1), alice.key)).length
      for (const [entry, readers] of [
        [entries[0]!, 2],
        [entries[2]!, 3]
      ] as const) {
        assert.strictEqual(Manifest.sealedEntryLength(readers, padded), Manifest.encodeEntry(entry).length)
      }
    })
  )

  it.effect("and an entry by itself reads back as it was", () =>
    Effect.gen(function* () {
      for (const entry of [...entries, everyone]) {
        const bytes = Manifest.encodeEntry(entry)
        assert.deepStrictEqual(Manifest.encodeEntry(ok(Manifest.decodeEntry(bytes))), bytes)
      }
      const refused = Effect.fromResult(Manifest.decodeEntry(Bytes.utf8("{}")))
      assert.strictEqual(yield* codeOf(refused), "manifest_malformed")
      const foreign = Effect.fromResult(Manifest.publicFile(everyone, bob.key))
      assert.strictEqual(yield* codeOf(foreign), "ticket_mismatch")
    })
  )
})
