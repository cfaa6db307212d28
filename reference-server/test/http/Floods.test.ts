/** What one address can take from the others: connections, requests under way, room in the log. */
import { connect, type Socket } from "node:net"
import { spawnSync } from "node:child_process"
import { get as httpGet } from "node:http"
import { describe, expect, it } from "vitest"
import { get, type LogLine, type Running, startChat, startSig, temporaryFolder } from "../kits/Servers.ts"

const halfHead = "GET /v1/healthz HTTP/1.1\r\nHost: h\r\nX-Slow: "

/** Opens a connection from an address of this machine and sends half a head; resolves once the server has taken or refused it. */
const openSlowly = (
  port: number,
  localAddress: string
): Promise<{ readonly socket: Socket; readonly answer: () => string }> =>
  new Promise((done, fail) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress })
    let answer = ""
    socket.on("data", (data) => (answer += data.toString("latin1")))
    socket.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNRESET" ? undefined : fail(error)))
    socket.once("connect", () => {
      socket.write(halfHead)
      done({ socket, answer: () => answer })
    })
  })

const statusFrom = (port: number, localAddress: string): Promise<number> =>
  new Promise((done, fail) => {
    httpGet({ port, host: "127.0.0.1", localAddress, path: "/v1/healthz", agent: false }, (response) => {
      response.resume()
      done(response.statusCode as number)
    }).on("error", fail)
  })

describe.each([
  ["chat-server", startChat],
  ["sig-server", startSig]
] as const)("connections to %s", (_, start) => {
  it("KEZ-LIM-020 of one address leave room for the others, and a trusted proxy may have more", async () => {
    using folder = temporaryFolder()
    const server: Running = await start(folder.path, [
      "--max-connections",
      "40",
      "--max-connections-per-address",
      "8",
      "--trusted-proxies",
      "127.0.0.9"
    ])
    const opened: Array<Awaited<ReturnType<typeof openSlowly>>> = []
    try {
      for (let n = 0; n < 60; n++) opened.push(await openSlowly(server.port, "127.0.0.5"))
      await expect.poll(() => opened.filter(({ socket }) => socket.closed).length).toBe(52)
      expect(
        opened.filter(({ answer }) => /^HTTP\/1.1 503 [^]*"code":"unavailable"/.test(answer())).length
      ).toBeGreaterThan(0)
      expect([200, 503]).toContain(await statusFrom(server.port, "127.0.0.6"))
      const before = opened.length
      for (let n = 0; n < 20; n++) opened.push(await openSlowly(server.port, "127.0.0.9"))
      expect([200, 503]).toContain(await statusFrom(server.port, "127.0.0.6"))
      expect(opened.slice(before).filter(({ socket }) => socket.closed)).toEqual([])
      expect((await get(`${server.internal}/metrics`)).text).toMatch(
        /^http_connections_refused_total\{limit="address"\} 52$/m
      )
      // One that is closed makes room for the next of the same address.
      for (const { socket } of opened.splice(0, 60)) socket.destroy()
      await expect.poll(() => statusFrom(server.port, "127.0.0.5").catch(() => 0)).toBeGreaterThan(0)
    } finally {
      for (const { socket } of opened) socket.destroy()
      await server.stop()
    }
  })
})

describe("requests under way", () => {
  it("KEZ-LIM-020 of one address behind a proxy leave room for the others", async () => {
    using folder = temporaryFolder()
    const server = await startChat(folder.path, [
      "--max-connections-per-address",
      "4",
      "--trusted-proxies",
      "127.0.0.1"
    ])
    const post = (address: string) =>
      new Promise<Socket>((done) => {
        const socket = connect(server.port, "127.0.0.1")
        socket.once("data", () => done(socket))
        socket.write(
          `POST /v1/register HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: ${address}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n`
        )
      })
    const sockets: Array<Socket> = []
    const from = async (address: string) =>
      (await get(`${server.url}/v1/u/nobody-here`, { headers: { "x-forwarded-for": address } })).status
    try {
      for (let n = 0; n < 4; n++) sockets.push(await post("192.0.2.1"))
      expect([await from("192.0.2.1"), await from("192.0.2.2")]).toEqual([503, 404])
      for (const socket of sockets) socket.destroy()
      await expect.poll(() => from("192.0.2.1")).toBe(404)
    } finally {
      for (const socket of sockets) socket.destroy()
      await server.stop()
    }
  })
})

describe("the log", () => {
  it("tells thousands of requests in few lines and loses none of the count", async () => {
    using folder = temporaryFolder()
    const server = await startChat(folder.path)
    for (let n = 0; n < 50; n++) {
      await Promise.all(Array.from({ length: 100 }, () => get(`${server.url}/v1/u/nobody-here`)))
    }
    await server.stop()
    const lines = server.logs.filter(({ msg, route }) => msg === "request" && route === "/v1/u/:handle")
    const times = lines.map((line) => (line["times"] as number | undefined) ?? 1)
    expect(times.reduce((sum, n) => sum + n, 0)).toBe(5_000)
    const perWindow = 2_000
    expect(lines.length).toBeLessThanOrEqual(perWindow * (lines.filter(({ times }) => times !== undefined).length + 1))
    expect(lines.length).toBeLessThan(5_000)
  })

  it("tells what repeats ten times and then as a number, each cause apart", () => {
    const script = `
      import * as Effect from "effect/Effect"
      import * as Log from "./src/process/Log.ts"
      const refused = (refusal) => Effect.logWarning("login refused").pipe(Effect.annotateLogs({ refusal }))
      const program = Effect.gen(function* () {
        for (let n = 0; n < 500; n++) yield* refused("not_registered")
        yield* refused("nonce_malformed")
        yield* Effect.logError("a handler failed")
      })
      Effect.runSync(Effect.provide(program, Log.layer))`
    const { stdout } = spawnSync(
      process.execPath,
      ["--conditions=kez-source", "--input-type=module-typescript", "-e", script],
      {
        cwd: new URL("../../", import.meta.url),
        encoding: "utf8"
      }
    )
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as LogLine)
    const unregistered = lines.filter(({ refusal }) => refusal === "not_registered")
    expect(unregistered).toHaveLength(11)
    expect(unregistered[10]).toMatchObject({ level: "warn", msg: "login refused", times: 490 })
    expect(lines.filter(({ refusal }) => refusal === "nonce_malformed")).toHaveLength(1)
    expect(lines.filter(({ msg }) => msg === "a handler failed")).toHaveLength(1)
  })
})
