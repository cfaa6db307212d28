import { connect } from "@nats-io/transport-node"
import { sign } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { loginRaw, sendRaw } from "../../kits/RawUser.ts"
import { storageAttacks } from "../../kits/StorageAttacks.ts"
import { startTestBroker, type TestBroker, until } from "../../kits/TestBroker.ts"

describe("one server, four streams", () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker({ partitions: 4 })
  })
  afterAll(() => broker.stop())
  storageAttacks("attacks on storage over tcp", "tcp", () => broker)
  storageAttacks("attacks on storage over websocket", "websocket", () => broker)

  it("store nothing in any of them for a chat-server that is set to another number", async () => {
    const { key, publicNkey } = broker.keys.registrar
    const registrar = await connect({
      servers: broker.tcp,
      inboxPrefix: "_INBOX_reg",
      authenticator: (nonce) => ({
        nkey: publicNkey,
        sig: sign(null, Buffer.from(nonce ?? ""), key).toString("base64url")
      })
    })
    const call = async (operation: string, body: object) => {
      const answer = await registrar.request(`$JS.API.STREAM.${operation}.KEZ_INBOX`, JSON.stringify(body))
      return answer.json<{ config: { metadata: Record<string, string> }; error?: unknown }>()
    }
    const { config } = await call("INFO", {})
    const people = await Promise.all(Array.from({ length: 16 }, () => loginRaw(broker, "tcp")))
    await broker.stopResponders()
    const changed = await call("UPDATE", { ...config, metadata: { ...config.metadata, partitions: "2" } })
    expect(changed.error).toBeUndefined()
    await broker.startResponders()
    await until("the gateway is connected", async () => (await broker.status()).connections.gateway)
    for (const { client, hex } of people) expect(await sendRaw(client, hex, "kept back")).toBe('{"e":"retry"}')
    expect(await broker.status()).toMatchObject({ ready: false, connections: { registrar: false } })
    expect((await call("UPDATE", config)).error).toBeUndefined()
    await broker.ready()
    for (const { client, hex } of people) expect(await sendRaw(client, hex, "stored")).toBe('{"ok":1}')
    for (const { client } of people) client.close()
    await registrar.close()
  })
})
