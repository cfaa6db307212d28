/** The home server's short answers: `{"ok":1}`, or `{"e":CODE}` with a code of the closed list. */
import * as Result from "effect/Result"
import { Json } from "../../protocol/index.ts"
import { BrokerRefused, type RefusalCode } from "../../services/Broker.ts"

const retryable = {
  full: true,
  slow: true,
  retry: true,
  unknown: false,
  bad: false,
  size: false
} as const satisfies Record<RefusalCode, boolean>

/** A refusal with its code, and whether it can succeed later. */
export const refused = (code: RefusalCode): BrokerRefused => new BrokerRefused({ code, retryable: retryable[code] })

/** Reads an answer: "ok", a refusal, or undefined for anything else. */
export const parse = (bytes: Uint8Array): "ok" | BrokerRefused | undefined => {
  const json = Json.parse(bytes, { maxBytes: 256 })
  if (Result.isFailure(json) || !Json.isObject(json.success)) return undefined
  const { ok, e } = json.success
  if (ok !== undefined) return ok === 1 && e === undefined ? "ok" : undefined
  return typeof e === "string" && Object.hasOwn(retryable, e) ? refused(e as RefusalCode) : undefined
}
