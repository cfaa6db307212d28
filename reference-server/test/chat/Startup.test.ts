/** What a server is started with: its configuration, what of it is refused, and its help. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { ChatConfig } from "../../src/chat/ChatConfig.ts"
import { misconfigured } from "../../src/chat/commands/Misconfigured.ts"
import { init } from "../../src/chat/commands/InitCommand.ts"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit } from "effect"
import { Command } from "effect/cli"
import { describe, expect, it } from "vitest"
import { get, newIdentity, post, registration, run, startChat, temporaryFolder } from "../kits/Servers.ts"

describe("starting", () => {
  it("says in one sentence what is wrong with the configuration", async () => {
    using folder = temporaryFolder()
    const server = await startChat(folder.path)
    await post(`${server.url}/v1/register`, await registration(await newIdentity(), "makes-the-server-known"))
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
      [["--server-name", "Not A Name"], "is not a DNS name"],
      [["--keys-dir", join(folder.path, "nowhere")], "`kez-chat-server init` creates it"],
      [["--port", String(server.port)], "is in use by another program"],
      [
        ["--server-name", "other.example", "--db", join(folder.path, "registry.db")],
        "its handles were registered at localhost"
      ]
    ]
    for (const [args, sentence] of cases) {
      using other = temporaryFolder()
      const defaults = [
        "--port",
        "0",
        "--internal-port",
        "0",
        "--db",
        join(other.path, "x.db"),
        "--keys-dir",
        join(folder.path, "keys")
      ]
      const kept = defaults.filter((_, at) => !args.includes(defaults[at - (at % 2)]!))
      const { code, stderr, stdout } = await run("chat-server", [...kept, ...args])
      expect([args, code]).toEqual([args, 1])
      expect(stdout + stderr).toContain(sentence)
      expect(stdout + stderr).not.toMatch(/\n\s+at /)
    }
    await server.stop()
  })

  it("init refuses flags of which one is nothing without another, and writes nothing", async () => {
    using other = temporaryFolder()
    const at = (name: string) => join(other.path, name)
    const places = ["--keys-dir", at("keys"), "--nats-conf", at("nats.conf"), "--jetstream-dir", at("jetstream")]
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["--tls-cert=c.pem", "--tls-cert and --tls-key need each other"],
      ["--tls-key=k.pem", "--tls-cert and --tls-key need each other"],
      ["--cluster-tls-ca=ca.pem", "--cluster-tls-cert, --cluster-tls-key and --cluster-tls-ca need each other"],
      ["--cluster-routes=nats://kez-2:6222", "a cluster needs a --cluster-name"]
    ]
    for (const [flag, sentence] of cases) {
      const exit = await Effect.runPromiseExit(
        Command.runWith(init, { version: "0.0.0" })([...places, flag]).pipe(Effect.provide(NodeServices.layer))
      )
      expect([flag, Exit.isFailure(exit) && String(Cause.squash(exit.cause))]).toEqual([
        flag,
        expect.stringContaining(sentence)
      ])
    }
    expect(existsSync(at("keys"))).toBe(false)
  })

  it("finds every URL that clients could not use", () => {
    const config = (change: Partial<ChatConfig["Service"]>) =>
      misconfigured({
        ...({
          serverName: "kez.example",
          sigServerUrl: "https://sig",
          publicSigServerUrl: "https://sig",
          natsUrls: ["nats://a"],
          publicNatsUrls: ["tls://a"],
          publicWsUrls: [],
          operator: {},
          proofSources: {}
        } as unknown as ChatConfig["Service"]),
        ...change
      })
    expect(config({})).toBe(undefined)
    expect(config({ publicNatsUrls: ["nats://a:1", "tls://b"], publicWsUrls: ["wss://c", "wss://d"] })).toBe(undefined)
    expect(config({ serverName: "Kez.Example" })).toContain("is not a DNS name")
    expect(config({ publicSigServerUrl: "ftp://x" })).toContain("is not an http(s) URL")
    expect(config({ natsUrls: [] })).toContain("--nats-url names no URL")
    expect(config({ natsUrls: ["a:4222"] })).toContain("is not a nats:// or tls:// URL")
    expect(config({ publicNatsUrls: [] })).toContain("--public-nats-url and --public-ws-url name no URL")
    expect(config({ publicNatsUrls: [], publicWsUrls: ["wss://c/nats"] })).toBe(undefined)
    expect(config({ publicWsUrls: Array.from({ length: 17 }, (_, n) => `wss://${n}`) })).toContain("more than 16")
    expect(config({ publicNatsUrls: ["http://x"] })).toContain("is not a nats:// or tls:// URL")
    expect(config({ publicWsUrls: ["nats://x"] })).toContain("is not a ws:// or wss:// URL")
    expect(config({ operator: { contact: "mailto:abuse@kez.example", terms: "https://kez.example/terms" } })).toBe(
      undefined
    )
    expect(config({ operator: { contact: "abuse@kez.example" } })).toContain("--contact abuse@kez.example is not a")
    expect(config({ operator: { privacy: "javascript:alert(1)" } })).toContain("--privacy-url")
    const proofSources = { dns: "https://dns.example/dns-query", nostr: ["wss://relay.example"] }
    expect(config({ proofSources })).toBe(undefined)
    expect(config({ proofSources: { dns: "http://dns.example/dns-query" } })).toContain("--proof-dns")
    expect(config({ proofSources: { bluesky: "https://a.example; script-src *" } })).toContain("--proof-bluesky")
    expect(config({ proofSources: { nostr: ["https://relay.example"] } })).toContain("--proof-nostr")
  })

  it("KEZ-REG-006 refuses to tell clients what they could not reach or would not dial", () => {
    const config = (publicSigServerUrl: string, nats: string, ws: string, serverName = "kez.example") =>
      misconfigured({
        serverName,
        operator: {},
        proofSources: {},
        publicSigServerUrl,
        natsUrls: ["nats://127.0.0.1:4222"],
        publicNatsUrls: [nats],
        publicWsUrls: ws === "" ? [] : [ws]
      } as unknown as ChatConfig["Service"])
    const [sig, nats, ws] = ["https://sig.kez.example", "tls://nats.kez.example:4222", "wss://kez.example/nats"]
    expect(config(sig, nats, ws)).toBe(undefined)
    for (const hidden of [
      "http://sig-server:7878",
      "http://127.0.0.1:7878",
      "https://10.0.0.3",
      "https://sig.internal"
    ])
      expect(config(hidden, nats, ws)).toMatch(/^--public-sig-server-url: http\S+ is published to clients/)
    expect(config(sig, "tls://nats:4222", ws)).toMatch(/^--public-nats-url: tls:\/\/nats:4222 is published to clients/)
    expect(config(sig, nats, "ws://127.0.0.1:8443")).toMatch(/^--public-ws-url: ws:\S+ is published to clients/)
    expect(config("http://sig.kez.example", nats, ws)).toMatch(/not encrypted.* https URL$/)
    expect(config(sig, nats, "ws://kez.example/nats")).toMatch(/not encrypted.* wss URL$/)
    // A home of one machine, and one of a private network.
    expect(config("http://127.0.0.1:7878", "nats://127.0.0.1:4222", "ws://127.0.0.1:8443")).toBe(undefined)
    expect(config("http://localhost:7878", "nats://127.0.0.1:4222", "", "localhost")).toBe(undefined)
    expect(config("https://192.168.1.5:7443", "tls://192.168.1.5:4222", "")).toBe(undefined)
    expect(config("http://127.0.0.1:7878", "tls://192.168.1.5:4222", "")).toMatch(/is published to clients/)
  })

  it("takes its settings from the environment, and a flag wins", async () => {
    using other = temporaryFolder()
    const named = await startChat(other.path, [], {
      SERVER_NAME: "kez.example",
      SIG_SERVER_URL: "https://sig.kez.example",
      PUBLIC_NATS_URL: "tls://a.kez.example:4222, tls://b.kez.example:4222",
      PUBLIC_WS_URL: "wss://kez.example/nats",
      READS_PER_MINUTE: "5"
    })
    const { json } = await get(`${named.url}/.well-known/kez-chat`)
    expect(json).toMatchObject({
      server: "kez.example",
      sig_server: "https://sig.kez.example",
      broker: { tcp: ["tls://a.kez.example:4222", "tls://b.kez.example:4222"] }
    })
    // The helper passes --reads-per-minute 0, which wins over the environment: no limit is published.
    expect(json["limits"]).not.toHaveProperty("reads_per_minute")
    await named.stop()
  })

  it("prints help and version without touching anything", async () => {
    const help = await run("sig-server", ["--help"])
    expect(help.code).toBe(0)
    for (const name of ["--port", "--db", "--trusted-proxies", "[env TRUSTED_PROXIES]", "(default 127.0.0.1)"])
      expect(help.stdout).toContain(name)
    expect((await run("chat-server", ["--version"])).stdout).toMatch(/\d+\.\d+\.\d+/)
  })
})
