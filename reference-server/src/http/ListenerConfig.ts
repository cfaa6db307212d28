/** Settings of the public and the internal listener, the same for both servers, and their flags. */
import { count, list, text, type Values } from "../process/Flags.ts"

/** Limits on the time and number of connections. */
export interface Timing {
  /** Within this time the headers and the body of a request must have arrived, in milliseconds. */
  readonly requestTimeoutMillis: number
  /** A connection is closed after this time without traffic, in milliseconds. */
  readonly idleTimeoutMillis: number
  /** On SIGTERM, requests in flight have this long to finish, in milliseconds. */
  readonly shutdownTimeoutMillis: number
  /** Open connections; further ones are refused. */
  readonly maxConnections: number
  /**
   * Open connections from one address that is not a trusted proxy, and concurrent requests of one address behind a
   * proxy; 0 for no limit.
   */
  readonly maxConnectionsPerAddress: number
}

/** Addresses of the two listeners, and the proxies whose word about client addresses counts. */
export interface Listeners {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly internalHost: string
  readonly internalPort: number
  /** Addresses or CIDR ranges of reverse proxies whose `X-Forwarded-For` is trusted. */
  readonly trustedProxies: ReadonlyArray<string>
}

const port = (name: string, fallback: number, description: string) =>
  count(name, fallback, `${description}; 0 takes a free one`, 0, 65_535)

/** Flags of both listeners. */
export const listenerFlags = (ports: { readonly public: number; readonly internal: number }) => ({
  host: text("host", "127.0.0.1", "Address the public listener binds"),
  port: port("port", ports.public, "Port of the public listener"),
  internalHost: text("internal-host", "127.0.0.1", "Address the internal listener binds; never public"),
  internalPort: port("internal-port", ports.internal, "Port of the internal listener (metrics)"),
  trustedProxies: list(
    "trusted-proxies",
    "",
    "Addresses or CIDR ranges of reverse proxies whose X-Forwarded-For is trusted"
  )
})

/** Flags of times and connections. */
export const timingFlags = {
  requestTimeout: count("request-timeout", 10, "Seconds a request may take to arrive", 1, 600),
  idleTimeout: count("idle-timeout", 60, "Seconds an idle connection is kept", 1, 3_600),
  shutdownTimeout: count("shutdown-timeout", 10, "Seconds requests get to finish on SIGTERM", 0, 600),
  maxConnections: count("max-connections", 4_096, "Open connections of the public listener", 1),
  maxConnectionsPerAddress: count(
    "max-connections-per-address",
    256,
    "Open connections from one client address; 0 for no limit"
  )
}

export const toTiming = (flags: Values<typeof timingFlags>): Timing => ({
  requestTimeoutMillis: flags.requestTimeout * 1_000,
  idleTimeoutMillis: flags.idleTimeout * 1_000,
  shutdownTimeoutMillis: flags.shutdownTimeout * 1_000,
  maxConnections: flags.maxConnections,
  maxConnectionsPerAddress: flags.maxConnectionsPerAddress
})
