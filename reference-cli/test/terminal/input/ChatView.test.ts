/** The two-way view, drawn into a terminal emulator: what a person sees, at every width. */
import type { Cause } from "effect"
import { Effect, Queue } from "effect"
import * as fc from "fast-check"
import { EventEmitter } from "node:events"
import { describe, expect, it } from "vitest"
import { View } from "../../../src/terminal/input/ChatView.ts"
import type { Device } from "../../../src/terminal/input/Device.ts"
import * as Keys from "../../../src/terminal/input/Keys.ts"
import * as Show from "../../../src/terminal/output/Show.ts"
import { uncoloured } from "../../../src/terminal/output/Style.ts"
import { Emulator } from "../../kit/Emulator.ts"

/** A view whose terminal is the emulator. */
class Scene {
  readonly emulator: Emulator
  readonly view: View
  readonly entered: Queue.Queue<string, Cause.Done>
  readonly #type: (chunk: string) => void
  readonly #output = new EventEmitter()
  #size: [number, number]
  #written: Promise<void> = Promise.resolve()

  constructor(columns: number, rows: number) {
    this.#size = [columns, rows]
    this.emulator = new Emulator(columns, rows)
    const output = Object.assign(this.#output, {
      getWindowSize: () => this.#size,
      write: (text: string) => void (this.#written = this.emulator.write(text))
    })
    this.entered = Effect.runSync(Queue.unbounded<string, Cause.Done>())
    this.view = new View({ output } as unknown as Device, this.entered, "> ")
    this.#type = Keys.decoder((key) => this.view.key(key))
  }

  type(keys: string): void {
    this.#type(keys)
  }

  paste(text: string): void {
    this.#type(`\u001b[200~${text}\u001b[201~`)
  }

  receive(text: string): void {
    this.view.print((columns) =>
      Show.message(
        { id: "m", type: "text", text, arrivedAt: 0, createdAt: 0 } as never,
        { author: "bob@home", mine: false, columns },
        uncoloured
      )
    )
  }

  resize(columns: number, rows: number): void {
    this.#size = [columns, rows]
    this.emulator.resize(columns, rows)
    this.#output.emit("resize")
  }

  async screen(): Promise<string> {
    await this.#written
    return this.emulator.visible.join("\n")
  }

  /** Everything that was written, with the breaks and bars of wrapping left out. */
  async plain(): Promise<string> {
    await this.#written
    return this.emulator.rows
      .map((row) => row.replace(/^( {5}│ | {2})/, ""))
      .join("")
      .replaceAll(" ", "")
  }
}

const letters = "abcdefghij".repeat(7)

