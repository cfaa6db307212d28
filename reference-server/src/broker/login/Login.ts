/**
 * The answer to one login: whether a key may connect, and with which permissions (spec KEZ-NAT-008 to 016). Pure but
 * for the registry.
 *
 * Under a callout the broker itself checks no signature; every check is here. Identity is the nkey alone, never a name
 * that the client chose. Used by the callout and by `POST /internal/nats/auth`.
 */
import { verify } from "node:crypto"
import * as Result from "effect/Result"
import { BrokerLogin, Bytes, Limits, Nkey, Subject } from "@kez-chat/sdk/protocol"
import { isObject, type JsonObject } from "../JsonObject.ts"
import * as Jwt from "./Jwt.ts"
import type { ServerKey } from "./Keys.ts"
import * as RawKeys from "./RawKeys.ts"

export interface LoginContext {
  readonly issuer: ServerKey
  /** The broker's own host names, in `BrokerLogin.normaliseHost` form. A login signed for any other host is refused. */
  readonly loginHosts: ReadonlyArray<string>
  /**
   * Whether the registry holds an active account with this key (64 hex characters). A throw counts as no.
   *
   * Registration admits a key before it writes it down, so an active key is an admitted one; admitting it again here
   * would cost more than all the rest of a login.
   */
  readonly isActive: (hex: string) => boolean
  /** Whether this key may log in at all: one that handed its handle over may do nothing but fetch. */
  readonly mayFetch: (hex: string) => boolean
  /** Whether the account is shut out for a flood (FloodGuard). */
  readonly isShutOut: (hex: string) => boolean
  /** Lifetime of a login in seconds; the client logs in again afterwards. */
  readonly sessionSeconds: number
}

/** Why a login was refused; for the log and metrics, never for the client. */
export type Refusal =
  | "malformed_request"
  | "foreign_request"
  | "expired_request"
  | "not_a_client"
  | "other_credentials"
  | "nkey_malformed"
  | "nonce_malformed"
  | "signature_malformed"
  | "not_registered"
  | "shut_out"
  | "signature_invalid"
  | "registry_unavailable"

export interface LoginAnswer {
  /** The authorization-response JWT; undefined if the request does not say whom to answer. */
  readonly jwt: string | undefined
  readonly outcome:
    | { readonly _tag: "Accepted"; readonly hex: string; readonly server: string; readonly connection: number }
    | {
        readonly _tag: "Refused"
        readonly refusal: Refusal
        /** The key of `not_registered`. */
        readonly unregistered?: string
      }
}

/** Tolerated difference between the broker's clock and ours. */
const clockSlackSeconds = 30
const requestAudience = "nats-authorization-request"

interface Request {
  readonly server: string
  readonly userNkey: string
  readonly client: JsonObject
  readonly options: JsonObject
}

/** Answers an authorization-request JWT. `nowMillis` is in milliseconds since the epoch. Never throws. */
export const answer = (context: LoginContext, token: string, nowMillis: number): LoginAnswer => {
  const now = Math.floor(nowMillis / 1000)
  const request = parse(token, now)
  if (typeof request === "string") return { jwt: undefined, outcome: { _tag: "Refused", refusal: request } }
  const { server, userNkey, client } = request
  const decided = decide(context, request)
  const respond = (nats: JsonObject): string =>
    Jwt.encode(
      context.issuer,
      { aud: server, sub: userNkey, nats: { ...nats, type: "authorization_response", version: 2 } },
      now
    )
  if ("refusal" in decided) {
    // The client learns nothing but that it was refused.
    return { jwt: respond({ error: "refused" }), outcome: { _tag: "Refused", ...decided } }
  }
  const { hex } = decided
  const jwt = respond({ jwt: userJwt(context, decided, userNkey, now) })
  return { jwt, outcome: { _tag: "Accepted", hex, server, connection: client.id as number } }
}

/**
 * An account's permissions on the broker: publish to every inbox and to its own fetch, trim and block subjects;
 * subscribe to its own deliveries and replies. A key that handed its handle over can publish to its fetch subject alone
 * (spec KEZ-NAT-122).
 */
