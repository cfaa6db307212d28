/** Who is let in to the broker, on every port (spec: broker, Login check). */
import { randomBytes } from "node:crypto"
import { group } from "../Check.ts"
import { hasStatus } from "../Expect.ts"
import { NotChecked, Violation } from "../Outcome.ts"
import type { Signer } from "../Signing.ts"
import { type BrokerVisit, demand, kindOf } from "./BrokerVisit.ts"
import { type Connection, hostOf, loginBytes } from "./Connection.ts"
import { isOk } from "./User.ts"

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url")

/** A JWT that allows everything, of the account's own making. */
const ownJwt = (signer: Signer): string => {
  const claims = {
    jti: "KEZCT",
    iat: Math.floor(Date.now() / 1_000),
    iss: signer.nkey,
    sub: signer.nkey,
    nats: { type: "user", version: 2, pub: { allow: [">"] }, sub: { allow: [">"] } }
  }
  const parts = [{ typ: "JWT", alg: "ed25519-nkey" }, claims].map((part) =>
    base64url(Buffer.from(JSON.stringify(part)))
  )
  const body = parts.join(".")
  return `${body}.${base64url(signer.signBytes(Buffer.from(body)))}`
}

/** CONNECT with these members is refused, and the connection ended. */
const refusesFields = async (connection: Connection, fields: Readonly<Record<string, unknown>>): Promise<void> => {
  const refusal = await connection.connect(fields)
  if (refusal === undefined)
    throw new Violation(`let in over ${kindOf(connection.url)}; it must be refused`, undefined, Object.keys(fields))
  await connection.closed("a connection whose login was refused stays open")
}

type Fields = Readonly<Record<string, unknown>>

/** Logins that need no account, so that they write nothing. */
const foreign: ReadonlyArray<
  readonly [
    id: string,
    requirements: ReadonlyArray<string>,
    why: string,
    fields: (connection: Connection, stranger: Signer) => Fields
  ]
> = [
  ["anonymous", ["KEZ-NAT-011"], "who does not say who it is has no inbox", () => ({})],
  ["password", ["KEZ-NAT-010"], "a user with a password", () => ({ user: "kezct", pass: "kezct" })],
  ["token", ["KEZ-NAT-010"], "a token", () => ({ auth_token: "kezct" })],
  [
    "unregistered",
    ["KEZ-NAT-012"],
    "a right signature by a key that has no account here",
    (connection, stranger) => connection.credentials(stranger)
  ],
  [
    "jwt",
    ["KEZ-NAT-010"],
    "a user JWT of one's own making, with a signature over the nonce as NATS clients make it",
    (connection, stranger) => ({
      jwt: ownJwt(stranger),
      sig: base64url(stranger.signBytes(Buffer.from(connection.nonce)))
    })
  ],
  [
    "jwt-nkey",
    ["KEZ-NAT-010", "KEZ-NAT-012"],
    "a user JWT of one's own making beside a right signature of a key without an account",
    (connection, stranger) => ({ jwt: ownJwt(stranger), ...connection.credentials(stranger) })
  ]
]

/** Logins under a registered key that are wrong in one thing. */
const wrong: ReadonlyArray<
  readonly [
    id: string,
    requirement: string,
    why: string,
    fields: (connection: Connection, signer: Signer, visit: BrokerVisit) => Fields | Promise<Fields>
  ]
