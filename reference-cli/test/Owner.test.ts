/** Many processes and one profile: who owns it, what happens when the owner goes, and that nothing is lost or shown twice. */
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import type { Home } from "../../deploy/local/Home.ts"
import { type Machine, read, type Running } from "./kit/Program.ts"
import { useScene } from "./kit/Scene.ts"
import * as Shapes from "./kit/Shapes.ts"

let home: Home
let machine: Machine

useScene(async (scene) => {
  ;({ home, machine } = scene)
  await Promise.all(["alice", "bob"].map((name) => machine.register(name)))
  await machine.introduce("alice", "bob")
  // Bob only ever sends here: his commands need not open the account each time.
  await machine.json(Shapes.Unlocked, ["--profile", "bob", "unlock"])
})

// What a failed test leaves behind would be the owner in the next.
afterEach(() => machine.endAll())

const alice = (...args: ReadonlyArray<string>): ReadonlyArray<string> => ["--profile", "alice", ...args]
const fromBob = (text: string) => machine.json(Shapes.Sent, ["--profile", "bob", "send", "alice", text])

/** The home has it; Bob's background process may be quick enough to confirm it too. */
const arrived = ["stored", "delivered"]

const ownerFile = () => path.join(machine.profile("alice"), "owner.json")
const ownerPid = (): number => JSON.parse(fs.readFileSync(ownerFile(), "utf8")).pid

const listen = async (): Promise<Running> => {
  const running = machine.start(alice("listen", "--json"))
  await running.event(Shapes.Event, (value) => value.event === "connection" && value.state === "online")
  return running
}

/** The texts of Bob's messages that a listener has shown. */
const shown = (running: Running): ReadonlyArray<string> =>
  running.lines().flatMap((line) => {
    const value = read(Shapes.Event, line)
    return value.event === "message" && value.message.direction === "in" ? [value.message.text] : []
  })

const shows = (running: Running, text: string) =>
  running.event(Shapes.Event, (value) => value.event === "message" && value.message.text === text)

describe("one owner", () => {
  it("orders commands that start at once, and each of them does its work", async () => {
    const texts = ["a", "b", "c", "d"]
    const done = await Promise.all(texts.map((text) => machine.json(Shapes.Sent, alice("send", "bob", text))))
    for (const { message } of done) expect(arrived).toContain(message.state)
    const { messages } = await machine.json(Shapes.History, ["--profile", "bob", "history", "alice"])
    expect(messages.map(({ text }) => text).toSorted()).toEqual(texts)
    expect(fs.existsSync(ownerFile())).toBe(false)
  })

  it("is one of two that start at once; both show every message, and other commands go through it", async () => {
    const listeners = await Promise.all([listen(), listen()])
    expect(listeners.map(({ pid }) => pid)).toContain(ownerPid())
    expect(fs.statSync(ownerFile()).mode & 0o777).toBe(0o600)
    expect(fs.statSync(JSON.parse(fs.readFileSync(ownerFile(), "utf8")).socket.address).mode & 0o077).toBe(0)
    await fromBob("to both")
    await Promise.all(listeners.map((running) => shows(running, "to both")))
    // No passphrase: the owner has the account open.
    const env = { KEZ_PASSPHRASE_FILE: undefined }
    const { message } = await machine.json(Shapes.Sent, alice("send", "bob", "through the owner"), { env })
    expect(arrived).toContain(message.state)
    const { contacts } = await machine.json(Shapes.Contacts, alice("contacts"), { env })
    expect(contacts.map(({ handle }) => handle)).toEqual(["bob@localhost"])
    for (const running of listeners) expect((await running.kill("SIGINT")).code).toBe(0)
  })

  it("is replaced by the other listener when it is killed, with nothing lost and nothing shown twice", async () => {
    const listeners = await Promise.all([listen(), listen()])
    await fromBob("before")
    await Promise.all(listeners.map((running) => shows(running, "before")))
    const owner = listeners.find(({ pid }) => pid === ownerPid())!
    const heir = listeners.find((running) => running !== owner)!
    await owner.kill("SIGKILL")
    await fromBob("meanwhile")
    await shows(heir, "meanwhile")
    expect(ownerPid()).toBe(heir.pid)
    await fromBob("after")
    await shows(heir, "after")
    expect(shown(heir).filter((text) => ["before", "meanwhile", "after"].includes(text))).toEqual([
      "before",
      "meanwhile",
      "after"
    ])
    expect((await heir.kill("SIGTERM")).code).toBe(0)
  })

  it("leaves nothing in the way when it is killed", async () => {
    const running = await listen()
    await running.kill("SIGKILL")
    expect(fs.existsSync(ownerFile())).toBe(true)
    const { contacts } = await machine.json(Shapes.Contacts, alice("contacts", "--offline"))
    expect(contacts).toHaveLength(1)
    expect(fs.existsSync(ownerFile())).toBe(false)
  })

  it("shows next time what came while it was away, and nothing of before", async () => {
    const first = await listen()
    await fromBob("seen")
    await shows(first, "seen")
    await first.kill("SIGTERM")
    await fromBob("missed")
    // Another command takes it in first; it is news to the listener all the same.
    await machine.json(Shapes.History, alice("history", "bob"))
    const second = await listen()
    await shows(second, "missed")
    expect(shown(second)).toEqual(["missed"])
    await second.kill("SIGTERM")
  })

  it("shows everything once when it is killed again and again in a stream of messages", async () => {
    const texts = Array.from({ length: 24 }, (_, index) => `stream ${index}`)
    const seen: Array<string> = []
    const sending = (async () => {
      for (const text of texts) await fromBob(text)
    })()
    for (const stop of [5, 11, 17]) {
      const running = await listen()
      await shows(running, texts[stop]!)
      await running.kill("SIGKILL")
      seen.push(...shown(running))
    }
    await sending
    const last = await listen()
    await shows(last, texts.at(-1)!)
    await last.kill("SIGTERM")
    seen.push(...shown(last))
    // Killed between output and note, a message may be shown again; none may be missing, and the order holds.
    expect([...new Set(seen)]).toEqual(texts)
    expect(seen.length - texts.length).toBeLessThanOrEqual(3)
  })
})

