/** A profile on a disk that is full, and on one that cannot be written. */
import { Effect, Exit, Scope } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { canMount, type Disk, disk as mount } from "../../../sdk/test/kits/Disks.ts"
import { type Finished, type Machine } from "../kit/Program.ts"
import { useScene } from "../kit/Scene.ts"
import * as Shapes from "../kit/Shapes.ts"

let machine: Machine
let disk: Disk
const scope = Scope.makeUnsafe()

const diskBytes = 6 * 1024 * 1024
const fileBytes = 1024 * 1024

/** Zoe's profile is on the small disk, Yan's beside it on a large one. */
const zoe = () => ({ env: { KEZ_CHAT_DIR: path.join(disk.path, "kez") } })
const yan = (...args: ReadonlyArray<string>): ReadonlyArray<string> => ["--profile", "yan", ...args]
const asZoe = (...args: ReadonlyArray<string>): Promise<Finished> => machine.run([...args, "--json"], zoe())

const filler = () => path.join(disk.path, "filler")

const fill = (): void => {
  const descriptor = fs.openSync(filler(), "w")
  try {
    for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
      try {
        for (;;) fs.writeSync(descriptor, Buffer.alloc(size, 1))
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC")
      }
    }
  } finally {
    fs.closeSync(descriptor)
  }
}

const texts = async (): Promise<ReadonlyArray<string>> =>
  (await machine.json(Shapes.History, ["history", "yan"], zoe())).messages.map(({ text }) => text)

const failsWith = (done: Finished, sentence: RegExp): void => {
  expect(done.code).not.toBe(0)
  expect(done.error().message).toMatch(sentence)
  expect(done.error().code).not.toBe("internal")
  expect(done.stderr).not.toMatch(/^\s+at /m)
}

describe.skipIf(!canMount)("a profile on a small disk", () => {
  // Registered first, so that it runs last: the disk is in use until the scene is gone.
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  useScene(async (scene) => {
    ;({ machine } = scene)
    disk = await Effect.runPromise(Scope.provide(mount(diskBytes), scope))
    await machine.register("yan")
    const words = ["--words-file", machine.path("zoe.words")]
    await machine.json(Shapes.Account, ["register", "zoe", "--yes", ...words], zoe())
    await machine.json(Shapes.ContactResult, ["add", "yan"], zoe())
    await machine.json(Shapes.ContactResult, yan("add", "zoe"))
    await machine.json(Shapes.Sent, ["send", "yan", "before"], zoe())
  })

  it("says so when it is full, loses nothing, and goes on when there is room", async () => {
    fs.writeFileSync(machine.path("large.bin"), Buffer.alloc(fileBytes, 7))
    await machine.run(yan("share", "@zoe", machine.path("large.bin"), "--json"))
    const serving = machine.start(yan("serve"))
    const offers = await machine.json(Shapes.Offers, ["fetch"], zoe())
    const offer = offers.offers[0]!.message.id
    fill()

    const acknowledged = ["before"]
    for (let n = 0; n < 5; n++) {
      const done = await asZoe("send", "yan", `full ${n}`)
      if (done.code === 0) acknowledged.push(`full ${n}`)
      else failsWith(done, /no space is left/)
    }
    // Room for a command to begin, and for no file.
    fs.truncateSync(filler(), fs.statSync(filler()).size - 262_144)
    failsWith(await asZoe("share", "@yan", machine.path("large.bin")), /no space is left|free some/i)
    failsWith(await asZoe("fetch", offer, "--to", machine.folder, "--name", "a.bin"), /no space is left|free some/i)
    expect((await machine.json(Shapes.Shared, ["shared"], zoe())).shares).toEqual([])
    fs.mkdirSync(path.join(disk.path, "out"))
    fill()
    failsWith(await asZoe("export", "--output", path.join(disk.path, "out", "all.jsonl")), /no space is left/)
    failsWith(await asZoe("words", "--words-file", path.join(disk.path, "out", "words")), /no space is left/)
    expect(fs.readdirSync(path.join(disk.path, "out"))).toEqual([])
    await serving.kill("SIGINT")

    fs.rmSync(filler())
    const listening = machine.start(["listen", "--json"], zoe())
    await listening.event(Shapes.Event, (event) => event.event === "connection" && event.state === "online")
    fill()
    const sent = Array.from({ length: 20 }, (_, n) => `yan ${n}`)
    for (const text of sent) await machine.json(Shapes.Sent, yan("send", "zoe", `${text} ${"x".repeat(20_000)}`))
    await listening.event(Shapes.Event, (event) => event.event === "store_failing" && event.reason === "full")
    // Who comes later is told too, in words.
    const second = machine.start(["listen"], zoe())
    const sentence = /the disk of \S+ is full: messages wait at the home server until there is room/
    await expect.poll(second.stderr, { timeout: 30_000 }).toMatch(sentence)
    expect((await second.kill("SIGINT")).code).toBe(0)
    const looked = await machine.run(["doctor"], zoe())
    expect(looked.code).toBe(1)
    expect(looked.stdout).toMatch(/FAIL {2}disk .* free for/)
    expect(looked.stdout).toMatch(/FAIL {2}inbox .* is full: messages wait at the home server/)
    fs.rmSync(filler())
    const roomAt = Date.now()
    await listening.event(
      Shapes.Event,
      (event) => event.event === "message" && event.message.text.startsWith(`${sent.at(-1)!} `),
      180_000
    )
    // A try every 5 s, and one that may be under way.
    expect(Date.now() - roomAt).toBeLessThan(20_000)
    await listening.event(Shapes.Event, (event) => event.event === "store_recovered")
    expect((await listening.kill("SIGINT")).code).toBe(0)
    const after = await texts()
    expect(after).toEqual(expect.arrayContaining(acknowledged))
    expect(after.filter((text) => text.startsWith("yan "))).toHaveLength(sent.length)
  })

  it("says so when it cannot be written", async () => {
    disk.freeze()
    for (const command of [
      ["history", "yan"],
      ["history", "yan", "--offline"],
      ["contacts"],
      ["send", "yan", "hi"],
      ["share", "@yan", machine.path("large.bin")],
      ["fetch"],
      ["listen"],
      ["serve"],
      ["export"],
      ["unlock"],
      ["delete-account", "--confirm", "zoe@localhost"]
    ])
      failsWith(await asZoe(...command), /read-only/)
    expect((await asZoe("whoami")).code).toBe(0)
    expect((await asZoe("profiles")).code).toBe(0)
    const doctor = await asZoe("doctor")
    expect(doctor.code).toBe(1)
    expect(doctor.stdout).toContain("read-only")
  })
})
