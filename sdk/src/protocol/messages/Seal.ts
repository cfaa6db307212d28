/**
 * The outer layer of a message, which hides the sender from broker disk and backups: `01 || enc32 || HPKE ciphertext`
 * (spec: sealing). This module is the layout; `SealedMessage` (crypto) does the sealing.
 */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import type { AdmittedKey } from "../identity/KeyAdmission.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"

/** First byte of a frame. */
export const version = 0x01
const versionByte = Uint8Array.of(version)

/** HPKE `info` of every frame. */
export const info: Uint8Array = Bytes.utf8("kez.chat.seal/1")

/** HPKE `aad` of a frame: its version and the recipient's Ed25519 key. */
export const aad = (recipient: AdmittedKey): Uint8Array => Bytes.concat(versionByte, recipient.ed25519)

const encEnd = 1 + Limits.keyBytes

/** Bytes that a frame adds to its content. */
export const overhead = encEnd + Limits.tagBytes

export interface Frame {
  /** The ephemeral X25519 key, 32 bytes. */
  readonly enc: Uint8Array
  /** Ciphertext and tag. */
  readonly ciphertext: Uint8Array
}

/** `message_too_large` beyond 65,536 bytes. */
export const encode = (frame: Frame): Result.Result<Uint8Array, Problem> => {
  const bytes = Bytes.concat(versionByte, frame.enc, frame.ciphertext)
  return bytes.length > Limits.frameBytes
    ? fail("message_too_large", `the frame has ${bytes.length} bytes, more than ${Limits.frameBytes}`)
    : Result.succeed(bytes)
}

/** Views into `bytes`; `frame_malformed` for another version or length. */
export const decode = (bytes: Uint8Array): Result.Result<Frame, Problem> => {
  if (bytes.length > Limits.frameBytes) return fail("frame_malformed", `more than ${Limits.frameBytes} bytes`)
  if (bytes[0] !== version) return fail("frame_malformed", "not version 01")
  if (bytes.length <= overhead) return fail("frame_malformed", `${bytes.length} bytes are too few`)
  return Result.succeed({ enc: bytes.subarray(1, encEnd), ciphertext: bytes.subarray(encEnd) })
}

/** The ephemeral key of a frame that {@link decode} accepts, in hex: new for every sealing, it identifies the frame. */
export const ephemeralKeyOf = (frame: Uint8Array): string => Bytes.toHex(frame.subarray(1, encEnd))
