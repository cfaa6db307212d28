/** A broker's URL taken apart: which host a login is bound to, and whether the way there must be encrypted. */
import * as Result from "effect/Result"
import { AddressClass, BrokerLogin } from "../../protocol/index.ts"

export interface Target {
  readonly url: string
  /** The host that the login's signature names. */
  readonly host: string
  /** As the URL has it; absent for the scheme's own. */
  readonly port?: number
  /** Plaintext is for this machine alone. */
  readonly encrypted: boolean
}

/** A URL with one of `schemes`, or the sentence that says what is wrong with it. */
export const parse = (
  url: string,
  schemes: { readonly plain: string; readonly encrypted: string }
): Result.Result<Target, string> => {
  const scheme = /^([a-z]+):\/\//i.exec(url)?.[1]?.toLowerCase()
  if (scheme !== schemes.plain && scheme !== schemes.encrypted) {
    return Result.fail(`${url} is not a ${schemes.plain}:// or ${schemes.encrypted}:// URL`)
  }
  const host = BrokerLogin.normaliseHost(url)
  if (Result.isFailure(host)) return Result.fail(`${url}: ${host.failure.detail}`)
  const encrypted = scheme === schemes.encrypted || (scheme === "nats" && !AddressClass.isLoopback(host.success))
  if (!encrypted && !AddressClass.isLoopback(host.success)) {
    return Result.fail(`${url}: without TLS only a broker on this machine is dialled; use ${schemes.encrypted}://`)
  }
  // Not by the URL parser, which hides the ports that web schemes have by themselves.
  const port = /:(\d{1,5})(?:\/.*)?$/.exec(url)?.[1]
  return Result.succeed({ url, host: host.success, ...(port === undefined ? {} : { port: Number(port) }), encrypted })
}
