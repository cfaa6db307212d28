/** Decodes a terminal's input into keys. Escape sequences are decoded by Node; pasted text arrives in one piece. */
import { EventEmitter } from "node:events"
import * as readline from "node:readline"

/** A key that is not text. `close`: Ctrl-D; `newline`: Alt-Enter. */
export type Press =
  | "enter"
  | "newline"
  | "backspace"
  | "delete"
  | "left"
  | "right"
  | "up"
  | "down"
  | "home"
  | "end"
  | "word-left"
  | "word-right"
  | "erase-word"
  | "erase-to-start"
  | "erase-to-end"
  | "repaint"
  | "close"
  | "interrupt"
  | "suspend"
  | "quit"

export type Key =
  | { readonly _tag: "Text"; readonly text: string }
  /** Text of a bracketed paste. Lines end in LF; other control characters are removed. */
  | { readonly _tag: "Paste"; readonly text: string }
  | { readonly _tag: "Press"; readonly press: Press }

/** How long to wait for the rest of an escape sequence before it counts as the Escape key, in milliseconds. */
const escapeMillis = 100

const plain: Readonly<Record<string, Press>> = {
  return: "enter",
  enter: "enter",
  backspace: "backspace",
  delete: "delete",
  left: "left",
  right: "right",
  up: "up",
  down: "down",
  home: "home",
  end: "end"
}

const withControl: Readonly<Record<string, Press>> = {
  a: "home",
  b: "left",
  c: "interrupt",
  d: "close",
  e: "end",
  f: "right",
  h: "backspace",
  k: "erase-to-end",
  l: "repaint",
  n: "down",
  p: "up",
  u: "erase-to-start",
  w: "erase-word",
  z: "suspend",
  left: "word-left",
  right: "word-right",
  "\\": "quit"
}

const withMeta: Readonly<Record<string, Press>> = {
  b: "word-left",
  f: "word-right",
  left: "word-left",
  right: "word-right",
  backspace: "erase-word",
  return: "newline",
  enter: "newline"
}

const pressOf = ({ name, ctrl, meta, sequence }: readline.Key): Press | undefined => {
  if (sequence === "\u001c") return "quit"
  if (name === undefined) return undefined
  if (meta) return withMeta[name]
  return ctrl ? withControl[name] : plain[name]
}

const pasted = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    // eslint-disable-next-line no-control-regex
    .replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, "")

/** A function that takes the terminal's input in pieces of any size and calls `onKey` for each key. */
export const decoder = (onKey: (key: Key) => void): ((chunk: Buffer | string) => void) => {
  const source = new EventEmitter()
  const options = { escapeCodeTimeout: escapeMillis }
  readline.emitKeypressEvents(source as unknown as NodeJS.ReadableStream, options as unknown as readline.Interface)
  let paste: string | undefined
  source.on("keypress", (text: string | undefined, key: readline.Key) => {
    const name = key.name as string | undefined
    if (name === "paste-start") paste = ""
    else if (name === "paste-end") {
      onKey({ _tag: "Paste", text: pasted(paste ?? "") })
      paste = undefined
    } else if (paste !== undefined) paste += key.sequence ?? text ?? ""
    else {
      const press = pressOf(key)
      if (press !== undefined) return onKey({ _tag: "Press", press })
      // Anything else is text: a letter, a symbol, an emoji.
      if (text !== undefined && !key.ctrl && !key.meta && !/^\p{Cc}$/u.test(text)) onKey({ _tag: "Text", text })
    }
  })
  return (chunk) => void source.emit("data", typeof chunk === "string" ? Buffer.from(chunk) : chunk)
}
