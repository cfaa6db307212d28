/** Any command lines as processes of their own, with every flag: file descriptors, standard input, and exit. */
import * as fc from "fast-check"
import { expect, it } from "vitest"
import * as AnyArguments from "../kit/AnyArguments.ts"
import type { Machine } from "../kit/Program.ts"
import { useScene } from "../kit/Scene.ts"
import * as Shapes from "../kit/Shapes.ts"

const runs = 12
/** How many at a time. */
const atOnce = 4
/** How long a command may take that waits for nobody, and one that does, in milliseconds. */
const endsWithin = 60_000
const waitsFor = 2_000

let machine: Machine
let work: AnyArguments.Workplace

useScene(async (scene) => {
  ;({ machine } = scene)
  work = new AnyArguments.Workplace(machine.folder)
  await machine.register("alice")
  await machine.register("bob")
  await machine.register("carla")
})

const one = async (name: string, args: ReadonlyArray<string>): Promise<void> => {
  const profile = name === "delete-account" ? "carla" : "alice"
  const running = machine.start(args, { cwd: work.cwd, env: { KEZ_PROFILE: profile } })
  let isOver = false
  const waits = AnyArguments.oracles[name]?.waits === true
  const timer = setTimeout(
    () => {
      isOver = true
      running.child.kill(waits ? "SIGINT" : "SIGKILL")
    },
    waits ? waitsFor : endsWithin
  )
  const { code, stderr, stdout } = await running.finished
  clearTimeout(timer)
  expect({ args, stuck: isOver && !waits }).toEqual({ args, stuck: false })
  if (AnyArguments.internal.has(name) && code !== 0) return expect(stderr).toMatch(/^kez-chat: |^\{"error"/)
  AnyArguments.judge(name, args, { code: isOver ? undefined : code, stdout, stderr }, true)
}

it.each([...AnyArguments.commands.keys()])("%s", async (name) => {
  // What the command before did to the contact, and to the process that holds the account, is undone.
  await machine.json(Shapes.Unlocked, ["--profile", "alice", "unlock"])
  await machine.json(Shapes.ContactResult, ["--profile", "alice", "add", "bob"])
  await machine.json(Shapes.ContactResult, ["--profile", "alice", "unblock", "bob"])
  const lines = fc.sample(AnyArguments.lines(name, "as a process"), runs)
  for (let at = 0; at < lines.length; at += atOnce) {
    const batch = lines.slice(at, at + atOnce)
    const judged = await Promise.allSettled(batch.map((args) => one(name, args)))
    judged.forEach((result, index) => {
      if (result.status === "rejected")
        throw new Error(`kez-chat ${JSON.stringify(batch[index])}`, { cause: result.reason })
    })
    expect(work.made(batch.flat()).strays).toEqual([])
  }
})
