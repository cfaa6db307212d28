/** How bytes get into the binding that takes and returns arrays of numbers. */
import type * as Iroh from "@number0/iroh/index.js"
import { assert, describe, it } from "vitest"
import * as Binding from "../../../src/adapters/iroh/Binding.ts"
import { pieceBytes } from "../../../src/adapters/blobs-core/TransferLimits.ts"

const { give, received } = Binding.compatible({} as typeof Iroh.default)
const bytesOf = (length: number, from: number) => Uint8Array.from({ length }, (_, i) => from + i)

describe("crossing into the compatible binding", () => {
  it("gives arrays, of whole pieces and others in turns", async () => {
    for (const [length, from] of [
      [3, 1],
      [pieceBytes, 7],
      [pieceBytes, 9],
      [5, 250],
      [0, 0]
    ] as const) {
      const taken = await give(bytesOf(length, from), (given) => Promise.resolve([...given]))
      assert.deepEqual(taken, [...bytesOf(length, from)])
    }
  })

  it("takes arrays back", () => {
    assert.deepEqual(received([1, 2, 255]), Uint8Array.of(1, 2, 255))
    assert.deepEqual(received([]), new Uint8Array(0))
  })
})
