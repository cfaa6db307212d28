/** Admin commands beside a running server and without one; backup and restore; the file itself. */
import BetterSqlite3 from "better-sqlite3"
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { ChatConfig } from "../../src/chat/ChatConfig.ts"
import { migrations } from "../../src/chat/ChatServer.ts"
import {
  Database,
  type DatabaseOptions,
  registryApplicationId,
  sigchainsApplicationId
} from "../../src/storage/Database.ts"
import { misconfigured } from "../../src/chat/commands/Misconfigured.ts"
import { admin as adminCommand } from "../../src/chat/commands/AdminCommand.ts"
import { init } from "../../src/chat/commands/InitCommand.ts"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit, Layer } from "effect"
import { Command } from "effect/cli"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  get,
  newIdentity,
  post,
  registration,
  run,
  type Running,
  startChat,
  startSig,
  temporaryFolder
} from "../kits/Servers.ts"

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
    expect((await register("postmaster")).answer.status).toBe(201)
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
      endedAt: null
    })
    expect(all.map(({ handle }) => handle)).toEqual(all.map(({ handle }) => handle).toSorted())
    expect((await admin("list")).stdout).toMatch(new RegExp(`^listed +active +\\S+ ${identity.primary}$`, "m"))
  })

  it("revokes an account: the running server refuses it at once and keeps the removal until the broker is told", async () => {
    const { identity } = await register("revoked")
    const revoked = await admin(
      "revoke",
      "revoked",
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
    const again = await admin("revoke", "revoked", "--internal-port", "1")
    expect([again.code, again.stdout.includes("within a second")]).toEqual([0, true])
  })

  it("copies the registry while it is written to, and a server started on the copy has everything", async () => {
    const before = await register("backed-up")
    expect(before.answer.status).toBe(201)
    const file = join(folder.path, "backup.db")
    const stop = new AbortController()
    const writing = (async () => {
      for (let n = 0; !stop.signal.aborted; n++) expect((await register(`meanwhile${n}`)).answer.status).toBe(201)
    })()
    const backup = await admin("backup", file)
    stop.abort()
    await writing
    expect(backup.code).toBe(0)
    const sqlite = new BetterSqlite3(file, { readonly: true })
    expect(sqlite.pragma("integrity_check", { simple: true })).toBe("ok")
    sqlite.close()
    const overwritten = await admin("backup", file)
    expect([overwritten.code, overwritten.stdout.includes("exists; name a new file")]).toEqual([1, true])

    // Restore, as the README says: put the file in place of the registry and start.
    using other = temporaryFolder()
    copyFileSync(file, join(other.path, "registry.db"))
    const restored = await startChat(other.path)
    expect((await get(`${restored.url}/v1/u/backed-up`)).json["primary"]).toBe(before.identity.primary)
    expect(await restored.stop()).toBe(0)
  })

  it("says in a sentence when there is no registry", async () => {
    const missing = join(folder.path, "missing.db")
    const { code, stdout } = await run("chat-server", ["admin", "reserve", "name", "--db", missing])
    expect(code).toBe(1)
    expect(lines(stdout)[0]!["msg"]).toContain("cannot be opened; is this the server's --db path?")
    expect(existsSync(missing)).toBe(false)
  })
})

