/**
 * A page of the inbox and the request for it (spec/broker.md), the binary answer of the fetch responder:
 *
 *     01 || epoch16 || ed32 || nonce16 || last u64 || pending u32 || count u16
 *        || count * (seq u64 || time_ms u64 || length u32 || frame)
 *
 * Key and nonce bind it to one account and one request, since others can steer answers onto a client's subjects.
 */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import * as Canonical from "../encoding/Canonical.ts"
import * as Json from "../encoding/Json.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"

/** A stored frame. */
export interface Frame {
  /** Stream sequence number, at least 1. */
  readonly seq: number
  /** Time of storage in milliseconds since the epoch. */
  readonly timeMillis: number
  /** 1 to 65,536 bytes. */
  readonly frame: Uint8Array
}

export interface Page {
  /** The epoch of the stream that the sequence numbers belong to, 22 base64url characters. */
  readonly epoch: string
  /** The last sequence number of the whole stream. */
  readonly last: number
  /** Frames of this account after this page. */
  readonly pending: number
  /** At most 512, in ascending order of `seq`. */
  readonly frames: ReadonlyArray<Frame>
}

/** The account and the request that a page must be for: 32 and 16 bytes. */
export interface PageFor {
  readonly ed25519: Uint8Array
  readonly nonce: Uint8Array
}

/** A request for the frames after stream sequence number `after`. */
export interface Request {
  readonly after: number
  /** 16 random bytes, new for each request. */
  readonly nonce: Uint8Array
  /** The last seen epoch; if it differs from the stream's, the responder starts at 0. */
  readonly epoch?: string
}

const version = 1
const headBytes = 1 + Limits.epochBytes + Limits.keyBytes + Limits.fetchNonceBytes + 8 + 4 + 2
const frameHeadBytes = 8 + 8 + 4
const at = { epoch: 1, ed25519: 17, nonce: 49, last: 65, pending: 73, count: 77 } as const

/** Size of a page on the wire, in bytes. */
export const encodedLength = (frames: ReadonlyArray<Frame>): number =>
  frames.reduce((sum, { frame }) => sum + frameHeadBytes + frame.length, headBytes)

/** Writes a page. Throws a `RangeError` for a page that {@link decode} would refuse. */
export const encode = (page: Page, to: PageFor): Uint8Array => {
  const epoch = Bytes.fromBase64Url(page.epoch)
  const bytes = new Uint8Array(encodedLength(page.frames))
  const view = new DataView(bytes.buffer)
  if (Result.isFailure(epoch) || epoch.success.length !== Limits.epochBytes) throw new RangeError("epoch of a page")
  if (to.ed25519.length !== Limits.keyBytes || to.nonce.length !== Limits.fetchNonceBytes) {
    throw new RangeError("key or nonce of a page")
  }
  bytes[0] = version
  bytes.set(epoch.success, at.epoch)
  bytes.set(to.ed25519, at.ed25519)
  bytes.set(to.nonce, at.nonce)
  view.setBigUint64(at.last, BigInt(page.last))
  view.setUint32(at.pending, page.pending)
  view.setUint16(at.count, page.frames.length)
  let offset = headBytes
  for (const { seq, timeMillis, frame } of page.frames) {
    view.setBigUint64(offset, BigInt(seq))
    view.setBigUint64(offset + 8, BigInt(timeMillis))
    view.setUint32(offset + 16, frame.length)
    bytes.set(frame, offset + frameHeadBytes)
    offset += frameHeadBytes + frame.length
  }
  const check = decode(bytes, to)
  if (Result.isFailure(check)) throw new RangeError(check.failure.detail)
  return bytes
}

/** Reads a page that must be for `expected`. Every fault, including a wrong account or request, is `page_malformed`. */
export const decode = (bytes: Uint8Array, expected: PageFor): Result.Result<Page, Problem> => {
  if (bytes.length < headBytes || bytes.length > Limits.brokerPayloadBytes) {
    return fail("page_malformed", `a page does not have ${bytes.length} bytes`)
  }
  if (bytes[0] !== version) return fail("page_malformed", `unknown version ${bytes[0]}`)
  if (
    !Bytes.equal(bytes.subarray(at.ed25519, at.nonce), expected.ed25519) ||
    !Bytes.equal(bytes.subarray(at.nonce, at.last), expected.nonce)
  ) {
    return fail("page_malformed", "the page is for another account or request")
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const last = integer(view, at.last)
  const pending = view.getUint32(at.pending)
  const count = view.getUint16(at.count)
  if (last === undefined) return fail("page_malformed", "a number is too large")
  if (count > Limits.pageFrames) return fail("page_malformed", `${count} frames are too many`)
  const frames: Array<Frame> = []
  let offset = headBytes
  let before = 0
  for (let i = 0; i < count; i++) {
    if (bytes.length - offset < frameHeadBytes) return fail("page_malformed", `the page ends in frame ${i}`)
    const seq = integer(view, offset)
    const timeMillis = integer(view, offset + 8)
    const length = view.getUint32(offset + 16)
    offset += frameHeadBytes
    if (seq === undefined || timeMillis === undefined) return fail("page_malformed", "a number is too large")
    if (seq <= before || seq > last) return fail("page_malformed", `frame ${i} is out of order`)
    if (length === 0 || length > Limits.frameBytes) return fail("page_malformed", `frame ${i} has ${length} bytes`)
    if (bytes.length - offset < length) return fail("page_malformed", `the page ends in frame ${i}`)
    frames.push({ seq, timeMillis, frame: bytes.slice(offset, offset + length) })
    offset += length
    before = seq
  }
  if (offset !== bytes.length) return fail("page_malformed", "bytes follow the last frame")
  return Result.succeed({ epoch: Bytes.toBase64Url(bytes.subarray(at.epoch, at.ed25519)), last, pending, frames })
}

const integer = (view: DataView, offset: number): number | undefined => {
  const value = Number(view.getBigUint64(offset))
  return Number.isSafeInteger(value) ? value : undefined
}

/** Writes a request: the JSON object `{"after", "n", "epoch"?}`. */
export const encodeRequest = (request: Request): Uint8Array =>
  Canonical.encode({
    after: request.after,
    n: Bytes.toBase64Url(request.nonce),
    ...(request.epoch === undefined ? {} : { epoch: request.epoch })
  })

/** Reads a request; `request_malformed`, or the codes of `Json.parse`. Unknown members are ignored. */
export const parseRequest = (bytes: Uint8Array): Result.Result<Request, Problem> => {
  const json = Json.parse(bytes, { maxBytes: Limits.fetchRequestBytes })
  if (Result.isFailure(json)) return Result.fail(json.failure)
  if (!Json.isObject(json.success)) return fail("request_malformed", "expected an object")
  const { after, n, epoch } = json.success
  if (typeof after !== "number" || after < 0) return fail("request_malformed", "after is not a sequence number")
  const nonce = Bytes.exactly(n, Limits.fetchNonceBytes)
  if (nonce === undefined) return fail("request_malformed", "n is not 16 bytes of base64url")
  if (epoch === undefined) return Result.succeed({ after, nonce })
  return typeof epoch === "string" && Bytes.exactly(epoch, Limits.epochBytes) !== undefined
    ? Result.succeed({ after, nonce, epoch })
    : fail("request_malformed", "epoch is not 16 bytes of base64url")
}
