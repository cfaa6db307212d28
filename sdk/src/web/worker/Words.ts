/** Seed words in promises and errors that cross a port. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Mnemonic from "../../protocol/identity/Mnemonic.ts"
import * as WrittenWords from "../../protocol/identity/WrittenWords.ts"
import type { WordsCheck } from "../AccountPort.ts"

export const newWords = (): string => Mnemonic.generate(crypto.getRandomValues(new Uint8Array(32)))

/** Throws a `Problem`, `mnemonic_invalid`. */
export const seedOf = (words: string): Redacted.Redacted<Uint8Array> =>
  Redacted.make(
    Result.getOrThrowWith(Mnemonic.toSeed(words), (problem) => problem),
    { label: "seed" }
  )

export const wordsOf = (seed: Redacted.Redacted<Uint8Array>): string => Mnemonic.fromSeed(Redacted.value(seed))

/** Reads words as people write them; see `WrittenWords`. */
export const checkWords = (text: string): WordsCheck => {
  const read = WrittenWords.read(text)
  if (Result.isSuccess(read)) return { ok: true, words: read.success }
  const issue = read.failure
  if (issue._tag === "Checksum") return { ok: false, reason: "checksum", count: issue.count }
  const [unknown] = issue._tag === "Unknown" ? issue.words : []
  return unknown === undefined
    ? { ok: false, reason: "count", count: issue.count }
    : { ok: false, reason: "word", count: issue.count, index: unknown.position - 1, suggestions: unknown.nearest }
}
