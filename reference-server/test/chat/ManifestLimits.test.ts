/** The limits of the manifest routes: rates, room in the store, slow senders, and bodies in memory. */
import { Effect } from "effect"
import * as fc from "fast-check"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { describe, expect, it } from "vitest"
import { bodySlots } from "../../src/http/BodySlots.ts"
import { account, codesOf, json, pathOf, payloadOf, put, signed, signedPayload } from "../kits/Manifests.ts"
import { get, raw, startChat, temporaryFolder } from "../kits/Servers.ts"

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
