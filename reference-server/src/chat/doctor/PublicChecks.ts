/** What anybody can see of a home from where they are: no folder and no key of it is needed. */
import { ProblemBody } from "@kez-chat/sdk/api"
import { AddressClass, Limits } from "@kez-chat/sdk/protocol"
import { type Check, failed, type Findings, ok, warning } from "./Check.ts"
import { checkCertificate, checkName, checkTcp, checkWebSocket, hostOf } from "./Sockets.ts"

/** Beyond it registrations are refused; a tenth of it is worth a warning. */
const refusedMillis = Limits.statementWindowMillis
const askMillis = 5_000

/** What the home's own folder says of it, where it is at hand. */
export interface Expected {
  readonly serverName: string
  /** As in the header {@link homeHeader}; undefined while the keys cannot be read. */
  readonly homeId: string | undefined
}

/** Header of `/v1/healthz` that names the home's keys folder. */
export const homeHeader = "kez-home"

interface Description {
  readonly server?: unknown
  readonly sig_server?: unknown
  readonly registration?: unknown
  readonly broker?: { readonly tcp?: unknown; readonly websocket?: unknown }
  readonly operator?: { readonly contact?: unknown }
}

const ask = async (url: string, signal: AbortSignal) => {
  const asked = performance.now()
  const response = await fetch(url, {
    redirect: "manual",
    signal: AbortSignal.any([signal, AbortSignal.timeout(askMillis)])
  })
  const text = await response.text()
  const millis = performance.now() - asked
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  return { status: response.status, headers: response.headers, json: Object(json) as Record<string, unknown>, millis }
}

const strings = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : []

const proxyRemedy = "see that chat-server runs, and that the proxy passes this name on to its port"

/** The time here against the home's, which counts in whole seconds. */
const clockOf = (date: string | null, millis: number): Findings => {
  const theirs = Date.parse(date ?? "")
  if (Number.isNaN(theirs)) return warning("the home sends no date", "let the proxy pass the header Date on")
  const offset = Math.round((Date.now() - millis / 2 - (theirs + 500)) / 1_000)
  const remedy = "synchronise the clocks of both machines (timedatectl set-ntp true)"
  const found = `this clock and the home's differ by ${Math.abs(offset)} seconds`
  if (Math.abs(offset) * 1_000 >= refusedMillis) return failed(found, remedy)
  return Math.abs(offset) * 1_000 >= refusedMillis / 10 ? warning(found, remedy) : ok("the clocks agree")
}

