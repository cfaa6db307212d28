/**
 * The home server's short answers to requests on the broker (spec/broker.md): `{"ok":1}`, or a refusal `{"e":CODE}`
 * with a code from a closed list and, where the server knows when to retry, `"at":TIME`.
 */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import * as Json from "../encoding/Json.ts"
import * as Limits from "../Limits.ts"
import * as Timestamp from "../encoding/Timestamp.ts"

/** The closed list of codes; for each, whether the same request may succeed later. */
const retryable = {
  full: true,
  slow: true,
  unknown: false,
  bad: false,
  size: false,
  retry: true,
  moved: false
} as const

/** Why a request was refused. */
export type RefusalCode = keyof typeof retryable

export interface Refusal {
  readonly code: RefusalCode
  /** The earliest time at which a retry can succeed, in milliseconds since the epoch; absent if unknown. */
  readonly untilMillis?: number
}

/** Whether the same request may succeed later: true for `full`, `slow` and `retry`. */
export const isRetryable = (code: RefusalCode): boolean => retryable[code]

/** Most bytes of an answer to a send (KEZ-NAT-067). */
const answerBytes = 256

/** The answer to a successful request. */
export const ok: Uint8Array = Bytes.utf8('{"ok":1}')

/** What an `ok` to a send carries where it was asked for (spec/broker.md, Acceptance). */
export interface Signed {
  /** Milliseconds since the epoch, whole seconds. */
  readonly atMillis: number
  /** 64 bytes. */
  readonly sig: Uint8Array
}

/** {@link ok} with the home's signature. */
export const encodeSigned = ({ atMillis, sig }: Signed): Uint8Array =>
  Bytes.utf8(`{"ok":1,"at":"${Timestamp.fromMillis(atMillis)}","sig":"${Bytes.toBase64Url(sig)}"}`)

/** The signature in an `ok`; undefined where there is none that has the form. */
export const signedIn = (bytes: Uint8Array): Signed | undefined => {
  const json = Json.parse(bytes, { maxBytes: answerBytes })
  if (Result.isFailure(json) || !Json.isObject(json.success)) return undefined
  const { at, sig } = json.success
  const atMillis = typeof at === "string" ? Result.getOrUndefined(Timestamp.parse(at)) : undefined
  const signature = typeof sig === "string" ? Bytes.exactly(sig, Limits.signatureBytes) : undefined
  return atMillis === undefined || signature === undefined ? undefined : { atMillis, sig: signature }
}

/** Writes a refusal. The time is rounded up to whole seconds. */
export const encodeRefusal = ({ code, untilMillis }: Refusal): Uint8Array =>
  Bytes.utf8(JSON.stringify(untilMillis === undefined ? { e: code } : { e: code, at: wholeSeconds(untilMillis) }))

const wholeSeconds = (millis: number): string => Timestamp.fromMillis(Math.ceil(millis / 1_000) * 1_000)

/** Reads an answer: "ok", a refusal, or undefined for anything else. An unreadable time is ignored. */
export const parse = (bytes: Uint8Array): "ok" | Refusal | undefined => {
  const json = Json.parse(bytes, { maxBytes: answerBytes })
  if (Result.isFailure(json) || !Json.isObject(json.success)) return undefined
  const { at, e, ok } = json.success
  if (ok !== undefined) return ok === 1 && e === undefined ? "ok" : undefined
  if (typeof e !== "string" || !Object.hasOwn(retryable, e)) return undefined
  const untilMillis = typeof at === "string" ? Result.getOrUndefined(Timestamp.parse(at)) : undefined
  return { code: e as RefusalCode, ...(untilMillis === undefined ? {} : { untilMillis }) }
}
