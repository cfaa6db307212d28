/**
 * The part of DNS messages (RFC 1035) that a lookup of TXT records over HTTPS needs. Ours because the packages for it
 * need Node's `Buffer`, and this runs in browsers.
 */
import * as Result from "effect/Result"
import { fail, type Problem } from "../../../protocol/Problem.ts"

const TXT = 16
const CNAME = 5
const OPT = 41
const IN = 1

export interface TxtMessage {
  /** 0 is success, 3 is that the name does not exist; any other is a failure (RFC 1035 section 4.1.1). */
  readonly responseCode: number
  /** The resolver verified the answer by DNSSEC (AD, RFC 4035 section 3.2.3). */
  readonly isAuthenticated: boolean
  /** The strings of each TXT record of the name or of the name that it stands for, as Latin-1. */
  readonly records: ReadonlyArray<ReadonlyArray<string>>
}

/** A query for the TXT records of a name of ASCII labels, with DNSSEC's verdict; id 0, as RFC 8484 section 4.1 wants. */
export const encodeQuery = (name: string): Uint8Array<ArrayBuffer> => {
  const labels = name.split(".").flatMap((label) => [label.length, ...[...label].map((c) => c.charCodeAt(0))])
  return Uint8Array.from([
    // RD and AD; one question, one additional record.
    ...[0, 0, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 1],
    ...[...labels, 0, 0, TXT, 0, IN],
    // EDNS(0) with a payload of 4,096 bytes.
    ...[0, 0, OPT, 0x10, 0x00, 0, 0, 0, 0, 0, 0]
  ])
}

const malformed = (why: string) => fail("encoding_malformed", `the DNS answer is malformed: ${why}`)

/** A name in lower case and the offset after it; undefined if it leads nowhere. */
const readName = (bytes: Uint8Array, start: number): { readonly name: string; readonly end: number } | undefined => {
  const labels: Array<string> = []
  let at = start
  let end: number | undefined
  // A pointer may only lead back, so this ends.
  for (let limit = bytes.length; ;) {
    const length = bytes[at]
    if (length === undefined || labels.length > 127) return undefined
    if (length === 0) return { name: labels.join("."), end: end ?? at + 1 }
    if (length >= 0xc0) {
      const target = ((length & 0x3f) << 8) | (bytes[at + 1] ?? 0)
      if (at + 1 >= bytes.length || target >= Math.min(at, limit)) return undefined
      end ??= at + 2
      limit = target
      at = target
      continue
    }
    if (length > 63 || at + 1 + length > bytes.length) return undefined
    labels.push(String.fromCharCode(...bytes.subarray(at + 1, at + 1 + length)).toLowerCase())
    at += 1 + length
  }
}

/** Reads the answer to {@link encodeQuery} of the same name, or fails with `encoding_malformed`. */
export const decodeTxt = (bytes: Uint8Array, name: string): Result.Result<TxtMessage, Problem> => {
  if (bytes.length < 12) return malformed("it is too short")
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const flags = view.getUint16(2)
  if ((flags & 0x8000) === 0) return malformed("it is a question")
  if ((flags & 0x0200) !== 0) return malformed("it is cut off")
  let at = 12
  for (let question = 0; question < view.getUint16(4); question++) {
    const asked = readName(bytes, at)
    if (asked === undefined || asked.name !== name.toLowerCase()) return malformed("it answers another question")
    at = asked.end + 4
  }
  const names = new Set([name.toLowerCase()])
  const records: Array<ReadonlyArray<string>> = []
  for (let answer = 0; answer < view.getUint16(6); answer++) {
    const owner = readName(bytes, at)
    if (owner === undefined || owner.end + 10 > bytes.length) return malformed("a record is cut off")
    const type = view.getUint16(owner.end)
    const isInternet = view.getUint16(owner.end + 2) === IN
    const from = owner.end + 10
    const to = from + view.getUint16(owner.end + 8)
    if (to > bytes.length) return malformed("a record is cut off")
    at = to
    if (!isInternet || !names.has(owner.name)) continue
    if (type === CNAME) {
      const target = readName(bytes, from)
      if (target === undefined) return malformed("a name leads nowhere")
      names.add(target.name)
    } else if (type === TXT) {
      const strings = readStrings(bytes.subarray(from, to))
      if (strings === undefined) return malformed("a TXT record is cut off")
      records.push(strings)
    }
  }
  return Result.succeed({ responseCode: flags & 0x000f, isAuthenticated: (flags & 0x0020) !== 0, records })
}

const readStrings = (data: Uint8Array): ReadonlyArray<string> | undefined => {
  const strings: Array<string> = []
  for (let at = 0; at < data.length;) {
    const end = at + 1 + (data[at] as number)
    if (end > data.length) return undefined
    strings.push(String.fromCharCode(...data.subarray(at + 1, end)))
    at = end
  }
  return strings
}
