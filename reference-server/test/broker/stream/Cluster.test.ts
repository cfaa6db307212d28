import { Page } from "@kez-chat/sdk/protocol"
import { Result } from "effect"
import { randomBytes } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { kezId, makeAccount } from "../../kits/Account.ts"
import { headerBlock, openRaw } from "../../kits/RawClient.ts"
import { storageAttacks } from "../../kits/StorageAttacks.ts"
import { startTestBroker, type TestBroker } from "../../kits/TestBroker.ts"

describe("three servers, three replicas", () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker({ servers: 3 })
  })
  afterAll(() => broker.stop())
  storageAttacks("attacks on storage over tcp", "tcp", () => broker)
  storageAttacks("attacks on storage over websocket", "websocket", () => broker)

  it("KEZ-NAT-019 have on a page whatever was acknowledged before it was asked for, whichever replica answers", async () => {
    const account = makeAccount()
    broker.register(account.hex)
    const clients = await Promise.all(broker.nodes.map(({ tcpPort }) => openRaw({ kind: "tcp", port: tcpPort })))
    for (const client of clients) expect(await client.login(account)).toBeUndefined()
    let after = 0
    for (let i = 0; i < 150; i++) {
      const sender = clients[i % 3]!
      const reader = clients[(i + 1) % 3]!
      const sent = await sender.request(`kez.inbox.${account.hex}`, `${i}`, headerBlock(`Kez-Id: ${kezId()}`))
      expect(sent.payload.toString()).toBe('{"ok":1}')
      const nonce = randomBytes(16)
      const { payload } = await reader.request(`kez.fetch.${account.hex}`, Page.encodeRequest({ after, nonce }))
      const page = Result.getOrThrow(Page.decode(payload, { ed25519: account.account.ed25519, nonce }))
      expect(page.frames.map(({ frame }) => Buffer.from(frame).toString())).toEqual([`${i}`])
      after = page.frames[0]!.seq
    }
    for (const client of clients) client.close()
  })
})
