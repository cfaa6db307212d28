/** One question on a terminal: draws itself, takes keys, and answers once. */
import * as Block from "./Block.ts"
import * as Columns from "../output/Columns.ts"
import { type Device, size } from "./Device.ts"
import * as Draft from "./Draft.ts"
import { interrupt, type Listener } from "./Keyboard.ts"
import type { Key } from "./Keys.ts"

export interface Running extends Listener {
  /** Draws again after the terminal was resized. */
  readonly resize: () => void
  /** Moves the cursor to a line of its own; nothing is drawn afterwards. */
  readonly end: () => void
}

export type Question = (device: Device, answer: (text: string) => void) => Running

/** Whether several lines are complete. A wrong text can still be corrected, with `message` shown below it. */
export type Judgement =
  | { readonly _tag: "Incomplete" | "Complete" }
  | { readonly _tag: "Wrong"; readonly message: string }
/** `isLast`: the person has signalled the end of input. */
export type Judge = (text: string, isLast: boolean) => Judgement

/** Lines are judged once there was no input for this time, in milliseconds: a paste may arrive in pieces. */
const quietMillis = 200

interface Shown extends Running {
  readonly text: () => string
  /** Shows a message below the text until the next key. */
  readonly say: (message: string) => void
}

/** Fewest columns for an answer beside its question; with fewer it is typed below. */
const leastColumns = 12

/** Echoes the typed text. `breaks` allows line breaks in it, and `enter` handles the Enter key. */
const shown = (
  device: Device,
  question: string,
  breaks: boolean,
  enter: (draft: Draft.Draft) => Draft.Draft
): Shown => {
  const block = new Block.Block()
  let draft = Draft.empty
  let message = ""
  let isOver = false
  const layout = () => {
    const { columns, rows } = size(device)
    const lines = question.split("\n")
    const last = Block.prompt(lines.at(-1) ?? "")
    const beside = last.columns <= columns - leastColumns
    const drawn = Block.layout(beside ? last : Block.prompt("> "), draft, columns, Math.max(1, Math.floor(rows / 2)))
    return {
      above: (beside ? lines.slice(0, -1) : lines).map((line) => `${line}\r\n`).join(""),
      block: message === "" ? drawn : { ...drawn, rows: [...drawn.rows, Columns.cut(message, columns - 1)] }
    }
  }
  const redraw = () => void device.output.write(block.change(layout().block))
  const edit = (key: Key): Draft.Draft | undefined => {
    if (key._tag !== "Press")
      return Draft.insert(draft, breaks ? key.text : key.text.replace(/\n+$/, "").replaceAll("\n", " "))
    if (key.press === "enter") return enter(draft)
    return key.press === "newline" && !breaks ? undefined : Draft.press(draft, key.press)
  }
  return {
    key: (key) => {
      if (key._tag === "Press" && key.press === "interrupt") return interrupt()
      const next = edit(key)
      if (next === undefined || isOver) return
      message = ""
      draft = next
      redraw()
    },
    suspend: () => void device.output.write(block.erase()),
    resume: () => {
      block.forget()
      const { above, block: drawn } = layout()
      device.output.write(`\r${above}${block.draw(drawn)}`)
    },
    resize: redraw,
    end: () => {
      if (isOver) return
      isOver = true
      device.output.write("\r\n")
    },
    text: () => draft.text,
    say: (text) => {
      message = text
      redraw()
    }
  }
}

const isClose = (key: Key): boolean => key._tag === "Press" && key.press === "close"

/** One line. A pasted text of several lines becomes one. */
export const line =
  (question: string): Question =>
  (device, answer) => {
    const running = shown(device, question, false, (draft) => {
      answer(draft.text)
      return draft
    })
    return {
      ...running,
      key: (key) => (isClose(key) && running.text() === "" ? answer("") : running.key(key))
    }
  }

/** Several lines, until `judge` finds them complete some time after Enter. */
export const lines =
  (question: string, judge: Judge): Question =>
  (device, answer) => {
    let timer: NodeJS.Timeout | undefined
    const running = shown(device, question, true, (draft) => Draft.insert(draft, "\n"))
    const decide = (isLast: boolean) => () => {
      const judged = judge(running.text(), isLast)
      if (judged._tag === "Complete") answer(running.text())
      else if (judged._tag === "Wrong") running.say(judged.message)
    }
    return {
      ...running,
      key: (key) => {
        clearTimeout(timer)
        running.key(key)
        const isEnter = key._tag === "Press" && key.press === "enter"
        if (isEnter || isClose(key)) timer = setTimeout(decide(isClose(key)), quietMillis)
      },
      end: () => {
        clearTimeout(timer)
        running.end()
      }
    }
  }

/** One line without echo. */
export const hidden =
  (question: string): Question =>
  (device, answer) => {
    let draft = Draft.empty
    let isOver = false
    return {
      key: (key) => {
        if (isOver) return
        if (key._tag !== "Press") draft = Draft.insert(draft, key.text.split("\n")[0] ?? "")
        else if (key.press === "interrupt") interrupt()
        else if (key.press === "enter" || key.press === "close") answer(draft.text)
        else draft = Draft.press(draft, key.press) ?? draft
      },
      suspend: () => void device.output.write("\r\n"),
      resume: () => void device.output.write(question),
      resize: () => {},
      end: () => {
        if (isOver) return
        isOver = true
        draft = Draft.empty
        device.output.write("\r\n")
      }
    }
  }
