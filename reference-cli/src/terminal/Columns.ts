/** Text in columns of a terminal, where a letter of some scripts takes two and a mark none. */
import { displayWidth } from "effect/cli/CliOutput"

const segments = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** The text in at most `columns` columns, ending in `…` where it was longer. No colours in it. */
export const cut = (text: string, columns: number): string => {
  if (columns <= 0) return ""
  if (displayWidth(text) <= columns) return text
  let kept = ""
  let width = 1
  for (const { segment } of segments.segment(text)) {
    width += displayWidth(segment)
    if (width > columns) break
    kept += segment
  }
  return `${kept}…`
}

/** The text with spaces behind it to `columns` columns; longer text is left alone. */
export const pad = (text: string, columns: number): string =>
  text + " ".repeat(Math.max(0, columns - displayWidth(text)))

export { displayWidth as width }
