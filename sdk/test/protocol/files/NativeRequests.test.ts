/** What native iroh-blobs writes, reads and answers, as `conformance/peers/iroh` captured it. */
import * as fs from "node:fs"
import { Result } from "effect"
import { assert, describe, it } from "vitest"
import { FastBlake3 } from "../../../src/crypto/index.ts"
import { Blake3Tree, BlobAnswer, BlobRequest, Bytes, ChunkRanges } from "../../../src/protocol/index.ts"
import { fixture, ok } from "../../kits/Accounts.ts"

/** As text where JSON's numbers do not reach. */
type Long = number | string
interface Sets {
  readonly from: Long
  readonly boundaries: ReadonlyArray<Long>
}
interface Captured {
  readonly length: number
  readonly hex?: string
  readonly blake3?: string
}
const native = JSON.parse(
  fs.readFileSync(
    new URL("../../../../spec/scripts/vectors/iroh-blobs-0.104-requests.json", import.meta.url).pathname,
    "utf8"
  )
) as {
  readonly crates: Readonly<Record<string, string>>
  readonly requests: ReadonlyArray<{
    readonly name: string
    readonly request:
      | { readonly kind: "get"; readonly hash: string; readonly ranges: ReadonlyArray<Sets> }
      | { readonly kind: "getMany" | "observe" | "push" }
    readonly bytes: string
  }>
  readonly variants: ReadonlyArray<{ readonly name: string; readonly bytes: string; readonly readAs: string | null }>
  readonly exchanges: ReadonlyArray<{
    readonly name: string
    readonly request: Captured
    readonly answer: Captured | null
    readonly end: string
    readonly code?: number
  }>
}

const bytesOf = (hex: string) => ok(Bytes.fromHex(hex))
const u64Max = String(2n ** 64n - 1n)
const last = ChunkRanges.last.boundaries[0] as number
/** Boundaries as this implementation has them, as far as it can name them: beyond 2^53 only the last chunk. */
const named = (boundaries: ReadonlyArray<Long>): Array<number> => {
  const known = boundaries.map((boundary) => (boundary === u64Max ? last : boundary))
  const end = known.findIndex((boundary) => typeof boundary === "string")
  return known.slice(0, end === -1 ? undefined : end).map(Number)
}
const single = (sets: ReadonlyArray<Sets>): boolean =>
  sets.length === 0 ||
  (sets.length === 2 && sets[0]?.from === 0 && sets[1]?.from === 1 && sets[1].boundaries.length === 0)
const hasher = await fixture(FastBlake3.load)
const hashOf = (bytes: Uint8Array) => Bytes.toHex(Blake3Tree.build(bytes, hasher).hash)
const exchange = (name: string) => {
  const found = native.exchanges.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no exchange ${name}`)
  return found
}

describe("requests of native iroh-blobs", () => {
  it("names the crates that wrote them", () => {
    assert.strictEqual(native.crates["iroh-blobs"], "0.104.0")
    assert.isAtLeast(native.requests.length, 20)
  })

  it.each(native.requests)("reads $name", ({ bytes, request }) => {
    const read = ok(BlobRequest.decode(bytesOf(bytes)))
    assert.strictEqual(read.kind, request.kind)
    if (read.kind !== "get" || request.kind !== "get") return
    assert.strictEqual(Bytes.toHex(read.hash), request.hash)
    assert.strictEqual(read.children, !single(request.ranges))
    const own = request.ranges.find(({ from }) => from === 0)?.boundaries ?? []
    assert.deepStrictEqual(read.ranges.boundaries, named(own))
  })

  const written = native.requests.flatMap(({ bytes, name, request }) => {
    if (request.kind !== "get" || !single(request.ranges)) return []
    const asked = request.ranges[0]?.boundaries ?? []
    const boundaries = named(asked)
    return boundaries.length < asked.length ? [] : [{ name, hash: request.hash, boundaries, bytes }]
  })
  it.each(written)("writes $name", ({ boundaries, bytes, hash }) => {
    assert.strictEqual(Bytes.toHex(BlobRequest.encode(bytesOf(hash), ok(ChunkRanges.make(boundaries)))), bytes)
  })

  it.each(native.variants)("reads $name as native iroh-blobs does, or not at all", ({ bytes, readAs }) => {
    const read = BlobRequest.decode(bytesOf(bytes))
    if (readAs === null) assert.isTrue(Result.isFailure(read))
    else if (Result.isSuccess(read)) assert.deepStrictEqual(read.success, ok(BlobRequest.decode(bytesOf(readAs))))
    if (readAs === bytes) assert.isTrue(Result.isSuccess(read))
  })
})

describe("answers of a native provider", () => {
  const blob = Uint8Array.from({ length: 16_385 }, (_, i) => i % 251)
  const tree = Blake3Tree.build(blob, hasher)

  it.each([
    { name: "a whole blob", ranges: ChunkRanges.all },
    { name: "the second group", ranges: ChunkRanges.range(16) },
    { name: "nothing of a blob", ranges: ChunkRanges.empty }
  ])("are the same bytes for $name", ({ name, ranges }) => {
    const { answer, end, request } = exchange(name)
    assert.strictEqual(Bytes.toHex(BlobRequest.encode(tree.hash, ranges)), request.hex)
    assert.strictEqual(end, "finished")
    // An empty set is not answered at all on a stream, not even by the length.
    const parts = ChunkRanges.isEmpty(ranges) ? [] : [...BlobAnswer.encode(tree, ranges, hasher)].map(ok)
    const sent = Bytes.concat(
      ...parts.map((part) =>
        part.kind === "bytes" ? part.bytes : ok(part.encode(blob.subarray(part.offset, part.offset + part.length)))
      )
    )
    assert.strictEqual(sent.length, answer?.length)
    if (answer?.hex === undefined) assert.strictEqual(hashOf(sent), answer?.blake3)
    else assert.strictEqual(Bytes.toHex(sent), answer.hex)
  })

  it("end in the codes that this implementation knows", () => {
    assert.strictEqual(exchange("an unknown blob").code, BlobRequest.errorCodes.internal)
    assert.strictEqual(exchange("many, one of them unknown").code, BlobRequest.errorCodes.internal)
    assert.strictEqual(exchange("a push").code, BlobRequest.errorCodes.permission)
  })
})
