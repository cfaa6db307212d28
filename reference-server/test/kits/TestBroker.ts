/**
 * A home server's broker for tests: real nats-servers with the generated nats.conf, and chat-server's broker side in
 * this process. The registry is a set of keys, so that a test can register and revoke without HTTP.
 */
import { Context, Effect, Exit, Layer, References, Result, Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { createServer } from "node:net"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findNatsServer } from "../../../deploy/local/NatsServer.ts"
import * as Broker from "../../src/broker/Broker.ts"
import { type BrokerLimits, defaultLimits } from "../../src/broker/BrokerConfig.ts"
import { BrokerControl, type BrokerStatus } from "../../src/broker/BrokerControl.ts"
import * as Keys from "../../src/broker/login/Keys.ts"
import * as NatsConf from "../../src/broker/NatsConf.ts"
import { ActiveKeys } from "../../src/storage/ActiveKeys.ts"
import { openDatabase } from "../../src/storage/OpenDatabase.ts"
import { registrySchema } from "../../src/storage/Schemas.ts"

export interface TestBrokerOptions {
  readonly servers?: 1 | 3
  /** Streams that inboxes are spread over. */
  readonly partitions?: number
  readonly limits?: Partial<BrokerLimits>
  readonly syncInterval?: NatsConf.NatsConfOptions["syncInterval"]
  readonly sessionSeconds?: number
  /** Leave chat-server's side out at first. */
  readonly withoutResponders?: boolean
  readonly inboxBytes?: number
  /** Changes nats.conf, to run on one of another version. */
  readonly conf?: (text: string) => string
}

export interface TestBroker {
  readonly folder: string
  readonly keys: Keys.BrokerKeys
  readonly partitions: number
  readonly nodes: ReadonlyArray<Node>
  /** `nats://` and `ws://` of the first server. */
  readonly tcp: string
  readonly websocket: string
  register(hex: string): void
  /** Takes a key out of the registry; its connections are closed by `kick`. */
  unregister(hex: string): void
  /** The account of one key belongs to another one from now on. */
  handOver(old: string, successor: string): void
  kick(hex: string): Promise<void>
  purge(hex: string): Promise<void>
  answer(request: string): Promise<string | undefined>
  status(): Promise<BrokerStatus>
  /** Stops chat-server's side and starts it again on the same database. */
  stopResponders(): Promise<void>
  startResponders(): Promise<void>
  ready(): Promise<void>
  /** A second chat-server on the same database and broker. */
  startAnother(): Promise<Responders>
  stop(): Promise<void>
}

/** One chat-server's broker side. */
export interface Responders {
  kick(hex: string): Promise<void>
  status(): Promise<BrokerStatus>
  stop(): Promise<void>
}

export interface Node {
  readonly tcpPort: number
  readonly websocketPort: number
  readonly monitoringPort: number
  kill(signal: NodeJS.Signals): Promise<void>
  /** Stops every thread of the process where it is, or lets them go on. */
  freeze(isFrozen: boolean): Promise<void>
  start(): Promise<void>
}

/** The origin that the tests' WebSocket listener takes pages from. */
export const pageOrigin = "http://127.0.0.1:8080"

const isStopped = async (pid: number): Promise<boolean> => {
  const threads = await readdir(`/proc/${pid}/task`)
  const states = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, "utf8")))
  return states.every((stat) => /\) T /.test(stat))
}

