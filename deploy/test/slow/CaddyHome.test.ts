/**
 * A home as the pages for operators build it: installed by `install.sh`, run as the units say, behind a real Caddy with an
 * authority of its own. Two people chat through it with the CLI, over WebSocket and then over TCP.
 */
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { createServer } from "node:http"
import { request } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { freePorts } from "../../local/Ports.ts"
import { root } from "../../tasks/paths.mjs"
import { as, Machine, type Options } from "../../../reference-cli/test/kit/Program.ts"
import { type Caddy, startCaddy } from "../kits/Caddy.ts"
import { checkBoard } from "../kits/Grafana.ts"
import { commandsOf, pages } from "../kits/Pages.ts"
import { has } from "../kits/Tools.ts"
import { files, UnitHome } from "../kits/UnitHome.ts"

/** A machine that trusts Caddy's authority. */
class Trusting extends Machine {
  readonly #authority: string

  constructor(home: string, authority: string) {
    super(join(root, "reference-cli", "dist", "kez-chat.js"), home)
    this.#authority = authority
  }

  override env(more: Options["env"] = {}) {
    return super.env({ NODE_EXTRA_CA_CERTS: this.#authority, ...more })
  }
}

describe.skipIf(!has("caddy", "caddy"))("a home behind Caddy", () => {
  let home: UnitHome
  let caddy: Caddy
  let machine: Trusting
  let site: string
  let sigSite: string
  let health: { nats: string; sig: string; chat: string }
  const certificate = "/etc/kez-chat/nats-tls"

  const get = (url: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; headers: NodeJS.Dict<string[]>; body: Buffer }>((resolve, reject) => {
      request(url, { headers, ca: caddy.authority, agent: false }, (response) => {
        const parts: Array<Buffer> = []
        response.on("data", (part: Buffer) => parts.push(part))
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headersDistinct, body: Buffer.concat(parts) })
        )
      })
        .on("error", reject)
        .end()
    })

  /** chat-server's settings: those of the example, for this machine's ports. */
  const chatEnv = (more: Readonly<Record<string, string>> = {}) => {
    const name = new URL(site).host
    const example = Object.entries(home.example()).map(([key, value]) => [key, value.replace("chat.example.org", name)])
    return {
      ...(Object.fromEntries(example) as Record<string, string>),
      SERVER_NAME: "localhost",
      SIG_SERVER_URL: `http://127.0.0.1:${home.ports.sigServer}`,
      NATS_URL: `nats://127.0.0.1:${home.ports.nats}`,
      PORT: String(home.ports.home),
      INTERNAL_PORT: String(home.ports.internal),
      ...more
    }
  }

  const say = async (text: string) => {
    const listening = machine.start(as("bob", "listen", "--json"))
    await listening.line((line) => line.includes("online"))
    const sent = await machine.run(as("alice", "send", "bob", text, "--json"))
    expect([sent.code, sent.stderr]).toEqual([0, ""])
    await listening.line((line) => line.includes(text))
    await listening.kill("SIGTERM")
  }

  beforeAll(async () => {
    home = await UnitHome.install()
    const { home: https, sigServer: sig, nats, websocket: http } = await freePorts()
    site = `https://localhost:${https}`
    sigSite = `https://localhost:${sig}`
    const { ports } = home
    health = {
      nats: `http://127.0.0.1:${ports.monitoring}/healthz`,
      sig: `http://127.0.0.1:${ports.sigServer}/v1/healthz`,
      chat: `http://127.0.0.1:${ports.home}/v1/healthz`
    }
    // The command of the page, with the ports and the name of this test.
    const init = commandsOf("home.md").find((line) => line.includes("kez-chat-server init"))!
    const flags = init.replace(/^.*kez-chat-server (?=init )/, "").replace("https://chat.example.org", site)
    const ownPorts = `--nats-port ${ports.nats} --ws-port ${ports.websocket} --monitoring-port ${ports.monitoring}`
    home.command(`${flags} ${ownPorts}`)
    await Promise.all([
      home.start("nats", {}, health.nats),
      home.start("sig", { PORT: String(ports.sigServer) }, health.sig)
    ])
    await home.start("chat", chatEnv(), health.chat)
    caddy = await startCaddy(home.folder, {
      KEZ_DOMAIN: site,
      KEZ_SIG_DOMAIN: sigSite,
      KEZ_NATS_DOMAIN: `https://localhost:${nats}`,
      KEZ_CADDY_OPTIONS: `http_port ${http}\nskip_install_trust\nadmin off`,
      KEZ_CHAT_UPSTREAM: `127.0.0.1:${ports.home}`,
      KEZ_SIG_UPSTREAM: `127.0.0.1:${ports.sigServer}`,
      KEZ_NATS_UPSTREAM: `127.0.0.1:${ports.websocket}`
    })
    home.write("/root.crt", caddy.authority)
    machine = new Trusting(site, home.at("/root.crt"))
  })
  afterAll(async () => {
    await machine?.remove()
    await caddy?.stop()
    await home?.remove()
  })

