/** The texts that a person sends: what shows nothing is not sent, and what is too long is measured in characters. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Blank from "../../protocol/encoding/Blank.ts"
import * as Body from "../../protocol/messages/Body.ts"
import * as Limits from "../../protocol/Limits.ts"
import { Problem } from "../../protocol/Problem.ts"
import type { Head } from "../../protocol/sigchain/Sigchain.ts"

const encoder = new TextEncoder()

/** UTF-8 bytes of a text within JSON. */
const jsonBytes = (text: string): number => encoder.encode(JSON.stringify(text)).length - 2

/** How long a text is and how much of it fits, in characters as people count them: an emoji is one. */
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
 * Whether a text can be sent after the sigchain head `chain`: `message_malformed` where it shows nothing,
 * `message_too_large` with how many characters are too many.
 */
export const check = (text: string, chain: Head): Effect.Effect<void, Problem> =>
  Effect.gen(function* () {
    if (Blank.isBlank(text)) {
      return yield* new Problem({ code: "message_malformed", detail: "there is no text to send" })
    }
    const encoded = Body.encode({ type: "text", text, chain })
    if (Result.isSuccess(encoded)) return
    if (encoded.failure.code !== "message_too_large") return yield* encoded.failure
    const least = yield* Effect.fromResult(Body.encode({ type: "text", text: "x", chain }))
    const { characters, fitting } = measure(text, Limits.bodyBytes - least.length + 1)
    const detail = `it has ${characters} characters, ${characters - fitting} too many: send it in parts, or as a file`
    return yield* new Problem({ code: "message_too_large", detail })
  })
