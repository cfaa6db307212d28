/**
 * Reads seed words as people write them down: numbered, in columns, with commas and quotes, cut to four letters.
 * {@link Mnemonic} takes the plain words that result. `spec/identity.md`, words.
 */
import { wordlist } from "@scure/bip39/wordlists/english.js"
import * as Result from "effect/Result"
import * as Mnemonic from "./Mnemonic.ts"

const known = new Set(wordlist)

/** Every word of the list is unique in its first four letters. */
const prefixLetters = 4
/** Number of suggestions for an unknown word, and the maximum number of letters they may differ in. */
const nearestWords = 3
const nearestDistance = 2

/** An unknown word: its place, from 1, and the most similar words of the list, if any. */
export interface UnknownWord {
  readonly position: number
  readonly nearest: ReadonlyArray<string>
}

/** Why a text is not a list of seed words. Never repeats a word that was written. */
export type Issue =
  /** A count other than 24 or 12. */
  | { readonly _tag: "Count"; readonly count: number }
  /** A numbered list in which these numbers have no word. */
  | { readonly _tag: "Missing"; readonly positions: ReadonlyArray<number>; readonly count: number }
  | { readonly _tag: "Unknown"; readonly words: ReadonlyArray<UnknownWord>; readonly count: number }
  /** All words are in the list but the checksum is wrong: a word is wrong or out of place. */
  | { readonly _tag: "Checksum"; readonly count: number }

/** The word of the list that was meant, also by its first four letters or more; undefined if none matches. */
export const wordOf = (written: string): string | undefined => {
  const [word = ""] = tokens(written)
  return meant(word)
}

const meant = (word: string): string | undefined => {
  if (known.has(word)) return word
  return word.length < prefixLetters ? undefined : wordlist.find((full) => full.startsWith(word))
}

/** Words and numbers; everything between them is ignored, invisible characters included. */
const tokens = (text: string): ReadonlyArray<string> =>
  text
    .normalize("NFKD")
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "")
    .toLowerCase()
    .match(/\p{N}+|[\p{L}\p{M}]+/gu) ?? []

const isNumber = (token: string): boolean => /^\p{N}/u.test(token)

/** The words after each number from 1 to 24. Surrounding text may have numbers too: a word of the list wins. */
const numbered = (all: ReadonlyArray<string>): ReadonlyArray<string | undefined> => {
  const found: Array<string | undefined> = Array.from({ length: 24 }, () => undefined)
  for (const [index, token] of all.entries()) {
    const place = /^\d{1,2}$/.test(token) ? Number(token) - 1 : -1
    const word = all[index + 1]
    if (place < 0 || place >= 24 || word === undefined || isNumber(word)) continue
    const before = found[place]
    if (before === undefined || meant(before) === undefined || meant(word) !== undefined) found[place] = word
  }
  return found
}

/** Edit distance: letters to change, add, remove or swap with the next to turn one word into another. */
const distance = (a: string, b: string): number => {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (rows[i - 1]?.[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (rows[i - 2]?.[j - 2] ?? Infinity) + 1 : Infinity
      row.push(Math.min((rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, change, swap))
    }
    rows.push(row)
  }
  return rows[a.length]?.[b.length] ?? Infinity
}

const nearest = (word: string): ReadonlyArray<string> =>
  wordlist
    .filter((full) => Math.abs(full.length - word.length) <= nearestDistance)
    .map((full) => ({ full, far: distance(word, full) }))
    .filter(({ far }) => far <= nearestDistance && far < word.length)
    .toSorted((a, b) => a.far - b.far)
    .slice(0, nearestWords)
    .map(({ full }) => full)

/** The written words in order: by their numbers if the whole list is numbered, else as they appear. */
const inOrder = (text: string): Result.Result<ReadonlyArray<string>, Issue> => {
  const all = tokens(text)
  const plain = all.filter((token) => !isNumber(token))
  const places = numbered(all)
  const given = places.flatMap((word) => (word === undefined ? [] : [word]))
  const isShort = places.every((word, index) => (word !== undefined) === index < 12)
  if (given.length === 24 || isShort) return Result.succeed(given)
  if (plain.length === 24 || plain.length === 12) return Result.succeed(plain)
  const isNumbered = given.length * 2 > plain.length && given.length > 12
  return Result.fail(
    isNumbered
      ? {
          _tag: "Missing",
          positions: places.flatMap((word, index) => (word === undefined ? [index + 1] : [])),
          count: given.length
        }
      : { _tag: "Count", count: plain.length }
  )
}

/**
 * The 24 or 12 words of a text for `Mnemonic.toSeed`. Ignores numbers, punctuation and invisible characters between
 * them. A numbered list may be in columns or amid text, and four letters of a word are enough.
 */
export const read = (text: string): Result.Result<string, Issue> => {
  const written = inOrder(text)
  if (Result.isFailure(written)) return Result.fail(written.failure)
  const list = written.success
  const count = list.length
  const words = list.map(meant)
  const unknown = list.flatMap((word, index) =>
    words[index] === undefined ? [{ position: index + 1, nearest: nearest(word) }] : []
  )
  if (unknown.length > 0) return Result.fail({ _tag: "Unknown", words: unknown, count })
  const joined = words.join(" ")
  return Result.isFailure(Mnemonic.toSeed(joined)) ? Result.fail({ _tag: "Checksum", count }) : Result.succeed(joined)
}
