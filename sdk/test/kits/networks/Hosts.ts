/**
 * Hosts, routers and the network between them, as Linux network namespaces: real interfaces, routes and packet filters,
 * and no packet that leaves them. Needs root, `ip` and `nft`.
 */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import * as process from "node:process"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"

const has = (program: string): boolean =>
  ["/usr/sbin", "/sbin", "/usr/bin"].some((at) => existsSync(`${at}/${program}`))

/** Why networks cannot be made here; undefined if they can. */
export const whyNoNetworks = (): string | undefined => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux"
  const missing = ["ip", "nft", "python3"].filter((program) => !has(program))
  return missing.length === 0 ? undefined : "apt-get install iproute2 nftables python3"
}

const run = (...[program = "", ...args]: ReadonlyArray<string>): string =>
  execFileSync(program, args, { encoding: "utf8" })

/** One host: a namespace with the interface `eth0`. */
export interface Host {
  readonly namespace: string
  /** Program and arguments that run a command on this host. */
  readonly command: (...words: ReadonlyArray<string>) => ReadonlyArray<string>
  readonly do: (...words: ReadonlyArray<string>) => string
  /** Bytes that `eth0` received. */
  readonly received: () => number
}

/** How a router changes the source ports of what it sends on: the same for every peer, or another for each. */
type Nat = "cone" | "symmetric"

export interface Place {
  /** Behind a router with this kind of address translation; without it the host has a public address. */
  readonly nat?: Nat
  /** The router lets no UDP through. */
  readonly blocksUdp?: boolean
  /** Only IPv6. */
  readonly onlyV6?: boolean
  readonly mtu?: number
  /** Share of arriving packets that are dropped, in percent. */
  readonly lossPercent?: number
  /** Delay each way, in milliseconds, by a program that stands between the host and the network. */
  readonly delayMillis?: number
}

const filter = (host: Host, rules: string): void => void host.do("nft", rules)

let counter = 0

/** A network of its own until the scope closes. */
export const makeNetwork = Effect.gen(function* () {
  const prefix = `kez${process.pid}-${++counter}`
  const namespaces: Array<string> = []
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const namespace of namespaces.reverse()) run("ip", "netns", "del", namespace)
    })
  )

  const namespace = (name: string): Host => {
    const own = `${prefix}-${name}`
    run("ip", "netns", "add", own)
    namespaces.push(own)
    const command = (...words: ReadonlyArray<string>) => ["ip", "netns", "exec", own, ...words]
    const act = (...words: ReadonlyArray<string>) => run(...command(...words))
    act("ip", "link", "set", "lo", "up")
    return {
      namespace: own,
      command,
      do: act,
      received: () => Number(act("cat", "/sys/class/net/eth0/statistics/rx_bytes"))
    }
  }

  const middle = namespace("net")
  middle.do("ip", "link", "add", "br0", "type", "bridge")
  middle.do("ip", "link", "set", "br0", "up")

  /** Joins `device` of a host with a new port of another namespace, by a cable or through a program that delays. */
  const join = Effect.fnUntraced(function* (host: Host, device: string, to: Host, port: string, delayMillis = 0) {
    if (delayMillis === 0) {
      const cable = ["link", "add", device, "netns", host.namespace, "type", "veth", "peer", "name", port]
      return void run("ip", ...cable, "netns", to.namespace)
    }
    const script = fileURLToPath(new URL("delay.py", import.meta.url))
    const words = [script, host.namespace, device, to.namespace, port, String(delayMillis)]
    const child = spawn("python3", words, { stdio: ["pipe", "pipe", "inherit"] })
    yield* Effect.addFinalizer(() =>
      Effect.promise(async () => {
        const closed = once(child, "close")
        child.stdin.end()
        await closed
      })
    )
    yield* Effect.promise(() => once(child.stdout, "data"))
  })

  let last = 9
  /** Gives `device` of a host a place on the public network. */
  const publish = Effect.fnUntraced(function* (host: Host, device: string, place: Place) {
    const number = ++last
    const port = `p${number}`
    yield* join(host, device, middle, port, place.delayMillis)
    middle.do("ip", "link", "set", port, "master", "br0", "up")
    if (place.onlyV6 !== true) host.do("ip", "addr", "add", `203.0.113.${number}/24`, "dev", device)
    host.do("ip", "addr", "add", `2001:db8::${number}/64`, "dev", device, "nodad")
    host.do("ip", "link", "set", device, "up", ...(place.mtu === undefined ? [] : ["mtu", String(place.mtu)]))
    return number
  })

  /** A new host. */
  const host = Effect.fnUntraced(function* (name: string, place: Place = {}) {
    const own = namespace(name)
    const isPublic = place.nat === undefined && place.blocksUdp !== true
    if (isPublic) yield* publish(own, "eth0", place)
    else {
      const router = namespace(`${name}-router`)
      const number = yield* publish(router, "wan", place)
      yield* join(own, "eth0", router, "lan")
      router.do("ip", "addr", "add", `10.0.${number}.1/24`, "dev", "lan")
      router.do("ip", "link", "set", "lan", "up")
      router.do("sysctl", "-qw", "net.ipv4.ip_forward=1")
      own.do("ip", "addr", "add", `10.0.${number}.2/24`, "dev", "eth0")
      own.do("ip", "link", "set", "eth0", "up")
      own.do("ip", "route", "add", "default", "via", `10.0.${number}.1`)
      const ports = place.nat === "symmetric" ? " random,fully-random" : ""
      filter(router, `add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }`)
      filter(router, `add rule ip nat post oifname wan masquerade${ports}`)
      filter(router, `add table ip fw; add chain ip fw forward { type filter hook forward priority 0; policy drop; }`)
      if (place.blocksUdp === true) filter(router, `add rule ip fw forward meta l4proto udp drop`)
      filter(router, `add rule ip fw forward iifname lan accept`)
      filter(router, `add rule ip fw forward ct state established,related accept`)
    }
    if (place.lossPercent !== undefined) {
      filter(own, `add table inet loss; add chain inet loss in { type filter hook input priority 0; }`)
      filter(own, `add rule inet loss in iifname eth0 numgen random mod 100 < ${place.lossPercent} drop`)
    }
    return own
  })

  /** Takes a public host's addresses away and gives it others, as when a phone changes its network. */
  const moves = (own: Host): void => {
    own.do("ip", "addr", "flush", "dev", "eth0")
    own.do("ip", "addr", "add", `203.0.113.${++last}/24`, "dev", "eth0")
    own.do("ip", "addr", "add", `2001:db8::${last}/64`, "dev", "eth0", "nodad")
  }

  return { host, moves }
})
