import { fromSeed } from "@nats-io/nkeys"
import { Effect, Redacted, Result } from "effect"
import { execFile } from "node:child_process"
import { chmodSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Nkey } from "@kez-chat/sdk/protocol"
import { findNatsServer } from "../../../../deploy/local/NatsServer.ts"
import * as Keys from "../../../src/broker/login/Keys.ts"
import * as NatsConf from "../../../src/broker/NatsConf.ts"
import * as NkeySeed from "../../../src/broker/login/NkeySeed.ts"
import * as RawKeys from "../../../src/broker/login/RawKeys.ts"

const run = promisify(execFile)
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kez-keys-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe("the keys folder", () => {
  it.live("is made once, readable by its owner alone, and read the same ever after", () =>
    Effect.gen(function* () {
      const path = join(folder, "once")
      const [first, second] = yield* Effect.all([Keys.create(path), Keys.create(path)], { concurrency: 2 })
      const third = yield* Keys.load(path)
      expect(Keys.publicKeys(second)).toEqual(Keys.publicKeys(first))
      expect(Keys.publicKeys(third)).toEqual(Keys.publicKeys(first))
      expect(Redacted.value(third.internalSecret)).toBe(Redacted.value(first.internalSecret))
      const files = readdirSync(path)
      expect(files.toSorted()).toEqual(
        [
          "acceptance.nk",
          "backup.nk",
          "callout.nk",
          "callout.xk",
          "gateway.nk",
          "internal.secret",
          "issuer.nk",
          "registrar.nk",
          "sys.nk"
        ].toSorted()
      )
      expect(statSync(path).mode & 0o777).toBe(0o700)
      for (const file of files) expect(statSync(join(path, file)).mode & 0o777).toBe(0o600)
      const { issuer, callout, xkey } = Keys.publicKeys(first)
      expect([issuer[0], callout[0], xkey[0]]).toEqual(["A", "U", "X"])
      expect(Result.isSuccess(Nkey.decode(callout))).toBe(true)
    })
  )

  it.live("KEZ-NAT-102 publishes the key that signs acceptances, and earlier ones until their files are removed", () =>
    Effect.gen(function* () {
      const path = join(folder, "acceptance")
      const first = (yield* Keys.create(path)).acceptance
      expect(first.published).toHaveLength(1)
      renameSync(join(path, "acceptance.nk"), join(path, "acceptance-2026.nk"))
      const without = (yield* Keys.load(path)).acceptance
      expect([without.signing, without.published]).toEqual([undefined, first.published])
      const next = (yield* Keys.create(path)).acceptance
      expect(next.signing?.export({ format: "jwk" })).not.toEqual(first.signing?.export({ format: "jwk" }))
      expect(next.published).toHaveLength(2)
      expect(next.published[1]).toEqual(first.published[0])
      rmSync(join(path, "acceptance-2026.nk"))
      expect((yield* Keys.load(path)).acceptance.published).toEqual([next.published[0]])
      for (let i = 0; i < 16; i++)
        writeFileSync(join(path, `acceptance-${i}.nk`), readFileSync(join(path, "acceptance.nk")), { mode: 0o600 })
      expect((yield* Effect.flip(Keys.load(path))).detail).toContain("17 keys")
    })
  )

  it.live("says which file is missing, damaged or open to others, and never what is in it", () =>
    Effect.gen(function* () {
      const path = join(folder, "faults")
      yield* Keys.create(path)
      const gateway = join(path, "gateway.nk")
      const seed = readFileSync(gateway, "utf8")
      const failure = Effect.map(Effect.flip(Keys.load(path)), (error) => {
        expect(error.message).toContain("gateway.nk")
        expect(JSON.stringify(error) + String(error) + error.stack).not.toContain(seed.slice(0, 20))
        return error.reason
      })
      chmodSync(gateway, 0o644)
      expect(yield* failure).toBe("permissions")
      chmodSync(gateway, 0o600)
      writeFileSync(gateway, seed.replace(/.{4}$/m, "AAAA"))
      expect(yield* failure).toBe("malformed")
      writeFileSync(gateway, readFileSync(join(path, "issuer.nk"), "utf8"))
      expect(yield* failure).toBe("malformed")
      rmSync(gateway)
      expect(yield* failure).toBe("missing")
      const missing = yield* Effect.flip(Keys.load(join(folder, "nowhere")))
      expect(missing.message).toContain("init")
    })
  )

  it.live("prints no secret", () =>
    Effect.gen(function* () {
      const keys = yield* Keys.create(join(folder, "print"))
      const text = JSON.stringify(keys) + String(keys.internalSecret)
      expect(text).not.toContain(Redacted.value(keys.internalSecret))
      for (const file of ["issuer.nk", "sys.nk"]) {
        expect(text).not.toContain(readFileSync(join(folder, "print", file), "utf8").trim())
      }
    })
  )
})

