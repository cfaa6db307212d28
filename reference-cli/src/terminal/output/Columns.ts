/** Text in columns of a terminal, where a letter of some scripts takes two and a mark none. */
import { displayWidth } from "effect/cli/CliOutput"

const segments = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** The graphemes of a text, what a person sees as one character each, with their index in it. */
export const graphemes = (text: string): Iterable<{ readonly segment: string; readonly index: number }> =>
  segments.segment(text)

/** Marks that stand beside their letter: some terminals give them a column. */
const spacing = /\p{Mc}/u

/**
 * The most columns that a terminal may take for a text. Many show a sequence that is joined to one emoji as its parts, so
 * that the sum of its parts counts where it is larger.
 */
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

/** The text in at most `columns` columns, ending in `…` where it was longer. No colours in it. */
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

/**
 * The text in lines of at most `columns` columns, the first one of at most `firstColumns`, broken between words where that
 * can be done. Spaces at a break are left out.
 */
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
    // Spaces stay where they set a line in, and before a word that is broken in any case.
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

/** The text with spaces behind it to `columns` columns; longer text is left alone. */
export const pad = (text: string, columns: number): string =>
  text + " ".repeat(Math.max(0, columns - displayWidth(text)))

export { displayWidth as width }