  it("shows the page and the API once through, compressed by chat-server, with each header once", async () => {
    const page = await get(`${site}/`, { "accept-encoding": "br" })
    expect(page.status).toBe(200)
    expect(page.headers).toMatchObject({
      "content-encoding": ["br"],
      "content-security-policy": [expect.stringContaining("default-src 'none'")],
      "strict-transport-security": ["max-age=31536000"],
      "x-content-type-options": ["nosniff"],
      "referrer-policy": ["no-referrer"]
    })
    expect(page.headers).not.toHaveProperty("server")
    const described = await get(`${site}/.well-known/kez-chat`)
    expect(JSON.parse(described.body.toString())).toMatchObject({
      server: "localhost",
      broker: { tcp: [], websocket: [`wss://localhost:${new URL(site).port}/nats`] },
      sig_server: site
    })
    for (const url of [site, sigSite]) {
      const none = await get(`${url}/v1/sigchains/ed25519/${"0".repeat(64)}`)
      expect([url, none.headers["content-type"]?.[0]]).toEqual([url, expect.stringMatching(/json/)])
    }
    expect((await get(`${sigSite}/v1/healthz`)).status).toBe(200)
    expect(caddy.log()).not.toContain('"level":"error"')
  })

  it("carries a chat over WebSocket alone", async () => {
    await machine.registerPair("alice", "bob")
    await say("through Caddy")
    const doctor = await machine.run(as("alice", "doctor"))
    expect(doctor.stdout).toContain("wss://localhost:")
  })

  it("carries a chat over TCP with the certificate that Caddy obtained, which nats-server reads anew", async () => {
    const script = join(files, "caddy", "nats-certificate.sh")
    const pidfile = home.at("/run/kez-nats/nats-server.pid")
    const copy = (...more: ReadonlyArray<string>) =>
      spawnSync(script, [caddy.storage, "localhost", home.at(certificate), ...more], { encoding: "utf8" })
    expect(copy().stdout).toBe("the certificate of localhost is new\n")
    expect(copy().stdout).toBe("")
    expect(statSync(home.at(`${certificate}/key.pem`)).mode & 0o777).toBe(0o600)

    const init = commandsOf("home.md").find((line) => line.includes("--tls-cert"))!
    home.command(init.replace(/^.*kez-chat-server (?=init )/, "").replace("0.0.0.0", "127.0.0.1"))
    const tcp = `tls://localhost:${home.ports.nats}`
    await home.start("nats", {}, health.nats)
    await home.start(
      "chat",
      chatEnv({ NATS_URL: tcp, PUBLIC_NATS_URL: tcp, NATS_CA_FILE: home.at("/root.crt") }),
      health.chat
    )
    await say("over TCP")
    const doctor = await machine.run(as("alice", "doctor"))
    expect(doctor.stdout).toContain(tcp)

    rmSync(home.at(`${certificate}/cert.pem`))
    expect(copy(pidfile).stdout).toContain("is new")
    await expect.poll(() => readFileSync(home.at("/nats.log"), "utf8"), { timeout: 20_000 }).toContain("Reloaded")
    await say("after a new certificate")
    expect(copy().status).toBe(0)
    expect(
      spawnSync(script, [caddy.storage, "elsewhere", home.at(certificate)], { encoding: "utf8" }).stderr
    ).toContain("Caddy has no certificate of elsewhere")
  })

  it("is healthy by the script that watches nats-server", () => {
    const script = join(files, "nats", "health.sh")
    const run = (port: number) => spawnSync(script, [String(port), home.folder], { encoding: "utf8" })
    expect(run(home.ports.monitoring).status).toBe(0)
    // A port at which nothing answers.
    expect(run(1)).toMatchObject({ status: 1, stdout: "unhealthy: no answer\n" })
  })

