/**
 * The client of `@kez-chat/sdk` for programs without Effect: the same calls as promises that reject with the same
 * tagged errors, and streams as async iterables.
 *
 * Open one with `openNode` (`@kez-chat/sdk/node`) or `openWeb` (`@kez-chat/sdk/web`), or with {@link open} and services
 * of your own.
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { KezChat } from "../client/KezChat.ts"
import {
  type Account,
  type CatchingUp,
  type Claim,
  type Contact,
  type Conversation,
  type Event,
  type FetchProgress,
  type FoundAccount,
  type HeldRequest,
  type HistoryCheck,
  type HistoryPage,
  type InboxUsage,
  type Introduction,
  type Listing,
  type Message,
  type Proving,
  type Rotation,
  type SearchOptions,
  type ReportOptions,
  type ReportOutcome,
  type Settings,
  type Share,
  type ShareOptions,
  type Verification
} from "../client/model/index.ts"
import type { ConnectionState } from "../services/Broker.ts"

export * from "../client/model/index.ts"
export type { ConnectionState } from "../services/Broker.ts"

/** Options of calls that wait. Aborting rejects the promise with `signal.reason`; what is durable by then remains. */
export interface Waiting {
  readonly signal?: AbortSignal
}

/** A chat account on this device. Each member does what the member of {@link KezChat} with its name does. */
export interface KezChatClient extends AsyncDisposable {
  account(): Promise<Account>
  /** `words` are plain text here: keep them out of logs. */
  create(
    options: { readonly handle: string; readonly words: string; readonly invite?: string | undefined },
    waiting?: Waiting
  ): Promise<Account>
  restore(
    options: { readonly words: string; readonly former?: ReadonlyArray<string> | undefined },
    waiting?: Waiting
  ): Promise<Account>
  /** Rotates while it is iterated. Leaving the loop stops it after the step under way; a later call resumes. */
  rotate(words?: string, waiting?: Waiting): AsyncIterable<Rotation>
  rotation(): Promise<Rotation | undefined>
  /** The words as plain text: keep them out of logs. */
  words(): Promise<string>
  /** Connection states, beginning with the current one, until `close` or the end of the loop. */
  connection(waiting?: Waiting): AsyncIterable<ConnectionState>
  /** Events from the start of the iteration until `close` or the end of the loop. */
  events(waiting?: Waiting): AsyncIterable<Event>
  sync(waiting?: Waiting): Promise<void>
  catchingUp(waiting?: Waiting): AsyncIterable<CatchingUp>
  nudge(): Promise<void>
  flush(waiting?: Waiting): Promise<void>
  lookUp(handle: string, waiting?: Waiting): Promise<FoundAccount>
  addContact(handle: string, waiting?: Waiting): Promise<Contact>
  contacts(): Promise<ReadonlyArray<Contact>>
  contact(who: string): Promise<Contact>
  refreshContact(who: string, waiting?: Waiting): Promise<Contact>
  verification(who: string, waiting?: Waiting): Promise<Verification>
  proofs(who?: string, waiting?: Waiting): Promise<ReadonlyArray<Claim>>
  checkProofs(who: string, subject?: string, waiting?: Waiting): Promise<ReadonlyArray<Claim>>
  /** Looks for the proof while it is iterated. Leaving the loop stops it; a later call resumes. */
  prove(subject: string, waiting?: Waiting): AsyncIterable<Proving>
  provings(): Promise<ReadonlyArray<Proving>>
  revokeProof(subject: string, waiting?: Waiting): Promise<void>
  held(): Promise<ReadonlyArray<HeldRequest>>
  introduce(to: string, who: string): Promise<Message>
  withdrawIntroduction(to: string, who: string): Promise<Message>
  introductions(): Promise<ReadonlyArray<Introduction>>
  confirmKey(who: string, primary: string): Promise<Contact>
  unconfirmKey(who: string): Promise<Contact>
  acceptKey(who: string, primary: string, waiting?: Waiting): Promise<Contact>
  keepKey(who: string, waiting?: Waiting): Promise<Contact>
  accept(who: string): Promise<Contact>
  block(who: string): Promise<Contact>
  unblock(who: string): Promise<Contact>
  inbox(waiting?: Waiting): Promise<InboxUsage>
  trim(box?: "mail" | "sent", waiting?: Waiting): Promise<InboxUsage>
  removeContact(who: string, withMessages?: boolean): Promise<void>
  send(who: string, text: string): Promise<Message>
  conversations(): Promise<ReadonlyArray<Conversation>>
  history(who: string, page?: HistoryPage): Promise<ReadonlyArray<Message>>
  search(query: string, options?: SearchOptions, waiting?: Waiting): AsyncIterable<Message>
  draft(who: string): Promise<string>
  setDraft(who: string, text: string): Promise<void>
  markRead(who: string): Promise<void>
  removeMessage(id: string): Promise<boolean>
  report(options: ReportOptions): Promise<ReportOutcome>
  evidence(id: string): Promise<string>
  checkHistory(who: string): Promise<HistoryCheck>
  /** If it is aborted before it returns, nothing is shared. */
  share(options: ShareOptions, waiting?: Waiting): Promise<Share>
  shared(): Promise<ReadonlyArray<Share>>
  unshare(id: string): Promise<Share>
  browse(who: string, waiting?: Waiting): Promise<Listing>
  /** Downloads while it is iterated. Leaving the loop stops it; what arrived is kept for the next call. */
  fetch(fileRef: string, waiting?: Waiting): AsyncIterable<FetchProgress>
  /** Whether these bytes are exactly the file that `fileRef` names, without downloading it. */
  matches(fileRef: string, bytes: AsyncIterable<Uint8Array>, waiting?: Waiting): Promise<boolean>
  /** The content of a fetched file, in chunks. */
  read(fileRef: string, waiting?: Waiting): AsyncIterable<Uint8Array>
  discard(fileRef: string): Promise<void>
  /** Serves until `signal` is aborted or the client is closed, then resolves; rejects if serving fails. */
  serve(waiting?: Waiting): Promise<void>
  settings(): Promise<Settings>
  updateSettings(change: Partial<Settings>): Promise<Settings>
  export(waiting?: Waiting): AsyncIterable<Readonly<Record<string, unknown>>>
  deleteAccount(waiting?: Waiting): Promise<void>
  /** Closes the connection, the background work, the store and the vault. Idempotent; also called by `await using`. */
  close(): Promise<void>
}

