/** Connections as clients make them, for checks from outside: TLS certificates, NATS over TCP and over WebSocket. */
import { AddressClass } from "@kez-chat/sdk/protocol"
import { randomBytes } from "node:crypto"
import { lookup } from "node:dns/promises"
import { request as httpRequest } from "node:http"
import { request as httpsRequest } from "node:https"
import { connect, type Socket } from "node:net"
import { connect as connectTls, type TLSSocket } from "node:tls"
import { failed, type Findings, ok, reasonOf, warning } from "./Check.ts"

/**
 * A certificate with less left is worth a warning: Caddy and certbot renew when a third of its time is left, so they have
 * failed for a while.
 */
const soonMillis = 14 * 86_400_000
const soonShare = 1 / 6
const connectMillis = 5_000

/** Where a URL's host is, without the brackets of IPv6. */
export const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[(.*)\]$/, "$1")

const portOf = (url: string): number => {
  const { port, protocol } = new URL(url)
  const usual: Readonly<Record<string, number>> = { "https:": 443, "wss:": 443, "http:": 80, "ws:": 80 }
  return port === "" ? (usual[protocol] ?? 4222) : Number(port)
}

/** Addresses that a name leads to. */
export const checkName = async (host: string): Promise<Findings> => {
  if (AddressClass.isLoopback(host)) return ok(`${host} is this machine`)
  const found = await lookup(host, { all: true }).catch(() => [])
  if (found.length === 0) {
    return failed(`DNS has no address for ${host}`, `add an A or AAAA record for ${host} that leads to this home`)
  }
  const addresses = found.map(({ address }) => address).join(", ")
  const inner = found.find(({ address }) => AddressClass.ofHost(address) !== "public")
  return inner === undefined || inner.address === host
    ? ok(`${host} leads to ${addresses}`)
    : warning(
        `${host} leads to ${addresses}; ${inner.address} is ${AddressClass.describe[AddressClass.ofHost(inner.address) ?? "unusable"]} address`,
        "others cannot reach it; if this machine's own hosts file or resolver says so, ask from another machine"
      )
}

const dial = (url: string, signal: AbortSignal): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: hostOf(url), port: portOf(url), signal })
    socket.setTimeout(connectMillis, () => socket.destroy(new Error(`${url} does not answer`)))
    socket.once("error", reject).once("connect", () => resolve(socket.off("error", reject)))
  })

const overTls = (url: string, signal: AbortSignal, socket?: Socket): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const host = hostOf(url)
    const name = AddressClass.ofHost(host) === undefined || host === "localhost" ? { servername: host } : {}
    const options = { ...name, rejectUnauthorized: false }
    const tls = connectTls(socket === undefined ? { ...options, host, port: portOf(url) } : { ...options, socket })
    signal.addEventListener("abort", () => tls.destroy())
    tls.setTimeout(connectMillis, () => tls.destroy(new Error(`${url} does not answer`)))
    tls.once("error", reject).once("secureConnect", () => resolve(tls.off("error", reject)))
  })

/** How long a certificate is still valid, in words, and whether that is too short. */
export const remaining = (from: number, end: number, now: number) => {
  const left = end - now
  const hours = Math.floor(left / 3_600_000)
  return {
    isOver: left < 0,
    isSoon: left < Math.min(soonMillis, (end - from) * soonShare),
    left: hours < 72 ? `${hours} hours` : `${Math.floor(hours / 24)} days`
  }
}

const judged = (url: string, tls: TLSSocket): Findings => {
  const { issuer, valid_from: from, valid_to: end } = tls.getPeerCertificate()
  const { isOver, isSoon, left } = remaining(Date.parse(from), Date.parse(end), Date.now())
  const by = issuer?.O ?? issuer?.CN ?? "nobody"
  const remedy = "look into the log of what obtains the certificate (Caddy: journalctl -u caddy), then reload it"
  if (isOver) return failed(`the certificate of ${url} ended on ${end}`, remedy)
  if (!tls.authorized) {
    const reason = String(tls.authorizationError)
    return failed(
      `clients refuse the certificate of ${url} (${reason})`,
      "use one of a public authority for this name; for a private authority set NODE_EXTRA_CA_CERTS here and at every client"
    )
  }
  return isSoon
    ? warning(`the certificate of ${url} ends in ${left}`, remedy)
    : ok(`the certificate of ${url}, by ${by}, is valid for ${left} more`)
}

/** The certificate at an https: or wss: URL. */
export const checkCertificate = async (url: string, signal: AbortSignal): Promise<Findings> => {
  const tls = await overTls(url, signal)
  try {
    return judged(url, tls)
  } finally {
    tls.destroy()
  }
}

/** A client's way to nats-server over TCP: its greeting, and the certificate behind it. */
export const checkTcp = async (url: string, signal: AbortSignal): Promise<Findings> => {
  const socket = await dial(url, signal)
  try {
    const greeting = await new Promise<string>((resolve, reject) => {
      socket.once("error", reject).once("close", () => reject(new Error("it closed the connection")))
      socket.once("data", (data) => resolve(data.toString("latin1")))
    })
    if (!greeting.startsWith("INFO ")) return failed(`${url} is not a nats-server`, "correct --public-nats-url")
    if (!url.startsWith("tls:")) return ok(`${url} answers`)
    return judged(url, await overTls(url, signal, socket))
  } finally {
    socket.destroy()
  }
}

const openOnes: ReadonlyArray<number> = [502, 503, 504]

/** A page's way to nats-server: a WebSocket from the page's origin, and nats-server's greeting on it. */
export const checkWebSocket = (url: string, origin: string, signal: AbortSignal): Promise<Findings> =>
  new Promise((resolve) => {
    const request = url.startsWith("wss:") ? httpsRequest : httpRequest
    const asked = request(url.replace(/^ws/, "http"), {
      signal,
      timeout: connectMillis,
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        origin,
        "sec-websocket-version": "13",
        "sec-websocket-key": randomBytes(16).toString("base64")
      }
    })
    const remedy = "see that nats-server runs, and that the proxy passes WebSockets on to its port"
    const fail = (found: string, instead = remedy) => resolve(failed(found, instead))
    asked.once("timeout", () => asked.destroy(new Error("no answer")))
    asked.once("error", (error) => fail(`${url} cannot be opened: ${reasonOf(error)}`))
    asked.once("response", (response) => {
      response.destroy()
      const status = response.statusCode ?? 0
      if (status === 403) {
        fail(
          `${url} refuses pages of ${origin}`,
          `kez-chat-server init --allowed-origins ${origin}, then restart nats-server`
        )
      } else
        fail(`${url} answers ${status}${openOnes.includes(status) ? ": the proxy does not reach nats-server" : ""}`)
    })
    asked.once("upgrade", (_, socket, head) => {
      const greeted = (data: Buffer) => {
        socket.destroy()
        if (data.includes("INFO {")) resolve(ok(`${url} takes pages of ${origin}`))
        else fail(`${url} is not a nats-server`)
      }
      socket.setTimeout(connectMillis, () => greeted(Buffer.alloc(0)))
      if (head.length > 0) greeted(head)
      else socket.once("data", greeted)
      socket.once("error", () => greeted(Buffer.alloc(0)))
    })
    asked.end()
  })
