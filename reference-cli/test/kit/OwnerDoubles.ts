/** Doubles of an account and its files for tests of the owner's socket. */
import {
  type Contact,
  ContactUnknown,
  type Event,
  type KezChat,
  type Message,
  type Settings,
  type Share
} from "@kez-chat/sdk"
import { BlobTransportError } from "@kez-chat/sdk/services"
import { Effect, PubSub, Stream } from "effect"
import type { Files, SaveTerms, ShareTerms } from "../../src/owner/Files.ts"

export const bob: Contact = {
  handle: "bob@home",
  primary: "ed25519:bb",
  state: "accepted",
  verified: false,
  addedAt: 1
}

export const defaults: Settings = {
  readReceipts: false,
  inbox: "everyone",
  provenBy: { systems: [], domains: [] },
  introductions: false,
  autoTrim: false
}

export const message = (order: number, text: string): Message => ({
  id: `id${order}`,
  peer: bob.primary,
  direction: "in",
  text,
  type: "text",
  body: { type: "text", text },
  createdAt: order,
  arrivedAt: order,
  order
})

export const picture: Share = {
  id: "s".repeat(22),
  name: "a.png",
  mediaType: "image/png",
  size: 10,
  blobHash: "blake3:00",
  sharedAt: 1,
  listed: "readers",
  manifest: "pending",
  here: true,
  readers: []
}

/** Files that note what they were asked, where a test needs to know what arrived. */
export const fakeFiles = () => {
  const asked: Array<readonly [string, ShareTerms | SaveTerms]> = []
  const running = { serving: 0, fetching: 0 }
  const whileOpen = (what: keyof typeof running) =>
    Effect.acquireRelease(
      Effect.sync(() => void (running[what] += 1)),
      () => Effect.sync(() => void (running[what] -= 1))
    )
  const files: Files = {
    shareFile: (at, terms) => {
      asked.push([at, terms])
      return Stream.fromIterable([
        { _tag: "Found", files: 1, totalBytes: 10 },
        { _tag: "Encrypting", name: "a.png", doneBytes: 10, totalBytes: 10 },
        { _tag: "Shared", share: picture }
      ])
    },
    fetchTo: (what, terms) => {
      asked.push([what, terms])
      return Stream.unwrap(
        Effect.as(
          whileOpen("fetching"),
          Stream.concat(Stream.make({ _tag: "Saving" as const, doneBytes: 1, totalBytes: 10 }), Stream.never)
        )
      )
    },
    matches: () => Effect.succeed(true),
    serve: Effect.scoped(Effect.andThen(whileOpen("serving"), Effect.never)),
    serving: Effect.sync(() => running.serving > 0),
    blobs: Stream.fail(new BlobTransportError({ reason: "unavailable", detail: "x" }))
  }
  return { files, asked, running }
}

/** An account that answers from memory, where a test needs to know what arrived. */
export const fakeChat = (events: PubSub.PubSub<Event>) => {
  const sent: Array<string> = []
  const counts = { produced: 0 }
  // The one call that takes until a test lets it end.
  const { promise: atWork, resolve: begin } = Promise.withResolvers<void>()
  const { promise: mayFinish, resolve: finish } = Promise.withResolvers<void>()
  const refuse = Effect.die("not asked for in these tests")
  const chat: KezChat["Service"] = {
    account: refuse,
    create: () => refuse,
    restore: () => refuse,
    words: refuse,
    rotate: () => Stream.fromEffect(refuse),
    rotation: Effect.undefined,
    connection: Stream.never,
    events: Stream.fromPubSub(events),
    sync: Effect.void,
    catchingUp: Stream.never,
    nudge: Effect.void,
    flush: Effect.never,
    lookUp: () => refuse,
    addContact: () => Effect.die("a defect"),
    contacts: Effect.succeed(Array.from({ length: 3_000 }, (_, index) => ({ ...bob, handle: `bob${index}@home` }))),
    contact: (who) => (who === "bob" ? Effect.succeed(bob) : Effect.fail(new ContactUnknown({ who }))),
    refreshContact: () => refuse,
    verification: () => refuse,
    confirmKey: () => refuse,
    unconfirmKey: () => refuse,
    acceptKey: () => refuse,
    keepKey: () => refuse,
    accept: () => refuse,
    block: () => refuse,
    unblock: () => refuse,
    inbox: refuse,
    trim: () => refuse,
    removeContact: () => Effect.void,
    send: (_, text) =>
      Effect.sync(() => {
        sent.push(text)
        return { ...message(sent.length, text), direction: "out" as const, state: "queued" as const }
      }),
    conversations: refuse,
    search: () => Stream.die("not asked for in these tests"),
    draft: () => refuse,
    setDraft: () => refuse,
    history: (_, page) =>
      Effect.succeed(Array.from({ length: page?.limit ?? 50 }, (_, order) => message(order, "x".repeat(40_000)))),
    markRead: () => refuse,
    removeMessage: () => refuse,
    proofs: () => refuse,
    checkProofs: () => refuse,
    prove: () => Stream.die("not asked for in these tests"),
    provings: refuse,
    held: refuse,
    introduce: () => refuse,
    withdrawIntroduction: () => refuse,
    introductions: refuse,
    revokeProof: () => refuse,
    report: () => refuse,
    evidence: () => refuse,
    checkHistory: () => refuse,
    settings: Effect.promise(() => {
      begin()
      return mayFinish.then(() => ({ ...defaults, readReceipts: true }))
    }),
    updateSettings: (change) => Effect.succeed({ ...defaults, ...change }),
    export: Stream.fromIterable([{ kind: "account" }, { kind: "message" }]),
    deleteAccount: Effect.void,
    share: () => refuse,
    shared: Effect.succeed([picture]),
    unshare: () => refuse,
    matches: () => refuse,
    browse: () =>
      Effect.succeed({
        owner: bob,
        revision: 1,
        source: "home",
        files: [{ ...picture, public: true, thumbnail: new Uint8Array(9) }]
      }),
    fetch: () =>
      Stream.mapEffect(Stream.range(1, 1_000_000), (order) =>
        Effect.sync(() => {
          counts.produced += 1
          return { order, text: "x".repeat(10_000) } as never
        })
      ),
    read: () => Stream.die("not asked for in these tests"),
    discard: () => Effect.void,
    serve: Effect.never
  }
  return { chat, sent, counts, atWork, finish }
}
