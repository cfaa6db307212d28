/**
 * Rows at the end of a terminal's output, with a cursor in them, that can be erased and drawn again. No row reaches the
 * last column, so that a terminal never breaks one. Where terminals disagree about the width of a character the larger
 * one counts, and the cursor is placed by writing the text before it.
 */
import * as Columns from "../output/Columns.ts"
import type { Draft } from "./Draft.ts"
import * as Sanitise from "../output/Sanitise.ts"

export interface Layout {
  readonly rows: ReadonlyArray<string>
  /** The row of the cursor, and the text before the cursor in it. */
  readonly cursorRow: number
  readonly beforeCursor: string
}

/** The prompt before the typed text, with its colours. */
export interface Prompt {
  readonly text: string
  readonly columns: number
}

export const prompt = (text: string): Prompt => ({ text, columns: Columns.width(text) })

/** Fewest columns that a prompt leaves for the text beside it. */
const leastColumns = 4

const shownAs = (grapheme: string): string => (grapheme === "\n" ? "" : Sanitise.text(grapheme))

/** Lays a draft out in rows of fewer than `columns` columns, at most `maxRows` of them around the cursor. */
export const layout = (first: Prompt, draft: Draft, columns: number, maxRows: number): Layout => {
  const room = Math.max(4, columns - 1)
  // A prompt that leaves no room for text is shortened.
  const head = first.columns > room - leastColumns ? prompt("> ") : first
  const indent = "  "
  const rows: Array<string> = []
  let row = head.text
  let width = head.columns
  let cursorRow = 0
  let beforeCursor = head.text
  const next = () => {
    rows.push(row)
    row = indent
    width = indent.length
  }
  for (const { segment, index } of Columns.graphemes(draft.text)) {
    const shown = shownAs(segment)
    const wide = Columns.most(shown)
    if (segment !== "\n" && width + wide > room && width > indent.length) next()
    if (index === draft.cursor) {
      cursorRow = rows.length
      beforeCursor = row
    }
    if (segment === "\n") next()
    else {
      row += shown
      width += wide
    }
  }
  if (draft.cursor >= draft.text.length) {
    cursorRow = rows.length
    beforeCursor = row
  }
  rows.push(row)
  const from = Math.max(0, Math.min(cursorRow, rows.length - Math.max(1, maxRows)))
  return { rows: rows.slice(from, from + Math.max(1, maxRows)), cursorRow: cursorRow - from, beforeCursor }
}

const endsAtCursor = ({ rows, cursorRow, beforeCursor }: Layout): boolean =>
  cursorRow === rows.length - 1 && rows[cursorRow] === beforeCursor

/** The text that was appended to a block; undefined if anything else has changed. */
const added = (before: Layout | undefined, next: Layout): string | undefined => {
  if (before === undefined || !endsAtCursor(before) || !endsAtCursor(next)) return undefined
  if (before.rows.length !== next.rows.length || !next.beforeCursor.startsWith(before.beforeCursor)) return undefined
  const isSame = before.rows.every((row, index) => index === before.cursorRow || row === next.rows[index])
  return isSame ? next.beforeCursor.slice(before.beforeCursor.length) : undefined
}

export class Block {
  /** Rows above the cursor's row, as last drawn. */
  #above = 0
  #drawn: Layout | undefined

  /** The output that erases the block and leaves the cursor where it began. */
  erase(): string {
    const up = this.#above === 0 ? "" : `\u001b[${this.#above}A`
    this.forget()
    return `\r${up}\u001b[J`
  }

  /** The output that draws a block at the cursor, which is at the beginning of a row. */
  draw({ rows, cursorRow, beforeCursor }: Layout): string {
    const below = rows.length - 1 - cursorRow
    this.#above = cursorRow
    this.#drawn = { rows, cursorRow, beforeCursor }
    const back = endsAtCursor({ rows, cursorRow, beforeCursor }) ? "" : `\r${beforeCursor}`
    return `${rows.join("\r\n")}${below > 0 ? `\u001b[${below}A` : ""}${back}`
  }

  /** The output that turns the block into another one: only the appended text, if nothing else changed. */
  change(next: Layout): string {
    const more = added(this.#drawn, next)
    if (more === undefined) return this.erase() + this.draw(next)
    this.#drawn = next
    return more
  }

  /** Forgets the drawn block: it is no longer on the terminal. */
  forget(): void {
    this.#above = 0
    this.#drawn = undefined
  }
}
