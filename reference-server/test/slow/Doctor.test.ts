/** `kez-chat-server doctor` on real homes, each broken in one way. */
import BetterSqlite3 from "better-sqlite3"
import { execFileSync } from "node:child_process"
import { generateKeyPairSync } from "node:crypto"
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo, Server } from "node:net"
import { join } from "node:path"
import { nkeyAuthenticator } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import { checkCertificate, remaining } from "../../src/chat/doctor/Sockets.ts"
import { run, temporaryFolder } from "../kits/Servers.ts"

const storeBytes = 2 * 1024 ** 2

interface Finding {
  readonly check: string
  readonly state: "ok" | "warning" | "failed"
  readonly found: string
  readonly remedy?: string
}

describe("doctor", () => {
  const folder = temporaryFolder()
  const at = (...names: ReadonlyArray<string>) => join(folder.path, ...names)
  let home: Home
  let settings: Readonly<Record<string, string>>

  beforeAll(async () => {
    const room = ["--store-bytes", String(storeBytes)]
    home = await startHome({ data: at("home"), source: true, flags: { init: room, chat: room } })
    const { ports, urls } = home
    settings = {
      "--port": String(ports.home),
      "--store-bytes": String(storeBytes),
      "--db": at("home", "chat.sqlite"),
      "--keys-dir": at("home", "keys"),
      "--nats-conf": at("home", "nats.conf"),
      "--nats-url": urls.nats,
      "--public-nats-url": urls.nats,
      "--public-ws-url": urls.websocket,
      "--sig-server-url": urls.sigServer
    }
  })
  afterAll(async () => {
    await home?.stop()
    folder[Symbol.dispose]()
  })

  const findingsOf = async (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) => {
    const { code, stdout } = await run("chat-server", ["doctor", "--json", ...args], env)
    const lines = stdout.trim().split("\n")
    return { code, findings: lines.map((line) => JSON.parse(line) as Finding) }
  }
  const examine = (changed: Readonly<Record<string, string>> = {}) =>
    findingsOf(Object.entries({ ...settings, ...changed }).flat())
  /** What is not well, as `check: found`. */
  const faults = async (changed?: Readonly<Record<string, string>>) => {
    const { code, findings } = await examine(changed)
    for (const { remedy, state } of findings) expect(state === "ok" || remedy !== undefined).toBe(true)
    expect(code).toBe(findings.some(({ state }) => state === "failed") ? 1 : 0)
    return findings
      .filter(({ state }) => state !== "ok")
      .map(({ check, found, state }) => `${state} ${check}: ${found}`)
  }

  const listening = async (server: Server): Promise<number> => {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()))
    return (server.address() as AddressInfo).port
  }

  it("finds a healthy home well, from inside and from outside", async () => {
    expect(await faults()).toEqual(["warning backup: there is no backup yet"])
    const { code, findings } = await findingsOf(["--url", home.urls.home])
    expect([code, findings.filter(({ state }) => state !== "ok")]).toEqual([0, []])
  })

  it("names open files, a damaged and a missing database, and settings that disagree", async () => {
    const [database, key] = [settings["--db"]!, at("home", "keys", "sys.nk")]
    chmodSync(database, 0o644)
    chmodSync(key, 0o640)
    const open = await faults()
    expect(open).toContainEqual(expect.stringMatching(/^failed files: .*chat\.sqlite has mode 644/))
    expect(open).toContainEqual(expect.stringMatching(/^failed keys: .*sys\.nk.*chmod 600/))
    for (const path of [database, key]) chmodSync(path, 0o600)
    const sqlite = new BetterSqlite3(database)
    sqlite.prepare("VACUUM INTO ?").run(at("copy.db"))
    sqlite.close()
    const bytes = readFileSync(at("copy.db"))
    // A page behind those of the schema.
    bytes.fill(0xff, bytes.length - 8_192)
    writeFileSync(at("damaged.db"), bytes, { mode: 0o600 })
    expect((await faults({ "--db": at("damaged.db") })).join()).toMatch(/failed database/)
    expect((await faults({ "--db": at("missing.db") })).join()).toMatch(/failed database: .*cannot be opened/)
    const others = await faults({ "--store-bytes": "2000000000", "--retention-days": "10", "--nats-conf": at("none") })
    expect(others).toContain(`warning stream: --store-bytes is 2000000000 here and ${storeBytes} at the stream`)
    expect(others).toContain("warning stream: --retention-days is 10 here and 30 at the stream")
    expect(others).toContain(`warning nats.conf: ${at("none")} cannot be read`)
  })

  it("names a sig-server of other chains, half a backup, and other streams than those of init", async () => {
    const sqlite = new BetterSqlite3(settings["--db"]!)
    const now = new Date().toISOString()
    const { publicKey } = generateKeyPairSync("ed25519")
    sqlite
      .prepare("INSERT INTO accounts (handle, primary_hex, state, registered_at) VALUES ('lost', ?, 'active', ?)")
      .run(Buffer.from(String(publicKey.export({ format: "jwk" }).x), "base64url").toString("hex"), now)
    sqlite
      .prepare("INSERT INTO audit (at, actor, action, subject, note) VALUES (?, 'user alice', 'backup', 'home', ?)")
      .run(now, "home.tar sha256:0123456789abcdef, without mail")
    const found = await faults({ "--stream-partitions": "2" })
    sqlite.prepare("DELETE FROM accounts WHERE handle = 'lost'").run()
    sqlite.close()
    expect(found.join("\n")).toMatch(/^failed sig-server here: .* does not have the chain of an active account$/m)
    expect(found.join("\n")).toMatch(/^warning backup: the last one is of today .*without mail\)$/m)
    expect(found).toContain("failed nats.conf: init was given --stream-partitions 1 and chat-server 2")
  })

  it("tells a home of other keys, and a name that leads nowhere", async () => {
    await run("chat-server", ["init", "--keys-dir", at("other"), "--nats-conf", at("other.conf")])
    const other = await faults({ "--keys-dir": at("other") })
    expect(other).toContain(`failed broker: ${home.urls.nats} refuses chat-server`)
    expect(other).toContain("failed accounts: nats-server does not let sys in")
    expect(other.join()).toMatch(/failed home: .* with other keys than those of --keys-dir/)
    const { code, findings } = await findingsOf(["--url", "https://home.invalid"])
    expect(code).toBe(1)
    expect(findings[0]).toMatchObject({ check: "name", state: "failed", found: "DNS has no address for home.invalid" })
  })

  it("tells clocks apart, pages whose origin the broker refuses, and what is no sig-server", async () => {
    const described = {
      server: "localhost",
      broker: { tcp: [home.urls.nats], websocket: [home.urls.websocket] },
      // Knows no such path.
      sig_server: home.urls.home
    }
    const proxy = createServer((_, response) => {
      response.setHeader("date", new Date(Date.now() - 3_600_000).toUTCString())
      response.setHeader("content-type", "application/json").end(JSON.stringify(described))
    })
    const { findings } = await findingsOf(["--url", `http://127.0.0.1:${await listening(proxy)}`])
    proxy.close()
    const failed = findings.filter(({ state }) => state === "failed").map(({ check, found }) => `${check}: ${found}`)
    expect(failed).toEqual([
      expect.stringMatching(/^websocket: .* refuses pages of http:\/\/127\.0\.0\.1/),
      expect.stringMatching(/^sig-server: .* answers 404, and not as a sig-server does/),
      expect.stringMatching(/^clock: .* differ by 3(?:599|600|601) seconds/)
    ])
  })

  it("reads certificates: ended, ending soon, of nobody known", async () => {
    const files = { key: at("key.pem"), cert: at("cert.pem") }
    const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", [...args], { stdio: "ignore" })
    const certificate = (days: string) => {
      writeFileSync(at("names"), "subjectAltName=DNS:localhost")
      const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
      openssl("req", "-new", ...curve, "-nodes", "-subj", "/CN=localhost", "-keyout", files.key, "-out", at("request"))
      const signed = ["-in", at("request"), "-signkey", files.key, "-out", files.cert, "-extfile", at("names")]
      openssl("x509", "-req", ...signed, "-days", days)
      return { key: readFileSync(files.key), cert: readFileSync(files.cert) }
    }
    const server = createTlsServer(certificate("3"), (_, response) => response.end())
    const url = `https://localhost:${await listening(server)}`
    const [unknown] = await checkCertificate(url, AbortSignal.timeout(10_000))
    expect(unknown).toMatchObject({ state: "failed", found: expect.stringMatching(/clients refuse.*SELF_SIGNED/) })
    copyFileSync(files.cert, at("root.pem"))
    const { findings } = await findingsOf(["--url", url], { NODE_EXTRA_CA_CERTS: at("root.pem") })
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: "certificate",
        state: "ok",
        found: expect.stringMatching(/valid for 7[12] hours/)
      })
    )
    const day = 86_400_000
    expect(remaining(0, 90 * day, 75 * day)).toMatchObject({ isSoon: false, left: "15 days" })
    expect(remaining(0, 90 * day, 77 * day)).toMatchObject({ isSoon: true, left: "13 days" })
    expect(remaining(0, day / 2, day / 3)).toMatchObject({ isSoon: false, left: "4 hours" })
    server.setSecureContext(certificate("-1"))
    const [ended] = await checkCertificate(url, AbortSignal.timeout(10_000))
    expect(ended).toMatchObject({ state: "failed", found: expect.stringContaining("ended on") })
    server.close()
  })

  it("warns of a stream that is four fifths full", async () => {
    const seed = readFileSync(at("home", "keys", "gateway.nk"), "utf8").trim()
    const gateway = await connect({
      servers: home.urls.nats,
      authenticator: nkeyAuthenticator(Buffer.from(seed)),
      inboxPrefix: "_INBOX_ing"
    })
    for (let n = 0; n < 27; n++) await gateway.request(`kez.self.${"a".repeat(64)}`, new Uint8Array(65_000))
    await gateway.close()
    expect((await faults()).join()).toMatch(/warning stream: \d+ messages, .* \(8\d %\)/)
  })

  it("tells which server is away", async () => {
    await home.processes.sig.kill("SIGKILL")
    await home.processes.chat.kill("SIGKILL")
    const away = await faults()
    expect(away.join()).toMatch(/failed sig-server here/)
    expect(away.join()).toMatch(/failed callout: a login of nobody was not answered/)
    expect(away.join()).toMatch(/failed home/)
    await home.processes.nats.kill("SIGKILL")
    expect((await faults()).join()).toMatch(/failed broker: .*ECONNREFUSED/i)
    rmSync(at("home", "jetstream"), { recursive: true })
    await home.processes.nats.restart()
    expect((await faults()).join()).toMatch(/failed stream: there is no stream/)
  })
})