> = [
  ["unsigned", "KEZ-NAT-011", "a broker with auth callout checks no signature itself", (_, { nkey }) => ({ nkey })],
  ["empty-signature", "KEZ-NAT-011", "a signature without bytes", (_, { nkey }) => ({ nkey, sig: "" })],
  [
    "random-signature",
    "KEZ-NAT-011",
    "64 bytes that are no signature",
    (_, { nkey }) => ({ nkey, sig: base64url(randomBytes(64)) })
  ],
  [
    "short-signature",
    "KEZ-NAT-011",
    "63 bytes of the right signature",
    (connection, { nkey, signBytes }) => ({
      nkey,
      sig: base64url(signBytes(loginBytes(hostOf(connection.url), connection.nonce)).subarray(0, 63))
    })
  ],
  [
    "other-signer",
    "KEZ-NAT-011",
    "the signature of another key",
    (connection, { nkey }, { signing }) => ({ nkey, sig: connection.credentials(signing.makeSigner()).sig })
  ],
  [
    "bare-nonce",
    "KEZ-NAT-011",
    "a signature over the nonce alone, which a hostile broker could get from a stock client",
    (connection, { nkey, signBytes }) => ({ nkey, sig: base64url(signBytes(Buffer.from(connection.nonce))) })
  ],
  [
    "other-host",
    "KEZ-NAT-011",
    "a login made for another broker, passed on to this one",
    (connection, { nkey, signBytes }) => ({
      nkey,
      sig: base64url(signBytes(loginBytes("kezct.example", connection.nonce)))
    })
  ],
  [
    "replay",
    "KEZ-NAT-011",
    "a login that somebody recorded, with the nonce of an earlier connection",
    async (connection, signer, visit) => {
      const earlier = await visit.open(connection.url)
      const recorded = earlier.credentials(signer)
      demand((await earlier.connect(recorded)) === undefined, "the login that is repeated was refused itself")
      return recorded
    }
  ],
  [
    "user-besides",
    "KEZ-NAT-010",
    "a right login with a user name besides",
    (connection, signer) => ({ ...connection.credentials(signer), user: "kezct" })
  ],
  [
    "password-besides",
    "KEZ-NAT-010",
    "a right login with a password besides",
    (connection, signer) => ({ ...connection.credentials(signer), pass: "kezct" })
  ],
  [
    "token-besides",
    "KEZ-NAT-010",
    "a right login with a token besides",
    (connection, signer) => ({ ...connection.credentials(signer), auth_token: "kezct" })
  ],
  [
    "account-nkey",
    "KEZ-NAT-004",
    "the same key as NATS writes those of accounts",
    (connection, signer, { signing }) => ({
      ...connection.credentials(signer),
      nkey: signing.nkey("account", Buffer.from(signer.hex, "hex"))
    })
  ],
  [
    "lower-case-nkey",
    "KEZ-NAT-004",
    "a key has one spelling",
    (connection, signer) => ({ ...connection.credentials(signer), nkey: signer.nkey.toLowerCase() })
  ],
  [
    "nkey-checksum",
    "KEZ-NAT-004",
    "the last character of the checksum is another",
    (connection, signer) => ({
      ...connection.credentials(signer),
      nkey: `${signer.nkey.slice(0, -1)}${signer.nkey.endsWith("A") ? "B" : "A"}`
    })
  ],
  [
    "name",
    "KEZ-NAT-013",
    "the name of a connection says nothing about whose it is",
    (connection, { hex, nkey }, { signing }) => ({
      ...connection.credentials(signing.makeSigner()),
      name: hex,
      lang: nkey
    })
  ]
]

/** How many logins race against a deletion. */
const racers = 4

