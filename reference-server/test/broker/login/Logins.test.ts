import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Nkey } from "@kez-chat/sdk/protocol"
import { randomBytes, sign } from "node:crypto"
import * as RawKeys from "../../../src/broker/login/RawKeys.ts"
import { type Account, makeAccount } from "../../kits/Account.ts"
import { openRaw, type Port, type RawClient } from "../../kits/RawClient.ts"
import { pageOrigin, startTestBroker, type TestBroker, until } from "../../kits/TestBroker.ts"

const refused = /Authorization Violation|Authentication Timeout/
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url")

/** A JWT that allows everything, signed with the account's own key. */
const forgedJwt = (account: Account): string => {
  const claims = {
    sub: account.nkey,
    iss: account.nkey,
    aud: "CHAT",
    nats: { type: "user", version: 2, pub: { allow: [">"] }, sub: { allow: [">"] } }
  }
  const head = base64url(Buffer.from('{"typ":"JWT","alg":"ed25519-nkey"}'))
  const body = `${head}.${base64url(Buffer.from(JSON.stringify(claims)))}`
  return `${body}.${base64url(account.signRaw(Buffer.from(body)))}`
}

describe.each(["tcp", "websocket"] as const)("logins over %s", (kind: Port) => {
  let broker: TestBroker
  const open = (origin?: string): Promise<RawClient> => {
    const node = broker.nodes[0]!
    const port = kind === "tcp" ? node.tcpPort : node.websocketPort
    return openRaw(origin === undefined ? { kind, port } : { kind, port, origin })
  }
  beforeAll(async () => {
    broker = await startTestBroker()
  })
  afterAll(() => broker.stop())

  const registered = () => {
    const account = makeAccount()
    broker.register(account.hex)
    return account
  }

  it("lets a registered key in, with either spelling of the signature", async () => {
    const account = registered()
    const first = await open()
    expect(await first.login(account)).toBeUndefined()
    const second = await open()
    const sig = Buffer.from(account.sign("127.0.0.1", second.nonce)).toString("base64")
    expect(await second.connect({ nkey: account.nkey, sig })).toBeUndefined()
    const third = await open()
    expect(await third.login(account, "localhost")).toBeUndefined()
    for (const client of [first, second, third]) client.close()
  })

  const refusals: ReadonlyArray<
    [string, (client: RawClient) => Record<string, unknown> | Promise<Record<string, unknown>>]
  > = [
    [
      "KEZ-NAT-012 an unregistered key",
      (client) => {
        const account = makeAccount()
        return { nkey: account.nkey, sig: base64url(account.sign("127.0.0.1", client.nonce)) }
      }
    ],
    ["KEZ-NAT-011 a bare nkey", () => ({ nkey: registered().nkey })],
    ["KEZ-NAT-011 an empty signature", () => ({ nkey: registered().nkey, sig: "" })],
    ["KEZ-NAT-011 64 random bytes", () => ({ nkey: registered().nkey, sig: base64url(randomBytes(64)) })],
    [
      "KEZ-NAT-011 a signature of 63 bytes",
      (client) => {
        const account = registered()
        return { nkey: account.nkey, sig: base64url(account.sign("127.0.0.1", client.nonce).subarray(0, 63)) }
      }
    ],
    [
      "KEZ-NAT-011 another account's signature",
      (client) => {
        const sig = base64url(registered().sign("127.0.0.1", client.nonce))
        return { nkey: registered().nkey, sig }
      }
    ],
    [
      "KEZ-NAT-011 a signature over the bare nonce, as the stock client makes it",
      (client) => {
        const account = registered()
        return { nkey: account.nkey, sig: base64url(account.signRaw(Buffer.from(client.nonce))) }
      }
    ],
    [
      "KEZ-NAT-011 a replayed signature of an earlier connection",
      async () => {
        const account = registered()
        const earlier = await open()
        const sig = base64url(account.sign("127.0.0.1", earlier.nonce))
        expect(await earlier.connect({ nkey: account.nkey, sig })).toBeUndefined()
        earlier.close()
        return { nkey: account.nkey, sig }
      }
    ],
    [
      "KEZ-NAT-011 a login signed for another host (relayed)",
      (client) => {
        const account = registered()
        return { nkey: account.nkey, sig: base64url(account.sign("evil.example", client.nonce)) }
      }
    ],
    ["nobody at all", () => ({})],
    ["KEZ-NAT-010 user and password", () => ({ user: "alice", pass: "secret" })],
    ["KEZ-NAT-010 a token", () => ({ auth_token: "secret" })],
    [
      "KEZ-NAT-010 a good nkey with a user besides",
      (client) => {
        const account = registered()
        return { nkey: account.nkey, sig: base64url(account.sign("127.0.0.1", client.nonce)), user: "alice" }
      }
    ],
    ["KEZ-NAT-010 a user JWT of one's own making", () => ({ jwt: forgedJwt(registered()) })],
    [
      "KEZ-NAT-010 a user JWT of one's own making under a registered nkey",
      () => {
        const account = registered()
        return { nkey: account.nkey, jwt: forgedJwt(account), sig: base64url(randomBytes(64)) }
      }
    ],
    [
      "KEZ-NAT-004 the key as an account nkey",
      (client) => {
        const account = registered()
        const nkey = Nkey.encode("account", account.account.ed25519)
        return { nkey, sig: base64url(account.sign("127.0.0.1", client.nonce)) }
      }
    ],
    [
      "KEZ-NAT-004 the nkey in lower case",
      (client) => {
        const account = registered()
        return { nkey: account.nkey.toLowerCase(), sig: base64url(account.sign("127.0.0.1", client.nonce)) }
      }
    ],
    [
      "KEZ-NAT-013 a registered account's name in user's place",
      (client) => {
        const stranger = makeAccount()
        const victim = registered()
        const sig = base64url(stranger.sign("127.0.0.1", client.nonce))
        return { nkey: stranger.nkey, sig, name: victim.hex }
      }
    ],
    ...(["callout", "registrar", "gateway", "sys"] as const).map(
      (role): [string, (client: RawClient) => Record<string, unknown>] => [
        `KEZ-NAT-038 the service key ${role} with a user's signature`,
        (client) => ({
          nkey: broker.keys[role].publicNkey,
          sig: base64url(registered().sign("127.0.0.1", client.nonce))
        })
      ]
    ),
    [
      "the issuer's key, with a right signature",
      (client) => ({
        nkey: broker.keys.issuer.publicNkey,
        sig: base64url(sign(null, Buffer.from(client.nonce), broker.keys.issuer.key))
      })
    ]
  ]

  it.each(refusals)("refuses %s", async (_what, options) => {
    const client = await open()
    expect(await client.connect(await options(client))).toMatch(refused)
    await client.closed
  })

  it("KEZ-NAT-010 gives no more to a good login that brings its own JWT", async () => {
    const account = registered()
    const client = await open()
    const sig = base64url(account.sign("127.0.0.1", client.nonce))
    expect(await client.connect({ nkey: account.nkey, sig, jwt: forgedJwt(account) })).toBeUndefined()
    await client.subscribe("kez.>")
    client.publish("$JS.API.STREAM.INFO.KEZ_INBOX", "")
    await client.fence()
    expect(client.errors).toHaveLength(2)
    client.close()
  })

  it("KEZ-NAT-016 refuses a key from the moment it is revoked, and closes what it has open", async () => {
    const account = registered()
    const bystander = registered()
    const [one, two, other] = [await open(), await open(), await open()]
    expect(await one.login(account)).toBeUndefined()
    expect(await two.login(account)).toBeUndefined()
    expect(await other.login(bystander)).toBeUndefined()
    broker.unregister(account.hex)
    await broker.kick(account.hex)
    await Promise.all([one.closed, two.closed])
    const again = await open()
    expect(await again.login(account)).toMatch(refused)
    await other.fence()
    expect(other.isClosed()).toBe(false)
    other.close()
  })

  it("KEZ-NAT-016 closes connections that an earlier chat-server let in", async () => {
    const account = registered()
    const client = await open()
    expect(await client.login(account)).toBeUndefined()
    await broker.stopResponders()
    await broker.startResponders()
    await broker.ready()
    broker.unregister(account.hex)
    await broker.kick(account.hex)
    await client.closed
  })

  it("KEZ-NAT-013 keeps the identity of a connection when CONNECT comes twice", async () => {
    const account = registered()
    const victim = registered()
    const client = await open()
    expect(await client.login(account)).toBeUndefined()
    const sig = base64url(victim.sign("127.0.0.1", client.nonce))
    client.write(`CONNECT ${JSON.stringify({ nkey: victim.nkey, sig, headers: true })}\r\n`)
    await client.fence()
    await client.subscribe(`kez.dlv.${victim.hex}`)
    const sender = await open()
    expect(await sender.login(registered())).toBeUndefined()
    sender.write("")
    const answer = await sender.request(
      `kez.inbox.${victim.hex}`,
      "frame",
      "NATS/1.0\r\nKez-Id: AAAAAAAAAAAAAAAAAAAAAA\r\n\r\n"
    )
    expect(answer.payload.toString()).toBe('{"ok":1}')
    await client.fence()
    expect(client.messages.filter(({ subject }) => subject.includes(victim.hex))).toEqual([])
    client.close()
    sender.close()
  })

  it("KEZ-NAT-015 lets nobody in while the callout is away, and again when it is back", async () => {
    const account = registered()
    await broker.stopResponders()
    const shut = await open()
    expect(await shut.login(account)).toMatch(refused)
    await broker.startResponders()
    await broker.ready()
    const back = await open()
    expect(await back.login(account)).toBeUndefined()
    back.close()
  })

  it("takes no login request from a user", async () => {
    const client = await open()
    expect(await client.login(registered())).toBeUndefined()
    client.publish("$SYS.REQ.USER.AUTH", "x", { reply: "_INBOX.x" })
    await client.fence()
    expect(client.errors.join()).toMatch(/Permissions Violation for Publish/)
    expect((await broker.status()).logins.unreadable).toBe(0)
    client.close()
  })

  if (kind === "websocket") {
    it("KEZ-NAT-042 takes the configured page and programs without an Origin, no other page", async () => {
      const page = await open(pageOrigin)
      expect(await page.login(registered())).toBeUndefined()
      page.close()
      await expect(open("https://evil.example")).rejects.toThrow()
      await expect(open("http://127.0.0.1:8081")).rejects.toThrow()
      await expect(open("null")).rejects.toThrow()
    })
  }

  it("stands a flood of bad logins and still serves good ones", async () => {
    const flood = Array.from({ length: 200 }, async () => {
      const client = await open()
      return client.connect({ nkey: registered().nkey, sig: base64url(randomBytes(64)) })
    })
    const account = registered()
    await until("a good login gets through", async () => {
      const client = await open()
      const verdict = await client.login(account)
      client.close()
      return verdict === undefined
    })
    // Refused, timed out or closed: whichever it was under this load, nobody got in.
    for (const verdict of await Promise.all(flood)) expect(verdict).toBeDefined()
  })

  it("has nkey seeds and bearer secrets in no log and no conf", async () => {
    const { readFile } = await import("node:fs/promises")
    for (const file of ["nats-1.conf", "nats-1.log"]) {
      expect(await readFile(`${broker.folder}/${file}`, "utf8")).not.toMatch(/\bS[UAX][A-Z2-7]{56}\b/)
    }
    expect(RawKeys.publicBytes(broker.keys.issuer.key).length).toBe(32)
  })
})
