/** What the end of an account does at the broker: against a whole home, with admin commands in their own processes. */
import { Nkey } from "@kez-chat/sdk/protocol"
import { connect, headers } from "@nats-io/transport-node"
import { generateKeyPairSync } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import * as Jwt from "../../src/broker/login/Jwt.ts"
import * as RawKeys from "../../src/broker/login/RawKeys.ts"
import { deletion, get, type Identity, newIdentity, post, registration, run, temporaryFolder } from "../kits/Servers.ts"

const folder = temporaryFolder()
let home: Home

beforeAll(async () => {
  home = await startHome({
    data: folder.path,
    ports: "auto",
    source: true,
    flags: { chat: ["--reads-per-minute", "0", "--registrations-per-hour", "0"] }
  })
})
afterAll(async () => {
  await home?.stop()
  folder[Symbol.dispose]()
})

const register = async (handle: string) => {
  const identity = await newIdentity()
  const answer = await post(`${home.urls.home}/v1/register`, await registration(identity, handle))
  expect(answer.status).toBe(201)
  return identity
}

const logIn = (identity: Identity) =>
  connect({
    servers: home.urls.nats,
    reconnect: false,
    maxReconnectAttempts: 0,
    inboxPrefix: `_INBOX_${identity.key.hex}`,
    authenticator: (nonce) => ({
      nkey: identity.brokerLogin.nkey,
      sig: Buffer.from(identity.brokerLogin.sign("127.0.0.1", nonce ?? "")).toString("base64url")
    })
  })

/** Where the runner of a home keeps the registry and the keys. */
const db = join(folder.path, "chat.sqlite")
const keys = join(folder.path, "keys")

