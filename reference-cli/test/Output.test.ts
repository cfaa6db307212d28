/** What happens to the output of the program where it cannot be written, and to arguments that are easily mistaken. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { describe, expect, it } from "vitest"
import { as, type Machine } from "./kit/Program.ts"
import { useScene } from "./kit/Scene.ts"
import * as Shapes from "./kit/Shapes.ts"

let machine: Machine

useScene(async (scene) => {
  ;({ machine } = scene)
  await Promise.all([machine.register("amy"), machine.register("ben")])
  await machine.introduce("amy", "ben")
  await machine.json(Shapes.Unlocked, as("amy", "unlock"))
})

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Runs `script` in a shell, in which `$KEZ` is the program. */
const shell = (script: string, input = "") => {
  const kez = machine.command([]).map(quote).join(" ")
  const done = spawnSync("bash", ["-c", `kez() { ${kez} "$@"; }; ${script}`], {
    cwd: machine.folder,
    env: machine.env(),
    encoding: "utf8",
    input,
    timeout: 60_000
  })
  return { code: done.status, stdout: done.stdout, stderr: done.stderr }
}

const texts = async (name: string, who: string): Promise<ReadonlyArray<string>> =>
  (await machine.json(Shapes.History, as(name, "history", who))).messages.map(({ text }) => text)

describe.skipIf(!fs.existsSync("/dev/full"))("output that cannot be written", () => {
  it.each([
    "whoami",
    "profiles",
    "contacts",
    "requests",
    "settings",
    "history ben",
    "history ben --json",
    "verify ben",
    "export",
    "shared",
    "browse ben",
    "fetch",
    "words",
    "doctor",
    "send ben hello",
    "send ben hello --json",
    "--help",
    "send --help",
    "--version",
    "--completions zsh"
  ])("%s is an error with a sentence", (command) => {
    const done = shell(`kez --profile amy ${command} > /dev/full`)
    expect(done.code).toBe(1)
    expect(done.stderr).toContain("standard output cannot be written: no space is left on the disk")
    expect(done.stderr).not.toMatch(/^\s+at /m)
  })

  it("listen shows again what could not be written, and leaves what a reader did not take", async () => {
    // So many that a reader who ends after two is gone before the last, also on a machine that has much to do.
    // Ben writes first: a stranger may not send as many in a day.
    await machine.json(Shapes.Sent, as("ben", "send", "amy", "hi"))
    const some = ["one", "two", "three", "four"]
    for (let round = 0; round < 8; round++) {
      await Promise.all(some.map((text) => machine.json(Shapes.Sent, as("amy", "send", "ben", `${text} ${round}`))))
    }
    await machine.json(Shapes.Sent, as("amy", "send", "ben", "the last"))
    const full = shell("kez --profile ben listen --json > /dev/full")
    expect(full.code).toBe(1)
    expect(full.stderr).toContain("standard output cannot be written")
    const taken = shell("kez --profile ben listen --quiet | head -2; exit ${PIPESTATUS[0]}")
    expect(taken).toMatchObject({ code: 0, stderr: "" })
    expect(taken.stdout.trimEnd().split("\n")).toHaveLength(2)
    // Nothing of it was shown by the listener that could not write, and the rest was left by the one whose reader ended.
    const rest = machine.start(as("ben", "listen", "--quiet"))
    await rest.line((line) => line.endsWith("the last"))
    await rest.kill("SIGINT")
  })

  it("goes on without a place for its warnings and notes", async () => {
    expect(shell("kez --profile amy send ben without-stderr 2> /dev/full").code).toBe(0)
    expect(shell("kez --profile amy send ben to-nobody 2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}").code).toBe(0)
    expect(shell("kez --profile amy send nobody hi 2> /dev/full").code).toBe(4)
    expect(await texts("amy", "ben")).toEqual(expect.arrayContaining(["without-stderr", "to-nobody"]))
  })

  it("does what it is for where nobody reads its output, and writes none of it into its files", async () => {
    expect(shell("kez --profile amy send ben unread | true; exit ${PIPESTATUS[0]}").code).toBe(0)
    expect(shell("kez --profile amy send ben closed <&- >&- 2>&-").code).toBe(0)
    expect(shell("kez --profile ben history amy --offline <&- >&- 2>&-").code).toBe(0)
    expect(await texts("amy", "ben")).toEqual(expect.arrayContaining(["unread", "closed"]))
    expect(shell("kez --profile amy doctor --home http://127.0.0.1:9 | true; exit ${PIPESTATUS[0]}").code).toBe(1)
  })
})

describe("an export", () => {
  it("is whole or not there", () => {
    const file = machine.path("cut.jsonl")
    const done = shell(`ulimit -f 1; trap '' XFSZ; kez --profile amy export -o ${file}`)
    expect(done.code).toBe(1)
    expect(done.stderr).toContain(`cannot write ${file}: `)
    expect(fs.readdirSync(machine.folder).filter((name) => name.includes("cut.jsonl"))).toEqual([])
  })
})

describe("text that looks like a flag", () => {
  it("is sent as it was typed, or refused", async () => {
    await machine.json(Shapes.Sent, as("amy", "send", "ben", "- hello"))
    await machine.json(Shapes.Sent, as("amy", "send", "ben", "-5", "degrees"))
    await machine.json(Shapes.Sent, as("amy", "send", "ben", "--quiet", "yes", "no"))
    expect(await texts("amy", "ben")).toEqual(expect.arrayContaining(["- hello", "-5 degrees", "yes no"]))
    const help = await machine.run(as("amy", "send", "ben", "--help", "me"))
    expect(help.code).toBe(2)
    expect(help.stdout).toBe("")
    for (const id of ["-aEhQ1XN", "-EEQ1XNM"]) {
      expect((await machine.run(as("amy", "unshare", id))).code).toBe(4)
      expect((await machine.run(as("amy", "fetch", id))).code).toBe(4)
    }
  })

  it("shares no folder for an empty argument", async () => {
    const done = await machine.run(as("amy", "share", "@ben", ""))
    expect(done.code).toBe(2)
    expect(done.stderr).toContain("argument 2 is empty")
    expect((await machine.json(Shapes.Shared, as("amy", "shared"))).shares).toEqual([])
  })
})
