import * as fc from "fast-check"
import { generateKeyPairSync, randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { Nkey } from "@kez-chat/sdk/protocol"
import * as Jwt from "../../../src/broker/login/Jwt.ts"
import type { ServerKey } from "../../../src/broker/login/Keys.ts"
import * as Login from "../../../src/broker/login/Login.ts"
import * as RawKeys from "../../../src/broker/login/RawKeys.ts"
import * as XkeyBox from "../../../src/broker/login/XkeyBox.ts"
import { makeAccount } from "../../kits/Account.ts"

const serverKey = (prefix: "server" | "account" | "user"): ServerKey => {
  const { privateKey } = generateKeyPairSync("ed25519")
  return { publicNkey: Nkey.encode(prefix, RawKeys.publicBytes(privateKey)), key: privateKey }
}
const nats = serverKey("server")
const issuer = serverKey("account")
const account = makeAccount()
const now = 1_800_000_000
const nonce = "abcdefghijklmn0"
const context: Login.LoginContext = {
  issuer,
  loginHosts: ["kez.lat", "nats.kez.lat"],
  isActive: (hex) => hex === account.hex,
  mayFetch: (hex) => hex === account.hex,
  isShutOut: () => false,
  sessionSeconds: 3600
}

type Change = (claims: Record<string, unknown>, nats: Record<string, Record<string, unknown>>) => void

/** A request as nats-server makes it, changed by `change` before it is signed. */
const request = (change: Change = () => undefined, key = nats): string => {
  const body = {
    type: "authorization_request",
    version: 2,
    server_id: { name: "kez-1", host: "127.0.0.1", id: nats.publicNkey, version: "2.15.1" },
    user_nkey: serverKey("user").publicNkey,
    client_info: { host: "127.0.0.1", id: 9, kind: "Client", type: "nats", nonce },
    connect_opts: {
      nkey: account.nkey,
      sig: Buffer.from(account.sign("kez.lat", nonce)).toString("base64url"),
      protocol: 1
    } as Record<string, unknown>
  }
  const claims: Record<string, unknown> = {
    aud: "nats-authorization-request",
    exp: now + 2,
    sub: issuer.publicNkey,
    nats: body
  }
  change(claims, body as unknown as Record<string, Record<string, unknown>>)
  return Jwt.encode(key, claims, now)
}
const answer = (token: string, at = now) => Login.answer(context, token, at * 1000)
const payload = (token: string): Record<string, never> =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, never>

describe("the answer to a login", () => {
  it("KEZ-NAT-014 lets the key in as itself, for an hour, with exactly its subjects", () => {
    const token = request()
    const { jwt, outcome } = answer(token)
    expect(outcome).toEqual({ _tag: "Accepted", hex: account.hex, server: nats.publicNkey, connection: 9 })
    const asked = payload(token) as unknown as { nats: { user_nkey: string } }
    const response = payload(jwt!) as unknown as {
      aud: string
      sub: string
      iss: string
      nats: { jwt: string; error?: string; type: string }
    }
    expect(response).toMatchObject({ aud: nats.publicNkey, sub: asked.nats.user_nkey, iss: issuer.publicNkey })
    expect(response.nats).toMatchObject({ type: "authorization_response", version: 2 })
    expect(response.nats.error).toBeUndefined()
    expect(payload(response.nats.jwt)).toMatchObject({
      aud: "CHAT",
      sub: asked.nats.user_nkey,
      iss: issuer.publicNkey,
      name: account.hex,
      exp: now + 3600,
      nats: {
        type: "user",
        pub: {
          allow: ["kez.inbox.*", `kez.fetch.${account.hex}`, `kez.trim.${account.hex}`, `kez.block.${account.hex}`]
        },
        sub: { allow: [`kez.dlv.${account.hex}`, `_INBOX_${account.hex}.>`] },
        allowed_connection_types: ["STANDARD", "WEBSOCKET"]
      }
    })
  })

  it("accepts each of its own host names and no other", () => {
    const signedFor = (host: string) =>
      request((_claims, { connect_opts: options }) => {
        options!.sig = Buffer.from(account.sign(host, nonce)).toString("base64url")
      })
    for (const host of ["nats.kez.lat", "nats.kez.lat", "kez.lat", "nats.kez.lat"]) {
      expect(answer(signedFor(host)).outcome._tag).toBe("Accepted")
    }
    expect(answer(signedFor("evil.example")).outcome).toEqual({ _tag: "Refused", refusal: "signature_invalid" })
    expect(answer(signedFor("localhost")).outcome).toEqual({ _tag: "Refused", refusal: "signature_invalid" })
  })

  const refusals: ReadonlyArray<[Login.Refusal, string, Change]> = [
    ["foreign_request", "KEZ-NAT-008 another audience", (claims) => void (claims.aud = "other")],
    [
      "foreign_request",
      "KEZ-NAT-008 another server's id",
      (_, { server_id: server }) => void (server!.id = serverKey("server").publicNkey)
    ],
    ["expired_request", "KEZ-NAT-008 an expired request", (claims) => void (claims.exp = now - 60)],
    ["expired_request", "KEZ-NAT-008 a request without end", (claims) => void delete claims.exp],
    [
      "malformed_request",
      "a request of another type",
      (_, body) => void ((body as Record<string, unknown>).type = "user")
    ],
    ["malformed_request", "no user nkey", (_, body) => void delete (body as Record<string, unknown>).user_nkey],
    ["malformed_request", "no connection number", (_, { client_info: client }) => void (client!.id = "9")],
    ["not_a_client", "KEZ-NAT-009 a leafnode", (_, { client_info: client }) => void (client!.kind = "Leafnode")],
    ["not_a_client", "KEZ-NAT-009 MQTT", (_, { client_info: client }) => void (client!.type = "mqtt")],
    ["other_credentials", "KEZ-NAT-010 a user", (_, { connect_opts: options }) => void (options!.user = "a")],
    ["other_credentials", "KEZ-NAT-010 a password", (_, { connect_opts: options }) => void (options!.pass = "a")],
    ["other_credentials", "KEZ-NAT-010 a token", (_, { connect_opts: options }) => void (options!.auth_token = "a")],
    ["other_credentials", "KEZ-NAT-010 a JWT", (_, { connect_opts: options }) => void (options!.jwt = "a.b.c")],
    ["nkey_malformed", "KEZ-NAT-004 no nkey", (_, { connect_opts: options }) => void delete options!.nkey],
    [
      "nkey_malformed",
      "KEZ-NAT-004 an nkey of another type",
      (_, { connect_opts: options }) => void (options!.nkey = issuer.publicNkey)
    ],
    [
      "nkey_malformed",
      "KEZ-NAT-004 a wrong checksum",
      (_, { connect_opts: options }) =>
        void (options!.nkey = `${account.nkey.slice(0, -1)}${account.nkey.endsWith("A") ? "B" : "A"}`)
    ],
    ["nonce_malformed", "KEZ-NAT-011 no nonce", (_, { client_info: client }) => void delete client!.nonce],
    [
      "nonce_malformed",
      "KEZ-NAT-011 a strange nonce",
      (_, { client_info: client }) => void (client!.nonce = "kez.chat.message")
    ],
    ["signature_malformed", "KEZ-NAT-011 no signature", (_, { connect_opts: options }) => void delete options!.sig],
    [
      "signature_malformed",
      "KEZ-NAT-011 a short signature",
      (_, { connect_opts: options }) => void (options!.sig = "AAAA")
    ],
    [
      "signature_invalid",
      "KEZ-NAT-011 a wrong signature",
      (_, { connect_opts: options }) => void (options!.sig = randomBytes(64).toString("base64url"))
    ],
    [
      "signature_invalid",
      "KEZ-NAT-011 a signature for another nonce",
      (_, { client_info: client }) => void (client!.nonce = "abcdefghijklmn1")
    ]
  ]

  it.each(refusals)("refuses with %s: %s", (refusal, _what, change) => {
    expect(answer(request(change)).outcome).toEqual({ _tag: "Refused", refusal })
  })

  it("tells a refused client nothing but that", () => {
    const { jwt } = answer(
      request((_, { connect_opts: options }) => void (options!.sig = randomBytes(64).toString("base64url")))
    )
    expect(payload(jwt!)).toMatchObject({ nats: { error: "refused", type: "authorization_response" } })
    expect((payload(jwt!) as unknown as { nats: { jwt?: string } }).nats.jwt).toBeUndefined()
  })

  it("KEZ-NAT-008 refuses a request whose signature is not the server's", () => {
    expect(answer(request(undefined, serverKey("server"))).outcome).toMatchObject({ refusal: "foreign_request" })
    expect(answer(request(undefined, serverKey("user"))).outcome).toMatchObject({ refusal: "malformed_request" })
    const [head, body, signature] = request().split(".") as [string, string, string]
    const flipped = Buffer.from(signature, "base64url")
    flipped[0]! ^= 1
    expect(answer(`${head}.${body}.${flipped.toString("base64url")}`).outcome).toMatchObject({
      refusal: "malformed_request"
    })
    const none = Buffer.from('{"typ":"JWT","alg":"none"}').toString("base64url")
    expect(answer(`${none}.${body}.`).outcome).toMatchObject({ refusal: "malformed_request" })
    expect(answer(`${none}.${body}.${signature}`).outcome).toMatchObject({ refusal: "malformed_request" })
  })

  it("KEZ-NAT-012 KEZ-NAT-015 refuses an inactive key, and everybody when the registry fails", () => {
    const inactive = Login.answer({ ...context, isActive: () => false, mayFetch: () => false }, request(), now * 1000)
    expect(inactive.outcome).toMatchObject({ _tag: "Refused", refusal: "not_registered" })
    const broken = {
      ...context,
      isActive: () => {
        throw new Error("disk I/O error")
      }
    }
    expect(Login.answer(broken, request(), now * 1000).outcome).toEqual({
      _tag: "Refused",
      refusal: "registry_unavailable"
    })
  })

  it("KEZ-NAT-122 lets a key that handed its handle over fetch, and nothing else", () => {
    const { jwt, outcome } = Login.answer({ ...context, isActive: () => false }, request(), now * 1000)
    expect(outcome).toMatchObject({ _tag: "Accepted", hex: account.hex })
    const response = payload(jwt!) as unknown as { nats: { jwt: string } }
    expect(payload(response.nats.jwt)).toMatchObject({
      nats: {
        pub: { allow: [`kez.fetch.${account.hex}`] },
        sub: { allow: [`kez.dlv.${account.hex}`, `_INBOX_${account.hex}.>`] }
      }
    })
  })

  it("never throws, whatever it is asked", () => {
    const part = fc.oneof(
      fc.string(),
      fc.json().map((text) => Buffer.from(text).toString("base64url")),
      fc.base64String()
    )
    fc.assert(fc.property(fc.string(), (text) => answer(text).jwt === undefined))
    fc.assert(
      fc.property(fc.array(part, { minLength: 3, maxLength: 3 }), (parts) => answer(parts.join(".")).jwt === undefined)
    )
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("server_id", "client_info", "connect_opts", "user_nkey", "type"), fc.jsonValue()),
        (change) => {
          const { outcome } = answer(request((_, body) => void Object.assign(body, change)))
          expect(["Refused", "Accepted"]).toContain(outcome._tag)
        }
      )
    )
    expect(answer("x".repeat(100_000)).jwt).toBeUndefined()
  })
})

