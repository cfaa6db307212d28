import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { FastBlake3 } from "../../../src/crypto/index.ts"
import { Blake3, Bytes } from "../../../src/protocol/index.ts"
import { fixture } from "../../kits/Accounts.ts"
import { load, present } from "../../kits/PublishedVectors.ts"

const fast = await fixture(FastBlake3.load)
const hashers = { plain: Blake3.subtree, wasm: fast }
const pattern = (size: number) => Uint8Array.from({ length: size }, (_, i) => i % 251)

interface Vectors {
  readonly cases: ReadonlyArray<{ readonly input_len: number; readonly hash: string }>
}

describe.each(Object.keys(hashers) as Array<keyof typeof hashers>)("BLAKE3, %s", (name) => {
  const hasher = hashers[name]

  it.runIf(present)("gives the published hashes", () => {
    for (const { hash, input_len } of load<Vectors>("blake3.json").cases) {
      assert.strictEqual(Bytes.toHex(Blake3.hash(pattern(input_len), hasher)), hash.slice(0, 64), `${input_len} bytes`)
    }
  })

  it("gives the hash of nothing and of 'abc'", () => {
    const hash = (bytes: Uint8Array) => Bytes.toHex(Blake3.hash(bytes, hasher))
    assert.strictEqual(hash(new Uint8Array(0)), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262")
    assert.strictEqual(hash(Bytes.utf8("abc")), "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85")
  })

  it("joins subtrees to the whole", () => {
    const bytes = pattern(48 * 1024 + 1)
    const left = hasher(bytes.subarray(0, 32 * 1024), 0, false)
    const middle = hasher(bytes.subarray(32 * 1024, 48 * 1024), 32, false)
    const right = hasher(bytes.subarray(48 * 1024), 48, false)
    const whole = Blake3.parent(left, Blake3.parent(middle, right, false), true)
    assert.deepStrictEqual(whole, Blake3.hash(bytes, hasher))
  })
})

describe("FastBlake3", () => {
  it("runs on WebAssembly here", () => assert.notStrictEqual(fast, Blake3.subtree))

  it("agrees with the plain one on every subtree, near the beginning and far into a blob", () => {
    fc.assert(
      fc.property(
        fc.nat(40_000),
        fc.constantFrom(0, 64, 2 ** 20, 2 ** 32 - 64, 2 ** 32, 2 ** 43 - 64),
        fc.boolean(),
        fc.nat(255),
        (size, start, isRoot, seed) => {
          const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8) + seed) & 255)
          const at = isRoot ? 0 : start
          assert.deepStrictEqual(fast(bytes, at, isRoot), Blake3.subtree(bytes, at, isRoot))
        }
      ),
      { numRuns: 150 }
    )
  })
})
