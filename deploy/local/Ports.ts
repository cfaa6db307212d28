// The ports of a local home: their defaults, how they are written on the command line, and who holds a busy one.
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { createServer } from "node:net"
import { Refusal } from "../tasks/paths.mjs"

/** `internal` is chat-server's second listener (metrics, the callout's question over HTTP). */
export const DEFAULT_PORTS = {
  home: 8080,
  internal: 8081,
  sigServer: 7878,
  nats: 4222,
  websocket: 8443,
  monitoring: 8222
}

/** Which process listens where; `--only` starts a part of them. */
export const PARTS = { nats: ["nats", "websocket", "monitoring"], sig: ["sigServer"], chat: ["home", "internal"] }

const names = Object.keys(DEFAULT_PORTS)

/** Reads `auto` or `home=9080,nats=5222`; the rest keep their defaults. */
export function parsePorts(text) {
  if (text === "auto") return "auto"
  const ports = {}
  for (const part of text.split(",")) {
    const [, name, digits] = /^\s*(\w+)=(\d+)\s*$/.exec(part) ?? []
    const port = Number(digits)
    if (!names.includes(name))
      throw new Refusal(
        `--ports takes "auto" or a list like home=9080,nats=5222 of ${names.join(", ")}; "${part}" is neither.`
      )
    if (port < 1 || port > 65_535) throw new Refusal(`--ports ${part}: a port is between 1 and 65535.`)
    ports[name] = port
  }
  const all = Object.values({ ...DEFAULT_PORTS, ...ports })
  const twice = all.find((port, index) => all.indexOf(port) !== index)
  if (twice !== undefined)
    throw new Refusal(`--ports gives port ${twice} to two listeners: choose another for one of them.`)
  return ports
}

/** Whether 127.0.0.1:port can be listened on now. */
export function isFree(port) {
  return new Promise((done) => {
    const server = createServer()
    server.once("error", () => done(false))
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => done(true)))
  })
}

/**
 * Free ports, below the range that systems hand out for outgoing connections: a port that a test gives back while it
 * restarts a server is not taken by somebody's client meanwhile.
 */
export async function freePorts(wanted = names) {
  const ports = {}
  const taken = new Set()
  for (const name of wanted) {
    let port
    do port = 10_240 + Math.floor(Math.random() * 20_000)
    while (taken.has(port) || !(await isFree(port)))
    taken.add(port)
    ports[name] = port
  }
  return ports
}

/** `"nats-server (process 1234)"` for who listens on `port`, as far as /proc tells; undefined elsewhere. */
export function holder(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, "0")
  const inodes = new Set()
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
      // Another user's process, or one that ended meanwhile.
    }
  }
  return undefined
}

/** One sentence about a busy port. */
export function busySentence(name, port) {
  const who = holder(port)
  return `Port ${port} (${name}) is taken${who ? ` by ${who}` : ""}: stop that, or start with --ports auto, or with --ports ${name}=${port + 1000 > 65_535 ? port - 1000 : port + 1000}.`
}
