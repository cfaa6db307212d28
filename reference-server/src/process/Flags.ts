/** Flags with an environment variable each; `--help` names both, and a flag wins. */
import * as Config from "effect/Config"
import * as Flag from "effect/cli/Flag"
import type { Listeners, Timing } from "../chat/ChatConfig.ts"

/** The generated help lists neither defaults nor environment names, so the description says both. */
const described = (description: string, env: string, fallback: string | number) =>
  `${description}${fallback === "" ? "" : ` (default ${fallback})`} [env ${env}]`

/** A text setting. */
export const text = (name: string, env: string, fallback: string, description: string): Flag.Flag<string> =>
  Flag.String(name).pipe(
    Flag.withDescription(described(description, env, fallback)),
    Flag.withFallbackConfig(Config.String(env)),
    Flag.withDefault(fallback)
  )

/** A comma-separated list; blanks around items are dropped. */
export const list = (
  name: string,
  env: string,
  fallback: string,
  description: string
): Flag.Flag<ReadonlyArray<string>> =>
  Flag.map(text(name, env, fallback, `${description}, separated by commas`), (value) =>
    value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "")
  )

/** A whole number of at least `least`. */
export const count = (
  name: string,
  env: string,
  fallback: number,
  description: string,
  least = 0,
  most = Number.MAX_SAFE_INTEGER
): Flag.Flag<number> =>
  Flag.Int(name).pipe(
    Flag.withDescription(described(description, env, fallback)),
    Flag.withFallbackConfig(Config.Int(env)),
    Flag.withDefault(fallback),
    Flag.filter(
      (value) => value >= least && value <= most,
      (value) => `--${name} must be between ${least} and ${most}, not ${value}`
    )
  )

const port = (name: string, env: string, fallback: number, description: string) =>
  count(name, env, fallback, `${description}; 0 takes a free one`, 0, 65_535)

/** Flags about listeners that both servers share. */
export const listenerFlags = (ports: { readonly public: number; readonly internal: number }) => ({
  host: text("host", "HOST", "127.0.0.1", "Address the public listener binds"),
  port: port("port", "PORT", ports.public, "Port of the public listener"),
  internalHost: text(
    "internal-host",
    "INTERNAL_HOST",
    "127.0.0.1",
    "Address the internal listener binds; never public"
  ),
  internalPort: port("internal-port", "INTERNAL_PORT", ports.internal, "Port of the internal listener (metrics)"),
  trustedProxies: list(
    "trusted-proxies",
    "TRUSTED_PROXIES",
    "",
    "Addresses or CIDR ranges of reverse proxies whose X-Forwarded-For is believed"
  )
})

/** Flags about time and connections that both servers share. */
export const timingFlags = {
  requestTimeout: count("request-timeout", "REQUEST_TIMEOUT", 10, "Seconds a request may take to arrive", 1, 600),
  idleTimeout: count("idle-timeout", "IDLE_TIMEOUT", 60, "Seconds an idle connection is kept", 1, 3_600),
  shutdownTimeout: count(
    "shutdown-timeout",
    "SHUTDOWN_TIMEOUT",
    10,
    "Seconds requests get to finish on SIGTERM",
    0,
    600
  ),
  maxConnections: count("max-connections", "MAX_CONNECTIONS", 4_096, "Open connections of the public listener", 1),
  maxConnectionsPerAddress: count(
    "max-connections-per-address",
    "MAX_CONNECTIONS_PER_ADDRESS",
    256,
    "Of these, from one client address; 0 for no limit"
  )
}

/** What a record of flags parses to. */
export type Values<T> = { readonly [K in keyof T]: T[K] extends Flag.Flag<infer A> ? A : never }

export const toListeners = (flags: Values<ReturnType<typeof listenerFlags>>): Listeners => ({
  host: flags.host,
  port: flags.port,
  internalHost: flags.internalHost,
  internalPort: flags.internalPort,
  trustedProxies: flags.trustedProxies
})

export const toTiming = (flags: Values<typeof timingFlags>): Timing => ({
  requestTimeoutMillis: flags.requestTimeout * 1_000,
  idleTimeoutMillis: flags.idleTimeout * 1_000,
  shutdownTimeoutMillis: flags.shutdownTimeout * 1_000,
  maxConnections: flags.maxConnections,
  maxConnectionsPerAddress: flags.maxConnectionsPerAddress
})
