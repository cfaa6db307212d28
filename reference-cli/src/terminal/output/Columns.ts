/** Measures and wraps text in terminal columns, where letters of some scripts take two and marks none. */
import { displayWidth } from "effect/cli/CliOutput"

const segments = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** The graphemes of a text (what a person sees as one character), with their indices. */
export const graphemes = (text: string): Iterable<{ readonly segment: string; readonly index: number }> =>
  segments.segment(text)

/** Spacing marks: some terminals give them a column. */
const spacing = /\p{Mc}/u

/** The most columns that any terminal takes for a text. Many show a joined emoji sequence as its parts. */
export const most = (text: string): number => {
  if (/^[ -~]*$/.test(text)) return text.length
  let columns = 0
  for (const { segment } of graphemes(text)) {
    let parts = 0
    if (segment.length > 1) for (const part of segment) parts += spacing.test(part) ? 1 : displayWidth(part)
    columns += Math.max(displayWidth(segment), parts)
  }
  return columns
}

/** The text in at most `columns` columns, ending in `…` if it was cut. It must not contain colours. */
export const cut = (text: string, columns: number): string => {
  if (columns <= 0) return ""
  if (most(text) <= columns) return text
  let kept = ""
  let width = 1
  for (const { segment } of graphemes(text)) {
    width += most(segment)
    if (width > columns) break
    kept += segment
  }
  return `${kept}…`
}

/** The text in lines of at most `columns` columns, broken between words if possible, without spaces at a break. */
export const wrap = (text: string, firstColumns: number, columns: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  let width = 0
  const room = () => Math.max(1, lines.length === 0 ? firstColumns : columns)
  const next = () => {
    lines.push(line)
    line = ""
    width = 0
  }
  for (const [, spaces = "", word = ""] of text.matchAll(/(\p{Zs}*)(\P{Zs}*)/gu)) {
    const gap = most(spaces)
    const wide = most(word)
    if (width + gap + wide <= room()) {
      line += spaces + word
      width += gap + wide
      continue
    }
    if (word === "") continue
    // Spaces are kept as indentation, and before a word that must be broken anyway.
    if (width + gap < room() && (wide > columns || (width === 0 && lines.length === 0 && gap > 0))) {
      line += spaces
      width += gap
    } else if (width > 0) next()
    if (wide > room() - width && wide <= columns) next()
    for (const { segment } of graphemes(word)) {
      const one = most(segment)
      if (width > 0 && width + one > room()) next()
      line += segment
      width += one
    }
  }
  lines.push(line)
  return lines
}

/** The text padded with spaces to `columns` columns; longer text is unchanged. */
export const pad = (text: string, columns: number): string =>
  text + " ".repeat(Math.max(0, columns - displayWidth(text)))

export { displayWidth as width }