  it("has its nats-server ended by the script once it has stopped storing, and there is room", async () => {
    const script = join(files, "nats", "health.sh")
    let body = '{"status":"unavailable","error":"JetStream is not current"}'
    const monitoring = createServer((_, response) => response.writeHead(503).end(body))
    await new Promise<void>((done) => monitoring.listen(0, "127.0.0.1", () => done()))
    const { port } = monitoring.address() as AddressInfo
    const stopped = spawn("sleep", ["600"])
    const ended = new Promise((done) => stopped.once("exit", (_, signal) => done(signal)))
    home.write("/stopped.pid", String(stopped.pid))
    const run = () =>
      promisify(execFile)(script, [String(port), home.folder, home.at("/stopped.pid")]).catch((error) => error)
    // Recovering: left alone.
    expect(await run()).toMatchObject({ code: 1, stdout: expect.stringContaining("unhealthy") })
    expect(stopped.exitCode).toBe(null)
    body = '{"status":"unavailable","error":"JetStream stream write error: no space left on device"}'
    expect(await run()).toMatchObject({ code: 1, stdout: expect.stringContaining("ending it for a restart") })
    expect(await ended).toBe("SIGTERM")
    monitoring.close()
  })

  it("has every metric that the board, the alerts and the scrape configuration name", async () => {
    const scrape = async (port: number) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const log = readFileSync(home.at("/sig.log"), "utf8")
    const sigInternal = Number(/"internal":"http:\/\/[^"]*:(\d+)"/.exec(log)![1])
    checkBoard({ chat: await scrape(home.ports.internal), sig: await scrape(sigInternal) })
  })

  /** A command of the pages with the settings of the installed command, for this test's places. */
  const operate = (line: string) => {
    const words = line
      .replaceAll("/var/backups", home.at("/backups"))
      .replaceAll("/var/lib/kez-restored", home.at("/restored"))
      .replace("https://chat.example.org", site)
    const output = home.command(words, {
      ...chatEnv({ NATS_URL: `tls://localhost:${home.ports.nats}`, NATS_CA_FILE: home.at("/root.crt") }),
      PUBLIC_NATS_URL: `tls://localhost:${home.ports.nats}`,
      NODE_EXTRA_CA_CERTS: home.at("/root.crt"),
      KEZ_KEYS_DIR: home.at("/var/lib/kez-chat/keys"),
      DB_PATH: home.at("/var/lib/kez-chat/handles.db"),
      KEZ_SIG_DB: home.at("/var/lib/kez-sig/sigchains.db"),
      NATS_CONF: home.at("/etc/kez-chat/nats/nats.conf")
    })
    if (line.startsWith("doctor")) expect(output).not.toContain("FAILED")
    else if (line.startsWith("restore")) expect(output).toContain("holds the home of this archive")
    else expect(output).toContain("accounts, ")
  }

  it("is run by the other commands of the pages", () => {
    mkdirSync(home.at("/backups"), { mode: 0o700 })
    const first = readFileSync(home.at("/etc/kez-chat/nats/nats.conf"), "utf8")
    for (const line of pages.filter((page) => page !== "own-nats.md").flatMap(commandsOf)) {
      const server = /kez-chat-server (.*)$/.exec(line)?.[1]
      if (/^(doctor|backup|restore)/.test(server ?? "")) operate(server!)
      else if (server?.startsWith("admin list")) {
        const output = home.command(server.replace("chat.example.org", "localhost"))
        expect(output).toMatch(/alice.*\n.*bob/)
      } else if (server?.includes("keys.new")) {
        home.command(server)
        const other = readFileSync(home.at("/etc/kez-chat/nats/nats.conf"), "utf8")
        // All keys are others, and nothing else.
        const keys = /[UAX][A-Z2-7]{55}/g
        expect(other).not.toBe(first)
        expect(other.replace(keys, "")).toBe(first.replace(keys, ""))
        expect(first.match(keys)!.some((key) => other.includes(key))).toBe(false)
      } else if (server?.startsWith("init") && !server.includes("--tls-cert")) {
        // Changes nothing: that of the first run is what it repeats.
        home.command(server.replace(/--allowed-origins \S+/, ""))
        expect(readFileSync(home.at("/etc/kez-chat/nats/nats.conf"), "utf8")).toBe(first)
      } else if (line.startsWith("curl")) {
        const own = line
          .replace("https://chat.example.org", `--cacert ${home.at("/root.crt")} ${site}`)
          .replace("http://127.0.0.1:8222/healthz", health.nats)
        expect(execFileSync("/bin/sh", ["-c", own], { encoding: "utf8" })).toContain('"status":"ok"')
      }
    }
  })
})
