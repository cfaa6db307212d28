/** Health says what users can do: within ten seconds of a fault, and within thirty of its repair. Mail goes on by itself. */
import { NodeCrypto } from "@kez-chat/sdk/node"
import * as Nats from "@kez-chat/sdk/nats"
import { Broker } from "@kez-chat/sdk/services"
import { Context, Effect, Fiber, Layer, type Scope } from "effect"
import { execFileSync } from "node:child_process"
import { readFileSync, symlinkSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { startHome } from "../../../deploy/local/Home.ts"
import { canMount, disk } from "../../../sdk/test/kits/Disks.ts"
import { readNumbers, sendUntilStored } from "../kits/NumberedFrames.ts"
import { startTestBroker, until } from "../kits/TestBroker.ts"
import {
  endpointEvent,
  get,
  newIdentity,
  post,
  registration,
  type Running,
  startChat,
  startSig,
  temporaryFolder
} from "../kits/Servers.ts"

const mebibyte = 1024 ** 2
const seenWithin = 10_000
const goneWithin = 30_000

/** Takes all room on a disk but what is already in a page; gives it back by what it returns. */
const fill = (folder: string) => {
  const ballast = join(folder, "ballast")
  for (let chunk = mebibyte; chunk >= 4_096;) {
    try {
      writeFileSync(ballast, new Uint8Array(chunk), { flag: "a" })
    } catch {
      chunk /= 2
    }
  }
  return () => rmSync(ballast)
}

const chattr = (flag: "+i" | "-i", files: ReadonlyArray<string>) => execFileSync("chattr", [flag, ...files])

/** Whether this process may make files immutable: as root on Linux, where the file system has that flag. */
const canChattr = (() => {
  using folder = temporaryFolder()
  const file = join(folder.path, "probe")
  writeFileSync(file, "")
  try {
    chattr("+i", [file])
    chattr("-i", [file])
    return true
  } catch {
    process.stderr.write("Skipped: chattr +i has no effect here; it takes root and a file system with that flag\n")
    return false
  }
})()

const health = async (url: string) => {
  const { json, status } = await get(`${url}/v1/healthz`)
  return { ...json, status } as {
    status: number
    reason?: string
    broker?: string
    database: string
    sig_server?: string
  }
}

const isHealthy = async (url: string) => (await get(`${url}/v1/healthz`)).status === 200

const pace = { bytes: 2_000, pauseMillis: 100 }

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

const scoped = <A>(effect: Effect.Effect<A, unknown, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(Effect.orDie(effect)))

describe("a home whose broker", () => {
  it.skipIf(!canMount)("KEZ-REG-041 has a full disk says so, and stores again when there is room", () =>
    scoped(
      Effect.gen(function* () {
        using folder = temporaryFolder()
        const { path } = yield* disk(48 * mebibyte)
        symlinkSync(path, join(folder.path, "jetstream"))
        const notices: Array<string> = []
        const home = yield* Effect.acquireRelease(
          Effect.promise(() =>
            startHome({
              data: folder.path,
              source: true,
              onNotice: (sentence) => notices.push(sentence)
            })
          ),
          (home) => Effect.promise(() => home.stop())
        )
        const [alice, bob] = yield* Effect.promise(() => Promise.all([newIdentity(), newIdentity()]))
        for (const [handle, identity] of [
          ["alice", alice],
          ["bobby", bob]
        ] as const) {
          const answer = yield* Effect.promise(async () =>
            post(`${home.urls.home}/v1/register`, await registration(identity, handle))
          )
          expect(answer.status).toBe(201)
        }
        const broker = Context.get(
          yield* Layer.build(Nats.layer({ urls: [home.urls.nats] }).pipe(Layer.provide(NodeCrypto.layer))),
          Broker
        )
        const [a, b] = [yield* broker.connect(alice.brokerLogin), yield* broker.connect(bob.brokerLogin)]
        // Strangers may send little.
        yield* sendUntilStored(b, alice.key, 0, pace)
        yield* Effect.forEach(numbers(0, 20), (i) => sendUntilStored(a, bob.key, i, pace), { concurrency: 8 })
        expect(yield* Effect.promise(() => health(home.urls.home))).toMatchObject({ status: 200 })

        const free = fill(path)
        yield* Effect.promise(() =>
          until("the full disk is seen", async () => !(await isHealthy(home.urls.home)), seenWithin)
        )
        expect(yield* Effect.promise(() => health(home.urls.home))).toMatchObject({
          broker: "failing",
          database: "ok",
          reason: expect.stringContaining("disk is full")
        })
        expect((yield* Effect.promise(() => get(`${home.urls.internal}/metrics`))).text).toMatch(
          /^kez_broker_storing 0$/m
        )
        // What is sent while nothing can be stored waits at the sender, and costs it no quota.
        const waiting = yield* Effect.forkScoped(
          Effect.forEach(numbers(20, 20), (i) => sendUntilStored(a, bob.key, i, pace), { concurrency: 8 })
        )
        yield* Effect.promise(() => until("it is told", () => notices.some((text) => text.includes("disk is full"))))

        free()
        yield* Effect.promise(() => until("the home is healthy again", () => isHealthy(home.urls.home), goneWithin))
        expect(notices.at(-1)).toMatch(/was restarted/)
        yield* Effect.timeout(Fiber.join(waiting), goneWithin)
        expect((yield* readNumbers(b)).toSorted((x, y) => x - y)).toEqual(numbers(0, 40))
        const log = readFileSync(home.processes.chat.log, "utf8")
        expect(log.split('"msg":"mail cannot be stored"')).toHaveLength(2)
        expect(log.split('"msg":"mail is stored again"')).toHaveLength(2)
      })
    )
  )

  it("KEZ-REG-041 was killed says so, and is healthy again when it is back", async () => {
    using folder = temporaryFolder()
    const home = await startHome({ data: folder.path, source: true })
    try {
      await home.processes.nats.kill("SIGKILL")
      await until("the broker is missed", async () => !(await isHealthy(home.urls.home)), seenWithin)
      expect(await health(home.urls.home)).toMatchObject({ broker: "unreachable", reason: expect.any(String) })
      await home.processes.nats.restart()
      await until("the home is healthy again", () => isHealthy(home.urls.home), goneWithin)
    } finally {
      await home.stop()
    }
  })

  it("KEZ-REG-041 has no quorum says so, and stores again when it has", async () => {
    const broker = await startTestBroker({ servers: 3, withoutResponders: true })
    const sig = await startSig(broker.folder)
    const servers = broker.nodes.map(({ tcpPort }) => `nats://127.0.0.1:${tcpPort}`).join(",")
    const args = ["--nats-url", servers, "--replicas", "3", "--store-bytes", String(256 * mebibyte)]
    const chat = await startChat(broker.folder, [...args, "--sig-server-url", sig.url])
    try {
      await until("the home is healthy", () => isHealthy(chat.url))
      const [, second, third] = broker.nodes
      await Promise.all([second!.kill("SIGKILL"), third!.kill("SIGKILL")])
      await until("the lost quorum is seen", async () => !(await isHealthy(chat.url)), seenWithin)
      expect(await health(chat.url)).toMatchObject({ database: "ok", reason: expect.stringContaining("the broker") })
      await Promise.all([second!.start(), third!.start()])
      await until("the home is healthy again", () => isHealthy(chat.url), goneWithin)
    } finally {
      await Promise.all([chat.stop(), sig.stop()])
      await broker.stop()
    }
  })
})

describe("a home whose sig-server", () => {
  it("KEZ-REG-041 was killed says so, and is healthy again when it is back", async () => {
    using folder = temporaryFolder()
    const home = await startHome({ data: folder.path, source: true })
    try {
      await home.processes.sig.kill("SIGKILL")
      await until("the sig-server is missed", async () => !(await isHealthy(home.urls.home)), seenWithin)
      expect(await health(home.urls.home)).toMatchObject({
        broker: "connected",
        database: "ok",
        sig_server: "unreachable",
        reason: expect.stringContaining("--sig-server-url")
      })
      expect((await get(`${home.urls.internal}/metrics`)).text).toMatch(/^kez_sig_server_working 0$/m)
      await home.processes.sig.restart()
      await until("the home is healthy again", () => isHealthy(home.urls.home), goneWithin)
      const log = readFileSync(home.processes.chat.log, "utf8")
      expect(log.split('"msg":"the sig-server does not work"')).toHaveLength(2)
      expect(log.split('"msg":"the sig-server works again"')).toHaveLength(2)
    } finally {
      await home.stop()
    }
  })
})

describe("a server whose own file cannot be written", () => {
  /** Makes the file and its log immutable, as a disk that went read-only is; health sees it without any traffic. */
  const drill = async (start: (folder: string) => Promise<Running>, file: string) => {
    using folder = temporaryFolder()
    const server = await start(folder.path)
    const files = [file, `${file}-wal`].map((name) => join(folder.path, name))
    try {
      expect((await health(server.url)).database).toBe("ok")
      chattr("+i", files)
      await until("it is seen", async () => (await health(server.url)).database === "failing", seenWithin)
      const seen = await health(server.url)
      expect([seen.status, seen.reason?.includes("read-only")]).toEqual([503, true])
      chattr("-i", files)
      await until("it works again", async () => (await health(server.url)).database === "ok", goneWithin)
    } finally {
      chattr("-i", files)
      await server.stop()
    }
  }

  it.skipIf(!canChattr)("KEZ-REG-041 says so, and works again when it can be", () => drill(startChat, "registry.db"))

  it.skipIf(!canChattr)("says so, and works again when it can be: the sig-server", () =>
    drill(startSig, "sigchains.db")
  )
})

describe("a server whose own disk is full", () => {
  /** Writes until nothing more is taken and health says so; frees the disk, and all that was acknowledged is there. */
  const drill = (
    start: (folder: string, args: ReadonlyArray<string>) => Promise<Running>,
    file: string,
    write: (server: Running, n: number) => Promise<{ readonly status: number; readonly url: string }>
  ) =>
    scoped(
      Effect.gen(function* () {
        using folder = temporaryFolder()
        const { path } = yield* disk(2 * mebibyte)
        const server = yield* Effect.acquireRelease(
          Effect.promise(() => start(folder.path, ["--db", join(path, file)])),
          (server) => Effect.promise(() => server.stop())
        )
        yield* Effect.promise(async () => {
          const acknowledged: Array<string> = []
          const free = fill(path)
          for (let n = 0; ; n++) {
            const { status, url } = await write(server, n)
            if (status === 503) break
            expect(status).toBe(201)
            acknowledged.push(url)
          }
          expect(await health(server.url)).toMatchObject({ status: 503, database: "failing" })
          expect((await health(server.url)).reason).toContain("disk is full")
          free()
          await until("it is healthy again", async () => (await health(server.url)).database === "ok", goneWithin)
          const { status, url } = await write(server, 1_000_000)
          expect(status).toBe(201)
          for (const each of [...acknowledged, url]) expect((await get(each)).status).toBe(200)
        })
      })
    )

  it.skipIf(!canMount)("KEZ-REG-041 refuses registrations, says so, and takes them again when there is room", () =>
    drill(startChat, "registry.db", async (server, n) => {
      const { status } = await post(`${server.url}/v1/register`, await registration(await newIdentity(), `user${n}`))
      return { status, url: `${server.url}/v1/u/user${n}` }
    })
  )

  it.skipIf(!canMount)("refuses sigchain events, says so, and takes them again when there is room", () =>
    drill(startSig, "sigchains.db", async (server) => {
      const identity = await newIdentity()
      const url = `${server.url}/v1/sigchains/ed25519/${identity.key.hex}`
      const { status } = await post(`${url}/events`, await endpointEvent(identity))
      return { status, url }
    })
  )
})
