/** How bytes get into a binding that takes arrays, as today's does, and into one that takes typed arrays. */
import { beforeEach, assert, describe, it, vi } from "vitest"
import type * as Module from "../../../src/adapters/iroh/ByteConversion.ts"
import { pieceBytes } from "../../../src/adapters/blobs-core/TransferLimits.ts"

let ByteConversion: typeof Module
beforeEach(async () => {
  // Each binding is tried once for as long as the module lives.
  vi.resetModules()
  ByteConversion = await import("../../../src/adapters/iroh/ByteConversion.ts")
})

const bytesOf = (length: number, from: number) => Uint8Array.from({ length }, (_, i) => from + i)

describe("crossing into the binding", () => {
  it("gives arrays to a binding that refuses typed arrays, which it is asked once", async () => {
    let refused = 0
    const taken: Array<ReadonlyArray<number>> = []
    const take = (given: Array<number>) => {
      if (!Array.isArray(given)) {
        refused++
        throw new Error("Failed to get Array length")
      }
      taken.push([...given])
      return Promise.resolve()
    }
    for (const [length, from] of [
      [3, 1],
      [pieceBytes, 7],
      [pieceBytes, 9],
      [5, 250]
    ] as const) {
      await ByteConversion.give(bytesOf(length, from), take)
      assert.deepEqual(taken.at(-1), [...bytesOf(length, from)])
    }
    assert.strictEqual(refused, 1)
  })

  it("gives typed arrays to a binding that takes them, in memory of their own", async () => {
    const taken: Array<unknown> = []
    const bytes = bytesOf(10, 1)
    const take = (given: unknown) => Promise.resolve(taken.push(given))
    await ByteConversion.give(bytes, take)
    await ByteConversion.give(bytes, take)
    bytes.fill(0)
    assert.deepEqual(taken, [bytesOf(10, 1), bytesOf(10, 1)])
  })

  it("takes back arrays and typed arrays", () => {
    assert.deepEqual(ByteConversion.received([1, 2, 255]), Uint8Array.of(1, 2, 255))
    const typed = Uint8Array.of(4, 5)
    assert.strictEqual(ByteConversion.received(typed), typed)
    assert.deepEqual(ByteConversion.received([]), new Uint8Array(0))
  })
})
