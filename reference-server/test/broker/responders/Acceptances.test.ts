/** What the home signs of a send: checked here with nothing of the server's own. */
import { Block } from "@kez-chat/sdk/protocol"
import { createHash, createPublicKey, randomBytes, verify } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { kezId } from "../../kits/Account.ts"
import { headerBlock, type RawClient } from "../../kits/RawClient.ts"
import { loginRaw } from "../../kits/RawUser.ts"
import { startTestBroker, type TestBroker } from "../../kits/TestBroker.ts"

const sha256 = (...parts: ReadonlyArray<string | Uint8Array>) =>
  `sha256:${parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest("hex")}`

describe("acceptances", () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker()
  })
  afterAll(() => broker.stop())

  const send = async (client: RawClient, to: string, frame: Uint8Array | string, ...lines: ReadonlyArray<string>) =>
    (
      await client.request(`kez.inbox.${to}`, frame, headerBlock(...[`Kez-Id: ${kezId()}`, ...lines]))
    ).payload.toString()

  const holds = (answer: string, to: string, frame: Uint8Array): boolean => {
    const { at, ok, sig, ...others } = JSON.parse(answer)
    expect([ok, others, answer.length < 256]).toEqual([1, {}, true])
    const raw = broker.keys.acceptance.published[0]!
    const payload =
      `{"accepted_at":"${at}","frame":"${sha256(frame)}","key":"ed25519:${Buffer.from(raw).toString("hex")}",` +
      `"recipient":"${sha256("kez.chat.acceptance/1\0", Buffer.from(to, "hex"))}","server":"localhost",` +
      `"type":"kez.chat.acceptance","version":1}`
    const x = Buffer.from(raw).toString("base64url")
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" })
    return verify(null, createHash("sha512").update(payload).digest(), key, Buffer.from(sig, "base64url"))
  }

  it("KEZ-NAT-100 are signed for who asks, over that frame and that recipient", async () => {
    const [alice, bob] = [await loginRaw(broker, "tcp"), await loginRaw(broker, "websocket")]
    const frame = randomBytes(300)
    const answer = await send(alice.client, bob.hex, frame, "Kez-Accept: 1")
    expect(holds(answer, bob.hex, frame)).toBe(true)
    expect(holds(answer, alice.hex, frame)).toBe(false)
    expect(holds(answer, bob.hex, randomBytes(300))).toBe(false)
    expect(Math.abs(Date.parse(JSON.parse(answer).at) - Date.now())).toBeLessThan(60_000)
    for (const { client } of [alice, bob]) client.close()
  })

  it("KEZ-NAT-100 are absent for who does not ask, and where nothing is accepted", async () => {
    const { client, hex } = await loginRaw(broker, "tcp")
    expect(await send(client, hex, "frame")).toBe('{"ok":1}')
    expect(await send(client, hex, "frame", "Kez-Accept: 0")).toBe('{"ok":1}')
    expect(await send(client, "00".repeat(32), "frame", "Kez-Accept: 1")).toBe('{"e":"unknown"}')
    client.close()
  })

  it("KEZ-NAT-101 do not tell a blocked sender from another", async () => {
    const [alice, bob] = [await loginRaw(broker, "tcp"), await loginRaw(broker, "tcp")]
    const block = Block.encodeRequest({ op: "add", who: alice.hex, nonce: randomBytes(16) })
    await bob.client.request(`kez.block.${bob.hex}`, block)
    const frame = randomBytes(300)
    expect(holds(await send(alice.client, bob.hex, frame, "Kez-Accept: 1"), bob.hex, frame)).toBe(true)
    for (const { client } of [alice, bob]) client.close()
  })
})
