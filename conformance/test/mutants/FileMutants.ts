/** Shims that are wrong about files and manifests. */
import { x25519 } from "@noble/curves/ed25519.js"
import { createHash } from "node:crypto"
import { accepts, answers, confuses, forgets, reads, refuses, type ShimMutant } from "./ShimMutant.ts"

const pattern = (size: number) => Uint8Array.from({ length: size }, (_, index) => index % 251)
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex")

const blobs: ReadonlyArray<ShimMutant> = [
  reads<{ size: number }>(
    "pads the last chunk of a file to its full length",
    "file.encrypt: FIL-002",
    ({ size, ...input }) => ({ ...input, size: Math.ceil(size / 65_536) * 65_536 })
  ),
  accepts("hands out chunks whose tag does not verify", "file.decrypt: FIL-003", "file_undecryptable"),
  answers<{ hash: string }, { size: number }>(
    "addresses blobs by SHA-256",
    "blob.tree: FIL-004",
    (right, { size }) => ({
      ...right,
      hash: sha256(pattern(size))
    })
  ),
  answers<{ hash: string; outboard: { length: number } }>(
    "keeps a hash for every chunk and not for groups of 16",
    "blob.tree: FIL-014",
    (right) => ({ ...right, outboard: { length: right.outboard.length * 16 } })
  ),
  reads<{ ranges: ReadonlyArray<number> }>(
    "answers every request with the whole blob",
    "blob.answer: FIL-015",
    (input) => ({
      ...input,
      ranges: [0]
    })
  ),
  reads<{ ranges: ReadonlyArray<number> }>("asks for the whole blob", "blob.request: FIL-019", (input) => ({
    ...input,
    ranges: [0]
  })),
  accepts("uses bytes before it verifies them", "blob.read: FIL-017 FIL-018", "blob_mismatch"),
  accepts("takes an early end for the end", "blob.read: FIL-018", "blob_incomplete"),
  confuses("asks again for a blob that is wrong", "blob.read: FIL-017", "blob_mismatch", "blob_incomplete"),
  accepts("answers requests that it cannot read", "blob.asked: FIL-022", "request_malformed"),
  answers<{ kind: string }>("takes every request for one of bytes", "blob.asked: FIL-022", (right) => ({
    ...right,
    kind: "get"
  }))
]

interface Wrapping {
  readonly blob_hash: string
}

const sharing: ReadonlyArray<ShimMutant> = [
  reads<Wrapping>("wraps a key without naming its blob", "fileKey.wrap: FIL-005", (input) => ({
    ...input,
    blob_hash: "00".repeat(32)
  })),
  confuses(
    "does not tell a wrapped key that is not for it",
    "fileKey.unwrap: FIL-006",
    "content_key_invalid",
    "file_undecryptable"
  ),
  accepts("takes the key of another blob", "fileKey.unwrap: FIL-006", "content_key_invalid"),
  accepts("fetches from whatever device a ticket names", "ticket.shared: FIL-008", "ticket_mismatch"),
  answers<object>("does not write relays into tickets", "ticket.decode: FIL-012", (right) => ({
    ...right,
    relay: undefined
  })),
  reads<{ ticket: string }>("reads tickets in any case", "ticket.decode: FIL-013", ({ ticket }) => ({
    ticket: ticket.toLowerCase()
  })),
  accepts("does not admit the endpoint of a ticket", "ticket.decode: FIL-013", "key_rejected")
]

interface Sealing {
  readonly readers: ReadonlyArray<string>
  readonly ephemerals: ReadonlyArray<string>
}

interface Reading {
  readonly body: string
  readonly anchor?: { readonly manifest: string; readonly revision?: number }
}

interface Shown {
  readonly revision: number
  readonly files: ReadonlyArray<{ readonly id: string; readonly public: boolean }>
  readonly broken: ReadonlyArray<unknown>
}

const textOf = ({ body }: Reading) => Buffer.from(body, "base64url").toString("utf8")
const entriesOf = (input: Reading) =>
  (JSON.parse(textOf(input)) as { payload: { entries: ReadonlyArray<{ id: string }> } }).payload.entries

const read = (name: string, kills: string, code: string, when: (right: Shown, input: Reading) => boolean): ShimMutant =>
  refuses<Shown, Reading>(name, `manifest.read: ${kills}`, code, when)

const manifests: ReadonlyArray<ShimMutant> = [
  reads("seals with a salt of zeros", "manifest.seal: MAN-004", (input) => ({ ...input, salt: "00".repeat(32) })),
  answers<string>("writes three bytes of a hint", "manifest.hint: MAN-004", (right) => `${right}A`),
  reads<Sealing>("leaves the owner out of the readers", "manifest.seal: MAN-005", (input) => ({
    ...input,
    readers: input.readers.slice(1),
    ephemerals: input.ephemerals.slice(1)
  })),
  answers<{ keys: ReadonlyArray<{ enc: string }> }, Sealing>(
    "writes keys in the order of their readers",
    "manifest.seal: MAN-006",
    (right, { ephemerals }) => {
      const order = ephemerals.map((key) =>
        Buffer.from(x25519.getPublicKey(Buffer.from(key, "hex"))).toString("base64url")
      )
      return { ...right, keys: right.keys.toSorted((a, b) => order.indexOf(a.enc) - order.indexOf(b.enc)) }
    }
  ),
  answers<Shown>("shows its owner nothing but public files", "manifest.read: MAN-005 MAN-007", (right) => ({
    ...right,
    files: right.files.filter((file) => file.public)
  })),
  accepts("does not look at the members of entries", "manifest.read: MAN-001", "manifest_malformed"),
  accepts<Reading>("takes a manifest in any form of JSON", "manifest.read: MAN-003", "manifest_malformed", (input) =>
    /[:,] |\n$/.test(textOf(input))
  ),
  answers<Shown>("shows broken entries as files", "manifest.read: MAN-008 FIL-008", (right) => ({
    ...right,
    broken: []
  })),
  answers<Shown, Reading>(
    "opens entries under any id and in any manifest",
    "manifest.read: MAN-009",
    (right, input) => ({
      ...right,
      files: entriesOf(input).map(({ id }) => ({ id, public: false }))
    })
  ),
  accepts("believes the home server's manifests", "manifest.read: MAN-010", "manifest_mismatch | signature_invalid"),
  accepts("takes every manifest of the owner", "manifest.read: MAN-024 MAN-031", "manifest_mismatch"),
  forgets("keeps no revisions", "manifest.read: MAN-011", "known"),
  read(
    "takes the anchor and nothing newer",
    "MAN-022 MAN-024",
    "manifest_mismatch",
    ({ revision }, { anchor }) => anchor?.revision !== undefined && revision > anchor.revision
  ),
  read(
    "wants the revision of every anchor",
    "MAN-031",
    "manifest_mismatch",
    (_, { anchor }) => anchor !== undefined && anchor.revision === undefined
  )
]

export const fileMutants: ReadonlyArray<ShimMutant> = [...blobs, ...sharing, ...manifests]
