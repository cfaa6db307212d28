/** The methods of the owner's socket: what each takes, and what it does with the account. */
import { HistoryPage, type KezChat, type KezChatError, ReportOptions, SearchOptions, Settings } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Struct from "effect/Struct"
import { AbsolutePath, type Files, SaveTerms, ShareTerms } from "./Files.ts"

/** The account and files of an owner. */
export interface Owned {
  readonly chat: KezChat["Service"]
  readonly files: Files
}

/** Runs a method; none for parameters that no command of ours sends. */
type Method<A> = (owned: Owned, params: ReadonlyArray<unknown>) => Option.Option<A>
type Call = Effect.Effect<unknown, KezChatError>
type Many = Stream.Stream<unknown, KezChatError>

/** A method with its parameters, all of them required, and what it runs. */
const method = <const Params extends ReadonlyArray<Schema.Codec<unknown, unknown>>, A>(
  params: Params,
  run: (owned: Owned, ...values: Schema.Tuple<Params>["Type"]) => A
): Method<A> => {
  const decode = Schema.decodeUnknownOption(Schema.Tuple(params))
  return (owned, given) => Option.map(decode(given), (values) => run(owned, ...values))
}

const text = Schema.String
/** Parameters are never left out: an empty text stands for one that was not given. */
const given = (value: string): string | undefined => (value === "" ? undefined : value)
const SettingsChange = Schema.Struct(Struct.map(Settings.fields, Schema.optionalKey))

/** Methods that run for as long as their caller wants them: an owner that ends does not wait for these. */
export const lasting: ReadonlySet<string> = new Set([
  "events",
  "connection",
  "catchingUp",
  "serve",
  "fetch",
  "fetchTo",
  "shareFile",
  "prove"
])

/** Methods with one answer. */
export const calls: Readonly<Record<string, Method<Call>>> = {
  account: method([], ({ chat }) => chat.account),
  rotation: method([], ({ chat }) => Effect.map(chat.rotation, (rotation) => rotation ?? null)),
  sync: method([], ({ chat }) => chat.sync),
  nudge: method([], ({ chat }) => chat.nudge),
  flush: method([], ({ chat }) => chat.flush),
  lookUp: method([text], ({ chat }, handle) => chat.lookUp(handle)),
  addContact: method([text], ({ chat }, handle) => chat.addContact(handle)),
  contact: method([text], ({ chat }, who) => chat.contact(who)),
  refreshContact: method([text], ({ chat }, who) => chat.refreshContact(who)),
  verification: method([text], ({ chat }, who) => chat.verification(who)),
  revokeProof: method([text], ({ chat }, subject) => chat.revokeProof(subject)),
  introduce: method([text, text], ({ chat }, to, who) => chat.introduce(to, who)),
  withdrawIntroduction: method([text, text], ({ chat }, to, who) => chat.withdrawIntroduction(to, who)),
  confirmKey: method([text, text], ({ chat }, who, primary) => chat.confirmKey(who, primary)),
  unconfirmKey: method([text], ({ chat }, who) => chat.unconfirmKey(who)),
  acceptKey: method([text, text], ({ chat }, who, primary) => chat.acceptKey(who, primary)),
  keepKey: method([text], ({ chat }, who) => chat.keepKey(who)),
  accept: method([text], ({ chat }, who) => chat.accept(who)),
  block: method([text], ({ chat }, who) => chat.block(who)),
  unblock: method([text], ({ chat }, who) => chat.unblock(who)),
  removeContact: method([text, Schema.Boolean], ({ chat }, who, withMessages) => chat.removeContact(who, withMessages)),
  send: method([text, text], ({ chat }, who, message) => chat.send(who, message)),
  draft: method([text], ({ chat }, who) => chat.draft(who)),
  setDraft: method([text, text], ({ chat }, who, draft) => chat.setDraft(who, draft)),
  markRead: method([text], ({ chat }, who) => chat.markRead(who)),
  removeMessage: method([text], ({ chat }, id) => chat.removeMessage(id)),
  report: method([ReportOptions], ({ chat }, options) => chat.report(options)),
  evidence: method([text], ({ chat }, id) => chat.evidence(id)),
  checkHistory: method([text], ({ chat }, who) => chat.checkHistory(who)),
  inbox: method([], ({ chat }) => chat.inbox),
  trim: method([Schema.Literals(["mail", "sent"])], ({ chat }, box) => chat.trim(box)),
  settings: method([], ({ chat }) => chat.settings),
  updateSettings: method([SettingsChange], ({ chat }, change) => chat.updateSettings(change)),
  deleteAccount: method([], ({ chat }) => chat.deleteAccount),
  unshare: method([text], ({ chat }, id) => chat.unshare(id)),
  browse: method([text], ({ chat }, who) => chat.browse(who)),
  discard: method([text], ({ chat }, fileRef) => chat.discard(fileRef)),
  matches: method([text, AbsolutePath], ({ files }, fileRef, path) => files.matches(fileRef, path)),
  serving: method([], ({ files }) => files.serving),
  serve: method([], ({ files }) => files.serve)
}

/** Methods with many answers. Lists are streams too, so that no line grows with their length. */
export const streams: Readonly<Record<string, Method<Many>>> = {
  events: method([], ({ chat }) => chat.events),
  connection: method([], ({ chat }) =>
    Stream.map(chat.connection, (state) =>
      // The error's cause stays here.
      state._tag === "Offline" ? { ...state, error: { reason: state.error.reason, detail: state.error.detail } } : state
    )
  ),
  export: method([], ({ chat }) => chat.export),
  contacts: method([], ({ chat }) => Stream.fromIterableEffect(chat.contacts)),
  proofs: method([text], ({ chat }, who) => Stream.fromIterableEffect(chat.proofs(given(who)))),
  checkProofs: method([text, text], ({ chat }, who, subject) =>
    Stream.fromIterableEffect(chat.checkProofs(who, given(subject)))
  ),
  prove: method([text], ({ chat }, subject) => chat.prove(subject)),
  provings: method([], ({ chat }) => Stream.fromIterableEffect(chat.provings)),
  held: method([], ({ chat }) => Stream.fromIterableEffect(chat.held)),
  introductions: method([], ({ chat }) => Stream.fromIterableEffect(chat.introductions)),
  catchingUp: method([], ({ chat }) => chat.catchingUp),
  conversations: method([], ({ chat }) => Stream.fromIterableEffect(chat.conversations)),
  history: method([text, HistoryPage], ({ chat }, who, page) => Stream.fromIterableEffect(chat.history(who, page))),
  search: method([text, SearchOptions], ({ chat }, query, options) => chat.search(query, options)),
  shared: method([], ({ chat }) => Stream.fromIterableEffect(chat.shared)),
  fetch: method([text], ({ chat }, fileRef) => chat.fetch(fileRef)),
  shareFile: method([AbsolutePath, ShareTerms], ({ files }, path, terms) => files.shareFile(path, terms)),
  fetchTo: method([text, SaveTerms], ({ files }, fileRef, terms) => files.fetchTo(fileRef, terms)),
  blobs: method([], ({ files }) => files.blobs)
}
