/** A line to type in at the bottom of the terminal, with messages printed above it. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as readline from "node:readline"
import * as Block from "./Block.ts"
import * as Device from "./Device.ts"
import * as Draft from "./Draft.ts"
import { History } from "./History.ts"
import { Keyboard } from "./Keyboard.ts"
import type { Key } from "./Keys.ts"
import * as Sanitise from "../output/Sanitise.ts"

/** Renders text for the terminal's columns, which it must not fill; undefined if the terminal breaks lines itself. */
export type Entry = (columns: number | undefined) => string

export interface ChatView {
  /** Entered texts. Ends at Ctrl-C, Ctrl-D, and when the terminal closes. */
  readonly lines: Queue.Dequeue<string, Cause.Done>
  /** Prints above the typed text. */
  readonly print: (entry: Entry) => void
  /** Changes the prompt before the typed text. */
  readonly prompt: (text: string) => void
  /** Puts an entered text that could not be used back into the line, unless the line holds other text now. */
  readonly putBack: (text: string) => void
}

/** How many recent entries are drawn again when the terminal's width changes. */
const keptEntries = 200

/** The view on a terminal that can move its cursor. */
export class View {
  readonly #device: Device.Device
  readonly #lines: Queue.Queue<string, Cause.Done>
  readonly #block = new Block.Block()
  readonly #entries: Array<Entry> = []
  readonly #history = new History()
  readonly #onResize = () => this.#resized()
  #prompt: Block.Prompt
  #draft = Draft.empty
  #size: Device.Size
  #isClosed = false
  #isSuspended = false

  constructor(device: Device.Device, lines: Queue.Queue<string, Cause.Done>, prompt: string) {
    this.#device = device
    this.#lines = lines
    this.#prompt = Block.prompt(prompt)
    this.#size = Device.size(device)
    device.output.on("resize", this.#onResize)
    this.#write(this.#draw())
  }

  print(entry: Entry): void {
    this.#entries.push(entry)
    if (this.#entries.length > keptEntries) this.#entries.shift()
    if (this.#isClosed) return
    this.#write(this.#block.erase() + this.#text(entry) + (this.#isSuspended ? "" : this.#draw()))
  }

  prompt(text: string): void {
    if (text === this.#prompt.text) return
    this.#prompt = Block.prompt(text)
    this.#redraw()
  }

  putBack(text: string): void {
    if (this.#draft.text === "") this.#edit(Draft.of(text))
  }

  key(key: Key): void {
    if (this.#isClosed) return
    // Pasted lines are one message until Enter.
    if (key._tag === "Paste") return this.#edit(Draft.insert(this.#draft, key.text.replace(/\n+$/, "")))
    if (key._tag === "Text") return this.#edit(Draft.insert(this.#draft, key.text))
    switch (key.press) {
      case "enter":
        return this.#enter()
      case "interrupt":
        return void Queue.endUnsafe(this.#lines)
      case "close":
        return this.#draft.text === ""
          ? void Queue.endUnsafe(this.#lines)
          : this.#edit(Draft.press(this.#draft, "delete"))
      case "repaint":
        return this.#repaint()
      case "up":
      case "down":
        return this.#edit(Draft.press(this.#draft, key.press) ?? this.#history.go(key.press, this.#draft))
      default:
        return this.#edit(Draft.press(this.#draft, key.press))
    }
  }

  suspend(): void {
    this.#isSuspended = true
    this.#write(this.#block.erase())
  }

  resume(): void {
    this.#isSuspended = false
    this.#block.forget()
    this.#size = Device.size(this.#device)
    this.#write(`\r${this.#draw()}`)
  }

  close(): void {
    this.#isClosed = true
    this.#device.output.off("resize", this.#onResize)
    this.#write(this.#block.erase())
  }

  #write(text: string): void {
    this.#device.output.write(text)
  }

  #edit(next: Draft.Draft | undefined): void {
    if (next === undefined) return
    this.#draft = next
    this.#redraw()
  }

  #enter(): void {
    const { text } = this.#draft
    if (text.trim() === "") return this.#edit(Draft.empty)
    this.#history.add(text)
    // The sent text is printed when it comes back as a message.
    this.#edit(Draft.empty)
    Queue.offerUnsafe(this.#lines, text)
  }

  #text(entry: Entry): string {
    return `${Sanitise.output(entry(this.#size.columns)).replaceAll("\n", "\r\n")}\r\n`
  }

  #layout(): Block.Layout {
    const { columns, rows } = this.#size
    return Block.layout(this.#prompt, this.#draft, columns, Math.max(1, Math.floor(rows / 2)))
  }

  #draw(): string {
    return this.#block.draw(this.#layout())
  }

  #redraw(): void {
    if (!this.#isClosed && !this.#isSuspended) this.#write(this.#block.change(this.#layout()))
  }

  #resized(): void {
    const size = Device.size(this.#device)
    if (size.columns !== this.#size.columns) return this.#repaint()
    this.#size = size
    this.#redraw()
  }

  /** Clears the terminal and draws again: after a change of width some terminals reflow rows, some cut them. */
  #repaint(): void {
    // Visible entries are drawn again even if they no longer fit: they scroll up instead of being lost.
    const seen = this.#firstSeen()
    this.#size = Device.size(this.#device)
    this.#block.forget()
    const first = Math.min(seen, this.#firstSeen())
    const texts = this.#entries.slice(first).map((entry) => this.#text(entry))
    this.#write(`\u001b[H\u001b[2J${texts.join("")}${this.#draw()}`)
  }

  /** Index of the first of the recent entries that fill the terminal. */
  #firstSeen(): number {
    let rows = 0
    const index = this.#entries.findLastIndex((entry) => {
      rows += this.#text(entry).split("\n").length - 1
      return rows >= this.#size.rows
    })
    return Math.max(0, index)
  }
}

/** For terminals that cannot move the cursor: plain lines, one below the other. */
const openPlain = Effect.fnUntraced(function* (
  lines: Queue.Queue<string, Cause.Done>
): Effect.fn.Return<ChatView, never, Scope.Scope> {
  const input = yield* Effect.acquireRelease(
    Effect.sync(() => readline.createInterface({ input: process.stdin, terminal: false })),
    (opened) => Effect.sync(() => opened.close())
  )
  input.on("line", (line) => void Queue.offerUnsafe(lines, line))
  input.on("close", () => void Queue.endUnsafe(lines))
  return {
    lines,
    print: (entry) => void process.stdout.write(`${Sanitise.output(entry(undefined))}\n`),
    prompt: () => {},
    putBack: () => {}
  }
})

/** Opens the line until the scope closes. Standard input and output must be a terminal. */
export const open = Effect.fn("ChatView.open")(function* (
  prompt: string,
  canRedraw: boolean
): Effect.fn.Return<ChatView, never, Scope.Scope> {
  const lines = yield* Queue.unbounded<string, Cause.Done>()
  if (!canRedraw) return yield* openPlain(lines)
  const view = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const device = Device.standard()
      const view = new View(device, lines, prompt)
      return { view, keyboard: new Keyboard(device, view) }
    }),
    ({ view, keyboard }) =>
      Effect.sync(() => {
        view.close()
        keyboard.close()
      })
  ).pipe(Effect.map(({ view }) => view))
  return {
    lines,
    print: (entry) => view.print(entry),
    prompt: (text) => view.prompt(text),
    putBack: (text) => view.putBack(text)
  }
})
