import { blake3 } from "./Blake3.ts"
import { base64Url, byte, bytes, hex } from "./Bytes.ts"
import { pattern, ticketOf } from "./files.ts"
import * as Primitives from "./Primitives.ts"
import {
  type Account,
  alice,
  bob,
  carol,
  hpkeSeal,
  jcs,
  type Json,
  type JsonObject,
  mallory,
  pad,
  sign,
  time
} from "./Protocol.ts"
import { invalid, type Operation, valid } from "./Vectors.ts"

const hint = (owner: Account, reader: Account, id: Uint8Array): Buffer =>
  Primitives.hkdfSha256(
    Primitives.x25519(owner.x25519Private, reader.x25519),
    id,
    bytes("kez.manifest.hint/1", byte(0), owner.ed32, reader.ed32),
    2
  )

const file = (owner: Account, name: string, change: JsonObject = {}): JsonObject => {
  const hash = blake3(pattern(100))
  return {
    name,
    media_type: "application/pdf",
    size: 84,
    shared_at: time,
    blob_hash: `blake3:${hex(hash)}`,
    ticket: ticketOf(owner, hash),
    content_key: base64Url(Primitives.stream("content key", 32)),
    ...change
  }
}

interface Entry {
  readonly owner: Account
  readonly label: string
  readonly file: JsonObject
  readonly readers: ReadonlyArray<Account>
}
const randomness = ({ label, readers }: Entry) => ({
  id: Primitives.stream(`${label} id`, 16),
  key: Primitives.stream(`${label} key`, 32),
  salt: Primitives.stream(`${label} salt`, 32),
  ephemerals: readers.map((_, i) => Primitives.stream(`${label} ephemeral ${i}`, 32))
})
const seal = (entry: Entry, plaintext: Buffer = pad(bytes(jcs(entry.file)))): JsonObject => {
  const { owner, readers } = entry
  const { ephemerals, id, key, salt } = randomness(entry)
  const ctx = bytes(owner.ed32, id)
  const keys = readers.map((reader, i) => {
    const aad = bytes(ctx, reader.ed32)
    const { ct, enc } = hpkeSeal(ephemerals[i] as Buffer, reader.x25519, bytes("kez.manifest.key/1"), aad, key)
    return { hint: base64Url(hint(owner, reader, id)), enc: base64Url(enc), ct: base64Url(ct), order: hex(enc) }
  })
  const okm = Primitives.hkdfSha256(key, salt, bytes("kez.manifest.entry/1", byte(0), ctx), 44)
  const sealed = bytes(salt, Primitives.aeadSeal(okm.subarray(0, 32), okm.subarray(32), ctx, plaintext))
  return {
    id: base64Url(id),
    keys: keys.toSorted((a, b) => (a.order < b.order ? -1 : 1)).map(({ ct, enc, hint }) => ({ hint, enc, ct })),
    sealed: base64Url(sealed)
  }
}

const forBob: Entry = { owner: alice, label: "for bob", file: file(alice, "for-bob.pdf"), readers: [alice, bob] }
const forCarol: Entry = {
  owner: alice,
  label: "for carol",
  file: file(alice, "for-carol.pdf", { folder: "papers/2026" }),
  readers: [alice, carol]
}
const forBoth: Entry = {
  owner: alice,
  label: "for both",
  file: file(alice, "for-both.pdf"),
  readers: [alice, bob, carol]
}
/** The readers of the entry before in another order, with the same ephemeral keys. */
const forBothTurned: Entry = { ...forBoth, readers: [alice, carol, bob] }
const forAll: JsonObject = { id: base64Url(Primitives.stream("public id", 16)), public: file(alice, "for-all.pdf") }

const manifest = (owner: Account, entries: ReadonlyArray<Json>, change: JsonObject = {}): Buffer =>
  bytes(
    jcs(
      sign(owner, "shared_files", {
        type: "kez.chat.shared_files",
        version: 1,
        primary: owner.primary,
        revision: 3,
        created_at: time,
        entries,
        ...change
      })
    )
  )
