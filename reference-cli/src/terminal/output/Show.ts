/** Formats contacts and messages for a terminal. */
import type { Contact, Message } from "@kez-chat/sdk"
import { FileName } from "@kez-chat/sdk/protocol"
import * as CommandLine from "../../profile/CommandLine.ts"
import * as Columns from "./Columns.ts"
import * as Quantity from "./Quantity.ts"
import * as Sanitise from "./Sanitise.ts"
import type { Style } from "./Style.ts"

/** `14:03`, local time. */
export const clock = (millis: number): string => {
  const date = new Date(millis)
  return `${Quantity.two(date.getHours())}:${Quantity.two(date.getMinutes())}`
}

/** `2026-11-23`, local time. */
export const day = (millis: number): string => {
  const date = new Date(millis)
  return `${date.getFullYear()}-${Quantity.two(date.getMonth() + 1)}-${Quantity.two(date.getDate())}`
}

/** `ed25519:2152f8d1...881db12`: enough to recognise a key, too little to verify it. */
export const shortKey = (primary: string): string =>
  primary.length > 30 ? `${primary.slice(0, 16)}...${primary.slice(-7)}` : Sanitise.line(primary)

/** A contact's handle, or its shortened key while the handle is unknown. */
export const name = ({ handle, primary }: Contact): string =>
  handle === primary ? shortKey(primary) : Sanitise.line(handle)

/** A contact's handle or whole key, as commands take it. */
export const exactName = ({ handle }: Contact): string => Sanitise.line(handle)

/** The sanitised path of a file as its owner named it. */
export const fileName = ({ name, folder }: { readonly name: string; readonly folder?: string }): string =>
  Sanitise.line(FileName.display(folder === undefined ? name : `${folder}/${name}`))

/** The part of an id that is shown and typed: long enough that two ids of one person never look alike by chance. */
export const shortId = (id: string): string => id.slice(0, 8)

const ticks: Readonly<Record<NonNullable<Message["state"]>, string>> = {
  queued: "queued",
  stored: "stored",
  delivered: "delivered",
  read: "read",
  failed: "failed"
}

/** Why a queued message is waiting, in words. */
export const waiting = ({ reason, until }: NonNullable<Message["waiting"]>): string => {
  if (reason === "moved") return "their key was handed over to another: kept until you decide about it"
  const why =
    reason === "full"
      ? "their inbox is full"
      : "the home's limit for today is reached; it is low until they write to you"
  return `${why}; ${until === undefined ? "retried automatically" : `retried after ${day(until)} ${clock(until)}`}`
}

const marks = (message: Message, style: Style): ReadonlyArray<string> => [
  ...(message.gap === undefined ? [] : [style.caution(`${message.gap} earlier missing here`)]),
  ...(message.suspicious === true
    ? [style.caution(`sender's clock says ${day(message.createdAt)} ${clock(message.createdAt)}`)]
    : []),
  ...(message.equivocation === true ? [style.bad("the sender sent another text under this id")] : []),
  ...(message.fork === true ? [style.caution("two programs use this sender's device id")] : []),
  ...(message.retired === true ? [style.caution("with a key that they have retired")] : []),
  ...(message.waiting === undefined ? [] : [style.caution(waiting(message.waiting))]),
  ...(message.failure === undefined ? [] : [style.bad(Sanitise.line(message.failure))])
]

/** The text of a message and its colours. An offer is one line and includes the command that fetches it. */
const textOf = ({ file, id, text, type }: Message, fetchable: boolean, style: Style): Body => {
  if (file === undefined) {
    return text === ""
      ? { text: `(${Sanitise.line(type)})`, paint: style.dim }
      : { text: Sanitise.text(text), paint: (whole) => whole }
  }
  const [name, size] = [fileName(file), Quantity.bytes(file.size)]
  const fetch = fetchable ? `  fetch ${CommandLine.argument(shortId(id))}` : ""
  return {
    text: `file ${name} (${size})${fetch}`,
    paint: () => `${style.dim("file")} ${style.bold(name)} (${size})${style.dim(fetch)}`
  }
}