const userJwt = (context: LoginContext, { hex, isActive }: Admitted, userNkey: string, now: number): string =>
  Jwt.encode(
    context.issuer,
    {
      aud: "CHAT",
      sub: userNkey,
      name: hex,
      exp: now + context.sessionSeconds,
      nats: {
        pub: {
          allow: isActive
            ? [Subject.inbox("*"), Subject.fetch(hex), Subject.trim(hex), Subject.block(hex)]
            : [Subject.fetch(hex)]
        },
        sub: { allow: [Subject.delivery(hex), `${Subject.replyPrefix(hex)}.>`] },
        subs: -1,
        data: -1,
        payload: -1,
        allowed_connection_types: ["STANDARD", "WEBSOCKET"],
        type: "user",
        version: 2
      }
    },
    now
  )

const parse = (token: string, now: number): Request | Refusal => {
  const claims = Jwt.decode(token)
  if (claims === undefined || !isObject(claims.nats)) return "malformed_request"
  const { server_id: server, user_nkey: userNkey, client_info: client, connect_opts: options, type } = claims.nats
  if (type !== "authorization_request" || !isObject(server) || !isObject(client) || !isObject(options)) {
    return "malformed_request"
  }
  if (claims.aud !== requestAudience || claims.iss !== server.id) return "foreign_request"
  if (typeof claims.exp !== "number" || claims.exp + clockSlackSeconds < now) return "expired_request"
  if (typeof userNkey !== "string" || userPublicKey(userNkey) === undefined) return "malformed_request"
  if (!Number.isSafeInteger(client.id)) return "malformed_request"
  return { server: claims.iss as string, userNkey, client, options }
}

interface Admitted {
  readonly hex: string
  /** False for a key that handed its handle over. */
  readonly isActive: boolean
}

const decide = (
  context: LoginContext,
  { client, options }: Request
): Admitted | { refusal: Refusal; unregistered?: string } => {
  const refuse = (refusal: Refusal) => ({ refusal })
  if (client.kind !== "Client" || (client.type !== "nats" && client.type !== "websocket")) return refuse("not_a_client")
  for (const other of ["user", "pass", "auth_token", "jwt"]) {
    if (options[other] !== undefined && options[other] !== "") return refuse("other_credentials")
  }
  const key = typeof options.nkey === "string" ? userPublicKey(options.nkey) : undefined
  if (key === undefined) return refuse("nkey_malformed")
  const nonce = client.nonce
  if (typeof nonce !== "string" || !BrokerLogin.isNonce(nonce)) return refuse("nonce_malformed")
  const signature = typeof options.sig === "string" ? decodeSignature(options.sig) : undefined
  if (signature === undefined) return refuse("signature_malformed")
  const hex = Bytes.toHex(key)
  // The registry comes before the costly checks, so that strangers cost a look-up and no more.
  let isActive: boolean
  try {
    isActive = context.isActive(hex)
    if (!isActive && !context.mayFetch(hex)) return { refusal: "not_registered", unregistered: hex }
  } catch {
    return refuse("registry_unavailable")
  }
  if (context.isShutOut(hex)) return refuse("shut_out")
  const publicKey = RawKeys.publicKey("ed25519", key)
  const signedFor = mostLikelyFirst(context.loginHosts).find((host) => {
    const bytes = BrokerLogin.loginBytes(host, nonce)
    return Result.isSuccess(bytes) && verify(null, bytes.success, publicKey, signature)
  })
  if (signedFor !== undefined) lastHosts.set(context.loginHosts, signedFor)
  return signedFor !== undefined ? { hex, isActive } : refuse("signature_invalid")
}

/** The host that the last login was signed for; each host that is tried in vain costs the check of a signature. */
const lastHosts = new WeakMap<ReadonlyArray<string>, string>()

const mostLikelyFirst = (hosts: ReadonlyArray<string>): ReadonlyArray<string> => {
  const last = lastHosts.get(hosts)
  return last === undefined || last === hosts[0] ? hosts : [last, ...hosts.filter((host) => host !== last)]
}

const userPublicKey = (text: string): Uint8Array | undefined => {
  const nkey = Result.getOrUndefined(Nkey.decode(text))
  return nkey?.prefix === "user" ? nkey.key : undefined
}

/** 64 bytes as unpadded base64url or padded base64: the two forms that NATS clients send. */
const decodeSignature = (text: string): Uint8Array | undefined => {
  const unpadded = /^[A-Za-z0-9+/]{86}==$/.test(text)
    ? text.slice(0, 86).replaceAll("+", "-").replaceAll("/", "_")
    : text
  const bytes = Result.getOrUndefined(Bytes.fromBase64Url(unpadded))
  return bytes?.length === Limits.signatureBytes ? bytes : undefined
}
