/**
 * Blocking at the home server (spec/broker.md, Block): a JSON request on `kez.block.<own>` and its answer. Frames of a
 * blocked sender get the usual answers and are not stored.
 */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import * as Canonical from "../encoding/Canonical.ts"
import * as Json from "../encoding/Json.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"

export interface Request {
  readonly op: "add" | "remove"
  /** The sender's public key, 64 lower-case hexadecimal digits. */
  readonly who: string
  /** 16 random bytes, new for each request; the answer repeats them. */
  readonly nonce: Uint8Array
}

/** Writes a request. */
export const encodeRequest = ({ nonce, op, who }: Request): Uint8Array =>
  Canonical.encode({ op, who, n: Bytes.toBase64Url(nonce) })

/** Reads a request; `request_malformed`, or the codes of `Json.parse`. Unknown members are ignored. */
export const parseRequest = (bytes: Uint8Array): Result.Result<Request, Problem> => {
  const json = Json.parse(bytes, { maxBytes: Limits.fetchRequestBytes })
  if (Result.isFailure(json)) return Result.fail(json.failure)
  if (!Json.isObject(json.success)) return fail("request_malformed", "expected an object")
  const { n, op, who } = json.success
  if (op !== "add" && op !== "remove") return fail("request_malformed", "op is neither add nor remove")
  if (typeof who !== "string" || !Bytes.isHex(who, Limits.keyBytes))
    return fail("request_malformed", "who is not a key")
  const nonce = Bytes.exactly(n, Limits.fetchNonceBytes)
  return nonce === undefined
    ? fail("request_malformed", "n is not 16 bytes of base64url")
    : Result.succeed({ op, who, nonce })
}

/** Writes the success answer to the request with this nonce. */
export const encodeAnswer = (nonce: Uint8Array): Uint8Array => Canonical.encode({ ok: 1, n: Bytes.toBase64Url(nonce) })

/** Whether this is the success answer to the request with this nonce. */
export const isDone = (bytes: Uint8Array, nonce: Uint8Array): boolean => {
  const json = Json.parse(bytes, { maxBytes: Limits.fetchRequestBytes })
  if (Result.isFailure(json) || !Json.isObject(json.success)) return false
  const { e, n, ok } = json.success
  return ok === 1 && e === undefined && n === Bytes.toBase64Url(nonce)
}
