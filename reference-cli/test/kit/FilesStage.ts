/** Alice, who shares files, and Bob, who fetches them: real processes and a real home. */
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, afterEach, beforeAll } from "vitest"
import type { Home } from "../../../deploy/local/Home.ts"
import { type Finished, type Machine, read, type Running, type Shape } from "./Program.ts"
import { useScene } from "./Scene.ts"
import * as Shapes from "./Shapes.ts"

export let home: Home
export let machine: Machine

useScene(async (scene) => {
  ;({ home, machine } = scene)
  await Promise.all(["alice", "bob"].map((name) => machine.register(name)))
  await machine.introduce("alice", "bob")
})

/** Who serves in a test. Told to end, it hangs up on those who may fetch again in the next test. */
export let serving: Running | undefined
// What a failed test leaves running would be the owner in the next.
afterEach(async () => {
  await serving?.kill("SIGINT")
  serving = undefined
  await machine.endAll()
})

export const alice = (...args: ReadonlyArray<string>): ReadonlyArray<string> => ["--profile", "alice", ...args]
export const bob = (...args: ReadonlyArray<string>): ReadonlyArray<string> => ["--profile", "bob", ...args]

export const linesOf = <A>(shape: Shape<A>, { stdout }: Finished): ReadonlyArray<A> =>
  stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => read(shape, line))

/** A new file of random bytes. */
export const file = (name: string, size: number): { readonly path: string; readonly bytes: Buffer } => {
  const bytes = randomBytes(size)
  const made = machine.path("files", name)
  fs.mkdirSync(path.dirname(made), { recursive: true })
  fs.writeFileSync(made, bytes)
  return { path: made, bytes }
}

/** A new empty folder to save in. */
export const folder = (): string => fs.mkdtempSync(machine.path("out-"))

export const online = async (running: Running): Promise<Running> => {
  await running.line((line) => line.includes('"connection"') && line.includes('"online"'))
  return running
}
/** For tests in which it does not matter which process of bob's does the work: an open one is the quickest. */
export const withBobOpen = () => {
  beforeAll(() => machine.json(Shapes.Unlocked, bob("unlock")))
  afterAll(() => machine.json(Shapes.Locked, bob("lock")))
}
export const serve = async (): Promise<Running> => {
  serving = machine.start(alice("serve", "--json"))
  return online(serving)
}

/** Shares as alice does; gives the shares and every line. */
export const share = async (...args: ReadonlyArray<string>) => {
  const done = await machine.run(alice("share", ...args, "--json"))
  if (done.code !== 0) throw new Error(`share ${args.join(" ")} exited ${done.code}:\n${done.stdout}\n${done.stderr}`)
  const lines = linesOf(Shapes.ShareLine, done)
  return { lines, shares: lines.flatMap((line) => (line.event === "shared" ? [line.share] : [])) }
}

/** The id of the newest offer of a file of this name. */
export const offerOf = async (name: string): Promise<string> => {
  const { offers } = await machine.json(Shapes.Offers, bob("fetch"))
  const id = offers.findLast(({ message }) => message.file?.name === name)?.message.id
  if (id === undefined) throw new Error(`no offer of ${name} in ${JSON.stringify(offers)}`)
  return id
}

/** The arguments for an id: one that begins with a dash would be a flag. */
export const fetch = (id: string, ...args: ReadonlyArray<string>) => bob("fetch", "--json", ...args, "--", id)

export const saved = (done: Finished) => {
  if (done.code !== 0) throw new Error(`fetch exited ${done.code}:\n${done.stdout}\n${done.stderr}`)
  const last = linesOf(Shapes.FetchLine, done).at(-1)
  if (last?.event !== "saved") throw new Error(`not saved: ${JSON.stringify(last)}`)
  return last
}

/** Waits for a line of progress that says more than this many bytes are here. */
export const arriving = (running: Running, bytes: number) =>
  running.event(Shapes.FetchLine, (line) => line.event === "progress" && line.have_bytes > bytes)

export const isProgress = (line: typeof Shapes.FetchLine.Type) => line.event === "progress"
