/** The sig-server's admin commands, while it runs. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit } from "effect"
import * as Command from "effect/cli/Command"
import { copyFileSync, existsSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { admin as adminCommand } from "../../src/sig/AdminCommand.ts"
import { endpointEvent, get, newIdentity, post, startSig, temporaryFolder } from "../kits/Servers.ts"

it("shows what is stored, and backs it up so that a server started on the copy has it", async () => {
  using folder = temporaryFolder()
  using other = temporaryFolder()
  const server = await startSig(folder.path)
  const db = join(folder.path, "sigchains.db")
  const admin = async (...args: ReadonlyArray<string>) => {
    const printed: Array<string> = []
    const exit = await Effect.runPromiseExit(
      Command.runWith(adminCommand, { version: "0.0.0" })(args.includes("--db") ? args : [...args, "--db", db]).pipe(
        Effect.provideService(Console.Console, { ...console, log: (line: string) => printed.push(line) }),
        Effect.provide(NodeServices.layer)
      )
    )
    return { printed, failure: Exit.isSuccess(exit) ? undefined : String(Cause.squash(exit.cause)) }
  }
  const json = async (...args: ReadonlyArray<string>) =>
    (await admin(...args, "--json")).printed.map((line) => JSON.parse(line) as object)
  try {
    const [small, large] = await Promise.all([newIdentity(), newIdentity()])
    const append = async (identity: typeof small, after?: { seq: number; hash: string }) => {
      const url = `${server.url}/v1/sigchains/ed25519/${identity.key.hex}/events`
      const { json, status } = await post(url, await endpointEvent(identity, after))
      expect(status).toBe(201)
      return json as { seq: number; hash: string }
    }
    await append(small)
    const head = await append(large, await append(large))
    expect(await json("stat")).toMatchObject([{ chains: 2, events: 3 }])
    const [first, second] = await json("list")
    expect(first).toMatchObject({ primary: large.primary, events: 2, rotatedTo: null })
    expect(second).toMatchObject({ primary: small.primary, events: 1 })
    expect((await admin("list", "--limit", "1")).printed).toMatchObject([
      expect.stringContaining(`${large.primary} 2 events`)
    ])
    const file = join(other.path, "copy.db")
    expect((await admin("backup", file)).failure).toBeUndefined()
    expect((await admin("backup", file)).failure).toContain("exists; name a new file")
    copyFileSync(file, join(other.path, "sigchains.db"))
    const restored = await startSig(other.path)
    const found = await get(`${restored.url}/v1/sigchains/ed25519/${large.key.hex}/head`)
    expect(found.json).toEqual(head)
    expect(await restored.stop()).toBe(0)
    const missing = join(other.path, "missing.db")
    expect((await admin("stat", "--db", missing)).failure).toContain("is this the server's --db path?")
    expect(existsSync(missing)).toBe(false)
  } finally {
    await server.stop()
  }
})
