/** The manifest routes of chat-server over real sockets: what goes in, what comes out, and what does not. */
import { Identity, SealedManifest } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Blake3, Canonical, Limits, type Problem } from "@kez-chat/sdk/protocol"
import BetterSqlite3 from "better-sqlite3"
import type { Crypto } from "@kez-chat/sdk/services"
import { Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import * as fc from "fast-check"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bodySlots } from "../../src/http/BodySlots.ts"
import { largestManifest, manifestOf } from "../../../sdk/test/kits/ManifestStoreKit.ts"
import {
  deletion,
  get,
  post,
  raw,
  registration,
  run,
  type Running,
  signedManifest,
  startChat,
  temporaryFolder
} from "../kits/Servers.ts"

const folder = temporaryFolder()
let server: Running

beforeAll(async () => {
  server = await startChat(folder.path)
})
afterAll(async () => {
  expect(await server.stop()).toBe(0)
  expect(server.logs.filter(({ level }) => level === "error" || level === "fatal")).toEqual([])
  folder[Symbol.dispose]()
})

const effect = <A, E>(program: Effect.Effect<A, E, Crypto>) =>
  Effect.runPromise(Effect.provide(program, NodeCrypto.layer))
const identityOf = (seed: Uint8Array) => Identity.fromSeed(Redacted.make(new Uint8Array(seed)))

/** A new account, with its seed for signing what no client would. */
const account = async (at = server) => {
  const seed = new Uint8Array(randomBytes(32))
  const identity = await effect(identityOf(seed))
  const handle = `m-${randomBytes(8).toString("hex")}`
  expect((await post(`${at.url}/v1/register`, await registration(identity, handle))).status).toBe(201)
  return { seed, identity, handle, url: urlOf(identity, at) }
}
type Account = Awaited<ReturnType<typeof account>>

const urlOf = ({ key }: Identity.Identity, at = server) => `${at.url}/v1/manifests/ed25519/${key.hex}`
const pathOf = ({ key }: Identity.Identity) => `/v1/manifests/ed25519/${key.hex}`

const signed = ({ identity }: Pick<Account, "identity">, revision: number) => effect(manifestOf(identity, revision))

const json = { "content-type": "application/json" }
const put = (url: string, body: Uint8Array | string, headers: Record<string, string> = json) =>
  get(url, { method: "PUT", body: typeof body === "string" ? body : new Uint8Array(body), headers })

const bytesOf = async (url: string) => new Uint8Array(await (await fetch(url)).arrayBuffer())

const codesOf = (answers: ReadonlyArray<{ status: number; json: Readonly<Record<string, unknown>> }>) =>
  answers.map(({ json, status }) => [status, json["code"]])

/** The envelope that this account's key signs over any payload at all. */
const signedPayload = ({ identity, seed }: Account, payload: unknown): string =>
  signedManifest(identity.primary, seed, typeof payload === "string" ? payload : Canonical.encodeText(payload as never))

const payloadOf = ({ identity }: Account, change: Readonly<Record<string, unknown>> = {}) => ({
  created_at: "2026-05-25T00:00:00Z",
  entries: [],
  primary: identity.primary,
  revision: 1,
  type: "kez.chat.shared_files",
  version: 1,
  ...change
})