describe("seeds", () => {
  it("are read in exactly one spelling and for their role only", () => {
    const text = NkeySeed.generate("user")
    expect(text).toMatch(/^SU[A-Z2-7]{56}$/)
    expect(NkeySeed.decode("user", text)).toHaveLength(32)
    expect(NkeySeed.decode("account", text)).toBeUndefined()
    expect(NkeySeed.decode("user", text.toLowerCase())).toBeUndefined()
    expect(NkeySeed.decode("user", `${text}=`)).toBeUndefined()
    for (const junk of ["", "SU", "x".repeat(58), text.slice(1), `${text.slice(0, -1)}1`]) {
      expect(NkeySeed.decode("user", junk)).toBeUndefined()
    }
  })

  it.each([
    ["account", "SA", "A"],
    ["user", "SU", "U"],
    ["curve", "SX", "X"]
  ] as const)("of the role %s start with %s", (role, start, letter) => {
    const text = NkeySeed.generate(role)
    expect(text.slice(0, 2)).toBe(start)
    const key = RawKeys.privateKey(role === "curve" ? "x25519" : "ed25519", NkeySeed.decode(role, text)!)
    expect(fromSeed(Buffer.from(text)).getPublicKey()).toBe(Nkey.encode(role, RawKeys.publicBytes(key)))
    expect(Nkey.encode(role, RawKeys.publicBytes(key))[0]).toBe(letter)
  })
})

describe("nats.conf", () => {
  const loopback = { host: "127.0.0.1", port: 4222 }
  const options = async (): Promise<NatsConf.NatsConfOptions> => ({
    keys: Keys.publicKeys(await Effect.runPromise(Keys.create(join(folder, "conf")))),
    serverName: "kez-1",
    tcp: loopback,
    websocket: { host: "127.0.0.1", port: 8443, allowedOrigins: ["http://127.0.0.1:8080"] },
    monitoring: { host: "127.0.0.1", port: 8222 },
    storeDir: join(folder, 'a folder with "quotes" and $dollars')
  })
  const accepted = async (conf: string) => {
    const server = await findNatsServer()
    if (server === undefined) throw new Error("no nats-server found")
    const file = join(folder, "test.conf")
    await writeFile(file, conf)
    const { stderr, stdout } = await run(server.path, ["-t", "-c", file])
    return stdout + stderr
  }
  const certificate = async () => {
    const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")]
    await run("openssl", [
      "req",
      "-x509",
      "-newkey",
      "ed25519",
      "-nodes",
      "-subj",
      "/CN=nats.example",
      "-days",
      "2",
      "-keyout",
      keyFile,
      "-out",
      certFile
    ])
    return { certFile, keyFile }
  }

  it("KEZ-NAT-037 KEZ-NAT-038 KEZ-NAT-039 KEZ-NAT-040 KEZ-NAT-044 of a local home is accepted by nats-server and holds no secret", async () => {
    const conf = Result.getOrThrow(NatsConf.generate(await options()))
    expect(await accepted(conf)).toMatch(/is valid/)
    expect(conf).not.toMatch(/\bS[UAX][A-Z2-7]{40}/)
    expect(conf).toContain("sync_interval: always")
    expect(conf).toContain('http: "127.0.0.1:8222"')
    expect(conf.match(/nkey: U/g)).toHaveLength(5)
  })

  it("of a public home with its own TLS, and of one behind a proxy, is accepted", async () => {
    const tls = await certificate()
    const own = NatsConf.generate({
      ...(await options()),
      tcp: { host: "0.0.0.0", port: 4222, tls },
      websocket: { host: "0.0.0.0", port: 8443, tls, allowedOrigins: ["https://chat.example"] },
      syncInterval: "10s",
      pidFile: join(folder, "nats.pid")
    })
    expect(await accepted(Result.getOrThrow(own))).toMatch(/is valid/)
    const proxied = NatsConf.generate({
      ...(await options()),
      tcp: { host: "0.0.0.0", port: 4222, behindProxy: true },
      websocket: { host: "0.0.0.0", port: 8443, behindProxy: true, allowedOrigins: [] }
    })
    expect(await accepted(Result.getOrThrow(proxied))).toMatch(/is valid/)
  })

  it("of a cluster member is accepted", async () => {
    const tls = await certificate()
    const member = NatsConf.generate({
      ...(await options()),
      replicas: 3,
      cluster: {
        name: "kez",
        host: "0.0.0.0",
        port: 6222,
        routes: ["nats://kez-2:6222", "nats://kez-3:6222"],
        tls: { ...tls, caFile: tls.certFile }
      }
    })
    const conf = Result.getOrThrow(member)
    expect(await accepted(conf)).toMatch(/is valid/)
    expect(conf).not.toContain("sync_interval")
  })

  it("KEZ-NAT-040 KEZ-NAT-041 is refused where it would expose users", async () => {
    const base = await options()
    const faults: ReadonlyArray<[string, Partial<NatsConf.NatsConfOptions>]> = [
      ["tcp", { tcp: { host: "0.0.0.0", port: 4222 } }],
      ["monitoring", { monitoring: { host: "0.0.0.0", port: 8222 } }],
      ["websocket", { websocket: { host: "192.168.1.1", port: 8443, allowedOrigins: [] } }],
      ["websocket.allowedOrigins", { websocket: { ...base.websocket, allowedOrigins: ["*"] } }],
      ["websocket.allowedOrigins", { websocket: { ...base.websocket, allowedOrigins: ["https://chat.example/path"] } }],
      ["replicas", { replicas: 3 }],
      ["replicas", { replicas: 2 }],
      ["syncInterval", { syncInterval: "sometimes" }],
      ["syncInterval", { syncInterval: "0s" }],
      ["cluster.routes", { replicas: 3, cluster: { name: "kez", host: "127.0.0.1", port: 6222, routes: [] } }],
      ["cluster", { cluster: { name: "kez", host: "0.0.0.0", port: 6222, routes: [] } }],
      ["inboxBytes", { inboxBytes: 5 }]
    ]
    for (const [option, change] of faults) {
      const result = NatsConf.generate({ ...base, ...change })
      expect(Result.isFailure(result) && result.failure.option).toBe(option)
    }
  })
})
