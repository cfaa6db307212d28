/** Files between two devices of which one has its clock wrong. Needs `faketime`. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { digest, Pair } from "../e2e/FilesBetween.ts"

// The library alone: the program `faketime` stands between, and would take the signals.
const { stdout } = spawnSync("faketime", ["-f", "+1s", "sh", "-c", "echo $LD_PRELOAD"], { encoding: "utf8" })
const library = stdout?.trim() ?? ""
const isHere = library !== ""
if (!isHere) process.stderr.write("left out: apt-get install faketime\n")
if (!isHere && process.env["KEZ_NO_SKIP"]) throw new Error("faketime is missing")

describe.skipIf(!isHere)("a clock that is wrong", () => {
  const pair = new Pair()
  beforeAll(() => pair.open())
  afterAll(() => pair.close())

  const cases = ["-1d", "-1h", "-2m", "+2m", "+1h", "+1d"].flatMap((clock) => [
    { clock, whose: "alice" as const },
    { clock, whose: "bob" as const }
  ])
  const wrong = (clock: string) => ({ LD_PRELOAD: library, FAKETIME: clock, FAKETIME_DONT_FAKE_MONOTONIC: "1" })

  it.each(cases)("KEZ-SEQ-060 stops no file: $clock at $whose's", async ({ clock, whose }) => {
    const name = `${clock} ${whose}`
    const alice = await pair.start("alice", whose === "alice" ? wrong(clock) : undefined)
    const bob = await pair.start("bob", whose === "bob" ? wrong(clock) : undefined)
    alice.send({ do: "serve" })
    const path = await pair.file(name, 70_000)
    alice.send({ do: "share", path, with: "bob" })
    const id = await bob.answer(({ offered }) => (offered?.name === name ? offered.id : undefined))
    const from = bob.count
    bob.send({ do: "fetch", what: id, folder: join(pair.folder, "saved") })
    const saved = await bob.answer((answer) => answer.saved, from)
    assert.strictEqual(await digest(saved), await digest(path))
    const waits = bob.answers.slice(from).flatMap(({ step }) => step?.reason ?? [])
    assert.deepStrictEqual(waits, [])
    await Promise.all([alice.end("SIGTERM"), bob.end("SIGTERM")])
  })
})