describe("the database file", () => {
  /** Why a file is not opened. */
  const refusal = (path: string, options: Partial<DatabaseOptions> = {}) =>
    Effect.runPromise(
      Effect.flip(
        Effect.scoped(
          Layer.build(Database.layer({ path, migrations, applicationId: registryApplicationId, ...options }))
        )
      )
    )

  it("is refused when a newer version wrote it, when it is another program's, and when it is no database", async () => {
    using other = temporaryFolder()
    // The file alone is not the registry while a server has it open: the newest pages lie in its write-ahead log.
    const path = join(other.path, "newer.db")
    const running = new BetterSqlite3(db)
    running.prepare("VACUUM INTO ?").run(path)
    running.close()
    expect(await refusal(path, { applicationId: sigchainsApplicationId })).toMatchObject({ reason: "foreign" })
    const older = {
      migrations: [...migrations, { id: "registry-999-future", sql: "CREATE TABLE future (x) STRICT" }],
      existing: true
    }
    expect(await refusal(path, older)).toMatchObject({ reason: "older" })
    const sqlite = new BetterSqlite3(path)
    sqlite.exec("INSERT INTO schema_migrations VALUES ('registry-999-future', '2030-01-01T00:00:00Z')")
    sqlite.close()
    expect(await refusal(path)).toMatchObject({ reason: "newer" })

    const foreign = join(other.path, "foreign.db")
    new BetterSqlite3(foreign).exec("CREATE TABLE t (x)").close()
    expect(await refusal(foreign)).toMatchObject({ reason: "foreign" })
    const text = join(other.path, "text.db")
    writeFileSync(text, "not a database at all, but text".repeat(100))
    expect(await refusal(text)).toMatchObject({ reason: "io", message: expect.stringContaining("not a database") })

    const { code, stdout } = await run("chat-server", ["admin", "list", "--db", path])
    expect(code).toBe(1)
    expect(lines(stdout)).toHaveLength(1)
    expect(lines(stdout)[0]).toMatchObject({
      level: "fatal",
      msg: expect.stringContaining("written by a newer version of this server (registry-999-future)")
    })
  })

  it("opens again after SIGKILL and after a clean stop", async () => {
    using other = temporaryFolder()
    for (const signal of ["SIGKILL", "SIGINT"] as const) {
      const sig = await startSig(other.path)
      expect(await sig.stop(signal)).toBe(signal === "SIGKILL" ? "SIGKILL" : 0)
    }
  })
})

describe("a server whose file fails it", () => {
  it("answers with a problem on every way to the registry, and goes on", async () => {
    using other = temporaryFolder()
    const broken = await startChat(other.path)
    const identity = await newIdentity()
    const register = async () => post(`${broken.url}/v1/register`, await registration(identity, "chris"))
    expect((await register()).status).toBe(201)
    const lookups = [`${broken.url}/v1/u/chris`, `${broken.url}/v1/by-primary/${identity.primary}`]
    const statuses = () => Promise.all(lookups.map(async (url) => (await get(url)).status))
    const sqlite = new BetterSqlite3(join(other.path, "registry.db"))
    sqlite.exec("ALTER TABLE accounts RENAME TO elsewhere")
    expect(await statuses()).toEqual([500, 500])
    expect((await register()).json["code"]).toBe("internal")
    sqlite.exec("ALTER TABLE elsewhere RENAME TO accounts")
    expect(await statuses()).toEqual([200, 200])
    sqlite.close()
    expect(await broken.stop()).toBe(0)
  })

  it("is not healthy after a refused write, nor while the file cannot be read", async () => {
    using other = temporaryFolder()
    const options = { path: join(other.path, "x.db"), migrations, applicationId: registryApplicationId }
    await Effect.runPromise(
      Effect.gen(function* () {
        const { isWorking, sqlite, write } = yield* Database
        expect(isWorking()).toBe(true)
        sqlite.exec("ALTER TABLE schema_migrations RENAME TO elsewhere")
        expect(isWorking()).toBe(false)
        sqlite.exec("ALTER TABLE elsewhere RENAME TO schema_migrations")
        expect(isWorking()).toBe(true)
        sqlite.pragma("query_only = ON")
        const refused = yield* Effect.flip(write(() => sqlite.exec("DELETE FROM reserved")))
        expect([refused.code, isWorking()]).toEqual(["unavailable", false])
        sqlite.pragma("query_only = OFF")
        yield* Effect.promise(() => expect.poll(isWorking, { timeout: 30_000 }).toBe(true))
        // Nobody writes, and it is seen all the same.
        sqlite.pragma("query_only = ON")
        yield* Effect.promise(() => expect.poll(isWorking, { timeout: 10_000 }).toBe(false))
        sqlite.pragma("query_only = OFF")
        yield* Effect.promise(() => expect.poll(isWorking, { timeout: 30_000 }).toBe(true))
      }).pipe(Effect.provide(Database.layer(options)))
    )
  })

  it("keeps its files from other users of the machine, and its memory out of core dumps", async () => {
    using other = temporaryFolder()
    const sig = await startSig(other.path)
    if (process.platform === "linux") {
      for (const pid of [sig.child.pid, server.child.pid]) {
        expect(Number.parseInt(readFileSync(`/proc/${pid}/coredump_filter`, "utf8"), 16)).toBe(0)
      }
    }
    expect(statSync(join(other.path, "sigchains.db")).mode & 0o777).toBe(0o600)
    await sig.stop()
  })
})

