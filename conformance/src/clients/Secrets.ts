/** Looks for an account's seed and words in what left a client. */
import type { Keys } from "./crypto/Keys.ts"

/** Bytes that somebody else than the client could read, and where. */
export interface Seen {
  readonly where: string
  readonly bytes: Uint8Array
}

/** Words in a row that nobody writes by chance. */
const wordsInRow = 6

const base64At = (seed: Uint8Array, offset: number): string => {
  // The characters that depend on the seed alone, wherever it begins within three bytes.
  const text = Buffer.concat([Buffer.alloc(offset), seed]).toString("base64")
  return text.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + seed.length) * 8) / 6))
}

/** The forms in which a seed may be written, as patterns of latin-1 text. */
const formsOf = ({ seed, words }: Keys): ReadonlyArray<readonly [string, (text: string) => boolean]> => {
  const hex = Buffer.from(seed).toString("hex")
  const raw = Buffer.from(seed).toString("latin1")
  const base64 = [0, 1, 2].map((offset) => base64At(seed, offset))
  const list = words.split(" ")
  const rows = list.slice(wordsInRow - 1).map((_, index) => list.slice(index, index + wordsInRow))
  const plain = (text: string) => text.toLowerCase().replaceAll(/%20|[^a-z]+/g, " ")
  return [
    ["the seed", (text) => text.includes(raw)],
    ["the seed in hexadecimal", (text) => text.toLowerCase().includes(hex)],
    ["the seed as a list of numbers", (text) => text.replaceAll(/\s/g, "").includes([...seed].join())],
    [
      "the seed in base64",
      (text) => base64.some((one) => text.includes(one) || text.includes(one.replaceAll("+", "-").replaceAll("/", "_")))
    ],
    ["its words", (text) => rows.some((row) => plain(text).includes(row.join(" ")))]
  ]
}

/** What was found of a secret, as a sentence; undefined for nothing. */
export const findSecret = (keys: Keys, seen: ReadonlyArray<Seen>): string | undefined => {
  const forms = formsOf(keys)
  for (const { bytes, where } of seen) {
    const text = Buffer.from(bytes).toString("latin1")
    const found = forms.find(([, holds]) => holds(text))
    if (found !== undefined) return `${where} has ${found[0]} of the account`
  }
  return undefined
}