describe("storing and reading", () => {
  it("KEZ-MAN-014 KEZ-MAN-018 stores exact bytes and answers them with hash, length and caching rules", async () => {
    const owner = await account()
    const { body, hash } = await signed(owner, 3)
    const stored = await put(owner.url, body)
    expect([stored.status, stored.json]).toEqual([201, { revision: 3, hash }])
    const again = await put(owner.url, body)
    expect([again.status, again.json]).toEqual([200, { revision: 3, hash }])
    const etag = `"${hash.slice(7)}"`
    expect([stored.headers.get("etag"), again.headers.get("etag")]).toEqual([etag, etag])
    for (const [url, caching] of [
      [owner.url, "no-cache"],
      [`${owner.url}/${hash.slice(7)}`, "public, max-age=86400, immutable"]
    ] as const) {
      expect(await bytesOf(url)).toEqual(body)
      for (const method of ["GET", "HEAD"]) {
        const { headers, status } = await get(url, { method })
        expect(status).toBe(200)
        expect(Object.fromEntries(headers)).toMatchObject({
          "content-type": "application/json",
          "content-length": String(body.length),
          etag,
          "cache-control": caching,
          "access-control-allow-origin": "*",
          "x-content-type-options": "nosniff"
        })
      }
    }
  })

  it("KEZ-MAN-020 answers 304 to who holds it already, whatever a proxy made of the tag", async () => {
    const owner = await account()
    const { body, hash } = await signed(owner, 1)
    await put(owner.url, body)
    const etag = `"${hash.slice(7)}"`
    for (const url of [owner.url, `${owner.url}/${hash.slice(7)}`]) {
      for (const held of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
        const answer = await get(url, { headers: { "if-none-match": held } })
        expect([answer.status, answer.text, answer.headers.get("etag")]).toEqual([304, "", etag])
      }
      expect((await get(url, { headers: { "if-none-match": '"x"' } })).status).toBe(200)
    }
    const preflight = await get(owner.url, { method: "OPTIONS" })
    expect([preflight.status, preflight.headers.get("access-control-allow-methods")]).toEqual([
      204,
      "PUT, GET, HEAD, OPTIONS"
    ])
  })

  it("KEZ-MAN-003 takes the largest manifest, streams it back, and refuses one byte more, declared or streamed", async () => {
    const owner = await account()
    const { body } = await effect(largestManifest(owner.identity, 1))
    expect((await put(owner.url, body)).status).toBe(201)
    expect(await bytesOf(owner.url)).toEqual(body)
    const more = Buffer.concat([body, Buffer.alloc(Limits.manifestBytes + 1 - body.length, " ")])
    expect(codesOf([await put(owner.url, more)])).toEqual([[413, "too_large"]])
    const head = `PUT ${pathOf(owner.identity)} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n`
    expect(await raw(server.port, `${head}Content-Length: 1073741824\r\n\r\n{`)).toMatch(/^HTTP\/1.1 413 /)
    const chunk = `10000\r\n${" ".repeat(65_536)}\r\n`
    expect(await raw(server.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}`)).toMatch(
      /^HTTP\/1.1 413 /
    )
  })

  it("KEZ-MAN-018 drops the oldest of five in the file itself", async () => {
    const owner = await account()
    const bodies = await Promise.all([1, 2, 3, 4, 5].map((revision) => signed(owner, revision)))
    for (const { body } of bodies) expect((await put(owner.url, body)).status).toBe(201)
    const found = await Promise.all(bodies.map(({ hash }) => get(`${owner.url}/${hash.slice(7)}`)))
    expect(codesOf(found)).toEqual([
      [404, "manifest_not_found"],
      [200, undefined],
      [200, undefined],
      [200, undefined],
      [200, undefined]
    ])
    expect(rowsOf(owner.identity)).toBe(4)
  })
})

/** What is in the file, looked at from another process's connection. */
const rowsOf = ({ key }: Identity.Identity, path = join(folder.path, "registry.db")): number => {
  const sqlite = new BetterSqlite3(path, { readonly: true })
  try {
    return sqlite.prepare("SELECT count(*) FROM manifests WHERE primary_hex = ?").pluck().get(key.hex) as number
  } finally {
    sqlite.close()
  }
}

describe("refusing", () => {
  it("KEZ-MAN-013 takes nothing for keys without an active handle, and a megabyte of it no sooner", async () => {
    const stranger = await effect(identityOf(randomBytes(32)))
    const { body } = await effect(manifestOf(stranger, 1))
    expect(codesOf([await put(urlOf(stranger), body)])).toEqual([[404, "handle_not_found"]])
    // The answer comes although the body does not.
    const head = `PUT ${pathOf(stranger)} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n`
    expect(await raw(server.port, `${head}Content-Length: 1000000\r\n\r\n{`)).toContain("handle_not_found")
    expect(codesOf([await put(urlOf(stranger), new Uint8Array(Limits.manifestBytes))])).toEqual([
      [404, "handle_not_found"]
    ])
  })

  it("KEZ-MAN-014 KEZ-MAN-015 tells what is wrong with a body", async () => {
    const owner = await account()
    const other = await account()
    const { body } = await signed(owner, 1)
    const text = Buffer.from(body).toString()
    const own = (change: Readonly<Record<string, unknown>>) => signedPayload(owner, payloadOf(owner, change))
    const entry = { id: "AAAAAAAAAAAAAAAAAAAAAA", keys: [], sealed: "AAAA" }
    const cases: ReadonlyArray<readonly [string | Uint8Array, number, Problem.Code]> = [
      ["", 400, "manifest_malformed"],
      ["{}", 400, "manifest_malformed"],
      [`${text}\n`, 400, "manifest_malformed"],
      [` ${text}`, 400, "manifest_malformed"],
      [JSON.stringify(JSON.parse(text), null, 1), 400, "manifest_malformed"],
      [text.replace('"shared_files"', '"chat_message"'), 400, "manifest_malformed"],
      [new Uint8Array(1_000).fill(0xff), 400, "manifest_malformed"],
      [text.replace('"revision":1', '"revision":2'), 401, "signature_invalid"],
      [text.replace(/"sig":"[0-9a-f]{128}"/, `"sig":"${"00".repeat(64)}"`), 401, "signature_invalid"],
      [(await signed(other, 1)).body, 401, "unauthorized"],
      [signedPayload(other, payloadOf(owner)), 401, "unauthorized"],
      // Signed by its owner, and yet not a manifest.
      [signedPayload(owner, payloadOf(other)), 400, "envelope_kind"],
      [own({ type: "kez.chat.message" }), 400, "envelope_kind"],
      [own({ revision: -1 }), 400, "manifest_malformed"],
      [own({ revision: "1" }), 400, "manifest_malformed"],
      [own({ created_at: "yesterday" }), 400, "timestamp_malformed"],
      [own({ entries: {} }), 400, "manifest_malformed"],
      [own({ entries: [entry] }), 400, "manifest_malformed"],
      [own({ more: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]] }), 400, "json_depth"],
      // Signed bytes that are not the JCS form of what they say.
      [signedPayload(owner, ` ${Canonical.encodeText(payloadOf(owner))}`), 400, "manifest_malformed"],
      [signedPayload(owner, Canonical.encodeText(payloadOf(owner)).replace(":1,", ":1.0,")), 400, "json_number"],
      [signedPayload(owner, '{"a":1,"a":2}'), 400, "json_duplicate_name"],
      [signedPayload(owner, '{"__proto__":{},"x":"\\ud800"}'), 400, "json_string"],
      [signedPayload(owner, "null"), 400, "envelope_malformed"],
      [signedPayload(owner, '{},"payload":{}'), 400, "json_duplicate_name"]
    ]
    for (const [bytes, status, code] of cases) {
      const said = String(bytes).slice(0, 200)
      expect([said, ...codesOf([await put(owner.url, bytes)])]).toEqual([said, [status, code]])
    }
    expect(codesOf([await get(owner.url)])).toEqual([[404, "manifest_not_found"]])
    expect((await put(owner.url, own({ unknown: { later: true } }))).status).toBe(201)
  })

  it("wants JSON and no coding", async () => {
    const owner = await account()
    const { body } = await signed(owner, 1)
    for (const headers of [
      { "content-type": "text/plain" },
      { "content-type": "application/octet-stream" },
      { ...json, "content-encoding": "gzip" }
    ] as ReadonlyArray<Record<string, string>>) {
      expect(codesOf([await put(owner.url, body, headers)])).toEqual([[415, "media_type_unsupported"]])
    }
  })

  it("tells keys, hashes and methods that are none", async () => {
    const owner = await account()
    const base = `${server.url}/v1/manifests`
    for (const [path, status, code] of [
      ["ed25519/00", 400, "key_malformed"],
      [`ed25519/${owner.identity.key.hex.toUpperCase()}`, 400, "key_malformed"],
      [`ed25519/${"00".repeat(32)}`, 400, "key_rejected"],
      [`ed25519/${owner.identity.key.hex}`, 404, "manifest_not_found"],
      [`ed25519/${owner.identity.key.hex}/${"00".repeat(32)}`, 404, "manifest_not_found"],
      [`ed25519/${owner.identity.key.hex}/00`, 404, "manifest_not_found"],
      [`ed25519/${owner.identity.key.hex}/xyz`, 400, "encoding_malformed"],
      [`ed25519/${owner.identity.key.hex}/%2e%2e`, 404, "not_found"],
      [`nostr/${owner.identity.key.hex}`, 404, "not_found"],
      ["ed25519/", 404, "not_found"]
    ] as const) {
      expect([path, ...codesOf([await get(`${base}/${path}`)])]).toEqual([path, [status, code]])
    }
    expect(codesOf([await get(owner.url, { method: "DELETE" })])).toEqual([[405, "method_not_allowed"]])
    expect(codesOf([await put(`${owner.url}/${"00".repeat(32)}`, "{}")])).toEqual([[405, "method_not_allowed"]])
  })

  it("KEZ-MAN-016 stores exactly one of many manifests that race for a revision, and one body once", async () => {
    const owner = await account()
    const racers = await Promise.all(Array.from({ length: 4 }, () => signed(owner, 9)))
    const answers = await Promise.all(racers.map(({ body }) => put(owner.url, body)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409])
    const won = racers[answers.findIndex(({ status }) => status === 201)]!
    expect(await bytesOf(owner.url)).toEqual(won.body)
    for (const { json, status } of answers) if (status === 409) expect(json["code"]).toBe("manifest_conflict")
    const same = await signed(owner, 10)
    const repeated = await Promise.all(Array.from({ length: 4 }, () => put(owner.url, same.body)))
    expect(repeated.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 201])
    expect(codesOf([await put(owner.url, won.body)])).toEqual([[409, "manifest_conflict"]])
  })
})

describe("the end of an account", () => {
  const backed = async () => {
    const owner = await account()
    const { body, hash } = await signed(owner, 1)
    expect((await put(owner.url, body)).status).toBe(201)
    expect((await put(owner.url, (await signed(owner, 2)).body)).status).toBe(201)
    return { ...owner, body, hash }
  }
  const expectGone = async ({ hash, identity, url }: Awaited<ReturnType<typeof backed>>) => {
    const found = await Promise.all([get(url), get(`${url}/${hash.slice(7)}`)])
    expect(codesOf(found)).toEqual([
      [404, "manifest_not_found"],
      [404, "manifest_not_found"]
    ])
    expect(rowsOf(identity)).toBe(0)
    const { body } = await effect(manifestOf(identity, 3))
    expect(codesOf([await put(url, body)])).toEqual([[410, "handle_deleted"]])
  }
  const totals = async () => {
    const { text } = await get(`${server.internal}/metrics`)
    return ["kez_manifests", "kez_manifest_bytes"].map((name) =>
      Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1])
    )
  }

  it("KEZ-MAN-019 a deletion and a revocation from another process take the manifests along", async () => {
    const before = await totals()
    const [deleted, revoked] = [await backed(), await backed()]
    expect((await totals())[0]).toBe(before[0]! + 4)
    expect((await totals())[1]).toBeGreaterThan(before[1]! + 2_000)
    const gone = await deletion(deleted.identity, deleted.handle)
    expect((await post(`${server.url}/v1/delete`, gone)).status).toBe(204)
    await expectGone(deleted)
    const db = join(folder.path, "registry.db")
    expect((await run("chat-server", ["admin", "revoke", revoked.handle, "--db", db])).code).toBe(0)
    await expectGone(revoked)
    expect(await totals()).toEqual(before)
  })

  it("KEZ-MAN-019 refuses a manifest whose owner's account ended while it was on its way", async () => {
    const owner = await backed()
    const { body } = await signed(owner, 5)
    const socket = connect(server.port, "127.0.0.1")
    await once(socket, "connect")
    const head = `PUT ${pathOf(owner.identity)} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`
    socket.write(head)
    // The server has looked at the head, found an active account, and waits for the body.
    const [going] = (await once(socket, "data")) as [Buffer]
    expect(going.toString()).toContain("100 Continue")
    expect((await get(owner.url)).status).toBe(200)
    expect((await post(`${server.url}/v1/delete`, await deletion(owner.identity, owner.handle))).status).toBe(204)
    let received = ""
    socket.on("data", (data: Buffer) => (received += data.toString()))
    socket.end(body)
    await once(socket, "close")
    expect(received).toContain("handle_deleted")
    await expectGone(owner)
  })

  it("breaks off an answer whose manifest was removed meanwhile, and goes on", async () => {
    const owner = await account()
    const { body } = await effect(largestManifest(owner.identity, 1))
    expect((await put(owner.url, body)).status).toBe(201)
    const socket = connect(server.port, "127.0.0.1")
    socket.on("error", () => undefined)
    // More than what buffers on the way hold of a reader that stops after the first bytes.
    const times = 24
    socket.write(`GET ${pathOf(owner.identity)} HTTP/1.1\r\nHost: h\r\n\r\n`.repeat(times))
    const [first] = (await once(socket, "data")) as [Buffer]
    socket.pause()
    let received = first.length
    expect((await post(`${server.url}/v1/delete`, await deletion(owner.identity, owner.handle))).status).toBe(204)
    socket.on("data", (data: Buffer) => (received += data.length))
    socket.resume()
    await once(socket, "close")
    expect(received).toBeLessThan(times * body.length)
    expect((await get(`${server.url}/v1/u/nobody-here`)).status).toBe(404)
  })
})

describe("limits", () => {
  it("KEZ-MAN-021 answers 429 to who stores or reads too often, apart from other requests, and publishes the limits", async () => {
    using other = temporaryFolder()
    const limited = await startChat(other.path, [
      ...["--manifest-writes-per-hour", "3", "--manifest-reads-per-minute", "2"],
      ...["--trusted-proxies", "127.0.0.1"]
    ])
    try {
      const owner = await account(limited)
      const { body } = await signed(owner, 1)
      const from = (address: string) => ({ ...json, "x-forwarded-for": address })
      const writes = [await put(owner.url, body, from("192.0.2.1"))]
      // A refused one counts as well.
      writes.push(await put(owner.url, "{}", from("192.0.2.1")))
      for (let n = 0; n < 2; n++) writes.push(await put(owner.url, body, from("192.0.2.1")))
      expect(writes.map(({ status }) => status)).toEqual([201, 400, 200, 429])
      expect(Number(writes[3]!.headers.get("retry-after"))).toBeGreaterThan(60)
      expect((await put(owner.url, body, from("192.0.2.2"))).status).toBe(200)
      const read = (address: string) => get(owner.url, { headers: { "x-forwarded-for": address } })
      const reads = [await read("192.0.2.1"), await read("192.0.2.1"), await read("192.0.2.1"), await read("192.0.2.2")]
      expect(reads.map(({ status }) => status)).toEqual([200, 200, 429, 200])
      expect((await get(`${limited.url}/v1/u/${owner.handle}`, { headers: from("192.0.2.1") })).status).toBe(200)
      expect((await get(`${limited.url}/.well-known/kez-chat`)).json["limits"]).toMatchObject({
        manifest_max_bytes: 1_048_576,
        manifests_kept: 4,
        manifest_writes_per_hour: 3,
        manifest_reads_per_minute: 2
      })
      const { text } = await get(`${limited.internal}/metrics`)
      expect(text).toMatch(/^http_rate_limited_total\{limit="manifest_writes"\} 1$/m)
      expect(text).toMatch(/^kez_statements_total\{kind="manifest",outcome="accepted"\} 3$/m)
      expect(text).toMatch(/^kez_statements_total\{kind="manifest",outcome="manifest_malformed"\} 1$/m)
    } finally {
      await limited.stop()
    }
  })

  it("stores no more than there is room for, and what is no larger than what it replaces", async () => {
    using other = temporaryFolder()
    const small = await startChat(other.path, ["--manifest-store-bytes", "1048576"])
    try {
      const [large, late] = [await account(small), await account(small)]
      for (const revision of [1, 2, 3, 4]) {
        const body = signedPayload(large, payloadOf(large, { revision, more: "x".repeat(262_000 - 500) }))
        expect((await put(large.url, body)).status).toBe(201)
      }
      const more = signedPayload(late, payloadOf(late, { more: "x".repeat(4_000) }))
      expect(codesOf([await put(late.url, more)])).toEqual([[507, "store_full"]])
      expect(codesOf([await get(late.url)])).toEqual([[404, "manifest_not_found"]])
      const smaller = await signed(large, 5)
      expect((await put(large.url, smaller.body)).status).toBe(201)
      expect((await put(late.url, more)).status).toBe(201)
    } finally {
      await small.stop()
    }
  })

  it("gives a slow body its time and no more", async () => {
    using other = temporaryFolder()
    const brisk = await startChat(other.path, ["--request-timeout", "1"])
    try {
      const owner = await account(brisk)
      const head = `PUT ${pathOf(owner.identity)} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"kez"`
      expect(await raw(brisk.port, head)).toContain("request_timeout")
    } finally {
      await brisk.stop()
    }
  })

  it("lets nobody hold more than four bodies in memory by sending slowly", async () => {
    using other = temporaryFolder()
    const patient = await startChat(other.path, ["--trusted-proxies", "127.0.0.1"])
    try {
      const owner = await account(patient)
      const { body } = await signed(owner, 1)
      const head = `PUT ${pathOf(owner.identity)} HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`
      const sockets = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const socket = connect(patient.port, "127.0.0.1")
          socket.write(head)
          await once(socket, "data")
          return socket
        })
      )
      const from = (address: string) => put(owner.url, body, { ...json, "x-forwarded-for": address })
      expect(codesOf([await from("192.0.2.1")])).toEqual([[503, "unavailable"]])
      expect((await from("192.0.2.2")).status).toBe(201)
      for (const socket of sockets) socket.destroy()
      await expect.poll(async () => (await from("192.0.2.1")).status).toBe(200)
    } finally {
      await patient.stop()
    }
  })
})

describe("slots for bodies in memory", () => {
  /** A body whose end the test decides. */
  const upload = (inSlot: ReturnType<typeof bodySlots>, client: string) => {
    let end = () => {}
    const handled = Effect.runPromise(
      Effect.result(
        inSlot(
          client,
          Effect.callback<void>((resume) => {
            end = () => resume(Effect.void)
          }),
          () => Effect.succeed(client)
        )
      )
    )
    return { client, handled, end: () => end() }
  }

  it("are never more than in all and for one client, whoever comes and goes, and none is lost", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d", "e"), fc.nat(5)), { maxLength: 60 }),
        async (steps) => {
          const inSlot = bodySlots({ total: 4, perClient: 2 })
          let running: Array<ReturnType<typeof upload>> = []
          const heldBy = (client: string) => running.filter((each) => each.client === client).length
          for (const [client, end] of steps) {
            const own = heldBy(client)
            const victim =
              running.length < 4 ? undefined : own === 0 ? running.find((each) => heldBy(each.client) === 2) : undefined
            const isRefused = own === 2 || (running.length === 4 && victim === undefined)
            const begun = upload(inSlot, client)
            const refused = isRefused ? begun : victim
            if (refused !== undefined) {
              expect(await refused.handled).toMatchObject({ _tag: "Failure", failure: { code: "unavailable" } })
            }
            if (!isRefused) running = [...running.filter((each) => each !== victim), begun]
            if (end === 0) {
              const first = running.shift()
              first?.end()
              if (first !== undefined) expect(await first.handled).toMatchObject({ _tag: "Success" })
            }
          }
          for (const { end } of running) end()
          for (const { handled } of running) expect(await handled).toMatchObject({ _tag: "Success" })
          for (const client of ["a", "b", "c", "d"]) {
            const each = upload(inSlot, client)
            each.end()
            expect(await each.handled).toMatchObject({ _tag: "Success", success: client })
          }
        }
      )
    )
  })

  it("go to who has none when slow senders of unsigned bodies hold them all", async () => {
    using other = temporaryFolder()
    const patient = await startChat(other.path, ["--trusted-proxies", "127.0.0.1"])
    const sockets: Array<Socket> = []
    try {
      const owner = await account(patient)
      for (let n = 0; n < 32; n++) {
        const socket = connect(patient.port, "127.0.0.1")
        sockets.push(socket)
        socket.write(
          `PUT ${pathOf(owner.identity)} HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.${n % 8}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n`
        )
        await once(socket, "data")
      }
      const { body } = await signed(owner, 1)
      expect((await put(owner.url, body, { ...json, "x-forwarded-for": "192.0.2.100" })).status).toBe(201)
    } finally {
      for (const socket of sockets) socket.destroy()
      await patient.stop()
    }
  })
})

describe("what lasts", () => {
  it("KEZ-MAN-017 keeps an acknowledged manifest over kill -9, in the backup, and for the next server", async () => {
    using other = temporaryFolder()
    const killed = await startChat(other.path)
    const owner = await account(killed)
    const first = await signed(owner, 1)
    const { body } = await effect(largestManifest(owner.identity, 2))
    expect((await put(owner.url, first.body)).status).toBe(201)
    expect((await put(owner.url, body)).status).toBe(201)
    expect(await killed.stop("SIGKILL")).toBe("SIGKILL")
    const copy = join(other.path, "copy.db")
    const backup = await run("chat-server", ["admin", "backup", copy, "--db", join(other.path, "registry.db")])
    expect(backup.code).toBe(0)
    for (const args of [[], ["--db", copy]]) {
      const again = await startChat(other.path, args)
      const url = urlOf(owner.identity, again)
      expect(await bytesOf(url)).toEqual(body)
      expect(await bytesOf(`${url}/${first.hash.slice(7)}`)).toEqual(first.body)
      expect((await put(url, body)).status).toBe(200)
      expect(codesOf([await put(url, first.body)])).toEqual([[409, "manifest_conflict"]])
      expect(await again.stop()).toBe(0)
    }
  })

  it("hashes what it stores as readers do", async () => {
    const owner = await account()
    const { anchor, body } = await effect(
      SealedManifest.sign(owner.identity, { revision: 1, createdAt: Date.now(), entries: [] }, Blake3.subtree)
    )
    expect((await put(owner.url, body)).json["hash"]).toBe(anchor.manifest)
  })
})