describe("unlock and lock", () => {
  const env = { KEZ_PASSPHRASE_FILE: undefined }

  it("holds the account open for commands without a passphrase, until lock", async () => {
    expect((await machine.run(alice("send", "bob", "locked"), { env })).code).toBe(7)
    const opened = await machine.json(Shapes.Unlocked, alice("unlock", "--for", "1h"))
    expect(opened.already).toBe(false)
    expect(Date.parse(opened.owner.until ?? "") - Date.now()).toBeGreaterThan(3_500_000)
    expect((await machine.json(Shapes.Unlocked, alice("unlock"), { env })).already).toBe(true)
    expect(arrived).toContain(
      (await machine.json(Shapes.Sent, alice("send", "bob", "unlocked"), { env })).message.state
    )
    expect(await machine.json(Shapes.Locked, alice("lock"), { env })).toEqual({ unlocked: false, already: false })
    expect(await machine.json(Shapes.Locked, alice("lock"), { env })).toEqual({ unlocked: false, already: true })
    expect((await machine.run(alice("send", "bob", "locked"), { env })).code).toBe(7)
  })

  it("has the seed in no argument, no environment and no log of the background process", async () => {
    const { owner } = await machine.json(Shapes.Unlocked, alice("unlock"))
    const words = fs.readFileSync(machine.path("alice.words"), "utf8").trim().split(" ")
    const log = fs.readFileSync(path.join(machine.profile("alice"), "owner.log"), "utf8")
    const proc = `/proc/${owner.pid}`
    const visible = [
      log,
      ...(fs.existsSync(proc)
        ? ["cmdline", "environ"].map((name) => fs.readFileSync(path.join(proc, name), "utf8"))
        : [])
    ].join("\n")
    expect(visible).not.toMatch(/[0-9a-f]{64}/)
    expect(visible).not.toContain(words.slice(0, 2).join(" "))
    expect(visible).not.toContain("correct horse")
    await machine.json(Shapes.Locked, alice("lock"))
  })

  it("says that a process of another version holds the account, without waiting for it", async () => {
    const running = await listen()
    const file = JSON.parse(fs.readFileSync(ownerFile(), "utf8"))
    fs.writeFileSync(ownerFile(), JSON.stringify({ ...file, protocol: 999 }))
    const done = await machine.run(alice("contacts", "--json"))
    expect(done.code).toBe(8)
    expect(done.error()).toMatchObject({
      code: "owner_incompatible",
      message: expect.stringContaining(String(running.pid))
    })
    // From a dead process such a file is nothing.
    await running.kill("SIGKILL")
    await machine.json(Shapes.Contacts, alice("contacts", "--offline"))
  })

  it.runIf(process.platform === "linux")(
    "leaves no memory in a core dump, and writes none in the background",
    async () => {
      const filter = (pid: number) => Number.parseInt(fs.readFileSync(`/proc/${pid}/coredump_filter`, "utf8"), 16)
      const { owner } = await machine.json(Shapes.Unlocked, alice("unlock"))
      expect(fs.readFileSync(`/proc/${owner.pid}/limits`, "utf8")).toMatch(/^Max core file size +0 +0 /m)
      expect(filter(owner.pid)).toBe(0)
      await machine.json(Shapes.Locked, alice("lock"))
      const running = await listen()
      expect(filter(running.pid)).toBe(0)
      await running.kill("SIGTERM")
    }
  )

  it("ends by itself when the time is over", async () => {
    const { owner } = await machine.json(Shapes.Unlocked, alice("unlock", "--for", "1s"))
    const alive = () => {
      try {
        process.kill(owner.pid, 0)
        return true
      } catch {
        return false
      }
    }
    while (alive()) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(fs.existsSync(ownerFile())).toBe(false)
  })

  it("does not take the account from a command in a terminal", async () => {
    const running = await listen()
    const done = await machine.run(alice("lock", "--json"))
    expect(done.code).toBe(8)
    expect(done.error()).toMatchObject({ code: "profile_busy", message: expect.stringContaining(String(running.pid)) })
    expect((await machine.json(Shapes.Unlocked, alice("unlock"), { env })).owner.command).toBe("listen")
    await running.kill("SIGTERM")
  })

  it("says why the background process did not start", async () => {
    fs.writeFileSync(path.join(machine.profile("alice"), "chat.db.keep"), "")
    const store = path.join(machine.profile("alice"), "chat.db")
    fs.renameSync(store, `${store}.keep`)
    fs.writeFileSync(store, "this is no database, and long enough to be told from one".repeat(20))
    try {
      const done = await machine.run(alice("unlock", "--json"))
      expect(done.code).toBe(1)
      expect(done.error()).toMatchObject({
        code: "owner_start",
        message: expect.stringContaining("this SQLite file is damaged")
      })
    } finally {
      fs.renameSync(`${store}.keep`, store)
    }
  })
})

describe("signals and pipes", () => {
  it("ends other commands with the code of the signal", async () => {
    await home.processes.nats.kill("SIGTERM")
    try {
      for (const [signal, code] of [
        ["SIGINT", 130],
        ["SIGTERM", 143]
      ] as const) {
        const running = machine.start(alice("send", "bob", signal, "--timeout", "1h"))
        // It has queued the message when another command can see who holds the profile and the text is in the store.
        while (!fs.existsSync(ownerFile())) await new Promise((resolve) => setTimeout(resolve, 20))
        expect((await running.kill(signal)).code).toBe(code)
        expect(fs.existsSync(ownerFile())).toBe(false)
      }
    } finally {
      await home.processes.nats.restart()
    }
  })

  it("stays when a terminal closes that it has nothing to do with, as under nohup", async () => {
    const running = await listen()
    running.child.kill("SIGHUP")
    await fromBob("after the hang-up")
    await shows(running, "after the hang-up")
    await running.kill("SIGTERM")
  })

  it("ends quietly when the reader of its output goes away", async () => {
    const running = await listen()
    running.child.stdout!.destroy()
    await fromBob("to nobody")
    const done = await running.finished
    expect(done.code).toBe(0)
    expect(done.stderr).toBe("")
  })
})
