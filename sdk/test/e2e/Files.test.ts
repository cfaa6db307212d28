/** Files between two processes, over Iroh on loopback: whole, and after either of them was killed. */
import { basename, join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { digest, Pair, type Program } from "./FilesBetween.ts"

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

/** Alice shares a file with Bob; its offer's id, as he got it. */
const share = async (name: string, size: number): Promise<{ readonly id: string; readonly path: string }> => {
  const path = await pair.file(name, size)
  alice.send({ do: "share", path, with: "bob" })
  const id = await bob.answer(({ offered }) => (offered?.name === basename(path) ? offered.id : undefined))
  return { id, path }
}

const fetch = (id: string) => bob.send({ do: "fetch", what: id, folder: join(pair.folder, "saved") })

/** Waits until so much of the blob is here, in answers after `from`. */
const has = (bytes: number, from: number) =>
  bob.answer(({ step }) => (step?.state === "receiving" && step.haveBytes >= bytes ? step.haveBytes : undefined), from)

const savedAs = (name: string, from: number) =>
  bob.answer(({ saved }) => (saved !== undefined && basename(saved) === name ? saved : undefined), from)

describe("files between two processes", () => {
  it.each([1, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537])("of %d bytes arrive as they were", async (size) => {
    const name = `small-${size}.bin`
    const { id, path } = await share(name, size)
    const from = bob.count
    fetch(id)
    assert.strictEqual(await digest(await savedAs(name, from)), await digest(path))
  })

  it("go on where they were when the receiver is killed", { timeout: 300_000 }, async () => {
    const { id, path } = await share("receiver.bin", 12_000_000)
    let from = bob.count
    fetch(id)
    await has(4_000_000, from)
    await bob.end("SIGKILL")
    bob = await pair.start("bob")
    from = bob.count
    fetch(id)
    const first = await bob.answer(({ step }) => step?.haveBytes, from)
    assert.isAtLeast(first, 2_000_000, "most of what was here is here still")
    assert.strictEqual(await digest(await savedAs("receiver.bin", from)), await digest(path))
  })

  it("go on by themselves when the sender is killed and comes back", { timeout: 300_000 }, async () => {
    const { id, path } = await share("sender.bin", 12_000_000)
    const from = bob.count
    fetch(id)
    const before = await has(4_000_000, from)
    await alice.end("SIGKILL")
    alice = await pair.start("alice")
    alice.send({ do: "serve" })
    assert.strictEqual(await digest(await savedAs("sender.bin", from)), await digest(path))
    const have = bob.answers.slice(from).flatMap(({ step }) => (step === undefined ? [] : [step.haveBytes]))
    assert.deepStrictEqual(
      have,
      have.toSorted((a, b) => a - b),
      "nothing that was here was lost"
    )
    assert.isAbove(have.at(-1)!, before)
  })
})
