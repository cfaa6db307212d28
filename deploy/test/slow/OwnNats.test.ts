/**
 * A home on a nats-server that its owner runs for other things, as `deploy/docs/own-nats.md` describes: the owner's users keep
 * working while people log in and chat, and nobody gets from one to the other.
 */
import { connect, nkeyAuthenticator, usernamePasswordAuthenticator } from "@nats-io/transport-node"
import type { Authenticator, NatsConnection } from "@nats-io/nats-core"
import { execFileSync } from "node:child_process"
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Machine, as } from "../../../reference-cli/test/kit/Program.ts"
import { root } from "../../tasks/paths.mjs"
import { commandsOf } from "../kits/Pages.ts"
import { files, UnitHome } from "../kits/UnitHome.ts"

// `install.sh` is for Linux.
describe.skipIf(process.platform !== "linux")("a home on the nats-server of its owner", () => {
  let home: UnitHome
  let machine: Machine
  let health: { nats: string; sig: string; chat: string }
  let conf: string
  const opened: Array<NatsConnection> = []

  const dial = async (authenticator: Authenticator, inboxPrefix = "_INBOX") => {
    const servers = `nats://127.0.0.1:${home.ports.nats}`
    const connection = await connect({ servers, authenticator, inboxPrefix, reconnect: false, timeout: 5_000 })
    opened.push(connection)
    return connection
  }
  const orders = () => dial(usernamePasswordAuthenticator("orders", "..."))
  const log = () => readFileSync(home.at("/nats.log"), "utf8")
  const request = async (connection: NatsConnection, subject: string, body: unknown = "") => {
    const answer = await connection.request(subject, typeof body === "string" ? body : JSON.stringify(body))
    return answer.json<Record<string, unknown>>()
  }
  const reload = async () => {
    const before = log().length
    process.kill(Number(readFileSync(home.at("/run/kez-nats/pid"), "utf8")), "SIGHUP")
    await expect
      .poll(() => log().slice(before), { timeout: 10_000 })
      .toMatch(/Reloaded server configuration|Failed to reload/)
    return log().slice(before)
  }

  /** The owner's file as the page shows it, with this test's ports; `before` is without the home's parts. */
  const owners = (before = false) => {
    const page = readFileSync(join(files, "docs", "own-nats.md"), "utf8")
    const text = /```\n(jetstream[^]*?)```/
      .exec(page)![1]!
      .replace("/var/lib/nats", home.at("/var/lib/kez-nats"))
      .replace("port: 8443", `port: ${home.ports.websocket}`)
    const own = `port: ${home.ports.nats}\nhost: "127.0.0.1"\nhttp: "127.0.0.1:${home.ports.monitoring}"\npid_file: "${home.at("/run/kez-nats/pid")}"\n`
    if (!before) return own + text
    return (
      own +
      text.replace(/ {2}include "kez\/accounts.*\n/, "").replace(/system_account: SYS\n|authorization \{[^]*\}\n/g, "")
    )
  }

  beforeAll(async () => {
    home = await UnitHome.install()
    const { ports } = home
    health = {
      nats: `http://127.0.0.1:${ports.monitoring}/healthz`,
      sig: `http://127.0.0.1:${ports.sigServer}/v1/healthz`,
      chat: `http://127.0.0.1:${ports.home}/v1/healthz`
    }
    conf = home.at("/etc/kez-chat/nats/nats.conf")
    mkdirSync(home.at("/etc/kez-chat/nats"))
    writeFileSync(conf, owners(true))
    await home.start("nats", {}, health.nats)
  })
  afterAll(async () => {
    await Promise.all(opened.map((connection) => connection.close()))
    await machine?.remove()
    await home?.remove()
  })

  it("joins it by the page's steps, of which the log says that they need a restart", async () => {
    const owner = await orders()
    expect(
      await request(owner, "$JS.API.STREAM.CREATE.ORDERS", { name: "ORDERS", subjects: ["orders.*"] })
    ).toMatchObject({ config: { name: "ORDERS" } })
    owner.publish("orders.1", "before")
    await owner.flush()

    const init = commandsOf("own-nats.md").find((line) => line.startsWith("kez-chat-server init"))!
    const args = init
      .replace("kez-chat-server ", "")
      .replace("/etc/nats/kez", home.at("/etc/kez-chat/nats/kez"))
      .replace("--keys-dir keys", "--keys-dir /var/lib/kez-chat/keys")
    home.command(`${args} --store-bytes 67108864`)
    writeFileSync(conf, owners())
    expect(await reload()).toContain("config reload not supported for")
    expect((await request(owner, "$JS.API.STREAM.INFO.ORDERS"))["state"]).toMatchObject({ messages: 1 })
    await home.start("nats", {}, health.nats)
  })

  it("lets people register and chat, and its owner's users work on", async () => {
    const { ports } = home
    await home.start("sig", { PORT: String(ports.sigServer) }, health.sig)
    await home.start(
      "chat",
      {
        SERVER_NAME: "localhost",
        PORT: String(ports.home),
        INTERNAL_PORT: String(ports.internal),
        NATS_URL: `nats://127.0.0.1:${ports.nats}`,
        PUBLIC_NATS_URL: `nats://127.0.0.1:${ports.nats}`,
        PUBLIC_WS_URL: `ws://127.0.0.1:${ports.websocket}`,
        SIG_SERVER_URL: `http://127.0.0.1:${ports.sigServer}`,
        STORE_BYTES: "67108864"
      },
      health.chat
    )
    const owner = await orders()
    machine = new Machine(join(root, "reference-cli", "dist", "kez-chat.js"), `http://127.0.0.1:${ports.home}`)
    await machine.registerPair("alice", "bob")
    const listening = machine.start(as("bob", "listen", "--json"))
    await listening.line((line) => line.includes("online"))
    const sent = await machine.run(as("alice", "send", "bob", "on your broker", "--json"))
    expect([sent.code, sent.stderr]).toEqual([0, ""])
    await listening.line((line) => line.includes("on your broker"))
    await listening.kill("SIGTERM")

    expect(await request(owner, "orders.2", "after")).toMatchObject({ stream: "ORDERS", seq: 2 })
    expect((await request(owner, "$JS.API.STREAM.INFO.ORDERS"))["state"]).toMatchObject({ messages: 2 })
    // The home's stream is in an account of its own.
    expect(await request(owner, "$JS.API.STREAM.NAMES")).toMatchObject({ streams: ["ORDERS"] })
  })

  it("refuses whoever is not named, and reloads what can be reloaded without disturbing anybody", async () => {
    const owner = await orders()
    await expect(dial(usernamePasswordAuthenticator("orders", "wrong"))).rejects.toThrow(/authoriz/i)
    await expect(dial(usernamePasswordAuthenticator("somebody", "..."))).rejects.toThrow(/authoriz/i)
    // A user of an account that --own-users does not name is asked of the callout, as the page warns.
    const added = owners().replace(
      "users: [{ user: orders",
      'users: [{ user: forgotten, password: "..." }, { user: orders'
    )
    writeFileSync(conf, added)
    expect(await reload()).toContain("Reloaded server configuration")
    await expect(dial(usernamePasswordAuthenticator("forgotten", "..."))).rejects.toThrow(/authoriz/i)
    // One that was named before it existed is let in.
    writeFileSync(conf, added.replace("user: forgotten", "user: metrics"))
    expect(await reload()).toContain("Reloaded server configuration")
    expect((await dial(usernamePasswordAuthenticator("metrics", "..."))).isClosed()).toBe(false)
    const accounts = home.at("/etc/kez-chat/nats/kez/accounts.conf")
    home.command(
      `init --keys-dir /var/lib/kez-chat/keys --nats-includes ${home.at("/etc/kez-chat/nats/kez")} --nats-max-connections 300`
    )
    expect(readFileSync(accounts, "utf8")).toContain("max_connections: 300")
    expect(await reload()).toContain("Reloaded server configuration")
    appendFileSync(home.at("/etc/kez-chat/nats/kez/authorization.conf"), "# unchanged\n")
    expect(await reload()).toContain("Reloaded server configuration")
    expect(owner.isClosed()).toBe(false)
    expect(await (await fetch(health.chat)).json()).toMatchObject({ status: "ok" })
  })

  it("has a user that may take a snapshot of the mail, and neither change nor read it", async () => {
    const seed = readFileSync(home.at("/var/lib/kez-chat/keys/backup.nk"))
    const backup = await dial(nkeyAuthenticator(Buffer.from(seed.toString().trim())), "_INBOX_bak")
    const chunks: Array<number> = []
    const done = new Promise<void>((resolve) => {
      backup.subscribe("_INBOX_bak.snapshot", {
        callback: (_, message) => {
          if (message.data.length === 0) return resolve()
          chunks.push(message.data.length)
          message.respond("")
        }
      })
    })
    expect(
      await request(backup, "$JS.API.STREAM.SNAPSHOT.KEZ_INBOX", { deliver_subject: "_INBOX_bak.snapshot" })
    ).toMatchObject({ type: "io.nats.jetstream.api.v1.stream_snapshot_response", config: { name: "KEZ_INBOX" } })
    await done
    expect(chunks.length).toBeGreaterThan(0)
    for (const subject of ["$JS.API.STREAM.DELETE.KEZ_INBOX", "$JS.API.STREAM.PURGE.KEZ_INBOX", "kez.inbox.x"])
      await expect(backup.request(subject, "", { timeout: 2_000 })).rejects.toThrow(/permission/i)
    expect(execFileSync("stat", ["-c", "%a", home.at("/var/lib/kez-chat/keys/backup.nk")], { encoding: "utf8" })).toBe(
      "600\n"
    )
  })
})