describe("the end of an account", () => {
  it("is healthy once the broker is", async () => {
    const { json, status } = await get(`${home.urls.home}/v1/healthz`)
    expect([status, json["status"], json["broker"]]).toEqual([200, "ok", "connected"])
    expect((await get(`${home.urls.internal}/metrics`)).text).toMatch(/^kez_broker_ready 1$/m)
  })

  it("revoke, from another process: the live connection is closed at once and no new one gets in", async () => {
    const identity = await register("to-revoke")
    const connection = await logIn(identity)
    let closedAt = 0
    const closed = connection.closed().then(() => (closedAt = Date.now()))
    // Without the internal listener's port the command only writes the table: the server finds it by itself.
    const { code, stdout } = await run("chat-server", [
      "admin",
      "revoke",
      "to-revoke",
      "--yes",
      "--db",
      db,
      "--internal-port",
      "1"
    ])
    const revokedAt = Date.now()
    expect([code, stdout.includes("within a second")]).toEqual([0, true])
    await closed
    // It looks four times a second; the rest is room for a machine that is busy with other tests.
    expect(closedAt - revokedAt).toBeLessThan(5_000)
    await expect(logIn(identity)).rejects.toThrow()
  })

  it("revoke with the internal listener in reach says that it is done", async () => {
    const identity = await register("to-revoke-too")
    const connection = await logIn(identity)
    const { stdout } = await run("chat-server", [
      "admin",
      "revoke",
      "to-revoke-too",
      "--yes",
      "--db",
      db,
      "--keys-dir",
      keys,
      "--internal-port",
      new URL(home.urls.internal).port
    ])
    expect(stdout).toContain("connections are closed")
    await connection.closed()
  })

  it("KEZ-REG-027 deletion closes connections and purges the inbox, also when the broker was down at the time", async () => {
    const [identity, sender] = [await register("to-delete"), await register("sender")]
    const mail = await logIn(sender)
    const id = headers()
    id.set("Kez-Id", "AAAAAAAAAAAAAAAAAAAAAA")
    const sent = await mail.request(`kez.inbox.${identity.key.hex}`, Uint8Array.of(1, 2, 3), {
      timeout: 10_000,
      headers: id
    })
    expect(sent.json()).toEqual({ ok: 1 })
    const connection = await logIn(identity)
    const messages = async () => {
      const { json } = await get(`${home.urls.monitoring}/jsz?streams=1`)
      return json["messages"] as number
    }
    // For a moment the server's own probe may be there as well.
    await expect.poll(messages).toBe(1)
    await home.processes.nats.kill("SIGKILL")
    await connection.closed()
    expect((await post(`${home.urls.home}/v1/delete`, await deletion(identity, "to-delete"))).status).toBe(204)
    await home.processes.nats.restart()
    await expect.poll(messages, { timeout: 30_000 }).toBe(0)
    await expect(logIn(identity)).rejects.toThrow()
  })

  it("KEZ-REG-053 KEZ-REG-054 suspend closes connections and refuses logins and keeps mail, until unsuspend", async () => {
    const [identity, sender] = [await register("to-suspend"), await register("writes-to-them")]
    const [connection, mail] = [await logIn(identity), await logIn(sender)]
    const admin = (...args: ReadonlyArray<string>) => run("chat-server", ["admin", ...args, "--db", db])
    expect((await admin("suspend", "to-suspend", "--internal-port", "1")).code).toBe(0)
    await connection.closed()
    await expect(logIn(identity)).rejects.toThrow()
    const id = headers()
    id.set("Kez-Id", "AAAAAAAAAAAAAAAAAAAAAQ")
    const subject = `kez.inbox.${identity.key.hex}`
    const sent = await mail.request(subject, Uint8Array.of(1, 2, 3), { timeout: 10_000, headers: id })
    expect(sent.json()).toEqual({ ok: 1 })
    expect((await admin("unsuspend", "to-suspend")).code).toBe(0)
    const isAdmitted = () =>
      logIn(identity).then(
        (connection) => connection.close().then(() => true),
        () => false
      )
    await expect.poll(isAdmitted, { timeout: 5_000 }).toBe(true)
    const back = await logIn(identity)
    const question = JSON.stringify({ after: 0, n: "AAAAAAAAAAAAAAAAAAAAAA" })
    const fetched = await back.request(`kez.fetch.${identity.key.hex}`, question, { timeout: 10_000 })
    expect(Buffer.from(fetched.data).includes(Buffer.of(1, 2, 3))).toBe(true)
    await Promise.all([back.close(), mail.close()])
  })

  it("answers the login question over HTTP as over the broker: with a user's JWT for a live account only", async () => {
    const identity = await register("asks-to-log-in")
    const secret = readFileSync(join(keys, "internal.secret"), "utf8").trim()
    const pair = generateKeyPairSync("ed25519")
    const server = { publicNkey: Nkey.encode("server", RawKeys.publicBytes(pair.privateKey)), key: pair.privateKey }
    const nonce = "AAAAAAAAAAAAAAA"
    const request = (host: string) =>
      Jwt.encode(
        server,
        {
          aud: "nats-authorization-request",
          exp: Math.floor(Date.now() / 1_000) + 60,
          nats: {
            type: "authorization_request",
            server_id: { id: server.publicNkey, name: "kez-1" },
            user_nkey: identity.brokerLogin.nkey,
            client_info: { id: 7, kind: "Client", type: "nats", nonce },
            connect_opts: {
              nkey: identity.brokerLogin.nkey,
              sig: Buffer.from(identity.brokerLogin.sign(host, nonce)).toString("base64url")
            }
          }
        },
        Math.floor(Date.now() / 1_000)
      )
    const ask = async (host: string) => {
      const answer = await post(`${home.urls.internal}/internal/nats/auth`, request(host), {
        headers: { authorization: `Bearer ${secret}`, "content-type": "application/jwt" }
      })
      expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/jwt"])
      return claimsOf(answer.text)["nats"] as { error?: string; jwt?: string }
    }
    const { jwt } = await ask("127.0.0.1")
    expect(claimsOf(jwt!)).toMatchObject({ name: identity.key.hex, aud: "CHAT" })
    expect(await ask("evil.example")).toMatchObject({ error: "refused" })
    expect((await post(`${home.urls.home}/v1/delete`, await deletion(identity, "asks-to-log-in"))).status).toBe(204)
    expect(await ask("127.0.0.1")).toMatchObject({ error: "refused" })
  })
})

const claimsOf = (jwt: string) =>
  JSON.parse(Buffer.from(jwt.split(".")[1]!, "base64url").toString()) as Record<string, unknown>
