/**
 * Rows at the bottom of what was written to a terminal, with a cursor in them: they can be taken away and drawn again.
 * No row reaches the last column, so that a terminal never breaks one; where terminals differ about the width of a
 * character, the larger one counts, and the cursor is placed by writing what stands before it.
 */
import * as Columns from "../output/Columns.ts"
import type { Draft } from "./Draft.ts"
import * as Sanitise from "../output/Sanitise.ts"

export interface Layout {
  readonly rows: ReadonlyArray<string>
  /** The row of the cursor, and what stands before the cursor in it. */
  readonly cursorRow: number
  readonly beforeCursor: string
}

/** What stands before the typed text, with its colours. */
export interface Prompt {
  readonly text: string
  readonly columns: number
}

export const prompt = (text: string): Prompt => ({ text, columns: Columns.width(text) })

/** Columns that a prompt leaves to the text beside it. */
const leastColumns = 4

const shownAs = (grapheme: string): string => (grapheme === "\n" ? "" : Sanitise.text(grapheme))

/** A draft in rows of less than `columns` columns; of more than `maxRows` rows, those around the cursor. */
export const layout = (first: Prompt, draft: Draft, columns: number, maxRows: number): Layout => {
  const room = Math.max(4, columns - 1)
  // A prompt that leaves no room for text gives way.
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

/** The text that was added at the end of a block; undefined where anything else has changed. */
const added = (before: Layout | undefined, next: Layout): string | undefined => {
  if (before === undefined || !endsAtCursor(before) || !endsAtCursor(next)) return undefined
  if (before.rows.length !== next.rows.length || !next.beforeCursor.startsWith(before.beforeCursor)) return undefined
  const isSame = before.rows.every((row, index) => index === before.cursorRow || row === next.rows[index])
  return isSame ? next.beforeCursor.slice(before.beforeCursor.length) : undefined
}

export class Block {
  /** Rows between the first row and the cursor's, as last drawn. */
  #above = 0
  #drawn: Layout | undefined

  /** What takes the block away and leaves the cursor where it began. */
  erase(): string {
    const up = this.#above === 0 ? "" : `\u001b[${this.#above}A`
    this.forget()
    return `\r${up}\u001b[J`
  }

  /** What draws a block where the cursor is, at the beginning of a row. */
  draw({ rows, cursorRow, beforeCursor }: Layout): string {
    const below = rows.length - 1 - cursorRow
    this.#above = cursorRow
    this.#drawn = { rows, cursorRow, beforeCursor }
    const back = endsAtCursor({ rows, cursorRow, beforeCursor }) ? "" : `\r${beforeCursor}`
    return `${rows.join("\r\n")}${below > 0 ? `\u001b[${below}A` : ""}${back}`
  }

  /** What makes the block another one: only what is new, where text was added at its end. */
  change(next: Layout): string {
    const more = added(this.#drawn, next)
    if (more === undefined) return this.erase() + this.draw(next)
    this.#drawn = next
    return more
  }

  /** Forgets what was drawn: it is gone from the terminal. */
  forget(): void {
    this.#above = 0
    this.#drawn = undefined
  }
}
