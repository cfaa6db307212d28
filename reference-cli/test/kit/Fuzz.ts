/** Runs any command lines of every command in this process, without an account and with one. */
import * as fc from "fast-check"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import * as AnyArguments from "./AnyArguments.ts"
import * as InProcess from "./InProcess.ts"

/** How long a command may take that waits for nobody, and one that does, in milliseconds. */
const endsWithin = 30_000
const waitsFor = 60

const names = [...AnyArguments.commands.keys()].filter((name) => !AnyArguments.internal.has(name))

export interface Counts {
  /** Command lines for each command where there is no account. */
  readonly alone: number
  /** And where there is one. */
  readonly account: number
}

export const fuzz = (counts: Counts): void => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-any-"))
  const kez = path.join(folder, "kez")
  const work = new AnyArguments.Workplace(folder)
  const before = process.cwd()
  let home: Home
  let restoreInput: (() => void) | undefined

  const inProcess = (
    args: ReadonlyArray<string>,
    env: Readonly<Record<string, string>>,
    withinMillis: number,
    over?: AbortController
  ) =>
    InProcess.run(args, { env: { KEZ_CHAT_DIR: kez, ...env }, folder, cwd: work.cwd, withinMillis, over: over?.signal })

  const any = (name: string, numRuns: number, env: () => Readonly<Record<string, string>>, hasAccount: boolean) =>
    fc.assert(
      fc.asyncProperty(AnyArguments.lines(name, "in process"), async (args) => {
        const { waits } = AnyArguments.oracles[name]!
        const ended = await inProcess(args, env(), waits === true ? waitsFor : endsWithin)
        AnyArguments.judge(name, args, ended, hasAccount)
        const made = work.made(args)
        expect(made.strays).toEqual([])
        if (ended.code === 0 && ended.stdout === "" && name === "export") expect(made.all).toHaveLength(1)
        expect(
          fs
            .readdirSync(folder)
            .toSorted()
            .filter((one) => one !== "kez")
        ).toEqual(["files", "passphrase"])
      }),
      { numRuns, endOnFailure: true }
    )

  beforeAll(async () => {
    fs.writeFileSync(path.join(folder, "passphrase"), "correct horse\n", { mode: 0o600 })
    home = await startHome({
      data: fs.mkdtempSync(path.join(os.tmpdir(), "kez-any-home-")),
      ports: "auto",
      source: true
    })
    // After the programs are bundled, which looks for the package in the current folder.
    process.chdir(work.cwd)
    restoreInput = InProcess.emptyInput()
  }, 180_000)

  afterAll(async () => {
    process.chdir(before)
    restoreInput?.()
    await home?.remove()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  it("knows what every command of the definition does", () => {
    expect(Object.keys(AnyArguments.oracles).toSorted()).toEqual(names.toSorted())
  })

  describe("without an account", () => {
    it.each(names)("%s", (name) => any(name, counts.alone, () => ({ KEZ_HOME: "http://127.0.0.1:9" }), false), 300_000)
  })

  describe("with an account", () => {
    // Holds the account open for the others: opening it costs half a second each time.
    const over = new AbortController()
    let owner: Promise<unknown>
    const env = () => ({ KEZ_HOME: home.urls.home, KEZ_PASSPHRASE_FILE: path.join(folder, "passphrase") })
    /** Deleting it ends only its own account. */
    const own: Readonly<Record<string, string>> = { "delete-account": "carla", words: "carla", restore: "dora" }
    const envOf = (name: string) => () => ({ ...env(), KEZ_PROFILE: own[name] ?? "alice" })
    const must = async (...args: ReadonlyArray<string>) =>
      expect(await inProcess(args, env(), endsWithin)).toMatchObject({ code: 0 })

    beforeAll(async () => {
      await must("--profile", "bob", "register", "bob", "--yes")
      await must("--profile", "carla", "register", "carla", "--yes")
      await must("--profile", "alice", "register", "alice", "--yes")
      await must("--profile", "alice", "add", "bob")
      await must("--profile", "bob", "add", "alice")
      await must("--profile", "bob", "share", "@alice", "a.txt")
      await must("--profile", "bob", "send", "alice", "hello")
      owner = inProcess(["--profile", "alice", "listen"], env(), 2_147_483_647, over)
    }, 120_000)

    afterAll(async () => {
      over.abort()
      await owner
    })

    it.each(names)(
      "%s",
      async (name) => {
        // What the command before did to the contact is undone.
        await must("--profile", "alice", "add", "bob")
        await must("--profile", "alice", "unblock", "bob")
        await any(name, name === "words" ? Math.min(counts.account, 20) : counts.account, envOf(name), true)
      },
      300_000
    )
  })
}