describe("sealed requests", () => {
  const curve = () => {
    const { privateKey } = generateKeyPairSync("x25519")
    return { nkey: Nkey.encode("curve", RawKeys.publicBytes(privateKey)), box: XkeyBox.make(privateKey) }
  }
  const [ours, theirs] = [curve(), curve()]

  it("open for their addressee and nobody else", () => {
    const sealed = theirs.box.seal(ours.nkey, Buffer.from("hello"))!
    expect(Buffer.from(ours.box.open(theirs.nkey, sealed)!).toString()).toBe("hello")
    expect(curve().box.open(theirs.nkey, sealed)).toBeUndefined()
    expect(ours.box.open(curve().nkey, sealed)).toBeUndefined()
  })

  it("do not open changed, cut or unsealed", () => {
    const sealed = theirs.box.seal(ours.nkey, Buffer.from("hello"))!
    for (let i = 0; i < sealed.length; i++) {
      const changed = Uint8Array.from(sealed)
      changed[i]! ^= 1
      expect(ours.box.open(theirs.nkey, changed)).toBeUndefined()
      expect(ours.box.open(theirs.nkey, sealed.subarray(0, i))).toBeUndefined()
    }
    expect(ours.box.open(theirs.nkey, Buffer.from(request()))).toBeUndefined()
  })

  it("never throw for strange peers and bytes", () => {
    const zero = Nkey.encode("curve", new Uint8Array(32))
    expect(ours.box.seal(zero, Buffer.from("x"))).toBeUndefined()
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom(zero, theirs.nkey, account.nkey)),
        fc.uint8Array({ maxLength: 100 }),
        (peer, bytes) => {
          expect(ours.box.open(peer, bytes)).toBeUndefined()
        }
      )
    )
  })
})
