/** What a handover does at the broker and over HTTP: against a whole home, as the old key, the new one and others see it. */
import { connect, headers, type NatsConnection } from "@nats-io/transport-node"
import { randomBytes } from "node:crypto"
import { afterAll, beforeAll, expect, it } from "vitest"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import { get, type Identity, newIdentity, post, registration, temporaryFolder } from "../kits/Servers.ts"
import { transferOf } from "../kits/stores/TransfersKit.ts"

const folder = temporaryFolder()
let home: Home

beforeAll(async () => {
  home = await startHome({ data: folder.path, ports: "auto", source: true })
})
afterAll(async () => {
  await home?.stop()
  folder[Symbol.dispose]()
})

const register = async (handle: string) => {
  const identity = await newIdentity()
  expect((await post(`${home.urls.home}/v1/register`, await registration(identity, handle))).status).toBe(201)
  return identity
}
const handOver = async (old: Identity, successor: Identity, handle: string) =>
  post(`${home.urls.home}/v1/transfer`, await transferOf(old, successor, handle))

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

const nonce = () => randomBytes(16).toString("base64url")
const ask = async (connection: NatsConnection, subject: string, body: string | Uint8Array) => {
  const id = headers()
  id.set("Kez-Id", nonce())
  return (await connection.request(subject, body, { timeout: 5_000, headers: id })).data
}
const asked = async (connection: NatsConnection, subject: string, body: string | Uint8Array) =>
  JSON.parse(Buffer.from(await ask(connection, subject, body)).toString()) as unknown
const fetch = (connection: NatsConnection, { key }: Identity, after = 0) =>
  ask(connection, `kez.fetch.${key.hex}`, JSON.stringify({ after, n: nonce() }))

it("KEZ-NAT-120 KEZ-NAT-121 KEZ-NAT-124 KEZ-REG-126: the old key can fetch what it has and nothing else, and what is sent to it is refused", async () => {
  const [alice, bob, eve] = [await register("alice"), await register("bobby"), await register("evelyn")]
  const successor = await newIdentity()
  const [writer, before] = [await logIn(bob), await logIn(alice)]
  const inbox = ({ key }: Identity) => `kez.inbox.${key.hex}`
  expect(await asked(writer, inbox(alice), "before")).toEqual({ ok: 1 })
  // Bob blocks alice: that holds for whatever key she has.
  const blocking = { op: "add", who: alice.key.hex, n: nonce() }
  expect(await asked(writer, `kez.block.${bob.key.hex}`, JSON.stringify(blocking))).toMatchObject({ ok: 1 })

  expect((await handOver(alice, successor, "alice")).status).toBe(200)
  await before.closed()
  expect(await asked(writer, inbox(alice), "after")).toEqual({ e: "moved" })

  const old = await logIn(alice)
  const page = Buffer.from(await fetch(old, alice))
  expect(page.includes("before")).toBe(true)
  const seq = Number(page.readBigUInt64BE(79))
  expect(JSON.parse(Buffer.from(await fetch(old, alice, seq)).toString())).toEqual({ e: "moved" })
  // The broker itself refuses the rest: there is no answer.
  const n = nonce()
  for (const [subject, body] of [
    [inbox(bob), "from the old key"],
    [inbox(alice), "an own copy"],
    [`kez.trim.${alice.key.hex}`, JSON.stringify({ box: "inbox", n })],
    [`kez.block.${alice.key.hex}`, JSON.stringify({ op: "add", who: eve.key.hex, n })],
    [`kez.fetch.${successor.key.hex}`, JSON.stringify({ after: 0, n })]
  ] as const) {
    await expect(ask(old, subject, body)).rejects.toThrow(/permission/i)
  }

  const now = await logIn(successor)
  expect(await asked(now, inbox(eve), "as the new key")).toEqual({ ok: 1 })
  expect(await asked(writer, inbox(successor), "to the new key")).toEqual({ ok: 1 })
  expect(Buffer.from(await fetch(now, successor)).includes("to the new key")).toBe(true)
  // Answered as if it had been stored, and not there.
  expect(await asked(now, inbox(bob), "blocked")).toEqual({ ok: 1 })
  expect(Buffer.from(await fetch(writer, bob)).includes("blocked")).toBe(false)

  const record = await get(`${home.urls.home}/v1/u/alice`)
  expect([record.status, record.json["primary"]]).toEqual([200, successor.primary])
  const gone = await get(`${home.urls.home}/v1/by-primary/${alice.primary}`)
  expect([gone.status, gone.json["code"]]).toEqual([410, "primary_moved"])
  const finger = await get(`${home.urls.home}/.well-known/webfinger?resource=acct:alice@localhost`)
  expect(finger.json["aliases"]).toEqual([successor.primary])
  expect((await get(`${home.urls.internal}/metrics`)).text).toMatch(/^kez_moved_keys 1$/m)
  await Promise.all([old.close(), now.close(), writer.close()])
})

it("KEZ-REG-123 KEZ-REG-124 keeps a handover that it answered when it is killed at once", async () => {
  const [carol, successor] = [await register("carol"), await newIdentity()]
  expect((await handOver(carol, successor, "carol")).status).toBe(200)
  await home.processes.chat.kill("SIGKILL")
  await home.processes.chat.restart()
  const primary = async () => (await get(`${home.urls.home}/v1/u/carol`)).json["primary"]
  await expect.poll(primary, { timeout: 20_000 }).toBe(successor.primary)
  // And repeats the answer to whoever did not hear it.
  expect((await handOver(carol, successor, "carol")).json["primary"]).toBe(successor.primary)
  const back = await logIn(successor)
  await back.close()
})

it("KEZ-LIM-120 refuses a body that is too large, and what is none, without the handle changing hands", async () => {
  const [dora, successor] = [await register("dora-1"), await newIdentity()]
  const body = await transferOf(dora, successor, "dora-1")
  const codeOf = async (sent: unknown) => (await post(`${home.urls.home}/v1/transfer`, sent)).json["code"]
  expect(await codeOf({ ...body, note: "x".repeat(17_000) })).toBe("too_large")
  expect(await codeOf({ ...body, note: "x" })).toBe("envelope_malformed")
  expect(await codeOf(body["transfer"])).toBe("envelope_malformed")
  expect(await codeOf("{")).toBe("json_malformed")
  expect((await get(`${home.urls.home}/v1/u/dora-1`)).json["primary"]).toBe(dora.primary)
})