describe("starting", () => {
  it("says in one sentence what is wrong with the configuration", async () => {
    await register("makes-the-server-known")
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
      [["--server-name", "Not A Name"], "is not a DNS name"],
      [["--keys-dir", join(folder.path, "nowhere")], "`kez-chat-server init` creates it"],
      [["--port", String(server.port)], "is in use by another program"],
      [["--server-name", "other.example", "--db", db], "its handles were registered at localhost"]
    ]
    for (const [args, sentence] of cases) {
      using other = temporaryFolder()
      const defaults = [
        "--port",
        "0",
        "--internal-port",
        "0",
        "--db",
        join(other.path, "x.db"),
        "--keys-dir",
        join(folder.path, "keys")
      ]
      const kept = defaults.filter((_, at) => !args.includes(defaults[at - (at % 2)]!))
      const { code, stderr, stdout } = await run("chat-server", [...kept, ...args])
      expect([args, code]).toEqual([args, 1])
      expect(stdout + stderr).toContain(sentence)
      expect(stdout + stderr).not.toMatch(/\n\s+at /)
    }
  })

  it("init refuses flags of which one is nothing without another, and writes nothing", async () => {
    using other = temporaryFolder()
    const at = (name: string) => join(other.path, name)
    const places = ["--keys-dir", at("keys"), "--nats-conf", at("nats.conf"), "--jetstream-dir", at("jetstream")]
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["--tls-cert=c.pem", "--tls-cert and --tls-key need each other"],
      ["--tls-key=k.pem", "--tls-cert and --tls-key need each other"],
      ["--cluster-tls-ca=ca.pem", "--cluster-tls-cert, --cluster-tls-key and --cluster-tls-ca need each other"],
      ["--cluster-routes=nats://kez-2:6222", "a cluster needs a --cluster-name"]
    ]
    for (const [flag, sentence] of cases) {
      const exit = await Effect.runPromiseExit(
        Command.runWith(init, { version: "0.0.0" })([...places, flag]).pipe(Effect.provide(NodeServices.layer))
      )
      expect([flag, Exit.isFailure(exit) && String(Cause.squash(exit.cause))]).toEqual([
        flag,
        expect.stringContaining(sentence)
      ])
    }
    expect(existsSync(at("keys"))).toBe(false)
  })

  it("finds every URL that clients could not use", () => {
    const config = (change: Partial<ChatConfig["Service"]>) =>
      misconfigured({
        ...({
          serverName: "kez.example",
          sigServerUrl: "https://sig",
          natsUrls: ["nats://a"],
          publicNatsUrls: ["tls://a"],
          publicWsUrls: []
        } as unknown as ChatConfig["Service"]),
        ...change
      })
    expect(config({})).toBe(undefined)
    expect(config({ publicNatsUrls: ["nats://a:1", "tls://b"], publicWsUrls: ["wss://c", "wss://d"] })).toBe(undefined)
    expect(config({ serverName: "Kez.Example" })).toContain("is not a DNS name")
    expect(config({ sigServerUrl: "ftp://x" })).toContain("is not an http(s) URL")
    expect(config({ natsUrls: [] })).toContain("--nats-url names no URL")
    expect(config({ natsUrls: ["a:4222"] })).toContain("is not a nats:// or tls:// URL")
    expect(config({ publicNatsUrls: [] })).toContain("--public-nats-url names no URL")
    expect(config({ publicWsUrls: Array.from({ length: 17 }, (_, n) => `wss://${n}`) })).toContain("more than 16")
    expect(config({ publicNatsUrls: ["http://x"] })).toContain("is not a nats:// or tls:// URL")
    expect(config({ publicWsUrls: ["nats://x"] })).toContain("is not a ws:// or wss:// URL")
  })

  it("KEZ-REG-006 refuses to tell clients what they could not reach or would not dial", () => {
    const config = (sigServerUrl: string, nats: string, ws: string, serverName = "kez.example") =>
      misconfigured({
        serverName,
        sigServerUrl,
        natsUrls: ["nats://127.0.0.1:4222"],
        publicNatsUrls: [nats],
        publicWsUrls: ws === "" ? [] : [ws]
      } as unknown as ChatConfig["Service"])
    const [sig, nats, ws] = ["https://sig.kez.example", "tls://nats.kez.example:4222", "wss://kez.example/nats"]
    expect(config(sig, nats, ws)).toBe(undefined)
    for (const hidden of [
      "http://sig-server:7878",
      "http://127.0.0.1:7878",
      "https://10.0.0.3",
      "https://sig.internal"
    ])
      expect(config(hidden, nats, ws)).toMatch(/^--public-sig-server-url: http\S+ is published to clients/)
    expect(config(sig, "tls://nats:4222", ws)).toMatch(/^--public-nats-url: tls:\/\/nats:4222 is published to clients/)
    expect(config(sig, nats, "ws://127.0.0.1:8443")).toMatch(/^--public-ws-url: ws:\S+ is published to clients/)
    expect(config("http://sig.kez.example", nats, ws)).toMatch(/not encrypted.* https URL$/)
    expect(config(sig, nats, "ws://kez.example/nats")).toMatch(/not encrypted.* wss URL$/)
    // A home of one machine, and one of a private network.
    expect(config("http://127.0.0.1:7878", "nats://127.0.0.1:4222", "ws://127.0.0.1:8443")).toBe(undefined)
    expect(config("http://localhost:7878", "nats://127.0.0.1:4222", "", "localhost")).toBe(undefined)
    expect(config("https://192.168.1.5:7443", "tls://192.168.1.5:4222", "")).toBe(undefined)
    expect(config("http://127.0.0.1:7878", "tls://192.168.1.5:4222", "")).toMatch(/is published to clients/)
  })

  it("takes its settings from the environment, and a flag wins", async () => {
    using other = temporaryFolder()
    const named = await startChat(other.path, [], {
      SERVER_NAME: "kez.example",
      SIG_SERVER_URL: "https://sig.kez.example",
      PUBLIC_NATS_URL: "tls://a.kez.example:4222, tls://b.kez.example:4222",
      PUBLIC_WS_URL: "wss://kez.example/nats",
      READS_PER_MINUTE: "5"
    })
    const { json } = await get(`${named.url}/.well-known/kez-chat`)
    expect(json).toMatchObject({
      server: "kez.example",
      sig_server: "https://sig.kez.example",
      broker: { tcp: ["tls://a.kez.example:4222", "tls://b.kez.example:4222"] }
    })
    // The helper passes --reads-per-minute 0, which wins over the environment: no limit is published.
    expect(json["limits"]).not.toHaveProperty("reads_per_minute")
    await named.stop()
  })

  it("prints help and version without touching anything", async () => {
    const help = await run("sig-server", ["--help"])
    expect(help.code).toBe(0)
    for (const name of ["--port", "--db", "--trusted-proxies", "[env TRUSTED_PROXIES]", "(default 127.0.0.1)"])
      expect(help.stdout).toContain(name)
    expect((await run("chat-server", ["--version"])).stdout).toMatch(/\d+\.\d+\.\d+/)
  })
})
