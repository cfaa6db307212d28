/** Honest users beside a flood, each side in processes of its own, and what the honest ones went through. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { kezId, makeAccount } from "../Account.ts"
import { headerBlock, openRaw, type Port } from "../RawClient.ts"
import type { TestBroker } from "../TestBroker.ts"
import type * as Flooder from "./Flooder.ts"
import type * as Honest from "./Honest.ts"
import type { Kind } from "./Kinds.ts"

export interface FloodOptions {
  readonly kind: Kind
  readonly transport?: Port
  readonly accounts?: number
  readonly connectionsPerAccount?: number
  readonly perSecond?: number
  readonly seconds: number
  readonly honestUsers?: number
}

export interface FloodReport {
  readonly sends: Summary
  readonly fetches: Summary
  readonly honestClosed: number
  readonly flood: Flooder.Outcome
}

interface Summary {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly worst: number
  readonly unanswered: number
  readonly refused: Readonly<Record<string, number>>
}

/** Quotas that the honest users' rounds and the test's preparations do not meet. */
export const plenty = {
  inboxBytes: 2 ** 40,
  selfBytes: 2 ** 40,
  sendBytesPerDay: 2 ** 40,
  selfBytesPerDay: 2 ** 40
}

const start = (file: string): ChildProcess =>
  fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ["--conditions=kez-source"],
    stdio: ["ignore", "inherit", "inherit", "ipc"]
  })

const stop = async <A>(child: ChildProcess): Promise<A> => {
  child.send("stop")
  const [outcome] = (await once(child, "message")) as [A]
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
  return outcome
}

const summarise = ({ millis, refused, unanswered }: Honest.Timing): Summary => {
  const sorted = millis.toSorted((a, b) => a - b)
  const at = (p: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0)
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), worst: at(1), unanswered, refused }
}

const portsOf = (broker: TestBroker) => ({
  tcp: broker.nodes.map(({ tcpPort }) => tcpPort),
  websocket: broker.nodes.map(({ websocketPort }) => websocketPort)
})

/** Lets honest users work through a flood of this kind. */
export const endure = async (broker: TestBroker, options: FloodOptions): Promise<FloodReport> => {
  const transport = options.transport ?? "tcp"
  const ports = portsOf(broker)
  const users = Array.from({ length: options.honestUsers ?? 6 }, makeAccount)
  const hostile = Array.from({ length: options.accounts ?? 1 }, makeAccount)
  for (const { hex } of [...users, ...hostile]) broker.register(hex)
  const [honest, flooder] = [start("./Honest.ts"), start("./Flooder.ts")]
  try {
    honest.send({
      transports: ["tcp", "websocket"],
      ports,
      secrets: users.map(({ secret }) => secret),
      pauseMillis: 50
    } satisfies Honest.Orders)
    await once(honest, "message")
    flooder.send({
      kind: options.kind,
      transport,
      ports: ports[transport],
      secrets: hostile.map(({ secret }) => secret),
      connectionsPerAccount: options.connectionsPerAccount ?? 1,
      ...(options.perSecond === undefined ? {} : { perSecond: options.perSecond }),
      victim: users[0]!.hex
    } satisfies Flooder.Orders)
    honest.send("count")
    await sleep(options.seconds * 1000)
    const outcome = await stop<Honest.Outcome>(honest)
    const flood = await stop<Flooder.Outcome>(flooder)
    return {
      sends: summarise(outcome.sends),
      fetches: summarise(outcome.fetches),
      honestClosed: outcome.closed,
      flood
    }
  } finally {
    honest.kill("SIGKILL")
    flooder.kill("SIGKILL")
  }
}

/** Users who each send so many full frames to a friend at the same moment; gives the answers and when the last one came. */
export const burst = async (
  broker: TestBroker,
  users: number,
  frames: number
): Promise<{ readonly answers: ReadonlyArray<string>; readonly millis: ReadonlyArray<number> }> => {
  const accounts = Array.from({ length: users }, makeAccount)
  for (const { hex } of accounts) broker.register(hex)
  const frame = new Uint8Array(65_536)
  const clients = await Promise.all(
    accounts.map(async (account, i) => {
      const node = broker.nodes[i % broker.nodes.length]!
      const kind = i % 2 === 0 ? "tcp" : "websocket"
      const client = await openRaw({ kind, port: kind === "tcp" ? node.tcpPort : node.websocketPort })
      const refused = await client.login(account)
      if (refused !== undefined) throw new Error(refused)
      return client
    })
  )
  const send = (i: number, payload: Uint8Array) =>
    clients[i]!.request(`kez.inbox.${accounts[i ^ 1]!.hex}`, payload, headerBlock(`Kez-Id: ${kezId()}`))
  for (const i of clients.keys()) await send(i, Uint8Array.of(1))
  const began = performance.now()
  const millis: Array<number> = []
  const answers = await Promise.all(
    clients.flatMap((_, i) =>
      Array.from({ length: frames }, async () => {
        const { payload } = await send(i, frame)
        millis.push(performance.now() - began)
        return payload.toString()
      })
    )
  )
  for (const client of clients) client.close()
  return { answers, millis }
}

/** How often a nats-server closed one of chat-server's connections for what it had not read. */
export const gatewayFalls = async (broker: TestBroker): Promise<number> => {
  let falls = 0
  for (let node = 1; node <= broker.nodes.length; node++) {
    const log = await readFile(join(broker.folder, `nats-${node}.log`), "utf8")
    falls += log
      .split("\n")
      .filter((line) => /Slow Consumer/i.test(line) && /kez-chat-server|KEZ|AUTH|SYS/.test(line)).length
  }
  return falls
}
