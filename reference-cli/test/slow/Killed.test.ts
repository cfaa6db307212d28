/** kill -9 at any moment: of commands that run at once, and of the process that holds the account for them. */
import { randomInt } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { type Finished, type Machine, read, type Running } from "../kit/Program.ts"
import { useScene } from "../kit/Scene.ts"
import * as Shapes from "../kit/Shapes.ts"

const rounds = 4
/** They wrote to Alice, and one of them is accepted in a round. */
const strangers = ["dora", "erik", "fred", "gina"]
const fileBytes = 3_000_000

let machine: Machine
let serving: Running
/** How long commands run here, in milliseconds: the moment to kill one lies within. */
let usual = 1_000

const alice = (...args: ReadonlyArray<string>): ReadonlyArray<string> => ["--profile", "alice", ...args]
const bob = (...args: ReadonlyArray<string>): ReadonlyArray<string> => ["--profile", "bob", ...args]
const unlocked = () => machine.json(Shapes.Unlocked, alice("unlock"))

/** Ends the process that holds Alice's account. */
const killOwner = (): void => {
  try {
    process.kill(JSON.parse(fs.readFileSync(path.join(machine.profile("alice"), "owner.json"), "utf8")).pid, "SIGKILL")
  } catch {
    // None holds it at this moment.
  }
}

useScene(async (scene) => {
  ;({ machine } = scene)
  for (const name of ["in", "out"]) fs.mkdirSync(machine.path(name))
  await Promise.all(["alice", "bob", "carla", ...strangers].map((name) => machine.register(name)))
  await unlocked()
  for (const name of ["bob", "carla"]) await machine.json(Shapes.ContactResult, alice("add", name))
  await machine.json(Shapes.ContactResult, bob("add", "alice"))
  for (const name of strangers) {
    await machine.json(Shapes.ContactResult, ["--profile", name, "add", "alice"])
    await machine.json(Shapes.Sent, ["--profile", name, "send", "alice", "may I?"])
  }
  expect((await machine.json(Shapes.Requests, alice("requests"))).requests).toHaveLength(strangers.length)
  fs.writeFileSync(machine.path("bob.bin"), Buffer.alloc(fileBytes * 3, "from bob"))
  expect((await machine.run(bob("share", "@alice", machine.path("bob.bin")))).code).toBe(0)
  serving = machine.start(bob("serve", "--json"))
  await serving.event(Shapes.ServeLine, (line) => line.event === "connection" && line.state === "online")
})

/** What was acknowledged, and what listeners have shown. */
const sent: Array<string> = []
const shared: Array<string> = []
const heard: Array<string> = []
const seen: Array<string> = []
let ended = { done: 0, killed: 0 }

/** Whether it was done. What was not killed has no defect. */
const isDone = (finished: Finished): boolean => {
  expect(finished.stderr).not.toMatch(/something is wrong in this program|^\s+at /m)
  if (finished.signal === "SIGKILL") ended.killed += 1
  if (finished.code === 0) ended.done += 1
  return finished.code === 0
}

/** The JSON lines that were written whole. */
const events = (running: Running) => running.lines().map((line) => read(Shapes.Event, line))

const stateOf = async (who: string) =>
  (await machine.json(Shapes.Contacts, alice("contacts", "--offline"))).contacts.find(
    ({ handle }) => handle === `${who}@localhost`
  )?.state

const receipts = async () => (await machine.json(Shapes.Settings, alice("settings"))).read_receipts

const kill = {
  /** Each command at a moment of its own, whichever of them holds the account. */
  "the commands": async (running: ReadonlyArray<Running>) => {
    await Promise.all(
      running.map(async (one) => {
        await Promise.race([one.finished, pause(randomInt(usual))])
        await one.kill("SIGKILL")
      })
    )
  },
  /** The process that has the account open for all of them; then whichever follows it. */
  "the process that holds the account": async () => {
    await pause(randomInt(usual))
    killOwner()
  }
}

