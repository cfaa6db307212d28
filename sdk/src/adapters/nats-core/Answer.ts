/** The home server's short answers: `{"ok":1}`, or `{"e":CODE}` with a code of the closed list. */
import * as Result from "effect/Result"
import { Json, Timestamp } from "../../protocol/index.ts"
import { BrokerRefused, type RefusalCode } from "../../services/Broker.ts"

const retryable = {
  full: true,
  slow: true,
  retry: true,
  unknown: false,
  bad: false,
  size: false
} as const satisfies Record<RefusalCode, boolean>

/** A refusal with its code, and whether and from when on it can succeed later (milliseconds since the epoch). */
export const refused = (code: RefusalCode, untilMillis?: number): BrokerRefused =>
  new BrokerRefused({ code, retryable: retryable[code], ...(untilMillis === undefined ? {} : { untilMillis }) })

/** Reads an answer: "ok", a refusal, or undefined for anything else. */
export const parse = (bytes: Uint8Array): "ok" | BrokerRefused | undefined => {
  const json = Json.parse(bytes, { maxBytes: 256 })
  if (Result.isFailure(json) || !Json.isObject(json.success)) return undefined
  const { ok, e, at } = json.success
  if (ok !== undefined) return ok === 1 && e === undefined ? "ok" : undefined
  return typeof e === "string" && Object.hasOwn(retryable, e) ? refused(e as RefusalCode, timeOf(at)) : undefined
}

/** A time that cannot be read is none: the code alone says enough. */
const timeOf = (at: Json.Json | undefined): number | undefined =>
  typeof at === "string" ? Result.getOrUndefined(Timestamp.parse(at)) : undefined