/** The client was closed and accepts no more calls. */
export class ClientClosed extends Data.TaggedError("ClientClosed")<{}> {
  override get message(): string {
    return "this client was closed"
  }
}

/** Builds `layer` and wraps its `KezChat`. Rejects with the errors of the layer. */
export const open = async <E>(layer: Layer.Layer<KezChat, E>): Promise<KezChatClient> => {
  const runtime = ManagedRuntime.make(layer)
  const ended = Deferred.makeUnsafe<void>()
  let closed = false

  const run = async <A, E>(effect: Effect.Effect<A, E>, { signal }: Waiting = {}): Promise<A> => {
    if (closed) throw new ClientClosed()
    signal?.throwIfAborted()
    const exit = await runtime.runPromiseExit(effect, signal === undefined ? {} : { signal })
    if (Exit.isSuccess(exit)) return exit.value
    signal?.throwIfAborted()
    if (closed && Cause.hasInterruptsOnly(exit.cause)) throw new ClientClosed()
    throw Cause.squash(exit.cause)
  }

  const iterate = <A, E>(stream: Stream.Stream<A, E>, { signal }: Waiting = {}): AsyncIterable<A> =>
    Stream.toAsyncIterableWith(
      stream.pipe(
        Stream.interruptWhen(Deferred.await(ended)),
        signal === undefined ? identity : Stream.interruptWhen(aborted(signal))
      ),
      context
    )

  const chat = await runtime
    .runPromise(KezChat.use((service) => Effect.succeed(service)))
    .catch(async (error: unknown) => {
      await runtime.dispose()
      throw error
    })

  const context = await runtime.context()

  const close = async (): Promise<void> => {
    closed = true
    Deferred.doneUnsafe(ended, Effect.void)
    await runtime.dispose()
  }

  return {
    account: () => run(chat.account),
    create: ({ handle, invite, words }, waiting) =>
      run(chat.create({ handle, invite, words: Redacted.make(words) }), waiting),
    restore: ({ former, words }, waiting) =>
      run(chat.restore({ words: Redacted.make(words), former: former?.map((each) => Redacted.make(each)) }), waiting),
    rotate: (words, waiting) => iterate(chat.rotate(words === undefined ? undefined : Redacted.make(words)), waiting),
    rotation: () => run(chat.rotation),
    words: () => run(Effect.map(chat.words, Redacted.value)),
    connection: (waiting) => iterate(chat.connection, waiting),
    events: (waiting) => iterate(chat.events, waiting),
    sync: (waiting) => run(chat.sync, waiting),
    catchingUp: (waiting) => iterate(chat.catchingUp, waiting),
    nudge: () => run(chat.nudge),
    flush: (waiting) => run(chat.flush, waiting),
    lookUp: (handle, waiting) => run(chat.lookUp(handle), waiting),
    addContact: (handle, waiting) => run(chat.addContact(handle), waiting),
    contacts: () => run(chat.contacts),
    contact: (who) => run(chat.contact(who)),
    refreshContact: (who, waiting) => run(chat.refreshContact(who), waiting),
    verification: (who, waiting) => run(chat.verification(who), waiting),
    proofs: (who, waiting) => run(chat.proofs(who), waiting),
    checkProofs: (who, subject, waiting) => run(chat.checkProofs(who, subject), waiting),
    prove: (subject, waiting) => iterate(chat.prove(subject), waiting),
    provings: () => run(chat.provings),
    revokeProof: (subject, waiting) => run(chat.revokeProof(subject), waiting),
    held: () => run(chat.held),
    introduce: (to, who) => run(chat.introduce(to, who)),
    withdrawIntroduction: (to, who) => run(chat.withdrawIntroduction(to, who)),
    introductions: () => run(chat.introductions),
    confirmKey: (who, primary) => run(chat.confirmKey(who, primary)),
    unconfirmKey: (who) => run(chat.unconfirmKey(who)),
    acceptKey: (who, primary, waiting) => run(chat.acceptKey(who, primary), waiting),
    keepKey: (who, waiting) => run(chat.keepKey(who), waiting),
    accept: (who) => run(chat.accept(who)),
    block: (who) => run(chat.block(who)),
    unblock: (who) => run(chat.unblock(who)),
    inbox: (waiting) => run(chat.inbox, waiting),
    trim: (box, waiting) => run(chat.trim(box), waiting),
    removeContact: (who, withMessages) => run(chat.removeContact(who, withMessages)),
    send: (who, text) => run(chat.send(who, text)),
    conversations: () => run(chat.conversations),
    history: (who, page) => run(chat.history(who, page)),
    search: (query, options, waiting) => iterate(chat.search(query, options), waiting),
    draft: (who) => run(chat.draft(who)),
    setDraft: (who, text) => run(chat.setDraft(who, text)),
    markRead: (who) => run(chat.markRead(who)),
    removeMessage: (id) => run(chat.removeMessage(id)),
    report: (options) => run(chat.report(options)),
    evidence: (id) => run(chat.evidence(id)),
    checkHistory: (who) => run(chat.checkHistory(who)),
    share: (options, waiting) => run(chat.share(options), waiting),
    shared: () => run(chat.shared),
    unshare: (id) => run(chat.unshare(id)),
    browse: (who, waiting) => run(chat.browse(who), waiting),
    fetch: (fileRef, waiting) => iterate(chat.fetch(fileRef), waiting),
    matches: (fileRef, bytes, waiting) => run(chat.matches(fileRef, bytes), waiting),
    read: (fileRef, waiting) => iterate(chat.read(fileRef), waiting),
    discard: (fileRef) => run(chat.discard(fileRef)),
    serve: async ({ signal } = {}) => {
      const isServing = !closed
      const until = signal === undefined ? Deferred.await(ended) : Effect.race(Deferred.await(ended), onAbort(signal))
      await run(Effect.raceFirst(chat.serve, until)).catch((error: unknown) => {
        // Closing is the regular end, so a caller that ignores the promise gets no unhandled rejection.
        if (!(error instanceof ClientClosed && isServing)) throw error
      })
    },
    settings: () => run(chat.settings),
    updateSettings: (change) => run(chat.updateSettings(change)),
    export: (waiting) => iterate(chat.export, waiting),
    deleteAccount: (waiting) => run(chat.deleteAccount, waiting),
    close,
    [Symbol.asyncDispose]: close
  }
}

const onAbort = (signal: AbortSignal): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const abort = () => resume(Effect.void)
    if (signal.aborted) return abort()
    signal.addEventListener("abort", abort, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", abort))
  })

const aborted = (signal: AbortSignal): Effect.Effect<never, unknown> =>
  Effect.flatMap(onAbort(signal), () => Effect.fail(signal.reason))
