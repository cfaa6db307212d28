/** Requests on `kez.trim.<own>`: usage of an inbox, and removal of frames that its devices hold (spec/broker.md). */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import * as Canonical from "../encoding/Canonical.ts"
import * as Json from "../encoding/Json.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"
import * as Timestamp from "../encoding/Timestamp.ts"

/** One of an account's two stream subjects: mail from others, or its own sent copies. */
export type Box = "inbox" | "self"

export interface Request {
  readonly box: Box
  /** 16 random bytes, new for each request; the answer repeats them. */
  readonly nonce: Uint8Array
  /** Removes frames up to `upTo` of the stream's `epoch`; if absent, the request only reads the usage. */
  readonly remove?: { readonly upTo: number; readonly epoch: string }
}

/** Used bytes and their limit. */
export interface Share {
  readonly used: number
  readonly limit: number
}

export interface Report extends Share {
  /** The epoch of the stream, 22 base64url characters. */
  readonly epoch: string
  /** The part of the inbox used by strangers. */
  readonly strangers?: Share
  /** Storage time of the oldest remaining frame, in milliseconds since the epoch; absent if the box is empty. */
  readonly oldestMillis?: number
}

/** Writes a request. */
export const encodeRequest = ({ box, nonce, remove }: Request): Uint8Array =>
  Canonical.encode({
    box,
    n: Bytes.toBase64Url(nonce),
    ...(remove === undefined ? {} : { upTo: remove.upTo, epoch: remove.epoch })
  })

/** Reads a request; `request_malformed`, or the codes of `Json.parse`. `upTo` needs `epoch`. Ignores other members. */
export const parseRequest = (bytes: Uint8Array): Result.Result<Request, Problem> => {
  const json = Json.parse(bytes, { maxBytes: Limits.fetchRequestBytes })
  if (Result.isFailure(json)) return Result.fail(json.failure)
  if (!Json.isObject(json.success)) return fail("request_malformed", "expected an object")
  const { box, epoch, n, upTo } = json.success
  if (box !== "inbox" && box !== "self") return fail("request_malformed", "box is neither inbox nor self")
  const nonce = Bytes.exactly(n, Limits.fetchNonceBytes)
  if (nonce === undefined) return fail("request_malformed", "n is not 16 bytes of base64url")
  if (epoch !== undefined && Bytes.exactly(epoch, Limits.epochBytes) === undefined) {
    return fail("request_malformed", "epoch is not 16 bytes of base64url")
  }
  if (upTo === undefined) return Result.succeed({ box, nonce })
  if (typeof upTo !== "number" || upTo < 1) return fail("request_malformed", "upTo is not a sequence number")
  return typeof epoch === "string"
    ? Result.succeed({ box, nonce, remove: { upTo, epoch } })
    : fail("request_malformed", "upTo without epoch")
}

/** Writes the answer to a request with this nonce. */
export const encodeAnswer = (report: Report, nonce: Uint8Array): Uint8Array =>
  Canonical.encode({
    ok: 1,
    n: Bytes.toBase64Url(nonce),
    epoch: report.epoch,
    used: report.used,
    limit: report.limit,
    ...(report.strangers === undefined
      ? {}
      : { strangers: { used: report.strangers.used, limit: report.strangers.limit } }),
    ...(report.oldestMillis === undefined ? {} : { oldest: Timestamp.fromMillis(report.oldestMillis) })
  })

/** Reads the answer to the request with this nonce; undefined for anything else, such as other requests' answers. */
export const decodeAnswer = (bytes: Uint8Array, nonce: Uint8Array): Report | undefined => {
  const json = Json.parse(bytes, { maxBytes: Limits.fetchRequestBytes })
  if (Result.isFailure(json) || !Json.isObject(json.success)) return undefined
  const { e, epoch, n, ok, oldest, strangers } = json.success
  if (ok !== 1 || e !== undefined || n !== Bytes.toBase64Url(nonce)) return undefined
  const whole = shareOf(json.success)
  if (whole === undefined || typeof epoch !== "string") return undefined
  if (Bytes.exactly(epoch, Limits.epochBytes) === undefined) return undefined
  const part = strangers === undefined ? {} : { strangers: shareOf(strangers) }
  const time = oldest === undefined ? {} : { oldestMillis: timeOf(oldest) }
  if (
    ("strangers" in part && part.strangers === undefined) ||
    ("oldestMillis" in time && time.oldestMillis === undefined)
  )
    return undefined
  return { epoch, ...whole, ...part, ...time } as Report
}

const shareOf = (json: Json.Json): Share | undefined => {
  if (!Json.isObject(json)) return undefined
  const { limit, used } = json
  return typeof used === "number" && used >= 0 && typeof limit === "number" && limit >= 0 ? { used, limit } : undefined
}

const timeOf = (json: Json.Json): number | undefined =>
  typeof json === "string" ? Result.getOrUndefined(Timestamp.parse(json)) : undefined
