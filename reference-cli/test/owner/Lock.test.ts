import { Effect } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { tryAcquire } from "../../src/owner/Lock.ts"

let folder: string
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-lock-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const source = new URL("../../src/owner/Lock.ts", import.meta.url).href

/** A process that tries for the lock, says whether it has it, and holds on until it is told to end. */
const contender = (file: string) => {
  const program = `
    import { Effect } from "effect"
    import { tryAcquire } from ${JSON.stringify(source)}
    await Effect.runPromise(Effect.scoped(Effect.gen(function* () {
      const held = yield* tryAcquire(${JSON.stringify(file)})
      process.stdout.write(held ? "held\\n" : "refused\\n")
      yield* Effect.promise(() => new Promise((resolve) => process.stdin.on("end", resolve).resume()))
    })))`
  const child = spawn(process.execPath, ["--conditions=kez-source", "--input-type=module", "-e", program], {
    stdio: ["pipe", "pipe", "inherit"],
    cwd: import.meta.dirname
  })
  const answer = new Promise<string>((resolve) =>
    child.stdout.once("data", (text: Buffer) => resolve(String(text).trim()))
  )
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  return { child, answer, ended }
}

const tryHere = (file: string) => Effect.runPromise(Effect.scoped(tryAcquire(file)))

describe("Lock", () => {
  it("is private to its owner and free again when the scope closes", async () => {
    const file = path.join(folder, "a.lock")
    expect(await tryHere(file)).toBe(true)
    expect(await tryHere(file)).toBe(true)
    expect(fs.statSync(file).mode & 0o777).toBe(0o600)
  })

  it("goes to exactly one of many processes that start at once", async () => {
    const file = path.join(folder, "b.lock")
    const contenders = Array.from({ length: 6 }, () => contender(file))
    const answers = await Promise.all(contenders.map(({ answer }) => answer))
    expect(answers.filter((answer) => answer === "held")).toHaveLength(1)
    expect(await tryHere(file)).toBe(false)
    for (const { child } of contenders) child.stdin.end()
    await Promise.all(contenders.map(({ ended }) => ended))
    expect(await tryHere(file)).toBe(true)
  })

  it("is let go of by a process that is killed", async () => {
    const file = path.join(folder, "c.lock")
    const { child, answer, ended } = contender(file)
    expect(await answer).toBe("held")
    expect(await tryHere(file)).toBe(false)
    child.kill("SIGKILL")
    await ended
    expect(await tryHere(file)).toBe(true)
  })

  it("says which file it cannot lock", async () => {
    await expect(tryHere(path.join(folder, "absent", "x.lock"))).rejects.toMatchObject({ code: "lock" })
  })
})
