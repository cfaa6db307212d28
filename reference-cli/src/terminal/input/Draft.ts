/** The typed text and the cursor in it, and what each editing key does to them. Pure. */
import type { Press } from "./Keys.ts"

export interface Draft {
  readonly text: string
  /** Index into `text`, always between two graphemes. */
  readonly cursor: number
}

export const empty: Draft = { text: "", cursor: 0 }

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

const before = (text: string, at: number): number =>
  at <= 0 ? 0 : (graphemes.segment(text).containing(at - 1)?.index ?? 0)

const after = (text: string, at: number): number => {
  const found = graphemes.segment(text).containing(at)
  return found === undefined ? text.length : found.index + found.segment.length
}

/** A combining mark may leave the cursor inside a grapheme; it then moves to the grapheme's end. */
const at = (text: string, cursor: number): Draft => {
  const inside = cursor > 0 && cursor < text.length && graphemes.segment(text).containing(cursor)?.index !== cursor
  return { text, cursor: inside ? after(text, cursor) : cursor }
}

export const of = (text: string): Draft => ({ text, cursor: text.length })

export const insert = ({ text, cursor }: Draft, more: string): Draft =>
  at(text.slice(0, cursor) + more + text.slice(cursor), cursor + more.length)

const without = (text: string, from: number, to: number): Draft => at(text.slice(0, from) + text.slice(to), from)

const wordLeft = ({ text, cursor }: Draft): number => cursor - /[^\s]*\s*$/.exec(text.slice(0, cursor))![0].length
const wordRight = ({ text, cursor }: Draft): number => cursor + /^\s*[^\s]*/.exec(text.slice(cursor))![0].length
const lineStart = ({ text, cursor }: Draft): number => (cursor === 0 ? 0 : text.lastIndexOf("\n", cursor - 1) + 1)
const lineEnd = ({ text, cursor }: Draft): number => {
  const end = text.indexOf("\n", cursor)
  return end < 0 ? text.length : end
}

/** The same column on another line, which begins or ends at `place`; undefined if there is no such line. */
const onLine = (draft: Draft, place: number): Draft | undefined => {
  const { text } = draft
  if (place < 0 || place > text.length) return undefined
  const start = lineStart({ text, cursor: place })
  return at(text, Math.min(start + draft.cursor - lineStart(draft), lineEnd({ text, cursor: start })))
}

/** The draft after an editing key; undefined for a key that edits nothing. */
export const press = (draft: Draft, key: Press): Draft | undefined => {
  const { text, cursor } = draft
  switch (key) {
    case "newline":
      return insert(draft, "\n")
    case "backspace":
      return without(text, before(text, cursor), cursor)
    case "delete":
      return without(text, cursor, after(text, cursor))
    case "left":
      return { text, cursor: before(text, cursor) }
    case "right":
      return { text, cursor: after(text, cursor) }
    case "up":
      return onLine(draft, lineStart(draft) - 1)
    case "down":
      return onLine(draft, lineEnd(draft) + 1)
    case "word-left":
      return at(text, wordLeft(draft))
    case "word-right":
      return at(text, wordRight(draft))
    case "home":
      return { text, cursor: lineStart(draft) }
    case "end":
      return { text, cursor: lineEnd(draft) }
    case "erase-word":
      return without(text, wordLeft(draft), cursor)
    case "erase-to-start":
      return without(text, lineStart(draft), cursor)
    case "erase-to-end":
      return without(text, cursor, lineEnd(draft))
    default:
      return undefined
  }
}
