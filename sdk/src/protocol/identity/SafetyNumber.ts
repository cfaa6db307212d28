/** A number that two people compare by voice or QR code to rule out a man in the middle (spec: safety number). */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import type { AdmittedKey } from "./KeyAdmission.ts"
import { fail, type Problem } from "../Problem.ts"

const label = Bytes.utf8("kez.chat.safety-number/1\0")
const qrPrefix = "kez:sn1:"
const digestBytes = 64

/** The input of SHA-512. The same for both sides: the smaller key comes first. */
export const input = (a: AdmittedKey, b: AdmittedKey): Uint8Array => {
  const [first, second] = a.hex < b.hex ? [a, b] : [b, a]
  return Bytes.concat(label, first.ed25519, second.ed25519)
}

/** Twelve groups of five digits from the 64-byte digest, with a space between: u40 of five bytes each, modulo 100,000. */
export const format = (digest: Uint8Array): string => {
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
  const groups: Array<string> = []
  for (let i = 0; i < 60; i += 5) {
    const u40 = view.getUint8(i) * 2 ** 32 + view.getUint32(i + 1)
    groups.push(String(u40 % 100_000).padStart(5, "0"))
  }
  return groups.join(" ")
}

/** `kez:sn1:` and the whole digest in base64url. */
export const formatQr = (digest: Uint8Array): string => qrPrefix + Bytes.toBase64Url(digest)

/** The 64-byte digest of a scanned code; anything else is `encoding_malformed`. */
export const parseQr = (text: string): Result.Result<Uint8Array, Problem> => {
  if (!text.startsWith(qrPrefix)) return fail("encoding_malformed", `a safety number code begins with ${qrPrefix}`)
  return Result.flatMap(Bytes.fromBase64Url(text.slice(qrPrefix.length)), (digest) =>
    digest.length === digestBytes
      ? Result.succeed(digest)
      : fail("encoding_malformed", `a safety number code carries ${digestBytes} bytes`)
  )
}

/** Whether digits typed by a person (with any spacing) match `digest`. */
export const matches = (typed: string, digest: Uint8Array): boolean =>
  typed.replace(/\s+/g, "") === format(digest).replaceAll(" ", "")
