/**
 * NATS JWTs (`alg: ed25519-nkey`), to the extent that an authorization callout needs them.
 *
 * Written with node:crypto, because `@nats-io/jwt` calls itself unsupported and cannot keep up with a burst of logins.
 * Strict: one header, one signature form, bounded size, claims of the expected type.
 */
import { createHash, sign, verify, type KeyObject } from "node:crypto"
import * as Result from "effect/Result"
import { Bytes, Nkey } from "@kez-chat/sdk/protocol"
import * as RawKeys from "./RawKeys.ts"
import { isObject, type JsonObject } from "../JsonObject.ts"
import type { ServerKey } from "./Keys.ts"

/** Longest JWT that is parsed, in characters: a request contains a client's CONNECT, which has at most 1 KiB. */
export const maxCharacters = 16_384

const header = Buffer.from('{"typ":"JWT","alg":"ed25519-nkey"}').toString("base64url")

/** Signs claims with a server key; adds `iss`, `iat` (seconds since the epoch) and `jti`. */
export const encode = (key: ServerKey, claims: JsonObject, nowSeconds: number): string => {
  const body = { ...claims, iss: key.publicNkey, iat: nowSeconds, jti: "" }
  // As NATS's own encoder does; a random id would serve as well.
  body.jti = createHash("sha256").update(JSON.stringify(body)).digest("base64url")
  const signed = `${header}.${Buffer.from(JSON.stringify(body)).toString("base64url")}`
  return `${signed}.${sign(null, Buffer.from(signed), key.key).toString("base64url")}`
}

/**
 * The claims of a JWT whose signature verifies under the server key (`N...`) that it names as `iss`. Undefined for
 * anything else. The caller decides whether to trust that issuer.
 */
export const decode = (token: string): JsonObject | undefined => {
  if (token.length > maxCharacters) return undefined
  const parts = token.split(".")
  if (parts.length !== 3) return undefined
  const [head, body, signature] = parts.map((part) => Result.getOrUndefined(Bytes.fromBase64Url(part)))
  if (head === undefined || body === undefined || signature?.length !== 64) return undefined
  const { typ, alg } = parse(head) ?? {}
  if (typ !== "JWT" || alg !== "ed25519-nkey") return undefined
  const claims = parse(body)
  if (claims === undefined || typeof claims.iss !== "string") return undefined
  const key = issuerKey(claims.iss)
  const signed = Buffer.from(token.slice(0, token.lastIndexOf(".")))
  return key !== undefined && verify(null, signed, key, signature) ? claims : undefined
}

const parse = (bytes: Uint8Array): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Imported keys of brokers: one key lasts as long as its broker runs. */
const issuers = new Map<string, KeyObject>()
const maxIssuers = 64

const issuerKey = (nkey: string): KeyObject | undefined => {
  const known = issuers.get(nkey)
  if (known !== undefined) return known
  const decoded = Result.getOrUndefined(Nkey.decode(nkey))
  if (decoded?.prefix !== "server") return undefined
  const key = RawKeys.publicKey("ed25519", decoded.key)
  if (issuers.size >= maxIssuers) issuers.clear()
  issuers.set(nkey, key)
  return key
}