/** The checks of a public URL; `expected` adds that it is the home of this folder. */
export const publicChecks = (base: string, expected?: Expected): ReadonlyArray<Check> => {
  const url = base.replace(/\/+$/, "")
  const host = hostOf(url)
  const origin = new URL(url).origin
  let description: Promise<{ readonly description: Description; readonly date: string | null; readonly millis: number }>
  const described = (signal: AbortSignal) =>
    (description ??= ask(`${url}/.well-known/kez-chat`, signal).then(({ headers, json, millis, status }) => {
      if (status !== 200 || typeof json["server"] !== "string") {
        throw new Error(`${url}/.well-known/kez-chat answers ${status} and is not a home's description`)
      }
      return { description: json, date: headers.get("date"), millis }
    }))

  const home = async (signal: AbortSignal): Promise<Findings> => {
    const { server } = (await described(signal)).description
    const wanted = expected?.serverName ?? host
    if (server !== wanted && (expected !== undefined || !AddressClass.isLoopback(host))) {
      return failed(`${url} is the home of @${String(server)}, not of @${wanted}`, "correct --server-name or the proxy")
    }
    if (expected?.homeId === undefined) return ok(`${url} is the home of @${String(server)}`)
    const { headers } = await ask(`${url}/v1/healthz`, signal)
    return headers.get(homeHeader) === expected.homeId
      ? ok(`${url} is this home; what others reach, only they see: kez-chat-server doctor --url ${url} elsewhere`)
      : failed(
          `${url} answers as @${String(server)}, but with other keys than those of --keys-dir`,
          "another chat-server is behind it: correct the proxy, or --keys-dir"
        )
  }

  const health = async (signal: AbortSignal): Promise<Findings> => {
    const { json, status } = await ask(`${url}/v1/healthz`, signal)
    return status === 200
      ? ok(`healthy, version ${String(json["version"])}`)
      : failed(`${status}: ${String(json["reason"] ?? "no reason given")}`, "see deploy/docs/incidents.md")
  }

  /** A check of something that the description names; what keeps the description away is said once. */
  const named =
    (check: (description: Description, signal: AbortSignal) => Promise<Findings>): Check["run"] =>
    async (signal) => {
      const found = await described(signal).catch(() => undefined)
      return found === undefined ? [] : check(found.description, signal)
    }

  const websocket = async ({ broker }: Description, signal: AbortSignal): Promise<Findings> => {
    const urls = strings(broker?.websocket)
    if (urls.length === 0) return warning("no WebSocket is published: pages cannot connect", "set --public-ws-url")
    return (await Promise.all(urls.map((each) => checkWebSocket(each, origin, signal)))).flat()
  }

  const tcp = async ({ broker }: Description, signal: AbortSignal): Promise<Findings> => {
    const urls = strings(broker?.tcp)
    if (urls.length === 0) return ok("no TCP port is published: programs use the WebSocket")
    return (await Promise.all(urls.map((each) => checkTcp(each, signal)))).flat()
  }

  const certificates = async (signal: AbortSignal): Promise<Findings> => {
    const { broker, sig_server: sig } = (await described(signal).catch(() => ({ description: {} as Description })))
      .description
    const all = [url, ...strings(broker?.websocket), ...strings([sig])].filter((each) => /^(?:https|wss):/.test(each))
    const each = new Map(all.map((address) => [new URL(address).host, address]))
    if (each.size === 0) return ok("no TLS: a home of this machine alone")
    const found = await Promise.all(
      [...each.values()].map((address) =>
        checkCertificate(address, signal).catch((error: Error) => failed(`${address}: ${error.message}`, proxyRemedy))
      )
    )
    return found.flat()
  }

  const sigServer = async (description: Description, signal: AbortSignal): Promise<Findings> => {
    const published = String(description.sig_server).replace(/\/+$/, "")
    const { headers, json, status } = await ask(`${published}/v1/sigchains/ed25519/${"0".repeat(64)}/head`, signal)
    // Not an admissible key: only a sig-server says so.
    const isProblem = headers.get("content-type")?.split(";")[0] === ProblemBody.mediaType
    return isProblem && json["code"] === "key_rejected"
      ? ok(`${published} answers`)
      : failed(
          `${published} answers ${status}, and not as a sig-server does`,
          "see that the sig-server runs, and that the proxy passes its name on"
        )
  }

  const registration = async ({ operator, registration: mode = "open" }: Description): Promise<Findings> =>
    mode === "open" && operator?.contact === undefined && !AddressClass.isLoopback(host)
      ? warning("open to everybody, and no contact is published", "set --contact, or --registration invite")
      : ok(String(mode))

  return [
    { name: "name", remedy: "ask again", run: () => checkName(host) },
    { name: "certificate", remedy: proxyRemedy, run: certificates },
    { name: "home", remedy: proxyRemedy, run: home },
    { name: "health", remedy: proxyRemedy, run: health },
    { name: "websocket", remedy: proxyRemedy, run: named(websocket) },
    { name: "tcp", remedy: "open the port of --public-nats-url, or publish none", run: named(tcp) },
    {
      name: "sig-server",
      remedy: "see that the sig-server runs, and that --public-sig-server-url is right",
      run: named(sigServer)
    },
    { name: "registration", remedy: proxyRemedy, run: named(registration) },
    {
      name: "clock",
      remedy: proxyRemedy,
      run: (signal) =>
        described(signal).then(
          ({ date, millis }) => clockOf(date, millis),
          () => []
        )
    }
  ]
}
