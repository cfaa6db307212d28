/** `kez-chat-server init`: what it writes, what it keeps, and that nats-server takes it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Nkey } from "@kez-chat/sdk/protocol"
import { Cause, Effect, Exit, Result } from "effect"
import { Command } from "effect/cli"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it, vi } from "vitest"
import { findNatsServer } from "../../../deploy/local/NatsServer.ts"
import * as NatsConf from "../../src/broker/NatsConf.ts"
import * as Keys from "../../src/broker/login/Keys.ts"
import { init } from "../../src/chat/commands/InitCommand.ts"
import { nextSteps } from "../../src/chat/commands/NextSteps.ts"
import { temporaryFolder } from "../kits/Servers.ts"

describe("init", () => {
  const folder = temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  const conf = at("nats.conf")
  vi.spyOn(console, "log").mockImplementation(() => undefined)
  afterAll(() => {
    vi.restoreAllMocks()
    folder[Symbol.dispose]()
  })

  const run = async (...flags: ReadonlyArray<string>) => {
    const places = ["--keys-dir", at("keys"), "--nats-conf", conf]
    const exit = await Effect.runPromiseExit(
      Command.runWith(init, { version: "0.0.0" })([...places, ...flags]).pipe(Effect.provide(NodeServices.layer))
    )
    if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
    return readFileSync(conf, "utf8")
  }
  const check = async (file: string) => {
    const { path } = (await findNatsServer())!
    const { status, stderr, stdout } = spawnSync(path, ["-t", "-c", file], { encoding: "utf8" })
    return status === 0 ? "valid" : stdout + stderr
  }
  const certificate = () => {
    const names = ["-keyout", at("key.pem"), "-out", at("cert.pem")]
    const options = ["-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=nats.example", "-days", "2"]
    execFileSync("openssl", ["req", ...options, ...names], { stdio: "ignore" })
  }

  it("keeps at the next run what it was given, and changes what that run names", async () => {
    const first = await run(
      ...["--jetstream-dir", at("js"), "--nats-port", "5222", "--store-bytes", "10485760", "--pid-file", at("pid")],
      ...["--nats-max-connections", "500", "--monitoring-host", "10.1.2.3", "--monitoring-port", "9222"],
      ...["--allowed-origins", "https://a.example, https://b.example", "--nats-host", "0.0.0.0", "--behind-proxy"]
    )
    for (const line of [
      "port: 5222",
      "max_connections: 500",
      'http: "10.1.2.3:9222"',
      `pid_file: ${JSON.stringify(at("pid"))}`,
      `store_dir: ${JSON.stringify(at("js"))}`,
      'allowed_origins: ["https://a.example", "https://b.example"]'
    ])
      expect(first).toContain(line)
    expect(await run()).toBe(first)
    const changed = await run("--nats-max-connections", "600", "--monitoring-port", "0", "--pid-file", "")
    expect(changed).toContain("max_connections: 600")
    expect(changed).not.toMatch(/http:|pid_file:/)
    expect(changed).toContain("port: 5222")
    expect(await run()).toBe(changed)
    await expect(run("--no-behind-proxy")).rejects.toThrow(/plaintext on 0\.0\.0\.0/)
    await expect(run("--monitoring-host", "8.8.8.8", "--monitoring-port", "9222")).rejects.toThrow(/strangers/)
    await expect(run("--ws-tls-cert", "c.pem")).rejects.toThrow("--ws-tls-cert and --ws-tls-key need each other")
    expect(await run()).toBe(changed)
    // Of an earlier version, which kept nothing: the flags that are given count.
    writeFileSync(conf, changed.replace(/^# Settings kept.*\n/, ""))
    expect(await run("--jetstream-dir", at("js"))).toContain("port: 4222")
  })

  it("says what to do next with the paths of this home, and refuses settings of a newer version", async () => {
    const made = { keysDir: at("a b/keys"), natsConf: conf, isOwnNats: false, db: at("r.db"), sigDb: at("s.db") }
    const sizes = { natsPort: 4222, hasTls: false, replicas: 1, streamPartitions: 2, storeBytes: 10_485_760 }
    const steps = nextSteps({ ...made, ...sizes, allowedOrigins: "https://chat.example:8443" }, false)
    const commands = steps.flatMap((step) => step.commands)
    for (const part of [
      `nats-server -c ${conf}`,
      `kez-chat-sig-server --db ${at("s.db")}`,
      `--server-name chat.example --db ${at("r.db")} --keys-dir '${at("a b/keys")}'`,
      "--public-ws-url wss://chat.example:8443/nats",
      "--store-bytes 10485760 --stream-partitions 2",
      "KEZ_DOMAIN=chat.example:8443 caddy run",
      "kez-chat-server doctor --url https://chat.example:8443",
      `backup kez-$(date +%F).tar.gz`,
      "admin invite create"
    ])
      expect(commands.join("\n")).toContain(part)
    expect(nextSteps({ ...made, ...sizes, allowedOrigins: "" }, true)[0]!.commands.join()).toContain("systemctl")
    const kept = await run()
    writeFileSync(conf, kept.replace(/"version":"[^"]*"/, '"version":"9.1.0","warp-speed":9'))
    await expect(run()).rejects.toThrow(/written by init of version 9\.1\.0 with --warp-speed, which this version/)
    writeFileSync(conf, kept)
  })

  it("gives TCP and WebSocket TLS of their own, and lets nats-server's user read the file", async () => {
    rmSync(conf)
    certificate()
    const files = ["--tls-cert", at("cert.pem"), "--tls-key", at("key.pem")]
    const websocketOf = (text: string) => text.slice(text.indexOf("websocket {"), text.indexOf("accounts {"))
    const both = await run("--jetstream-dir", at("js"), "--nats-host", "0.0.0.0", ...files)
    expect(both.match(/tls \{/g)).toHaveLength(2)
    expect(await check(conf)).toBe("valid")
    const proxied = await run("--behind-proxy", "--ws-host", "127.0.0.1")
    expect(proxied.match(/tls \{/g)).toHaveLength(1)
    expect(websocketOf(proxied)).toContain("no_tls: true")
    expect(websocketOf(proxied)).toContain('host: "127.0.0.1"')
    expect(await check(conf)).toBe("valid")
    const onlyWebSocket = await run(
      ...["--tls-cert", "", "--tls-key", "", "--ws-tls-cert", at("cert.pem"), "--ws-tls-key", at("key.pem")],
      ...["--nats-host", "127.0.0.1", "--ws-host", "0.0.0.0", "--no-behind-proxy"]
    )
    expect(websocketOf(onlyWebSocket)).toContain("tls {")
    expect(onlyWebSocket.match(/tls \{/g)).toHaveLength(1)
    expect(await check(conf)).toBe("valid")
    expect(statSync(conf).mode & 0o777).toBe(0o644)
  })

  it("writes includes for a nats-server with accounts of its owner", async () => {
    const own = at("own")
    mkdirSync(own)
    const users = ["--nats-includes", own, "--own-users", "metrics,orders", "--store-bytes", "10485760"]
    await run(...users)
    const text = [
      `jetstream { store_dir: ${JSON.stringify(at("own-js"))} }`,
      "accounts {",
      '  include "accounts.conf"',
      '  ORDERS { users: [{ user: orders, password: "x" }], jetstream: enabled }',
      '  OWNSYS { users: [{ user: metrics, password: "y" }] }',
      "}",
      "system_account: SYS",
      "authorization {",
      '  include "authorization.conf"',
      "}"
    ].join("\n")
    writeFileSync(join(own, "nats.conf"), text)
    expect(await check(join(own, "nats.conf"))).toBe("valid")
    const authorization = readFileSync(join(own, "authorization.conf"), "utf8")
    expect(authorization).toMatch(/auth_users: \[(U[A-Z2-7]{55}, ){5}"metrics", "orders"\]/)
    // Another system account: its owner adds the user that the comment gives.
    await run(...users, "--system-account", "OWNSYS")
    const accounts = readFileSync(join(own, "accounts.conf"), "utf8")
    expect(accounts).not.toContain("  SYS {")
    const user = /^#\s+(\{ nkey: U.*\})$/m.exec(accounts)![1]!
    writeFileSync(
      join(own, "nats.conf"),
      text.replace('password: "y" }', `password: "y" }, ${user}`).replace(": SYS", ": OWNSYS")
    )
    expect(await check(join(own, "nats.conf"))).toBe("valid")
  })

  it("spreads inboxes over streams in accounts of their own, and refuses to change their number", async () => {
    const flags = ["--keys-dir", at("keys-4"), "--jetstream-dir", at("js"), "--nats-conf", at("four.conf")]
    const run = (...more: ReadonlyArray<string>) =>
      Effect.runPromiseExit(
        Command.runWith(init, { version: "0.0.0" })([...flags, ...more]).pipe(Effect.provide(NodeServices.layer))
      )
    expect(await run("--stream-partitions", "4")).toMatchObject({ _tag: "Success" })
    const text = readFileSync(at("four.conf"), "utf8")
    for (const account of ["KEZ", "KEZ_1", "KEZ_2", "KEZ_3"]) {
      expect(text).toContain(`{ stream: { account: ${account}, subject: "kez.dlv.*" } }`)
    }
    expect(text).not.toContain("KEZ_4")
    expect(await check(at("four.conf"))).toBe("valid")
    expect(await run()).toMatchObject({ _tag: "Success" })
    expect(readFileSync(at("four.conf"), "utf8")).toBe(text)
    expect(String(await run("--stream-partitions", "2"))).toContain("was made with --stream-partitions 4")
    expect(readFileSync(at("four.conf"), "utf8")).toBe(text)
  })

  it("writes what deploy/nats/nats.conf shows", async () => {
    // The file itself: `npx vitest run reference-server/test/chat/Init.test.ts --update` writes it anew.
    const path = new URL("../../../deploy/nats/nats.conf", import.meta.url).pathname
    const key = (role: "account" | "user" | "curve", byte: number) => Nkey.encode(role, new Uint8Array(32).fill(byte))
    const [callout, registrar, gateway, sys, backup] = [2, 3, 4, 5, 6].map((byte) => key("user", byte)) as [
      string,
      string,
      string,
      string,
      string
    ]
    const keys = { issuer: key("account", 1), callout, registrar, gateway, sys, backup, xkey: key("curve", 7) }
    const conf = NatsConf.generate({
      keys,
      serverName: "kez-1",
      tcp: {
        host: "0.0.0.0",
        port: 4222,
        tls: { certFile: "/etc/kez-chat/nats-tls/cert.pem", keyFile: "/etc/kez-chat/nats-tls/key.pem" }
      },
      websocket: { host: "127.0.0.1", port: 8443, allowedOrigins: ["https://chat.example.org"] },
      monitoring: { host: "127.0.0.1", port: 8222 },
      pidFile: "/run/kez-nats/nats-server.pid",
      storeDir: "/var/lib/kez-nats/jetstream"
    })
    const note = [
      "# For reference: what `kez-chat-server init` writes for a home with TLS on TCP and a proxy before the WebSocket. The keys",
      "# are examples that belong to nobody; every home makes its own."
    ]
    await expect([...note, Result.getOrThrow(conf)].join("\n")).toMatchFileSnapshot(path)
    certificate()
    const local = readFileSync(path, "utf8")
      .replace(/"\/etc\/kez-chat\/nats-tls\/(\w+\.pem)"/g, (_, name: string) => JSON.stringify(at(name)))
      .replace("/var/lib/kez-nats/jetstream", at("js"))
    writeFileSync(at("reference.conf"), local)
    expect(await check(at("reference.conf"))).toBe("valid")
  })

  it("takes the nkey that signs logins from a file of its own, and makes it there", async () => {
    const [issuer, keys] = [at("auth-callout.nkey"), at("other-keys")]
    const flags = ["--keys-dir", keys, "--auth-callout-nkey-path", issuer, "--jetstream-dir", at("js")]
    const run = (...more: ReadonlyArray<string>) =>
      Effect.runPromise(
        Command.runWith(init, { version: "0.0.0" })([...flags, "--nats-conf", at("other.conf"), ...more]).pipe(
          Effect.provide(NodeServices.layer)
        )
      )
    await run()
    expect(readFileSync(issuer, "utf8")).toMatch(/^SA[A-Z2-7]{56}\n$/)
    const loaded = await Effect.runPromise(Keys.load(keys, issuer))
    expect(readFileSync(at("other.conf"), "utf8")).toContain(`issuer: ${loaded.issuer.publicNkey}`)
    expect((await Effect.runPromise(Effect.flip(Keys.load(keys)))).reason).toBe("missing")
    // A folder of before the backup key serves as it is, and gets the key at the next init.
    renameSync(join(keys, "backup.nk"), at("backup.nk"))
    expect(Keys.publicKeys(await Effect.runPromise(Keys.load(keys, issuer)))).not.toHaveProperty("backup")
    await run()
    expect(Keys.publicKeys(await Effect.runPromise(Keys.load(keys, issuer)))).toHaveProperty("backup")
  })
})
