/** The HTTP proxies of an environment. */

export type Environment = Readonly<Record<string, string | undefined>>

export interface Proxies {
  readonly http: string | undefined
  readonly https: string | undefined
  /** Hosts reached without a proxy, separated by commas or spaces. */
  readonly none: string
}

/** `HTTP_PROXY`, `HTTPS_PROXY` (default: that of HTTP) and `NO_PROXY`, lower case first; empty means unset. */
export const proxiesOf = (env: Environment): Proxies => {
  const value = (name: string) => env[name.toLowerCase()] || env[name] || undefined
  const http = value("HTTP_PROXY")
  return { http, https: value("HTTPS_PROXY") ?? http, none: value("NO_PROXY") ?? "" }
}
