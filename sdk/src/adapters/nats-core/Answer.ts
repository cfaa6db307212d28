/** The home server's short answers as this SDK's errors. */
import { BrokerAnswer } from "../../protocol/index.ts"
import { BrokerRefused, type RefusalCode } from "../../services/Broker.ts"

/** A refusal with its code; `untilMillis` is when a retry can succeed, in milliseconds since the epoch. */
export const refused = (code: RefusalCode, untilMillis?: number): BrokerRefused =>
  new BrokerRefused({
    code,
    retryable: BrokerAnswer.isRetryable(code),
    ...(untilMillis === undefined ? {} : { untilMillis })
  })

/** Reads an answer: "ok", a refusal, or undefined for anything else. */
export const parse = (bytes: Uint8Array): "ok" | BrokerRefused | undefined => {
  const answer = BrokerAnswer.parse(bytes)
  return answer === undefined || answer === "ok" ? answer : refused(answer.code, answer.untilMillis)
}
