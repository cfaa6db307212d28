/** A parsed broker URL: the host that a login is bound to, and whether the connection must be encrypted. */
import * as Result from "effect/Result"
import { AddressClass, BrokerLogin } from "../../protocol/index.ts"

export interface Target {
  readonly url: string
  /** The host in the login's signature. */
  readonly host: string
  /** As in the URL; absent for the scheme's default. */
  readonly port?: number
  /** False only on this machine, where plaintext is allowed. */
  readonly encrypted: boolean
}

/** The schemes of one transport's URLs. */
export interface Schemes {
  readonly plain: string
  readonly encrypted: string
}

/** Parses a URL with one of `schemes`, or fails with the reason. */
export const parse = (url: string, schemes: Schemes): Result.Result<Target, string> => {
  const scheme = /^([a-z]+):\/\//i.exec(url)?.[1]?.toLowerCase()
  if (scheme !== schemes.plain && scheme !== schemes.encrypted) {
    return Result.fail(`${url} is not a ${schemes.plain}:// or ${schemes.encrypted}:// URL`)
  }
  const host = BrokerLogin.normaliseHost(url)
  if (Result.isFailure(host)) return Result.fail(`${url}: ${host.failure.detail}`)
  const encrypted = scheme === schemes.encrypted || (scheme === "nats" && !AddressClass.isLoopback(host.success))
  if (!encrypted && !AddressClass.isLoopback(host.success)) {
    return Result.fail(`${url}: without TLS only a broker on this machine is allowed; use ${schemes.encrypted}://`)
  }
  // Not by the URL parser, which drops the default ports of web schemes.
  const port = /:(\d{1,5})(?:\/.*)?$/.exec(url)?.[1]
  return Result.succeed({ url, host: host.success, ...(port === undefined ? {} : { port: Number(port) }), encrypted })
}
