/** What the owner does for other commands: KezChat's methods by name, each with its arguments checked. */
import type { KezChat, KezChatError, Settings } from "@kez-chat/sdk"
import type * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

type Chat = KezChat["Service"]
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
  const { readReceipts, inbox } = object(params[0])
  return {
    ...(typeof readReceipts === "boolean" ? { readReceipts } : {}),
    ...(inbox === "everyone" || inbox === "contacts" ? { inbox } : {})
  }
}

/** Methods with one answer. */
export const calls: Readonly<Record<string, (chat: Chat, params: Params) => Effect.Effect<unknown, KezChatError>>> = {
  account: (chat) => chat.account,
  sync: (chat) => chat.sync,
  flush: (chat) => chat.flush,
  addContact: (chat, params) => chat.addContact(text(params, 0)),
  contact: (chat, params) => chat.contact(text(params, 0)),
  refreshContact: (chat, params) => chat.refreshContact(text(params, 0)),
  verification: (chat, params) => chat.verification(text(params, 0)),
  setVerified: (chat, params) => chat.setVerified(text(params, 0), flag(params, 1)),
  acceptKey: (chat, params) => chat.acceptKey(text(params, 0)),
  accept: (chat, params) => chat.accept(text(params, 0)),
  block: (chat, params) => chat.block(text(params, 0)),
  unblock: (chat, params) => chat.unblock(text(params, 0)),
  removeContact: (chat, params) => chat.removeContact(text(params, 0), flag(params, 1)),
  send: (chat, params) => chat.send(text(params, 0), text(params, 1)),
  markRead: (chat, params) => chat.markRead(text(params, 0)),
  settings: (chat) => chat.settings,
  updateSettings: (chat, params) => chat.updateSettings(settingsChange(params)),
  deleteAccount: (chat) => chat.deleteAccount
}

/** Methods with many answers. Lists are streams too, so that no line grows with their length. */
export const streams: Readonly<Record<string, (chat: Chat, params: Params) => Stream.Stream<unknown, KezChatError>>> = {
  events: (chat) => chat.events,
  connection: (chat) =>
    Stream.map(chat.connection, (state) =>
      // The error's cause stays here.
      state._tag === "Offline" ? { ...state, error: { reason: state.error.reason, detail: state.error.detail } } : state
    ),
  export: (chat) => chat.export,
  contacts: (chat) => Stream.fromIterableEffect(chat.contacts),
  history: (chat, params) => Stream.fromIterableEffect(chat.history(text(params, 0), page(params)))
}
