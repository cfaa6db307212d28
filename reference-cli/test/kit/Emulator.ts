/** A terminal emulator in this process: what is written to it, as a person would see it. */
import headless from "@xterm/headless"

export class Emulator {
  readonly #terminal: InstanceType<typeof headless.Terminal>

  constructor(columns: number, rows: number) {
    this.#terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1_000 })
  }

  write(text: string): Promise<void> {
    // A real terminal is in "onlcr" mode: a line feed returns as well.
    return new Promise((resolve) => this.#terminal.write(text.replaceAll(/\r?\n/g, "\r\n"), resolve))
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows)
  }

  /** Rows that have text, scrolled ones first, without spaces at their ends. */
  get rows(): ReadonlyArray<string> {
    const { active } = this.#terminal.buffer
    const all = Array.from(
      { length: active.length },
      (_, row) => active.getLine(row)?.translateToString(true).trimEnd() ?? ""
    )
    return all.slice(0, all.findLastIndex((text) => text !== "") + 1)
  }

  /** The rows that are seen now. */
  get visible(): ReadonlyArray<string> {
    const { baseY } = this.#terminal.buffer.active
    return this.rows.slice(baseY)
  }

  get cursor(): { readonly column: number; readonly row: number } {
    const { baseY, cursorX, cursorY } = this.#terminal.buffer.active
    return { column: cursorX, row: baseY + cursorY }
  }
}
