/** Which texts can be sent: not one that shows nothing (KEZ-DM-036), and not one that is too long for a body. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Blank, Body, Limits } from "../../protocol/index.ts"
import { Problem } from "../../protocol/Problem.ts"
import type { Head } from "../../protocol/sigchain/Sigchain.ts"

const encoder = new TextEncoder()

/** A text of this length fits, whatever it is made of: JSON needs six bytes at most for a unit of UTF-16. */
const alwaysFits = Limits.bodyBytes / 12

/** UTF-8 bytes of a text inside a JSON string. */
const jsonBytes = (text: string): number => encoder.encode(JSON.stringify(text)).length - 2

/** The length of a text and how much of it fits, in characters as people count them: an emoji is one. */
const measure = (text: string, roomBytes: number): { readonly characters: number; readonly fitting: number } => {
  let characters = 0
  let fitting = 0
  let bytes = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    characters += 1
    bytes += jsonBytes(segment)
    if (bytes <= roomBytes) fitting = characters
  }
  return { characters, fitting }
}

/**
 * Fails unless a text can be sent in a body that names the sigchain head `chain`: with `message_malformed` if the text
 * shows nothing, with `message_too_large` and the number of excess characters if it is too long.
 */
export const check = Effect.fnUntraced(function* (text: string, chain: Head) {
  if (Blank.isBlank(text)) {
    return yield* new Problem({ code: "message_malformed", detail: "there is no text to send" })
  }
  if (text.length <= alwaysFits && text.isWellFormed()) return
  const encoded = Body.encode({ type: "text", text, chain })
  if (Result.isSuccess(encoded)) return
  if (encoded.failure.code !== "message_too_large") return yield* encoded.failure
  const least = yield* Effect.fromResult(Body.encode({ type: "text", text: "x", chain }))
  const { characters, fitting } = measure(text, Limits.bodyBytes - least.length + 1)
  const detail = `it has ${characters} characters, ${characters - fitting} too many: send it in parts, or as a file`
  return yield* new Problem({ code: "message_too_large", detail })
})