const anchorOf = (body: Uint8Array): JsonObject => ({ manifest: `blake3:${hex(blake3(body))}`, size: body.length })
const body = manifest(alice, [seal(forBob), seal(forCarol), forAll, seal(forBoth)])

const hints: Operation = {
  file: "manifest/hint",
  operation: "manifest.hint",
  description: "input: seed of the owner, hexadecimal, a reader, an entry id. result: the hint, base64url.",
  valid: [alice, bob, carol].map((reader, i) => {
    const id = Primitives.stream("for bob id", 16)
    const input = { seed: hex(alice.seed), reader: reader.primary, id: base64Url(id) }
    return valid(
      `reader-${i + 1}`,
      ["KEZ-MAN-004"],
      "a reader, or the owner",
      input,
      base64Url(hint(alice, reader, id))
    )
  })
}

const entries: Operation = {
  file: "manifest/seal",
  operation: "manifest.seal",
  description:
    "input: seed of the owner, entry key, salt and X25519 ephemeral scalars, hexadecimal, one scalar for each reader in the order given, owner first; entry id, and the file. result: the entry, its keys in the order of their enc.",
  valid: [forBob, forCarol, forBoth, forBothTurned].map((entry) => {
    const { ephemerals, id, key, salt } = randomness(entry)
    const isTurned = entry === forBothTurned
    return valid(
      `${entry.label.replace(" ", "-")}${isTurned ? "-turned" : ""}`,
      ["KEZ-MAN-004", "KEZ-MAN-005", ...(entry.readers.length > 2 ? ["KEZ-MAN-006"] : [])],
      `a file ${entry.label}${isTurned ? ", who are given in another order: the keys stand by their enc" : ""}`,
      {
        seed: hex(alice.seed),
        id: base64Url(id),
        file: entry.file,
        readers: entry.readers.map(({ primary }) => primary),
        key: hex(key),
        salt: hex(salt),
        ephemerals: ephemerals.map(hex)
      },
      seal(entry)
    )
  })
}

const readInput = (reader: Account, data: Uint8Array, change: JsonObject = {}): JsonObject => ({
  seed: hex(reader.seed),
  owner: alice.primary,
  anchor: anchorOf(data),
  body: base64Url(data),
  ...change
})
const listed = (entry: JsonObject, name: string, isPublic = false): Json => ({
  id: entry["id"] as string,
  name,
  public: isPublic
})
const bobs = listed(seal(forBob), "for-bob.pdf")
const carols = listed(seal(forCarol), "for-carol.pdf")
const everyones = listed(forAll, "for-all.pdf", true)
const both = listed(seal(forBoth), "for-both.pdf")
const readable = (files: ReadonlyArray<Json>, broken: ReadonlyArray<Json> = []): Json => ({
  revision: 3,
  files,
  broken
})

const copied = manifest(mallory, [seal(forBob), seal(forBoth)])
const renamed = manifest(alice, [{ ...seal(forBob), id: base64Url(Primitives.stream("another id", 16)) }])
const foreignTicket = { ...forBob, file: file(alice, "stolen.pdf", { ticket: file(mallory, "")["ticket"] as string }) }
const noName = { ...forBob, file: file(alice, "a/b.pdf") }
const changedSeal = ((): Buffer => {
  const entry = seal(forBob)
  const data = Buffer.from(entry["sealed"] as string, "base64url")
  data[40] = (data[40] as number) ^ 1
  return manifest(alice, [{ ...entry, sealed: base64Url(data) }])
})()
const brokenId = seal(forBob)["id"] as string
const known = (revision: number, data: Uint8Array = body): JsonObject => ({
  known: { revision, hash: anchorOf(data)["manifest"] as string }
})

/** An anchor of revision 2, and a manifest of revision 3 that follows it. */
const before = manifest(alice, [forAll], { revision: 2 })
const atTwo: JsonObject = { ...anchorOf(before), revision: 2 }
const following = (change: JsonObject = {}) =>
  manifest(alice, [forAll], { anchored: anchorOf(before)["manifest"] as string, ...change })
