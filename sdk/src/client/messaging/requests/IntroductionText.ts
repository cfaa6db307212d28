/** Introductions in words. */
import type { JsonObject } from "../../../protocol/encoding/Json.ts"

const nameOf = (body: JsonObject): string => String(body["handle"] ?? body["primary"])

/** The line that stands for an introduction in a conversation. */
export const textOf = (body: JsonObject): string =>
  body["withdrawn"] === true ? `introduction of ${nameOf(body)} taken back` : `introduction of ${nameOf(body)}`

/** What clients show that do not know introductions. */
export const fallbackOf = (name: string, withdrawn: boolean): string =>
  withdrawn ? `I take back my introduction of ${name}.` : `I introduce ${name}: you can expect a message from them.`
