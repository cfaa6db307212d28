/** How contacts and messages look on a terminal. */
import type { Contact, Message } from "@kez-chat/sdk"
import { FileName } from "@kez-chat/sdk/protocol"
import * as CommandLine from "../profile/CommandLine.ts"
import * as Quantity from "./Quantity.ts"
import * as Sanitise from "./Sanitise.ts"
import type { Style } from "./Style.ts"

const two = (value: number): string => String(value).padStart(2, "0")

/** `14:03`, local time. */
export const clock = (millis: number): string => {
  const date = new Date(millis)
  return `${two(date.getHours())}:${two(date.getMinutes())}`
}

/** `2026-11-23`, local time. */
export const day = (millis: number): string => {
  const date = new Date(millis)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** `ed25519:2152f8d1...881db12`: enough to recognise, too little to verify by. */
export const shortKey = (primary: string): string =>
  primary.length > 30 ? `${primary.slice(0, 16)}...${primary.slice(-7)}` : Sanitise.line(primary)

/** A contact's handle, or its key where the handle is not known yet. */
export const name = ({ handle, primary }: Contact): string =>
  handle === primary ? shortKey(primary) : Sanitise.line(handle)

/** A contact's handle or whole key: what a command takes. */
export const exactName = ({ handle }: Contact): string => Sanitise.line(handle)

/** The name of a file as its owner wrote it, made harmless, in its folder. */
export const fileName = ({ name, folder }: { readonly name: string; readonly folder?: string }): string =>
  Sanitise.line(FileName.display(folder === undefined ? name : `${folder}/${name}`))

/** What of an id is shown and typed: enough that two of one person's never look alike by chance. */
export const shortId = (id: string): string => id.slice(0, 8)

const ticks: Readonly<Record<NonNullable<Message["state"]>, string>> = {
  queued: "queued",
  stored: "stored",
  delivered: "delivered",
  read: "read",
  failed: "failed"
}

/** Why a queued message waits, in words. */
export const waiting = ({ reason, until }: NonNullable<Message["waiting"]>): string => {
  const why =
    reason === "full"
      ? "their inbox has no room for it"
      : "the home takes no more for them today; until they have written to you, that is little"
  return `${why}; ${until === undefined ? "tried again by itself" : `tried again after ${day(until)} ${clock(until)}`}`
}

const marks = (message: Message, style: Style): ReadonlyArray<string> => [
  ...(message.gap === undefined ? [] : [style.caution(`${message.gap} earlier not held here`)]),
  ...(message.suspicious === true
    ? [style.caution(`sender's clock says ${day(message.createdAt)} ${clock(message.createdAt)}`)]
    : []),
  ...(message.equivocation === true ? [style.bad("the sender sent another text under this id")] : []),
  ...(message.fork === true ? [style.caution("two programs write under this sender's device id")] : []),
  ...(message.waiting === undefined ? [] : [style.caution(waiting(message.waiting))]),
  ...(message.failure === undefined ? [] : [style.bad(Sanitise.line(message.failure))])
]

/** An offer is one line: what it is, and what fetches it. */
const textOf = ({ file, id, text, type }: Message, fetchable: boolean, style: Style): string => {
  if (file === undefined) return text === "" ? style.dim(`(${Sanitise.line(type)})`) : Sanitise.text(text)
  const fetch = fetchable ? style.dim(`  fetch ${CommandLine.argument(shortId(id))}`) : ""
  return `${style.dim("file")} ${style.bold(fileName(file))} (${Quantity.bytes(file.size)})${fetch}`
}

/** One message: its first line with time and author, further lines set in beneath the text. */
export const message = (
  value: Message,
  who: {
    readonly author: string
    readonly mine: boolean
    /** What fetches an offered file is said elsewhere, or it cannot be fetched. */
    readonly fetchShown?: boolean
  },
  style: Style
): string => {
  const state = value.state === undefined ? "" : style.dim(` (${ticks[value.state]})`)
  const head = `${style.dim(clock(value.arrivedAt))}  ${who.mine ? style.bold(who.author) : style.name(who.author)}`
  const indent = " ".repeat(7)
  const text = textOf(value, !who.mine && who.fetchShown !== true, style)
  const [first = "", ...rest] = text.split("\n")
  const lines = [`${head}  ${first}`, ...rest.map((line) => indent + line)]
  lines[lines.length - 1] += state
  return [...lines, ...marks(value, style).map((mark) => `${indent}${style.dim("^")} ${mark}`)].join("\n")
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
  const state = states[value.state](style)
  return [
    style.name(label) + " ".repeat(Math.max(0, width - label.length)),
    value.verified ? style.good("verified") : style.dim("not verified"),
    style.dim(shortKey(value.primary)),
    state
  ]
    .filter((part) => part !== "")
    .join("  ")
}
