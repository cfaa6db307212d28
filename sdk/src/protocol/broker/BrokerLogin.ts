/**
 * The bytes an account signs to log in at a broker (spec/broker.md): `"kez/nats-auth/v1" 00 host 00 nonce`. NATS
 * clients usually sign the bare nonce, which a hostile broker could use elsewhere. The prefix separates the signature
 * from every other use of the key, and the host binds it to one broker.
 */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"

const context = Bytes.utf8("kez/nats-auth/v1")
const separator = Uint8Array.of(0)

/** Letters, digits, hyphens and (for container names) underscores; IPv4 dotted decimals also match. */
const dnsName = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/
const withScheme = /^(?:nats|tls|ws|wss):\/\/([^/?#\\@%\s]+)(?:\/\S*)?$/i
const bare = /^([^/?#\\@%\s]+)$/
const nonceForm = new RegExp(`^[A-Za-z0-9_-]{${Limits.loginNonceCharacters}}$`)

/** Whether this is a nonce as NATS servers issue them: 15 characters of base64url. */
export const isNonce = (text: string): boolean => nonceForm.test(text)

/**
 * The hostname that a login is bound to, as the WHATWG URL standard writes it: lower case, A-labels, IPv6 in brackets,
 * no port, no trailing dot. Schemes are nats, tls, ws and wss (a bare `host:port` counts as nats). Anything else, and a
 * URL with a user or a password, is `login_refused`.
 */
export const normaliseHost = (url: string): Result.Result<string, Problem> => {
  const authority = (withScheme.exec(url) ?? bare.exec(url))?.[1]
  // The URL standard lower-cases and maps hosts of web schemes only, not of nats and tls.
  const parsed = authority === undefined ? null : URL.parse(`http://${authority}`)
  if (parsed === null) return fail("login_refused", "not the URL of a broker")
  const host = parsed.hostname.replace(/\.$/, "")
  return isHost(host) ? Result.succeed(host) : fail("login_refused", "the broker's host name is malformed")
}

/** The bytes to sign. A host not in {@link normaliseHost}'s form or a malformed nonce is `login_refused`. */
export const loginBytes = (host: string, nonce: string): Result.Result<Uint8Array, Problem> => {
  if (!isHost(host)) return fail("login_refused", "the host name is not in its normal form")
  if (!isNonce(nonce)) {
    return fail("login_refused", `the broker's nonce is not ${Limits.loginNonceCharacters} characters of base64url`)
  }
  return Result.succeed(Bytes.concat(context, separator, Bytes.utf8(host), separator, Bytes.utf8(nonce)))
}

const isHost = (host: string): boolean =>
  (dnsName.test(host) || host.startsWith("[")) && URL.parse(`http://${host}`)?.hostname === host