/** `null` stands for a chain without an anchor. */
const withAnchor = (data: Uint8Array, anchor: JsonObject | null, change: JsonObject = {}): JsonObject => {
  const { anchor: _, ...input } = readInput(bob, data, change)
  return anchor === null ? input : { ...input, anchor }
}

const tooLate = (change: JsonObject) => manifest(alice, [], change)
const text = body.toString("utf8")
const wrong = (id: string, requirements: ReadonlyArray<string>, why: string, input: Json, error: string) =>
  invalid(id, requirements, why, input, error)
const malformed = (id: string, why: string, entriesOf: Json, requirement = "KEZ-MAN-001") =>
  wrong(id, [requirement], why, readInput(bob, tooLate({ entries: entriesOf })), "manifest_malformed")

const read: Operation = {
  file: "manifest/read",
  operation: "manifest.read",
  description:
    "input: seed of the reader, hexadecimal, owner, the owner's anchor, absent where the chain names none, the body, base64url, and what was known of the owner's manifests. result: revision, the files that the reader can see in their order, and entries for the reader that do not hold up, with their codes.",
  valid: [
    valid(
      "bob",
      ["KEZ-MAN-007", "KEZ-MAN-010"],
      "a reader sees their files and public ones",
      readInput(bob, body),
      readable([bobs, everyones, both])
    ),
    valid(
      "carol",
      ["KEZ-MAN-007"],
      "another reader sees others",
      readInput(carol, body),
      readable([carols, everyones, both])
    ),
    valid(
      "owner",
      ["KEZ-MAN-005"],
      "the owner sees all",
      readInput(alice, body),
      readable([bobs, carols, everyones, both])
    ),
    valid("stranger", ["KEZ-MAN-007"], "a stranger sees public files", readInput(mallory, body), readable([everyones])),
    valid(
      "same-again",
      ["KEZ-MAN-011"],
      "the same manifest again",
      readInput(bob, body, known(3)),
      readable([bobs, everyones, both])
    ),
    valid(
      "newer",
      ["KEZ-MAN-011"],
      "a higher revision",
      readInput(bob, body, known(2, copied)),
      readable([bobs, everyones, both])
    ),
    valid(
      "anchored-revision",
      ["KEZ-MAN-024"],
      "the anchor, its revision named by the chain",
      withAnchor(body, { ...anchorOf(body), revision: 3 }),
      readable([bobs, everyones, both])
    ),
    valid(
      "following",
      ["KEZ-MAN-022", "KEZ-MAN-024"],
      "a higher revision that follows the anchor",
      withAnchor(following(), atTwo),
      readable([everyones])
    ),
    valid(
      "following-known",
      ["KEZ-MAN-011", "KEZ-MAN-024"],
      "a higher revision that follows the anchor, which was seen",
      withAnchor(following(), atTwo, known(2, before)),
      readable([everyones])
    ),
    valid(
      "following-old-anchor",
      ["KEZ-MAN-031"],
      "one that follows an anchor whose event names no revision",
      withAnchor(following(), anchorOf(before)),
      readable([everyones])
    ),
    valid(
      "no-anchor",
      ["KEZ-MAN-024"],
      "one that follows nothing, of a chain without an anchor",
      withAnchor(body, null),
      readable([bobs, everyones, both])
    ),
    valid("empty", ["KEZ-MAN-001"], "no entries", readInput(bob, manifest(alice, [])), readable([])),
    valid(
      "copied",
      ["KEZ-MAN-009"],
      "entries copied into another's manifest open nothing",
      { ...readInput(bob, copied), owner: mallory.primary },
      readable([])
    ),
    valid("renamed", ["KEZ-MAN-009"], "an entry under another id opens nothing", readInput(bob, renamed), readable([])),
    valid(
      "foreign-ticket",
      ["KEZ-MAN-008"],
      "an entry whose ticket leads elsewhere",
      readInput(bob, manifest(alice, [seal(foreignTicket)])),
      readable([], [{ id: brokenId, code: "ticket_mismatch" }])
    ),
    valid(
      "bad-name",
      ["KEZ-MAN-008"],
      "an entry whose name is a path",
      readInput(bob, manifest(alice, [seal(noName)])),
      readable([], [{ id: brokenId, code: "manifest_malformed" }])
    ),
    valid(
      "changed-seal",
      ["KEZ-MAN-008"],
      "a sealed part that was changed and signed again",
      readInput(bob, changedSeal),
      readable([], [{ id: brokenId, code: "manifest_malformed" }])
    ),
    ...(
      [
        ["public-name", "a public file named ..", { name: ".." }, "manifest_malformed"],
        ["public-name-number", "a public file whose name is a number", { name: 1 }, "manifest_malformed"],
        ["public-folder", "a public file in a folder above", { folder: "a/../../b" }, "manifest_malformed"],
        ["public-folder-absolute", "a public file in an absolute folder", { folder: "/etc" }, "manifest_malformed"],
        ["public-folder-17", "a public file in 17 folders", { folder: "a/".repeat(16) + "a" }, "manifest_malformed"],
        ["public-folder-1025", "a folder of 1,025 characters", { folder: "a".repeat(1025) }, "manifest_malformed"],
        ["public-size-true", "a public file of the size true", { size: true }, "manifest_malformed"],
        [
          "public-time",
          "a public file of a time with a fraction",
          { shared_at: "2026-05-25T00:00:00.0Z" },
          "timestamp_malformed"
        ],
        [
          "public-ticket",
          "a public file whose ticket leads elsewhere",
          { ticket: file(mallory, "")["ticket"] as string },
          "ticket_mismatch"
        ]
      ] as const
    ).map(([id, why, change, code]) => {
      const wrong = { id: base64Url(Primitives.stream("wrong public id", 16)), public: file(alice, "a", change) }
      return valid(
        id,
        ["KEZ-MAN-008", ...(code === "ticket_mismatch" ? ["KEZ-FIL-008"] : [])],
        `${why}: it is broken, the rest stays`,
        readInput(bob, manifest(alice, [wrong, forAll])),
        readable([everyones], [{ id: wrong.id, code }])
      )
    }),
    valid(
      "public-bounds",
      ["KEZ-MAN-008"],
      "a public file at its bounds; characters are code points",
      readInput(
        bob,
        manifest(alice, [
          {
            ...forAll,
            public: file(alice, "\u{1f600}".repeat(255), {
              folder: `${"a/".repeat(15)}${"\u{1f600}".repeat(994)}`,
              media_type: "\u{1f600}".repeat(127),
              size: 0
            })
          }
        ])
      ),
      readable([{ ...(everyones as JsonObject), name: "\u{1f600}".repeat(255) }])
    )
  ],
  invalid: [
    wrong(
      "hash",
      ["KEZ-MAN-010"],
      "another hash than the chain's",
      readInput(bob, body, { anchor: { ...anchorOf(copied), size: body.length } }),
      "manifest_mismatch"
    ),
    wrong(
      "length",
      ["KEZ-MAN-010"],
      "another length than the chain's",
      readInput(bob, body, { anchor: { ...anchorOf(body), size: 1 } }),
      "manifest_mismatch"
    ),
    wrong(
      "other-revision",
      ["KEZ-MAN-024"],
      "the anchor's bytes, another revision than the chain's",
      withAnchor(body, { ...anchorOf(body), revision: 4 }),
      "manifest_mismatch"
    ),
    wrong(
      "follows-another",
      ["KEZ-MAN-024"],
      "a higher revision that follows another anchor",
      withAnchor(following({ anchored: anchorOf(copied)["manifest"] as string }), atTwo),
      "manifest_mismatch"
    ),
    wrong(
      "follows-nothing",
      ["KEZ-MAN-024", "KEZ-MAN-031"],
      "a higher revision that follows nothing, of a chain with an anchor",
      withAnchor(body, atTwo),
      "manifest_mismatch"
    ),
    wrong(
      "follows-unanchored",
      ["KEZ-MAN-024"],
      "one that follows an anchor, of a chain without one",
      withAnchor(following(), null),
      "manifest_mismatch"
    ),
    wrong(
      "follows-below",
      ["KEZ-MAN-024"],
      "one that follows the anchor under a lower revision",
      withAnchor(following({ revision: 1 }), atTwo),
      "manifest_mismatch"
    ),
    wrong(
      "follows-beside",
      ["KEZ-MAN-024"],
      "one that follows the anchor under the anchor's revision",
      withAnchor(following({ revision: 2 }), atTwo),
      "manifest_mismatch"
    ),
    wrong(
      "following-rollback",
      ["KEZ-MAN-011"],
      "one that follows the anchor and is older than one seen",
      withAnchor(following(), atTwo, known(4, copied)),
      "manifest_rollback"
    ),
    wrong(
      "following-forged",
      ["KEZ-MAN-010"],
      "one that follows the anchor, its revision changed after signing",
      withAnchor(Buffer.from(following().toString("utf8").replace('"revision":3', '"revision":9')), atTwo),
      "signature_invalid"
    ),
    wrong(
      "anchored-form",
      ["KEZ-MAN-001"],
      "an anchored of another hash",
      readInput(bob, following({ anchored: `sha256:${"ab".repeat(32)}` })),
      "manifest_malformed"
    ),
    wrong(
      "anchored-null",
      ["KEZ-MAN-001"],
      "an anchored of null",
      readInput(bob, following({ anchored: null })),
      "manifest_malformed"
    ),
    wrong("owner", ["KEZ-MAN-010"], "another owner's manifest", readInput(bob, copied), "manifest_mismatch"),
    wrong(
      "rollback",
      ["KEZ-MAN-011"],
      "an older revision",
      readInput(bob, body, known(4, copied)),
      "manifest_rollback"
    ),
    wrong(
      "conflict",
      ["KEZ-MAN-011"],
      "another manifest of the revision",
      readInput(bob, body, known(3, copied)),
      "manifest_conflict"
    ),
    wrong(
      "signature",
      ["KEZ-MAN-010"],
      "a revision changed after signing",
      readInput(bob, Buffer.from(text.replace('"revision":3', '"revision":4'))),
      "signature_invalid"
    ),
    wrong(
      "space",
      ["KEZ-MAN-003"],
      "not in JCS form: a space",
      readInput(bob, Buffer.from(text.replace(":", ": "))),
      "manifest_malformed"
    ),
    wrong(
      "newline",
      ["KEZ-MAN-003"],
      "not in JCS form: a final newline",
      readInput(bob, bytes(body, "\n")),
      "manifest_malformed"
    ),
    wrong(
      "revision",
      ["KEZ-MAN-001"],
      "a negative revision",
      readInput(bob, tooLate({ revision: -1 })),
      "manifest_malformed"
    ),
    malformed("no-array", "entries is not an array", {}),
    malformed("twice", "an id twice", [forAll, forAll]),
    malformed("no-keys", "an entry without keys", [{ ...seal(forBob), keys: [] }]),
    wrong(
      "revision-true",
      ["KEZ-MAN-001"],
      "a revision of true",
      readInput(bob, tooLate({ revision: true })),
      "manifest_malformed"
    ),
    malformed("public-text", "an entry whose public is a text", [{ ...forAll, public: "a" }]),
    malformed("both", "an entry that is sealed and public", [
      { ...seal(forBob), public: forAll["public"] as JsonObject }
    ]),
    malformed("neither", "an entry that is neither", [{ id: forAll["id"] as string }]),
    malformed("short-id", "an id of 15 bytes", [{ ...forAll, id: base64Url(Buffer.alloc(15)) }]),
    malformed("hint", "a hint of 3 bytes", [
      { ...seal(forBob), keys: [{ hint: "AAAA", enc: base64Url(Buffer.alloc(32)), ct: base64Url(Buffer.alloc(48)) }] }
    ]),
    malformed("sealed", "a sealed part that is too short", [{ ...seal(forBob), sealed: base64Url(Buffer.alloc(83)) }])
  ]
}

export const operations: ReadonlyArray<Operation> = [hints, entries, read]
