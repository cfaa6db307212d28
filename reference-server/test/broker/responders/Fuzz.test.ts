import * as fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Page } from "@kez-chat/sdk/protocol"
import { connect } from "node:net"
import { randomBytes } from "node:crypto"
import { kezId } from "../../kits/Account.ts"
import { observe, type Observer } from "../../kits/Observer.ts"
import { headerBlock, openRaw, type Port, type RawClient } from "../../kits/RawClient.ts"
import { loginRaw, portOf, sendRaw } from "../../kits/RawUser.ts"
import { startTestBroker, type TestBroker } from "../../kits/TestBroker.ts"

describe("malformed, oversized and replayed input on every subject of the broker", () => {
  let broker: TestBroker
  let observer: Observer
  beforeAll(async () => {
    broker = await startTestBroker()
    observer = await observe(broker)
  })
  afterAll(async () => {
    await observer.close()
    await broker.stop()
  })

  const login = (kind: Port = "tcp") => loginRaw(broker, kind)
  const stillServes = async () => {
    const { client, hex } = await login()
    expect(await sendRaw(client, hex)).toBe('{"ok":1}')
    const page = await client.request(`kez.fetch.${hex}`, Page.encodeRequest({ after: 0, nonce: randomBytes(16) }))
    expect(page.payload[0]).toBe(1)
    expect((await broker.status()).ready).toBe(true)
    client.close()
  }

  it("answers any payload and any headers of a send with the closed list, and stores no more than the frame", async () => {
    const sender = await login()
    const inbox = await login()
    const line = fc.oneof(
      fc.string({ unit: "binary-ascii", maxLength: 40 }).map((text) => text.replaceAll(/[\r\n]/g, " ")),
      fc.constantFrom(
        "Kez-Id: AAAAAAAAAAAAAAAAAAAAAA",
        "Nats-Msg-Id: x",
        "Nats-Request-Info: {",
        "Nats-Request-Info: null",
        ":",
        " x: y"
      )
    )
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.array(line, { maxLength: 5 }), async (payload, lines) => {
        const answer = await sender.client.request(`kez.inbox.${inbox.hex}`, payload, headerBlock(...lines))
        expect(answer.payload.toString()).toMatch(/^\{"ok":1\}$|^\{"e":"(full|slow|unknown|bad|size|retry)"\}$/)
      }),
      { numRuns: 200 }
    )
    for (const { headers } of await observer.stored(inbox.hex))
      expect(headers.map(([name]) => name)).toEqual(["Nats-Msg-Id"])
    await stillServes()
    sender.client.close()
    inbox.client.close()
  })

  it("answers any fetch request with a page or the closed list", async () => {
    const { client, hex } = await login()
    const json = fc.record(
      {
        after: fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null), fc.maxSafeNat()),
        n: fc.oneof(fc.string(), fc.constant(randomBytes(16).toString("base64url")), fc.integer()),
        epoch: fc.oneof(fc.string(), fc.constant(randomBytes(16).toString("base64url")), fc.integer()),
        seq: fc.integer()
      },
      { requiredKeys: [] }
    )
    const request = fc.oneof(
      fc.uint8Array({ maxLength: 700 }),
      json.map((value) => Buffer.from(JSON.stringify(value))),
      fc.json().map((text) => Buffer.from(text))
    )
    await fc.assert(
      fc.asyncProperty(request, async (bytes) => {
        const { payload } = await client.request(`kez.fetch.${hex}`, bytes)
        if (payload[0] !== 1) expect(payload.toString()).toMatch(/^\{"e":"(bad|slow|retry)"\}$/)
      }),
      { numRuns: 200 }
    )
    await stillServes()
    client.close()
  })

  it("drops or ignores what is published on its own reply and delivery subjects", async () => {
    const { client, hex } = await login()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        client.publish(`_INBOX_${hex}.x`, bytes)
        client.publish(`kez.dlv.${hex}`, bytes)
        await client.fence()
      }),
      { numRuns: 50 }
    )
    await stillServes()
    client.close()
  })

  it("stands random bytes before and after the login, on both ports", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .constantFrom(
          "CONNECT {",
          "CONNECT []\r\n",
          "PUB\r\n",
          "PUB a -1\r\n",
          "HPUB a 9 1\r\n",
          "SUB\r\n",
          "UNSUB x\r\n"
        )
        .map((text) => Buffer.from(text)),
      fc
        .constantFrom("MSG a 1 1\r\nx\r\n", "INFO {}\r\n", "+OK\r\n", "-ERR 'x'\r\n", "A+ x y 1\r\nz\r\n")
        .map((text) => Buffer.from(text))
    )
    const end = async (client: RawClient) => {
      client.close()
      await client.closed
    }
    for (const kind of ["tcp", "websocket"] as const) {
      await fc.assert(
        fc.asyncProperty(bytes, async (garbage) => {
          const early = await openRaw({ kind, port: portOf(broker, kind) })
          early.write(garbage)
          await end(early)
          const late = await login(kind)
          late.client.write(garbage)
          await end(late.client)
        }),
        { numRuns: 40 }
      )
    }
    await stillServes()
  })

  it("stands a WebSocket port that is spoken to in plain bytes", async () => {
    for (const text of [
      "GET / HTTP/1.1\r\n\r\n",
      "\u0000\u0001\u0002",
      "CONNECT {}\r\n",
      `GET /${"x".repeat(20_000)} HTTP/1.1\r\n`
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(portOf(broker, "websocket"), "127.0.0.1", () => socket.end(text))
        socket.on("error", () => undefined)
        socket.on("close", () => resolve())
        socket.resume()
      })
    }
    await stillServes()
  })

  it("answers the same bytes sent again and again alike", async () => {
    const { client, hex } = await login()
    const id = kezId()
    for (let i = 0; i < 20; i++) {
      const answer = await client.request(`kez.inbox.${hex}`, "frame", headerBlock(`Kez-Id: ${id}`))
      expect(answer.payload.toString()).toBe('{"ok":1}')
    }
    const request = Page.encodeRequest({ after: 0, nonce: randomBytes(16) })
    const pages = await Promise.all([1, 2].map(() => client.request(`kez.fetch.${hex}`, request)))
    expect(pages[0]!.payload.equals(pages[1]!.payload)).toBe(true)
    expect(await observer.stored(hex)).toHaveLength(1)
    client.close()
  })
})
