/** Length hiding: bodies are padded to a small set of sizes, those of NIP-44 (spec: padding). */
import * as Result from "effect/Result"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"

const prefixBytes = 4

/** The padded size of `length` bytes: at least 32; multiples of 32 up to 256; then of 1/8 of the next power of two. */
export const paddedLength = (length: number): number => {
  if (length <= 32) return 32
  const nextPower = 2 ** (32 - Math.clz32(length - 1))
  const step = nextPower <= 256 ? 32 : nextPower / 8
  return step * Math.ceil(length / step)
}

/** `u32(length) || body || zeros`; a body of 1 to 40,960 bytes, else `message_malformed` or `message_too_large`. */
export const pad = (body: Uint8Array): Result.Result<Uint8Array, Problem> => {
  if (body.length === 0) return fail("message_malformed", "the body is empty")
  if (body.length > Limits.bodyBytes) {
    return fail("message_too_large", `the body has ${body.length} bytes, more than ${Limits.bodyBytes}`)
  }
  const padded = new Uint8Array(prefixBytes + paddedLength(body.length))
  new DataView(padded.buffer).setUint32(0, body.length)
  padded.set(body, prefixBytes)
  return Result.succeed(padded)
}

/** The body inside a padded plaintext. Any length or padding that `pad` would not produce is `padding_invalid`. */
export const unpad = (padded: Uint8Array): Result.Result<Uint8Array, Problem> => {
  if (padded.length < prefixBytes) return fail("padding_invalid", "no length")
  const length = new DataView(padded.buffer, padded.byteOffset, padded.byteLength).getUint32(0)
  if (length === 0 || length > Limits.bodyBytes) return fail("padding_invalid", `a body of ${length} bytes`)
  if (padded.length !== prefixBytes + paddedLength(length)) {
    return fail("padding_invalid", `${length} bytes are not padded to ${padded.length - prefixBytes}`)
  }
  for (let i = prefixBytes + length; i < padded.length; i++) {
    if (padded[i] !== 0) return fail("padding_invalid", "the padding is not all zero")
  }
  return Result.succeed(padded.subarray(prefixBytes, prefixBytes + length))
}
