/** The proxies for HTTP that an environment names. */

export type Environment = Readonly<Record<string, string | undefined>>

export interface Proxies {
  readonly http: string | undefined
  readonly https: string | undefined
  /** Hosts that are reached without one, separated by commas or spaces. */
  readonly none: string
}

/** `HTTP_PROXY`, `HTTPS_PROXY` (else that of HTTP) and `NO_PROXY`, in lower case first; empty strings name none. */
export const proxiesOf = (env: Environment): Proxies => {
  const value = (name: string) => env[name.toLowerCase()] || env[name] || undefined
  const http = value("HTTP_PROXY")
  return { http, https: value("HTTPS_PROXY") ?? http, none: value("NO_PROXY") ?? "" }
}