/** Waits until `condition` holds; fails with `what` after the time limit. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMillis = 30_000
): Promise<void> => {
  const end = Date.now() + limitMillis
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`timed out waiting: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const freePorts = async (count: number): Promise<ReadonlyArray<number>> => {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer()
          server.once("error", reject).listen(0, "127.0.0.1", () => resolve(server))
        })
    )
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

export const startTestBroker = async (options: TestBrokerOptions = {}): Promise<TestBroker> => {
  const found = await findNatsServer()
  if (found === undefined) throw new Error("no nats-server: run `npm test`, which gets one, or set NATS_SERVER")
  const binary = found.path
  const folder = await mkdtemp(join(tmpdir(), "kez-broker-"))
  const keys = await Effect.runPromise(Keys.create(join(folder, "keys")))
  const count = options.servers ?? 1
  const partitions = options.partitions ?? 1
  const inboxBytes = options.inboxBytes ?? 256 * 1024 ** 2
  const ports = await freePorts(count * 4)
  const port = (node: number, which: number) => ports[node * 4 + which] as number

  const nodes = await Promise.all(
    Array.from({ length: count }, async (_, node): Promise<Node> => {
      const conf = NatsConf.generate({
        keys: Keys.publicKeys(keys, partitions),
        serverName: `kez-${node + 1}`,
        tcp: { host: "127.0.0.1", port: port(node, 0) },
        websocket: { host: "127.0.0.1", port: port(node, 1), allowedOrigins: [pageOrigin] },
        monitoring: { host: "127.0.0.1", port: port(node, 2) },
        storeDir: join(folder, `jetstream-${node + 1}`),
        inboxBytes,
        replicas: count,
        ...(options.syncInterval === undefined ? {} : { syncInterval: options.syncInterval }),
        ...(count === 1
          ? {}
          : {
              cluster: {
                name: "kez",
                host: "127.0.0.1",
                port: port(node, 3),
                routes: [0, 1, 2].filter((other) => other !== node).map((other) => `nats://127.0.0.1:${port(other, 3)}`)
              }
            })
      })
      const file = join(folder, `nats-${node + 1}.conf`)
      await writeFile(file, (options.conf ?? ((text) => text))(Result.getOrThrow(conf)))
      return makeNode(binary, file, join(folder, `nats-${node + 1}.log`), port(node, 0), port(node, 1), port(node, 2))
    })
  )
  await Promise.all(nodes.map((node) => node.start()))

  const tcp = `nats://127.0.0.1:${port(0, 0)}`
  const active = new Set<string>()
  const moved = new Map<string, string>()
  const launch = async () => {
    const scope = await Effect.runPromise(Scope.make())
    const activeKeys = Layer.mock(ActiveKeys, {
      has: (hex: string) => active.has(hex),
      receives: (hex: string) => active.has(hex),
      isMoved: (hex: string) => moved.has(hex),
      mayFetch: (hex: string) => active.has(hex) || moved.has(hex),
      formerOf: (hex: string) => [...moved].filter(([, successor]) => successor === hex).map(([old]) => old),
      refresh: Effect.void,
      onEnded: () => Effect.void
    })
    const database = openDatabase({ db: join(folder, "registry.db"), schema: registrySchema })
    const broker = Broker.layer(
      {
        natsUrls: nodes.map((node) => `nats://127.0.0.1:${node.tcpPort}`),
        loginHosts: ["127.0.0.1", "localhost"],
        inboxBytes,
        partitions,
        replicas: count,
        sessionSeconds: options.sessionSeconds ?? 3600,
        limits: { ...defaultLimits, ...options.limits }
      },
      keys,
      "localhost"
    )
    const context = await Effect.runPromise(
      Layer.buildWithScope(
        // Tests refuse logins by the hundred; a line for each would only hide what matters.
        broker.pipe(
          Layer.provide([activeKeys, Layer.orDie(database), Layer.succeed(References.MinimumLogLevel, "Warn")])
        ),
        scope
      )
    )
    return { scope, control: Context.get(context, BrokerControl) }
  }
  const whenReady = ({ control }: Awaited<ReturnType<typeof launch>>) =>
    until("the broker side is ready", async () => (await Effect.runPromise(control.status)).ready, 60_000)

  let running: Awaited<ReturnType<typeof launch>> | undefined
  const startResponders = async () => {
    running = await launch()
  }
  const stopResponders = async () => {
    const stopping = running
    running = undefined
    if (stopping !== undefined) await Effect.runPromise(Scope.close(stopping.scope, Exit.void))
  }
  const control = () => {
    if (running === undefined) throw new Error("chat-server's side is not running")
    return running.control
  }
  const status = () => Effect.runPromise(control().status)
  const ready = async () => {
    if (running !== undefined) await whenReady(running)
  }
  if (options.withoutResponders !== true) {
    await startResponders()
    await ready()
  }

  return {
    folder,
    keys,
    partitions,
    nodes,
    tcp,
    websocket: `ws://127.0.0.1:${port(0, 1)}`,
    register: (hex) => active.add(hex),
    unregister: (hex) => active.delete(hex),
    handOver: (old, successor) => {
      active.delete(old)
      active.add(successor)
      moved.set(old, successor)
    },
    kick: (hex) => Effect.runPromise(control().kick(hex)),
    purge: (hex) => Effect.runPromise(control().purge(hex)),
    answer: (request) => Effect.runPromise(control().answer(request)),
    status,
    stopResponders,
    startResponders,
    ready,
    startAnother: async () => {
      const another = await launch()
      await whenReady(another)
      return {
        kick: (hex) => Effect.runPromise(another.control.kick(hex)),
        status: () => Effect.runPromise(another.control.status),
        stop: () => Effect.runPromise(Scope.close(another.scope, Exit.void))
      }
    },
    stop: async () => {
      await stopResponders()
      await Promise.all(nodes.map((node) => node.kill("SIGKILL")))
      await rm(folder, { recursive: true, force: true })
    }
  }
}

const makeNode = (
  binary: string,
  conf: string,
  log: string,
  tcpPort: number,
  websocketPort: number,
  monitoringPort: number
): Node => {
  let child: ChildProcess | undefined
  const node: Node = {
    tcpPort,
    websocketPort,
    monitoringPort,
    start: async () => {
      const started = spawn(binary, ["-c", conf, "-l", log], { stdio: "ignore" })
      child = started
      await until("nats-server is up", async () => {
        if (started.exitCode !== null) throw new Error(`nats-server ended:\n${await readFile(log, "utf8")}`)
        return fetch(`http://127.0.0.1:${monitoringPort}/healthz?js-server-only=true`).then(
          ({ ok }) => ok,
          () => false
        )
      })
    },
    kill: async (signal) => {
      const killed = child
      child = undefined
      if (killed === undefined || killed.exitCode !== null || killed.signalCode !== null) return
      const gone = new Promise((resolve) => killed.once("exit", resolve))
      killed.kill(signal)
      await gone
    },
    freeze: async (isFrozen) => {
      if (child?.pid === undefined) return
      const { pid } = child
      child.kill(isFrozen ? "SIGSTOP" : "SIGCONT")
      // A thread that runs on another core answers until the signal reaches it.
      if (isFrozen) await until("nats-server is stopped", () => isStopped(pid))
    }
  }
  return node
}
