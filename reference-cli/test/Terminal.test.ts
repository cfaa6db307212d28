/** What a person sees at a terminal: a shell in tmux, the real program, a real home server. */
import { Mnemonic } from "@kez-chat/sdk/protocol"
import * as fs from "node:fs"
import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterEach, describe, expect, it } from "vitest"
import type { Home } from "../../deploy/local/Home.ts"
import { has } from "./kit/Packages.ts"
import type { Machine } from "./kit/Program.ts"
import { useScene } from "./kit/Scene.ts"
import * as Shapes from "./kit/Shapes.ts"
import { Tmux } from "./kit/Tmux.ts"

let home: Home
let machine: Machine
let terminal: Tmux | undefined
let terminals = 0

// Each waits for many screens, on a machine that may be busy.
const timeout = 180_000

const hasTmux = process.platform !== "win32" && has("tmux", "tmux", "-V")

describe.runIf(hasTmux)("at a terminal", { timeout }, () => {
  useScene(async (scene) => {
    ;({ home, machine } = scene)
    fs.writeFileSync(
      machine.path("kez-chat"),
      `#!/bin/sh\nexec ${machine
        .command([])
        .map((part) => `'${part}'`)
        .join(" ")} "$@"\n`,
      { mode: 0o755 }
    )
    await Promise.all(["alice", "bob"].map((name) => machine.register(name)))
    await machine.introduce("alice", "bob")
    await machine.json(Shapes.Unlocked, ["--profile", "bob", "unlock"])
  })

  afterEach(() => terminal?.close())

  const open = (columns: number, rows: number, env: Readonly<Record<string, string | undefined>> = {}): Tmux => {
    terminal = new Tmux({
      // A server that is being closed still has its socket.
      socket: machine.path(`tmux-${++terminals}`),
      cwd: machine.folder,
      env: machine.env({ PATH: `${machine.folder}:${process.env["PATH"]}`, NO_COLOR: "1", ...env }),
      columns,
      rows
    })
    return terminal
  }

  const bobSays = (text: string) => machine.json(Shapes.Sent, ["--profile", "bob", "send", "alice", text])
  const words = (name: string) =>
    fs
      .readFileSync(machine.path(`${name}.words`), "utf8")
      .trim()
      .split(" ")
  const shellWorks = async (shell: Tmux, code: number) => {
    shell.enter(`echo "exit $?"; stty -a | grep -o " -\\?\\(echo\\|icanon\\)\\b"`)
    await shell.see(new RegExp(`^exit ${code}\\n icanon\\n echo\\n\\$$`, "m"))
  }

  it("shows messages above a draft that is wider than the terminal, through Home, Enter, ^Z, fg and a new size", async () => {
    const shell = open(60, 20)
    shell.enter("kez-chat --profile alice chat bob")
    await shell.see(/\/quit leaves[^]*^>$/m)
    const draft = "abcdefghij".repeat(7)
    shell.type(draft)
    await shell.see(/^ {2}\w+hij$/m)
    await bobSays("while you type")
    expect(await shell.see(/while you type/)).toMatch(/bob@localhost {2}while you type\n> a[a-j]+\n {2}[a-j]+$/)
    shell.press("Home")
    while (shell.cursor().column !== 2) await sleep(20)
    shell.press("Enter")
    expect(await shell.see(/delivered >$/)).toMatch(/you {2}a[a-j]+\n {5}│ [a-j]+\ndelivered >$/)

    shell.type("half a 你好 draft")
    shell.press("C-z")
    expect(await shell.see(/Stopped/)).not.toContain("half")
    await bobSays("while suspended")
    shell.enter("clear; stty -a | grep -o ' icanon'")
    await shell.see(/^ icanon\n\$$/m)
    shell.enter("fg")
    expect(await shell.see(/while suspended/)).toMatch(
      /bob@localhost {2}while suspended\ndelivered > half a 你好 draft$/
    )
    await bobSays("after fg")
    expect(await shell.see(/after fg/)).toMatch(/after fg\ndelivered > half a 你好 draft$/)

    shell.resize(40, 20)
    expect(await shell.see(/^.{1,39}\n {5}│ [a-j]+\n.*while suspended/m)).toMatch(/delivered > half a 你好 draft$/)
    await bobSays("in a narrow terminal")
    expect(await shell.see(/in a narrow/)).toMatch(/delivered > half a 你好 draft$/)

    shell.press("C-u")
    shell.paste("one\ntwo\nthree\n")
    await shell.see(/> one\n {2}two\n {2}three$/)
    shell.press("Enter")
    await shell.see(/you {2}one\n {5}│ two\n {5}│ three\n(?:stored|delivered) >$/)
    shell.press("C-d")
    await shell.see(/\n\$$/)
    await shellWorks(shell, 0)
    const { messages } = await machine.json(Shapes.History, ["--profile", "bob", "history", "alice"])
    expect(messages.filter(({ direction }) => direction === "in").map(({ text }) => text)).toEqual([
      draft,
      "one\ntwo\nthree"
    ])
  })

  it("takes a numbered list that comes slowly, and leaves nothing of what follows to the shell", async () => {
    const shell = open(80, 24)
    shell.enter("kez-chat --profile slowly restore")
    await shell.see(/^ {2}>$/m)
    for (const [index, word] of words("alice").entries()) {
      shell.enter(`${index + 1}. ${word}`)
      await sleep(5)
    }
    shell.enter("touch leaked")
    shell.enter("touch leaked")
    const seen = await shell.see(/^seed [^]*\n\$$/m)
    expect(seen).toContain("Restored alice@localhost")
    await shellWorks(shell, 0)
    expect(fs.existsSync(machine.path("leaked"))).toBe(false)
    expect(shell.scrollback()).not.toMatch(new RegExp(`^.*\\d+\\. ${words("alice")[3]}`, "m"))
  })

  it("takes the very screen that `words` shows, pasted as it is", async () => {
    const shell = open(80, 24)
    shell.enter("kez-chat --profile alice words")
    const shown = await shell.see(/Press Enter/)
    shell.press("Enter")
    await shell.see(/kez-chat --profile alice words\n\$$/)
    shell.enter("clear; kez-chat --profile pasted restore")
    await shell.see(/^ {2}>$/m)
    shell.paste(shown)
    shell.press("Enter")
    await shell.see(/Restored alice@localhost/)
    await shell.see(/\n\$$/)
    await shellWorks(shell, 0)
  })

  it("names a wrong word where it can be corrected, and nothing of it stays", async () => {
    const shell = open(80, 24)
    shell.enter("kez-chat --profile wrong restore")
    await shell.see(/^ {2}>$/m)
    const [first = "", ...rest] = words("alice")
    shell.type(`${rest.join(", ")}, ${first}x`)
    shell.press("Enter")
    await shell.see(/word 24 is not in the list/)
    shell.press("C-z")
    await shell.see(/Stopped/)
    expect(shell.scrollback()).not.toContain(rest.slice(0, 3).join(", "))
    shell.enter("fg")
    // Where the row ends depends on the words.
    await shell.see(new RegExp([...`,${first}x`].join("\\s*")))
    shell.press("C-c")
    await shell.see(/restore\n\$$/)
    await shellWorks(shell, 130)
    expect(shell.scrollback()).not.toContain(rest.slice(0, 3).join(", "))
  })

  it("says which home knows nothing of words that are sound", async () => {
    fs.writeFileSync(machine.path("nobody"), Mnemonic.fromSeed(new Uint8Array(32).fill(9)), { mode: 0o600 })
    const done = await machine.run(["--profile", "nobody", "restore", "--words-file", machine.path("nobody"), "--json"])
    expect(done.code).toBe(4)
    expect(done.error().message).toBe(
      `the words are valid, but no account is registered for them at ${home.urls.home}: name its home server with --home URL`
    )
  })

  it("is suspended at a hidden question, and goes on with it", async () => {
    const shell = open(80, 24, { KEZ_PASSPHRASE_FILE: undefined })
    shell.enter("kez-chat --profile alice contacts")
    await shell.see(/Passphrase:$/)
    shell.type("correct")
    shell.press("C-z")
    await shell.see(/Stopped/)
    shell.enter("fg")
    await shell.see(/fg\n[^]*Passphrase:$/)
    shell.paste(" horse\n")
    shell.press("Enter")
    await shell.see(/bob@localhost {2}not verified/)
    expect(shell.scrollback()).not.toContain("correct")
    expect(shell.scrollback()).not.toContain("horse")
    await shellWorks(shell, 0)
  })

  const alive = (pid: number): boolean => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  }

  it("ends with its terminal, and outlives it under nohup", async () => {
    const ownerFile = path.join(machine.profile("alice"), "owner.json")
    const owner = async (): Promise<number> => {
      for (;;) {
        try {
          const { pid, socket } = JSON.parse(fs.readFileSync(ownerFile, "utf8"))
          if (socket !== undefined) return pid
        } catch {
          // Not yet.
        }
        await sleep(20)
      }
    }
    for (const command of ["listen", "chat bob"]) {
      open(80, 24).enter(`kez-chat --profile alice ${command}`)
      const attached = await owner()
      terminal?.close()
      while (alive(attached)) await sleep(20)
      expect(fs.existsSync(ownerFile)).toBe(false)
    }
    open(80, 24).enter("nohup kez-chat --profile alice listen --json > listened 2>&1 &")
    const detached = await owner()
    terminal?.close()
    await bobSays("after the terminal")
    while (!fs.readFileSync(machine.path("listened"), "utf8").includes("after the terminal")) await sleep(20)
    expect(alive(detached)).toBe(true)
    process.kill(detached, "SIGTERM")
    while (alive(detached)) await sleep(20)
    expect(fs.existsSync(ownerFile)).toBe(false)
  })
})
