/** Admin commands beside a running server and without one; backup and restore. */
import BetterSqlite3 from "better-sqlite3"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { admin as adminCommand } from "../../src/chat/commands/admin/AdminCommand.ts"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit } from "effect"
import { Command } from "effect/cli"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { get, newIdentity, post, registration, run, type Running, startChat, temporaryFolder } from "../kits/Servers.ts"

const folder = temporaryFolder()
const db = join(folder.path, "registry.db")
let server: Running

beforeAll(async () => {
  server = await startChat(folder.path)
})
afterAll(async () => {
  await server.stop()
  folder[Symbol.dispose]()
})

/** Runs an admin command in this process, beside the running server: what it prints, or the sentence it fails with. */
const admin = async (...args: ReadonlyArray<string>) => {
  const printed: Array<string> = []
  const exit = await Effect.runPromiseExit(
    Command.runWith(adminCommand, { version: "0.0.0" })([...args, "--db", db]).pipe(
      Effect.provideService(Console.Console, { ...console, log: (line: string) => printed.push(line) }),
      Effect.provide(NodeServices.layer)
    )
  )
  const stdout = printed.join("\n")
  return Exit.isSuccess(exit) ? { code: 0, stdout } : { code: 1, stdout: stdout + String(Cause.squash(exit.cause)) }
}
const lines = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const register = async (handle: string) => {
  const identity = await newIdentity()
  const answer = await post(`${server.url}/v1/register`, await registration(identity, handle))
  return { identity, answer }
}

describe("admin", () => {
  it("is a command of the program", async () => {
    const { code, stdout } = await run("chat-server", ["admin", "list", "--state", "reserved", "--db", db])
    expect([code, stdout.includes("postmaster")]).toEqual([0, true])
  })

  it("reserves a handle and lifts a built-in entry while the server runs", async () => {
    expect((await admin("reserve", "trademark", "--note", "dispute 17")).code).toBe(0)
    expect((await register("trademark")).answer.json["code"]).toBe("handle_reserved")
    expect((await register("postmaster")).answer.json["code"]).toBe("handle_reserved")
    expect((await admin("unreserve", "postmaster", "--note", "the operator's own")).code).toBe(0)
    expect((await get(`${server.url}/v1/u/postmaster`)).json["code"]).toBe("handle_not_found")
    expect((await register("postmaster")).answer.status).toBe(201)
    expect((await admin("reserve", "postmaster")).code).toBe(0)
    expect((await get(`${server.url}/v1/u/postmaster`)).status).toBe(200)
    expect((await admin("unreserve", "postmaster", "--note", "the operator's own")).code).toBe(0)
    const reserved = lines((await admin("list", "--state", "reserved", "--json")).stdout)
    expect(reserved).toContainEqual({ handle: "trademark", reserved: true, note: "dispute 17" })
    expect(reserved).toContainEqual({ handle: "postmaster", reserved: false, note: "the operator's own" })
    expect(reserved).toContainEqual({ handle: "admin", reserved: true, note: "built in" })
    const bad = await admin("reserve", "Not A Handle")
    expect(bad.code).toBe(1)
    expect(bad.stdout).toContain("Not a handle")
  })

  it("lists accounts with their state", async () => {
    const { identity } = await register("listed")
    const all = lines((await admin("list", "--json")).stdout)
    expect(all).toContainEqual({
      handle: "listed",
      primaryHex: identity.key.hex,
      state: "active",
      registeredAt: expect.any(String),
      endedAt: null,
      suspendedAt: null,
      invite: null
    })
    expect(all.map(({ handle }) => handle)).toEqual(all.map(({ handle }) => handle).toSorted())
    expect((await admin("list")).stdout).toMatch(new RegExp(`^listed +active +\\S+ ${identity.primary}$`, "m"))
  })

  it("revokes an account: the running server refuses it at once and keeps the removal until the broker is told", async () => {
    const { identity } = await register("revoked")
    const revoked = await admin(
      "revoke",
      "revoked",
      "--yes",
      "--keys-dir",
      join(folder.path, "keys"),
      "--internal-port",
      new URL(server.internal).port
    )
    expect(revoked.code).toBe(0)
    expect(revoked.stdout).toContain("the broker cannot be reached")
    for (const path of ["u/revoked", `by-primary/${identity.primary}`]) {
      expect((await get(`${server.url}/v1/${path}`)).json["code"]).toBe("handle_deleted")
    }
    expect((await post(`${server.url}/v1/register`, await registration(identity, "revoked"))).status).toBe(410)
    await server.waitForLog((line) => String(line["msg"]).includes("ended accounts wait for the broker"))
    const sqlite = new BetterSqlite3(db, { readonly: true })
    expect(sqlite.prepare("SELECT primary_hex, purge FROM removals").all()).toContainEqual({
      primary_hex: identity.key.hex,
      purge: 0
    })
    sqlite.close()
    const again = await admin("revoke", "revoked", "--yes", "--internal-port", "1")
    expect([again.code, again.stdout.includes("within a second")]).toEqual([0, true])
  })

  it("copies the registry while it is written to, and a server started on the copy has everything", async () => {
    const before = await register("backed-up")
    expect(before.answer.status).toBe(201)
    const file = join(folder.path, "backup.tar.gz")
    const back = (...args: ReadonlyArray<string>) =>
      run("chat-server", ["backup", file, "--db", db, "--keys-dir", join(folder.path, "keys"), ...args])
    const stop = new AbortController()
    const writing = (async () => {
      for (let n = 0; !stop.signal.aborted; n++) expect((await register(`meanwhile${n}`)).answer.status).toBe(201)
    })()
    const backup = await back("--no-mail", "--sig-db", "none", "--json")
    stop.abort()
    await writing
    expect(backup.code).toBe(0)
    const { manifest } = JSON.parse(backup.stdout) as { manifest: { counts: object; without: Array<string> } }
    expect(manifest.counts).toMatchObject({ accounts: expect.any(Number) })
    expect(manifest.without).toHaveLength(3)
    const overwritten = await back("--no-mail", "--sig-db", "none")
    expect([overwritten.code, overwritten.stdout.includes("exists; name a new file")]).toEqual([1, true])
    expect((await admin("audit", "--of", "home")).stdout).toContain("backup")

    using other = temporaryFolder()
    const restored = await run("chat-server", ["restore", file, "--data", join(other.path, "home")])
    expect([restored.code, restored.stdout.includes("Next:")]).toEqual([0, true])
    const sqlite = new BetterSqlite3(join(other.path, "home", "chat.sqlite"), { readonly: true })
    expect(sqlite.pragma("integrity_check", { simple: true })).toBe("ok")
    sqlite.close()
    const again = await startChat(join(other.path, "home"), ["--db", join(other.path, "home", "chat.sqlite")])
    expect((await get(`${again.url}/v1/u/backed-up`)).json["primary"]).toBe(before.identity.primary)
    expect(await again.stop()).toBe(0)
  })

  it("says in a sentence when there is no registry", async () => {
    const missing = join(folder.path, "missing.db")
    const { code, stdout } = await run("chat-server", ["admin", "reserve", "name", "--db", missing])
    expect(code).toBe(1)
    expect(lines(stdout)[0]!["msg"]).toContain("cannot be opened; is this the server's --db path?")
    expect(existsSync(missing)).toBe(false)
  })
})
