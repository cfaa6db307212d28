/** What the owner does for other commands: KezChat's methods and those of files by name, each with its arguments checked. */
import type { KezChat, KezChatError, Settings } from "@kez-chat/sdk"
import type * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as path from "node:path"
import type { Files, SaveTerms, ShareTerms } from "./Files.ts"

/** What an owner has. */
export interface Owned {
  readonly chat: KezChat["Service"]
  readonly files: Files
}

type Params = ReadonlyArray<unknown>

/** Arguments that no command of ours sends. */
export class BadParams extends Error {}

const text = (params: Params, index: number): string => {
  const value = params[index]
  if (typeof value !== "string") throw new BadParams(`argument ${index} is no text`)
  return value
}

const flag = (params: Params, index: number): boolean => {
  const value = params[index]
  if (typeof value !== "boolean") throw new BadParams(`argument ${index} is no boolean`)
  return value
}

const object = (value: unknown): Readonly<Record<string, unknown>> => {
  if (value === undefined || value === null) return {}
  if (typeof value !== "object") throw new BadParams("an argument is no object")
  return value as Readonly<Record<string, unknown>>
}

const natural = (value: unknown): number | undefined => {
  if (value === undefined) return undefined
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new BadParams("an argument is no natural number")
  return value as number
}

const page = (params: Params): { readonly before?: number; readonly limit?: number } => {
  const given = object(params[1])
  const before = natural(given["before"])
  const limit = natural(given["limit"])
  return { ...(before === undefined ? {} : { before }), ...(limit === undefined ? {} : { limit }) }
}

const settingsChange = (params: Params): Partial<Settings> => {
  const { autoTrim, readReceipts, inbox } = object(params[0])
  return {
    ...(typeof readReceipts === "boolean" ? { readReceipts } : {}),
    ...(typeof autoTrim === "boolean" ? { autoTrim } : {}),
    ...(inbox === "everyone" || inbox === "contacts" ? { inbox } : {})
  }
}

const absolute = (params: Params, index: number): string => {
  const value = text(params, index)
  if (!path.isAbsolute(value)) throw new BadParams(`argument ${index} is no absolute path`)
  return value
}

const optional = (value: unknown): string | undefined => {
  if (value === undefined) return undefined
  if (typeof value !== "string") throw new BadParams("an argument is no text")
  return value
}

const shareTerms = (params: Params): ShareTerms => {
  const given = object(params[1])
  const readers = given["with"]
  if (!Array.isArray(readers) || !readers.every((who) => typeof who === "string")) {
    throw new BadParams("the readers are no list of texts")
  }
  return { with: readers, public: given["public"] === true, unlisted: given["unlisted"] === true }
}

const saveTerms = (params: Params): SaveTerms => {
  const given = object(params[1])
  const within = optional(given["within"])
  const name = optional(given["name"])
  return {
    folder: absolute([given["folder"]], 0),
    overwrite: given["overwrite"] === true,
    ...(within === undefined ? {} : { within }),
    ...(name === undefined ? {} : { name })
  }
}

/** Methods that go on for as long as somebody wants them: an owner that ends does not wait for these. */
export const lasting: ReadonlySet<string> = new Set(["events", "connection", "serve", "fetch", "fetchTo", "shareFile"])

/** Methods with one answer. */
export const calls: Readonly<Record<string, (owned: Owned, params: Params) => Effect.Effect<unknown, KezChatError>>> = {
  account: ({ chat }) => chat.account,
  sync: ({ chat }) => chat.sync,
  flush: ({ chat }) => chat.flush,
  addContact: ({ chat }, params) => chat.addContact(text(params, 0)),
  contact: ({ chat }, params) => chat.contact(text(params, 0)),
  refreshContact: ({ chat }, params) => chat.refreshContact(text(params, 0)),
  verification: ({ chat }, params) => chat.verification(text(params, 0)),
  confirmKey: ({ chat }, params) => chat.confirmKey(text(params, 0), text(params, 1)),
  unconfirmKey: ({ chat }, params) => chat.unconfirmKey(text(params, 0)),
  acceptKey: ({ chat }, params) => chat.acceptKey(text(params, 0), text(params, 1)),
  keepKey: ({ chat }, params) => chat.keepKey(text(params, 0)),
  accept: ({ chat }, params) => chat.accept(text(params, 0)),
  block: ({ chat }, params) => chat.block(text(params, 0)),
  unblock: ({ chat }, params) => chat.unblock(text(params, 0)),
  removeContact: ({ chat }, params) => chat.removeContact(text(params, 0), flag(params, 1)),
  send: ({ chat }, params) => chat.send(text(params, 0), text(params, 1)),
  markRead: ({ chat }, params) => chat.markRead(text(params, 0)),
  inbox: ({ chat }) => chat.inbox,
  trim: ({ chat }, params) => chat.trim(text(params, 0) === "sent" ? "sent" : "mail"),
  settings: ({ chat }) => chat.settings,
  updateSettings: ({ chat }, params) => chat.updateSettings(settingsChange(params)),
  deleteAccount: ({ chat }) => chat.deleteAccount,
  unshare: ({ chat }, params) => chat.unshare(text(params, 0)),
  browse: ({ chat }, params) => chat.browse(text(params, 0)),
  discard: ({ chat }, params) => chat.discard(text(params, 0)),
  matches: ({ files }, params) => files.matches(text(params, 0), absolute(params, 1)),
  serving: ({ files }) => files.serving,
  serve: ({ files }) => files.serve
}

/** Methods with many answers. Lists are streams too, so that no line grows with their length. */
export const streams: Readonly<Record<string, (owned: Owned, params: Params) => Stream.Stream<unknown, KezChatError>>> =
  {
    events: ({ chat }) => chat.events,
    connection: ({ chat }) =>
      Stream.map(chat.connection, (state) =>
        // The error's cause stays here.
        state._tag === "Offline"
          ? { ...state, error: { reason: state.error.reason, detail: state.error.detail } }
          : state
      ),
    export: ({ chat }) => chat.export,
    contacts: ({ chat }) => Stream.fromIterableEffect(chat.contacts),
    history: ({ chat }, params) => Stream.fromIterableEffect(chat.history(text(params, 0), page(params))),
    shared: ({ chat }) => Stream.fromIterableEffect(chat.shared),
    fetch: ({ chat }, params) => chat.fetch(text(params, 0)),
    shareFile: ({ files }, params) => files.shareFile(absolute(params, 0), shareTerms(params)),
    fetchTo: ({ files }, params) => files.fetchTo(text(params, 0), saveTerms(params)),
    blobs: ({ files }) => files.blobs
  }