describe("View", () => {
  it.each([20, 21, 40, 60, 80, 200])("shows what comes above a draft of 70 letters in %i columns", async (columns) => {
    const scene = new Scene(columns, 30)
    scene.receive("first")
    scene.type(letters)
    scene.receive("second")
    const seen = await scene.screen()
    expect(seen.indexOf("first")).toBeLessThan(seen.indexOf("second"))
    expect(seen.indexOf("second")).toBeLessThan(seen.indexOf("> abc"))
    expect(await scene.plain()).toMatch(new RegExp(`>${letters}$`))
    const { column, row } = scene.emulator.cursor
    expect(scene.emulator.rows[row]).toHaveLength(column)
  })

  it("leaves nothing of the draft behind after Home and Enter", async () => {
    for (const columns of [20, 33, 60, 100]) {
      const scene = new Scene(columns, 30)
      scene.receive("before")
      scene.type(`${letters}\u001b[H\r`)
      expect(Effect.runSync(Queue.take(scene.entered))).toBe(letters)
      const seen = await scene.screen()
      expect(seen).toMatch(/^\d\d:\d\d {2}bob@home( {2}|\n {5}│ )before\n>$/)
    }
  })

  it("keeps a paste of several lines as one text until Enter", async () => {
    const scene = new Scene(40, 20)
    scene.type("see: ")
    scene.paste("one\r\ntwo\rthree\u001b[2J\n")
    expect(Effect.runSync(Queue.size(scene.entered))).toBe(0)
    expect(await scene.screen()).toBe("> see: one\n  two\n  three[2J")
    scene.type("\r")
    expect(Effect.runSync(Queue.take(scene.entered))).toBe("see: one\ntwo\nthree[2J")
    expect(await scene.screen()).toBe(">")
  })

  it("draws everything again in a terminal of another width", async () => {
    const scene = new Scene(80, 40)
    for (let index = 1; index <= 4; index++) scene.receive(`message-${index} ${"word ".repeat(20)}`)
    scene.type(`${letters}\u001b[D\u001b[D`)
    await scene.screen()
    for (const columns of [30, 120, 40, 60]) {
      scene.resize(columns, 40)
      const seen = await scene.screen()
      for (let index = 1; index <= 4; index++) expect(seen.match(new RegExp(`message-${index}`, "g"))).toHaveLength(1)
      expect(seen.match(/^> /gm)).toHaveLength(1)
      scene.type("x\u007f")
      expect(await scene.screen()).toBe(seen)
    }
  })

  it("loses nothing that was seen when the terminal becomes too small for it", async () => {
    const scene = new Scene(80, 20)
    for (let index = 1; index <= 5; index++) scene.receive(`message-${index} ${"word ".repeat(20)}`)
    await scene.screen()
    scene.resize(20, 20)
    await scene.screen()
    for (let index = 1; index <= 5; index++) expect(scene.emulator.rows.join("\n")).toContain(`message-${index}`)
  })

  it("brings back what was entered, and what was being typed", async () => {
    const scene = new Scene(40, 10)
    scene.type("one\rtwo\rdraft")
    scene.type("\u001b[A")
    expect(await scene.screen()).toBe("> two")
    scene.type("\u001b[A\u001b[A")
    expect(await scene.screen()).toBe("> one")
    scene.type("\u001b[B\u001b[B")
    expect(await scene.screen()).toBe("> draft")
  })

  it("ends at Ctrl-C, and at Ctrl-D where nothing is typed", () => {
    for (const keys of ["\u0003", "text\u0003", "\u0004"]) {
      const scene = new Scene(40, 10)
      scene.type(keys)
      expect(Effect.runSync(Effect.exit(Queue.take(scene.entered)))._tag).toBe("Failure")
    }
  })

  const signs = fc.constantFrom("a", "b", " ", "好", "é", "e\u0301", "👍🏽", "👩‍👩‍👧", "❤️", "🇩🇪", "한", "नि", "\t", "\u200f")
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.array(signs, { minLength: 1, maxLength: 30 }).map((all) => all.join("")) },
    {
      weight: 3,
      arbitrary: fc.constantFrom("\u001b[D", "\u001b[C", "\u001b[H", "\u001b[F", "\u007f", "\u001b[3~", "\u0017")
    },
    { weight: 2, arbitrary: fc.constant("MESSAGE") },
    { weight: 1, arbitrary: fc.constant("\r") }
  )

  it("never hides a message or leaves a row behind, whatever is typed in between", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 20, max: 200 }), fc.array(step, { maxLength: 25 }), async (columns, steps) => {
        const scene = new Scene(columns, 50)
        let count = 0
        for (const keys of steps) {
          if (keys === "MESSAGE") scene.receive(`message-${++count}`)
          else scene.type(keys)
        }
        const rows = (await scene.screen()).split("\n")
        const at = rows.findIndex((row) => row.startsWith(">"))
        expect(rows.filter((row) => row.startsWith(">"))).toHaveLength(1)
        const above = rows.slice(0, at).join("\n")
        for (let index = 1; index <= count; index++) expect(above).toMatch(new RegExp(`message-${index}$`, "m"))
        expect(above.match(/message-/g) ?? []).toHaveLength(count)
        // What is below the first row of the draft is the draft.
        for (const row of rows.slice(at + 1)) expect(row === "" || row.startsWith("  ")).toBe(true)
      }),
      { numRuns: 50 }
    )
  })
})