const round = async (name: string, number: number, victims: keyof typeof kill, stranger: string | undefined) => {
  const before = await receipts()
  const block = number % 2 === 0 ? "block" : "unblock"
  const out = machine.path("out", `${name}.jsonl`)
  const into = machine.path("in", `${name}.bin`)
  const given = machine.path(`${name}.shared`)
  fs.writeFileSync(given, Buffer.alloc(fileBytes, name))
  const { offers } = await machine.json(Shapes.Offers, alice("fetch"))
  const { id } = offers[0]!.message
  if (victims === "the commands") killOwner()

  const start = (...args: ReadonlyArray<string>) => machine.start(alice(...args, "--json"))
  const listening = start("listen")
  const commands = {
    send: start("send", "bob", name),
    block: start(block, "carla"),
    settings: start("settings", "--read-receipts", before ? "off" : "on"),
    export: start("export", "--output", out),
    share: start("share", "@bob", given),
    fetch: start("fetch", id, "--to", machine.path("in"), "--name", `${name}.bin`),
    ...(stranger === undefined ? {} : { accept: start("accept", stranger) })
  }
  const told = machine.json(Shapes.Sent, bob("send", "alice", name))
  await kill[victims]([...Object.values(commands), listening])
  const finished = async (one: Running | undefined) => one !== undefined && isDone(await one.finished)
  const done = {
    send: await finished(commands.send),
    block: await finished(commands.block),
    settings: await finished(commands.settings),
    export: await finished(commands.export),
    share: await finished(commands.share),
    fetch: await finished(commands.fetch),
    accept: await finished(commands.accept)
  }
  await told
  heard.push(name)
  await listening.kill("SIGKILL")
  for (const event of events(listening)) if (event.event === "message") seen.push(event.message.text)

  // The next start works, and holds what was acknowledged.
  await unlocked()
  if (done.send) sent.push(name)
  if (done.share) shared.push(path.basename(given))
  if (done.block) expect(await stateOf("carla")).toBe(block === "block" ? "blocked" : "accepted")
  if (done.settings) expect(await receipts()).toBe(!before)
  if (stranger !== undefined) {
    expect(done.accept ? ["accepted"] : ["requested", "accepted"]).toContain(await stateOf(stranger))
    await machine.json(Shapes.ContactResult, alice("accept", stranger))
  }
  if (done.export) expect(fs.existsSync(out)).toBe(true)
  if (fs.existsSync(out)) {
    const lines = fs.readFileSync(out, "utf8").split("\n")
    expect(lines.pop()).toBe("")
    for (const line of lines) read(Shapes.ExportItem, line)
    expect(lines.some((line) => line.includes("may I?"))).toBe(true)
  }
  if (done.fetch) expect(fs.existsSync(into)).toBe(true)
  if (fs.existsSync(into)) expect(fs.readFileSync(into).equals(fs.readFileSync(machine.path("bob.bin")))).toBe(true)
}

const countsOf = (all: ReadonlyArray<string>, names: ReadonlyArray<string>) =>
  names.map((name) => [name, all.filter((one) => one === name).length])
const once = (names: ReadonlyArray<string>) => names.map((name) => [name, 1])

describe("kill -9", () => {
  it.each(["the commands", "the process that holds the account"] as const)("of %s", async (victims) => {
    ended = { done: 0, killed: 0 }
    // Several commands start at once here, and where nobody holds the account the first has to open it.
    await unlocked()
    if (victims === "the commands") killOwner()
    const began = Date.now()
    await Promise.all([0, 1, 2].map(() => machine.json(Shapes.Contacts, alice("contacts"))))
    usual = 3 * (Date.now() - began)
    await unlocked()
    for (let number = 0; number < rounds; number++) {
      const own = strangers.slice(victims === "the commands" ? 0 : 2)
      await round(`${victims} ${number}`, number, victims, number < 2 ? own[number] : undefined)
    }
    // Neither too early nor too late, on the whole.
    expect(ended.done).toBeGreaterThan(0)
    if (victims === "the commands") expect(ended.killed).toBeGreaterThan(0)
  })

  it("loses and doubles nothing that was acknowledged", async () => {
    await machine.json(Shapes.Sent, alice("send", "bob", "the end"))
    const { messages } = await machine.json(Shapes.History, bob("history", "alice", "--limit", "500"))
    const arrived = messages.filter(({ direction, file }) => direction === "in" && file === undefined)
    const texts = arrived.map(({ text }) => text)
    expect(texts).toEqual([...new Set(texts)])
    expect(countsOf(texts, sent)).toEqual(once(sent))
    const { shares } = await machine.json(Shapes.Shared, alice("shared"))
    expect(
      countsOf(
        shares.map((share) => share.name),
        shared
      )
    ).toEqual(once(shared))
    const { offers } = await machine.json(Shapes.Offers, bob("fetch"))
    expect(
      countsOf(
        offers.map(({ message }) => message.file!.name),
        shared
      )
    ).toEqual(once(shared))
  })

  it("hides no message from a listener", async () => {
    const listening = machine.start(alice("listen", "--json"))
    await machine.json(Shapes.Sent, bob("send", "alice", "the last"))
    await listening.event(Shapes.Event, (value) => value.event === "message" && value.message.text === "the last")
    for (const event of events(listening)) if (event.event === "message") seen.push(event.message.text)
    expect((await listening.kill("SIGINT")).code).toBe(0)
    expect(heard.filter((text) => !seen.includes(text))).toEqual([])
  })

  it("leaves no lock", async () => {
    await machine.json(Shapes.Locked, alice("lock"))
    expect(fs.existsSync(path.join(machine.profile("alice"), "owner.json"))).toBe(false)
    expect(fs.readdirSync(machine.profile("alice")).filter((name) => name.startsWith(".owner"))).toEqual([])
    expect((await serving.kill("SIGINT")).code).toBe(0)
  })
})