interface Body {
  readonly text: string
  readonly paint: (whole: string) => string
}

/** Continuation lines of a message start behind a bar that no text can leave. */
const bar = "     │ "
const beneath = " ".repeat(bar.length)
/** If the columns are unknown, lines may be broken anywhere, so no gap of spaces is wider than this. */
const widestGap = 8

/** The lines of a text, the first one after `taken` columns. */
const linesOf = (text: string, taken: number, columns: number | undefined): ReadonlyArray<string> => {
  const lines = text.split("\n")
  if (columns === undefined)
    return lines.map((line) => line.replace(new RegExp(`(\\S)\\s{${widestGap},}`, "g"), `$1${" ".repeat(widestGap)}`))
  const room = columns - 1
  const [first = "", ...rest] = lines
  return [
    ...Columns.wrap(first, room - taken, room - bar.length),
    ...rest.flatMap((line) => Columns.wrap(line, room - bar.length, room - bar.length))
  ]
}

/** Fewest columns for a text beside its author; with fewer it begins below. */
const leastColumns = 12

export interface Placed {
  readonly author: string
  readonly mine: boolean
  /** The command that fetches an offered file is shown elsewhere, or the file cannot be fetched. */
  readonly fetchShown?: boolean
  /** Columns of the terminal, if there is one. */
  readonly columns: number | undefined
  /** Most lines of the text to show. */
  readonly maxLines?: number
}

/**
 * Formats one message: its first line with time and author, further lines below it behind a bar. No line of its text
 * can begin in the column of an author, however it is written and wherever the terminal breaks it.
 */
export const message = (value: Message, placed: Placed, style: Style): string => {
  const { mine, columns, maxLines } = placed
  const time = clock(value.arrivedAt)
  const author = columns === undefined ? placed.author : Columns.cut(placed.author, columns - 1 - beneath.length)
  const taken = `${time}  `.length + Columns.width(author) + 2
  const head = `${style.dim(time)}  ${mine ? style.bold(author) : style.name(author)}`
  const { text, paint } = textOf(value, !mine && placed.fetchShown !== true, style)
  const state = value.state === undefined ? "" : ` (${ticks[value.state]})`
  const below = columns !== undefined && columns - 1 - taken < leastColumns
  const whole = linesOf(text, below ? bar.length : taken, columns)
  const shown = maxLines === undefined || whole.length <= maxLines ? whole : [...whole.slice(0, maxLines), "…"]
  const lines = shown.length === 1 && shown[0] === text ? [paint(text)] : shown
  const rows = below
    ? [head, ...lines.map((line) => style.dim(bar) + line)]
    : lines.map((line, index) => (index === 0 ? `${head}  ${line}` : style.dim(bar) + line))
  if (state !== "") {
    const last = rows.at(-1) ?? ""
    if (columns === undefined || Columns.width(last) + state.length < columns)
      rows[rows.length - 1] = last + style.dim(state)
    else rows.push(beneath + style.dim(state.trim()))
  }
  return [...rows, ...marks(value, style).map((mark) => `${beneath}${style.dim("^")} ${mark}`)].join("\n")
}

/** A line between the messages of two days. */
export const dayLine = (millis: number, style: Style): string => style.dim(`-- ${day(millis)} --`)

const states: Readonly<Record<Contact["state"], (style: Style) => string>> = {
  accepted: () => "",
  requested: (style) => style.caution("wants to write to you"),
  blocked: (style) => style.dim("blocked"),
  changed: (style) => style.bad("key changed")
}

/** One line of `contacts`. */
export const contact = (value: Contact, width: number, style: Style): string => {
  const label = name(value)
  const state = value.kept === true ? style.caution("you keep their key") : states[value.state](style)
  return [
    style.name(label) + " ".repeat(Math.max(0, width - Columns.width(label))),
    value.verified ? style.good("verified") : style.dim("not verified"),
    style.dim(shortKey(value.primary)),
    state,
    ...(value.home === undefined ? [] : [style.dim("another home: cannot be written to")])
  ]
    .filter((part) => part !== "")
    .join("  ")
}