export const login = group<BrokerVisit>("broker/login", [
  {
    id: "nonce",
    requirements: ["KEZ-NAT-011"],
    why: "a client signs a nonce of 15 characters, another one for each connection, and refuses any other",
    reads: true,
    run: (visit) =>
      visit.onEveryPort(async (url) => {
        const [one, other] = [await visit.open(url), await visit.open(url)]
        for (const { nonce } of [one, other])
          demand(/^[\w-]{15}$/.test(nonce), `INFO over ${kindOf(url)} has no nonce of 15 characters`, nonce)
        demand(one.nonce !== other.nonce, `two connections over ${kindOf(url)} have the same nonce`, one.nonce)
      })
  },
  ...foreign.map(([id, requirements, why, fields]) => ({
    id,
    requirements,
    why,
    reads: true as const,
    run: (visit: BrokerVisit) =>
      visit.onEveryPort(async (url) => {
        const connection = await visit.open(url)
        await refusesFields(connection, fields(connection, visit.signing.makeSigner()))
      })
  })),
  {
    id: "weak-key",
    requirements: ["KEZ-NAT-004"],
    why: "a point of small order verifies signatures of nobody",
    reads: true,
    run: (visit) =>
      visit.onEveryPort(async (url) => {
        const weak = Buffer.concat([Buffer.of(1), Buffer.alloc(31)])
        const fields = {
          nkey: visit.signing.nkey("user", weak),
          sig: base64url(Buffer.concat([weak, Buffer.alloc(32)]))
        }
        await refusesFields(await visit.open(url), fields)
      })
  },
  {
    id: "registered",
    requirements: ["KEZ-NAT-011", "KEZ-NAT-012"],
    why: "a registered key with a right signature is let in, however the signature's base64 is spelled",
    run: (visit) =>
      visit.onEveryPort(async (url) => {
        const { signer } = await visit.home.account()
        const user = await visit.login(await visit.home.account(), url)
        await user.fetch(0)
        const padded = await visit.open(url)
        const sig = Buffer.from(padded.credentials(signer).sig, "base64url").toString("base64")
        const refusal = await padded.connect({ nkey: signer.nkey, sig })
        demand(refusal === undefined, `a signature in padded base64 is refused over ${kindOf(url)}`, refusal)
      })
  },
  ...wrong.map(([id, requirement, why, fields]) => ({
    id,
    requirements: [requirement],
    why,
    run: (visit: BrokerVisit) =>
      visit.onEveryPort(async (url) => {
        const connection = await visit.open(url)
        const { signer } = await visit.home.account()
        await refusesFields(connection, await fields(connection, signer, visit))
      })
  })),
  {
    id: "jwt-besides",
    requirements: ["KEZ-NAT-010"],
    why: "a JWT that a client brings beside a right login gives it nothing more, where it is not refused",
    run: (visit) =>
      visit.onEveryPort(async (url) => {
        const { signer } = await visit.home.account()
        const connection = await visit.open(url)
        const refusal = await connection.connect({ ...connection.credentials(signer), jwt: ownJwt(signer) })
        if (refusal !== undefined) return
        await connection.subscribe("kez.dlv.*")
        demand(connection.errors.length > 0, `a JWT of one's own making opens kez.dlv.* over ${kindOf(url)}`)
      })
  },
  {
    id: "second-connect",
    requirements: ["KEZ-NAT-013"],
    why: "a connection stays that of the key that logged in, whoever CONNECT names later",
    run: (visit) =>
      visit.onEveryPort(async (url) => {
        const [alice, bob] = await visit.friends()
        const connection = await visit.open(url)
        await connection.login(alice.account.signer)
        connection.write(`CONNECT ${JSON.stringify(connection.credentials(bob.account.signer))}\r\n`)
        await connection.fence()
        await connection.subscribe(`kez.dlv.${bob.hex}`)
        const before = await bob.lastSeq()
        isOk(await alice.send(bob.hex), "a send")
        const [frame] = await bob.framesAfter(before)
        await bob.delivery(frame!.frame)
        await connection.fence()
        demand(
          !connection.messages.some(({ subject }) => subject === `kez.dlv.${bob.hex}`),
          `a second CONNECT over ${kindOf(url)} opens the mail of another account`
        )
      })
  },
  {
    id: "deleted",
    requirements: ["KEZ-NAT-012"],
    why: "a deleted account does not come in again",
    run: (visit) =>
      visit.onEveryPort(async (url) => {
        const { signer } = await visit.home.deletedAccount()
        const connection = await visit.open(url)
        await refusesFields(connection, connection.credentials(signer))
      })
  },
  {
    id: "deletion",
    requirements: ["KEZ-NAT-016", "KEZ-REG-027"],
    why: "what an account has open is closed when it is deleted",
    run: async (visit) => {
      const account = await visit.home.newAccount()
      const users = []
      for (const url of visit.urls) users.push(await visit.login(account, url))
      hasStatus(await visit.home.delete(account), 204)
      for (const { client } of users) await client.closed("a connection of a deleted account stays open")
    }
  },
  {
    id: "deletion-race",
    requirements: ["KEZ-NAT-016"],
    why: "a login that was under way when its account was deleted does not stay either",
    run: async (visit) => {
      const account = await visit.home.newAccount()
      const connections: Array<Connection> = []
      for (let i = 0; i < racers; i++) connections.push(await visit.open(visit.urls[i % visit.urls.length]))
      const logins = connections.map((connection) => connection.connect(connection.credentials(account.signer)))
      hasStatus(await visit.home.delete(account), 204)
      await Promise.all(logins)
      for (const connection of connections) await connection.closed("a connection of a deleted account stays open")
    }
  },
  {
    id: "origin",
    requirements: ["KEZ-NAT-042"],
    why: "a page of somebody else must not use the broker with its visitor's network",
    reads: true,
    run: async (visit) => {
      const url = visit.urls.find((one) => kindOf(one) === "websocket")
      if (url === undefined) throw new NotChecked("not-applicable", "there is no broker over WebSocket")
      for (const origin of ["https://kezct.example", "null"]) {
        const opened = await visit.open(url, origin).catch(() => undefined)
        demand(opened === undefined, `a page of ${origin} is let in`)
      }
    }
  }
])
