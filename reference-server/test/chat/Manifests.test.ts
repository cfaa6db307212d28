/** The manifest routes of chat-server over real sockets: what goes in, what comes out, and what does not. */
import { SealedManifest } from "@kez-chat/sdk/crypto"
import { Blake3, Canonical, Limits, type Problem } from "@kez-chat/sdk/protocol"
import BetterSqlite3 from "better-sqlite3"
import type { Identity } from "@kez-chat/sdk/crypto"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { connect } from "node:net"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { largestManifest, manifestOf } from "../../../sdk/test/kits/ManifestStoreKit.ts"
import {
  account,
  bytesOf,
  codesOf,
  effect,
  identityOf,
  json,
  pathOf,
  payloadOf,
  put,
  signed,
  signedPayload,
  urlOf
} from "../kits/Manifests.ts"
import { deletion, get, post, raw, run, type Running, startChat, temporaryFolder } from "../kits/Servers.ts"

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

describe("storing and reading", () => {
  it("KEZ-MAN-014 KEZ-MAN-018 stores exact bytes and answers them with hash, length and caching rules", async () => {
    const owner = await account(server)
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
    const owner = await account(server)
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
    const owner = await account(server)
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
    const owner = await account(server)
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
    expect(codesOf([await put(urlOf(stranger, server), body)])).toEqual([[404, "handle_not_found"]])
    // The answer comes although the body does not.
    const head = `PUT ${pathOf(stranger)} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n`
    expect(await raw(server.port, `${head}Content-Length: 1000000\r\n\r\n{`)).toContain("handle_not_found")
    expect(codesOf([await put(urlOf(stranger, server), new Uint8Array(Limits.manifestBytes))])).toEqual([
      [404, "handle_not_found"]
    ])
  })

  it("KEZ-MAN-014 KEZ-MAN-015 tells what is wrong with a body", async () => {
    const owner = await account(server)
    const other = await account(server)
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
    const owner = await account(server)
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
    const owner = await account(server)
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
    const owner = await account(server)
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
    const owner = await account(server)
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
    expect((await run("chat-server", ["admin", "revoke", revoked.handle, "--yes", "--db", db])).code).toBe(0)
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
    const owner = await account(server)
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
    const archive = join(other.path, "copy.tar")
    const from = ["--db", join(other.path, "registry.db"), "--keys-dir", join(other.path, "keys")]
    const backup = await run("chat-server", ["backup", archive, ...from, "--no-mail", "--sig-db", "none"])
    expect(backup.code).toBe(0)
    const copy = join(other.path, "copy", "chat.sqlite")
    expect((await run("chat-server", ["restore", archive, "--data", join(other.path, "copy")])).code).toBe(0)
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
    const owner = await account(server)
    const { anchor, body } = await effect(
      SealedManifest.sign(owner.identity, { revision: 1, createdAt: Date.now(), entries: [] }, Blake3.subtree)
    )
    expect((await put(owner.url, body)).json["hash"]).toBe(anchor.manifest)
  })
})
