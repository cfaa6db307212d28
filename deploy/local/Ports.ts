// The ports of a local home: defaults, the `--ports` option, and who holds a busy one.
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { createServer } from "node:net"
import { Refusal } from "../tasks/paths.mjs"

export interface HomePorts {
  /** chat-server, for clients. */
  readonly home: number
  /** chat-server's second listener: metrics, and the broker's login questions. */
  readonly internal: number
  readonly sigServer: number
  readonly nats: number
  readonly websocket: number
  /** nats-server's monitoring pages. */
  readonly monitoring: number
}

export type PortName = keyof HomePorts

/** One of the three processes of a home. */
export type PartName = "nats" | "sig" | "chat"

export const DEFAULT_PORTS: HomePorts = {
  home: 8080,
  internal: 8081,
  sigServer: 7878,
  nats: 4222,
  websocket: 8443,
  monitoring: 8222
}

/** The ports that each process listens on. */
export const PARTS: Readonly<Record<PartName, readonly PortName[]>> = {
  nats: ["nats", "websocket", "monitoring"],
  sig: ["sigServer"],
  chat: ["home", "internal"]
}

const names = Object.keys(DEFAULT_PORTS) as PortName[]

/** Reads `auto` or `home=9080,nats=5222`; ports that are not listed keep their defaults. */
export function parsePorts(text: string): "auto" | Partial<HomePorts> {
  if (text === "auto") return "auto"
  const ports: Partial<Record<PortName, number>> = {}
  for (const part of text.split(",")) {
    const [, word, digits] = /^\s*(\w+)=(\d+)\s*$/.exec(part) ?? []
    const name = names.find((name) => name === word)
    const port = Number(digits)
    if (name === undefined)
      throw new Refusal(
        `--ports takes "auto" or a list like home=9080,nats=5222 of ${names.join(", ")}; "${part}" is neither.`
      )
    if (port < 1 || port > 65_535) throw new Refusal(`--ports ${part}: a port is between 1 and 65535.`)
    ports[name] = port
  }
  const all = Object.values({ ...DEFAULT_PORTS, ...ports })
  const duplicate = all.find((port, index) => all.indexOf(port) !== index)
  if (duplicate !== undefined)
    throw new Refusal(`--ports gives port ${duplicate} to two listeners: choose another for one of them.`)
  return ports
}

/** Whether 127.0.0.1:port can be listened on now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer()
    server.once("error", () => done(false))
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => done(true)))
  })
}

/**
 * Free ports below the range that systems use for outgoing connections, so that no client takes the port of a server
 * while a test restarts it.
 */
export async function freePorts(): Promise<HomePorts> {
  const taken = new Set<number>()
  while (taken.size < names.length) {
    const port = 10_240 + Math.floor(Math.random() * 20_000)
    if (!taken.has(port) && (await isFree(port))) taken.add(port)
  }
  const free = [...taken]
  return Object.fromEntries(names.map((name, index) => [name, free[index]])) as unknown as HomePorts
}

/** `"nats-server (process 1234)"` for the process that listens on `port`, as far as /proc tells; undefined elsewhere. */
export function holder(port: number): string | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, "0")
  const inodes = new Set<string>()
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    let text
    try {
      text = readFileSync(table, "utf8")
    } catch {
      continue
    }
    for (const line of text.split("\n")) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
      if (local?.endsWith(`:${hex}`) && state === "0A") inodes.add(`socket:[${inode}]`)
    }
  }
  if (inodes.size === 0) return undefined
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`))
        if (inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`)))
          return `${readFileSync(`/proc/${pid}/comm`, "utf8").trim()} (process ${pid})`
    } catch {
      // Another user's process, or one that has ended meanwhile.
    }
  }
  return undefined
}

/** One sentence about a busy port, with its holder and two ways out. */
export function busySentence(name: PortName, port: number): string {
  const process = holder(port)
  const other = port + 1000 > 65_535 ? port - 1000 : port + 1000
  return `Port ${port} (${name}) is taken${process ? ` by ${process}` : ""}: stop that, or start with --ports auto, or with --ports ${name}=${other}.`
}
