/** The id of one copy of a message at the broker, in the header `Kez-Id` (spec/broker.md, Send). */
import * as Limits from "../Limits.ts"

/** The header's name. */
export const header = "Kez-Id"

const form = new RegExp(`^[A-Za-z0-9_-]{${Limits.idCharacters}}$`)

/** Whether a text has the form of a `Kez-Id`: 22 characters of base64url. */
export const isKezId = (text: string): boolean => form.test(text)
