/** Introductions in words. */
import type { JsonObject } from "../../../protocol/encoding/Json.ts"

const shortened = (primary: string): string => `${primary.slice(0, 16)}...${primary.slice(-7)}`

/** The key, and the handle only as the word of the voucher: it may be that of somebody else (KEZ-PRF-173). */
const nameOf = ({ handle, primary }: JsonObject): string =>
  `${shortened(String(primary))}${handle === undefined ? "" : `, said to be ${String(handle)}`}`

/** The line that stands for an introduction in a conversation. */
export const textOf = (body: JsonObject): string =>
  `introduction ${body["withdrawn"] === true ? "taken back " : ""}of ${nameOf(body)}`

/** What clients show that do not know introductions. */
export const fallbackOf = (name: string, withdrawn: boolean): string =>
  withdrawn ? `I take back my introduction of ${name}.` : `I introduce ${name}: you can expect a message from them.`
