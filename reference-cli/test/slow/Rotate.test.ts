/** A person who rotates at the command line, their other device, and their contact. */
import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import { as, type Machine } from "../kit/Program.ts"
import { useScene } from "../kit/Scene.ts"
import * as Shapes from "../kit/Shapes.ts"

let machine: Machine
useScene((scene) => {
  ;({ machine } = scene)
})

const friends = async (a: string, b: string): Promise<void> => {
  await Promise.all([machine.register(a), machine.register(b)])
  await machine.json(Shapes.ContactResult, as(a, "add", b))
  await machine.json(Shapes.ContactResult, as(b, "add", a))
  await machine.json(Shapes.Sent, as(a, "send", b, "with the old key"))
}

const whole = ["after", "waits", "with the new key", "with the old key"]

describe("rotate", () => {
  it("hands over to a new key, and the conversation goes on once the contact decides", async () => {
    await friends("ann", "ben")
    const before = await machine.json(Shapes.Whoami, as("ann", "whoami"))
    const withoutWords = await machine.run(as("ann", "rotate", "--yes", "--json"))
    expect(withoutWords.code).toBe(2)
    expect(withoutWords.error().code).toBe("words_needed")
    const file = machine.path("ann2.words")
    const rotated = await machine.run(as("ann", "rotate", "--yes", "--words-file", file, "--json"))
    expect(rotated.code).toBe(0)
    const { from, primary } = rotated.json(Shapes.Rotated)
    expect(from).toBe(before.primary)
    expect(fs.readFileSync(file, "utf8").trim().split(" ")).toHaveLength(24)
    expect((await machine.json(Shapes.Whoami, as("ann", "whoami"))).primary).toBe(primary)

    const sent = await machine.run(as("ben", "send", "ann", "waits", "--json"))
    expect(sent.code).toBe(10)
    expect(sent.json(Shapes.Sent).message.state).toBe("queued")
    const seen = await machine.run(as("ben", "verify", "ann"))
    expect(seen.code).toBe(10)
    expect(seen.stdout).toContain("The key you hold has signed this change")
    await machine.json(Shapes.ContactResult, as("ben", "accept", "ann", "--new-key", primary))
    await machine.json(Shapes.Sent, as("ben", "send", "ann", "after"))
    await machine.json(Shapes.Sent, as("ann", "send", "ben", "with the new key"))
    for (const [one, other] of [
      ["ann", "ben"],
      ["ben", "ann"]
    ] as const) {
      const { messages } = await machine.json(Shapes.History, as(one, "history", other))
      expect(messages.map(({ text }) => text).toSorted()).toEqual(whole)
    }

    const early = await machine.run(
      as("other", "restore", "--vault", "file", "--words-file", machine.path("ann.words"), "--json")
    )
    expect(early.error().code).toBe("primary_moved")
    const both = ["--words-file", file, "--former-words", machine.path("ann.words"), "--vault", "file"]
    expect((await machine.run(as("other", "restore", ...both))).code).toBe(0)
    const { messages } = await machine.json(Shapes.History, as("other", "history", "ben"))
    expect(messages.map(({ text }) => text).toSorted()).toEqual(whole)
  })

  it("resumes after a kill, and stops the other device until it has the new words", async () => {
    await friends("cat", "dan")
    const old = machine.path("cat.words")
    expect((await machine.run(as("twin", "restore", "--vault", "file", "--words-file", old))).code).toBe(0)
    expect((await machine.run(as("third", "restore", "--vault", "file", "--words-file", old))).code).toBe(0)
    const file = machine.path("cat2.words")
    const command = ["rotate", "--yes", "--words-file", file]
    const running = machine.start(as("cat", ...command))
    await expect.poll(running.stderr, { timeout: 20_000 }).toContain("stored beside the old one")
    await running.kill("SIGKILL")
    const again = await machine.run(as("cat", "rotate", "--yes", "--words-file", machine.path("cat3.words")))
    expect(again.code).toBe(0)
    expect(again.stderr).toContain("Resuming the rotation")
    expect(fs.existsSync(machine.path("cat3.words"))).toBe(false)
    const { primary } = await machine.json(Shapes.Whoami, as("cat", "whoami"))

    const refused = await machine.run(as("twin", "send", "dan", "from the twin", "--json"))
    expect(refused.error()).toMatchObject({ code: "account_moved" })
    expect(refused.error().message).toContain("kez-chat restore")
    const late = machine.path("late.words")
    const refusedToo = await machine.run(as("twin", "rotate", "--yes", "--words-file", late, "--json"))
    expect(refusedToo.error()).toMatchObject({ code: "account_moved" })
    expect(fs.existsSync(late)).toBe(false)
    const removed = await machine.run(as("third", "delete-account", "--confirm", "cat@localhost"))
    expect(removed.stdout).toContain("is removed here")
    expect((await machine.run(as("third", "whoami"))).code).toBe(3)
    expect((await machine.run(as("twin", "restore", "--vault", "file", "--words-file", file))).code).toBe(0)
    expect((await machine.json(Shapes.Whoami, as("twin", "whoami"))).primary).toBe(primary)
    const { messages } = await machine.json(Shapes.History, as("twin", "history", "dan"))
    expect(messages.map(({ text }) => text)).toEqual(["with the old key", "from the twin"])
  })
})
