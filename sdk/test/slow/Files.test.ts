/**
 * Half a gibibyte between two processes, over Iroh on loopback: it arrives, and nobody needs more memory for it than for
 * less.
 */
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { digest, Pair, type Program } from "../e2e/FilesBetween.ts"

const pair = new Pair()
let alice: Program
let bob: Program

beforeAll(async () => {
  await pair.open()
  alice = await pair.start("alice")
  bob = await pair.start("bob")
  alice.send({ do: "serve" })
})

afterAll(() => pair.close())

/** Sends a file of random bytes from Alice to Bob; seconds it took to fetch and save. */
const transfer = async (name: string, size: number): Promise<number> => {
  const path = await pair.file(name, size)
  alice.send({ do: "share", path, with: "bob" })
  const id = await bob.answer(({ offered }) => (offered?.name === name ? offered.id : undefined))
  const began = Date.now()
  const from = bob.count
  bob.send({ do: "fetch", what: id, folder: join(pair.folder, "saved") })
  const saved = await bob.answer((answer) => answer.saved, from)
  const seconds = (Date.now() - began) / 1_000
  assert.strictEqual(await digest(saved), await digest(path))
  return seconds
}

/** Most memory that Alice's and Bob's programs ever had, in MiB. */
const peaks = () =>
  Promise.all(
    [alice, bob].map((program) => {
      const from = program.count
      program.send({ do: "memory" })
      return program.answer(({ peakMiB }) => peakMiB, from)
    })
  )

describe("a large file between two processes", () => {
  it("of 512 MiB arrives as it was, in the memory that 100 MB take", { timeout: 1_200_000 }, async () => {
    await transfer("hundred.bin", 100_000_000)
    const before = await peaks()
    // Bytes cross Iroh's binding as arrays of numbers, which the collector takes its time with.
    for (const peak of before) assert.isBelow(peak, 600)
    const seconds = await transfer("large.bin", 2 ** 29)
    const after = await peaks()
    const rate = 2 ** 29 / 1e6 / seconds
    process.stdout.write(
      `512 MiB in ${seconds.toFixed(0)} s, ${rate.toFixed(1)} MB/s; peak RSS in MiB: sender ${before[0]} after 100 MB and ` +
        `${after[0]} after 512 MiB, receiver ${before[1]} and ${after[1]}\n`
    )
    for (const [i, peak] of after.entries()) assert.isBelow(peak, before[i]! + 120)
  })
})
