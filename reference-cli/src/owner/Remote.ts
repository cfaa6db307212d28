/** KezChat over the owner's socket: commands use it as if the account were theirs. */
import type { KezChat, KezChatError, Rotation } from "@kez-chat/sdk"
import { VaultError } from "@kez-chat/sdk/services"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as net from "node:net"
import type { Files } from "./Files.ts"
import type { OwnerInfo } from "./Server.ts"
import * as Wire from "./Wire.ts"

/** How long an owner may take to answer the first request, in milliseconds. */
const connectMillis = 5_000

interface Waiting {
  readonly ok: (value: unknown) => void
  readonly item: (value: unknown) => void
  readonly end: () => void
  readonly fail: (error: KezChatError) => void
}

class Link {
  readonly #socket: net.Socket
  readonly #lines = new Wire.LineSplitter(Wire.maxReplyBytes)
  readonly #waiting = new Map<number, Waiting>()
  #next = 0

  constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on("data", (chunk: Buffer) => this.#read(chunk))
    socket.on("error", () => socket.destroy())
    socket.on("close", () => {
      for (const waiting of this.#waiting.values()) waiting.fail(Wire.ownerLost())
      this.#waiting.clear()
    })
  }

  #read(chunk: Buffer): void {
    const lines = this.#lines.push(chunk)
    if (lines === undefined) return void this.#socket.destroy()
    for (const line of lines) {
      const reply = Wire.parseReply(line)
      if (reply === undefined) return void this.#socket.destroy()
      const waiting = this.#waiting.get(reply.id)
      if (waiting === undefined) continue
      if ("item" in reply) {
        waiting.item(reply.item)
        continue
      }
      this.#waiting.delete(reply.id)
      if ("ok" in reply) waiting.ok(reply.ok)
      else if ("end" in reply) waiting.end()
      else waiting.fail(Wire.decodeError(reply.error))
    }
  }

  #open(method: string, params: ReadonlyArray<unknown>, waiting: Waiting): () => void {
    const id = this.#next++
    if (!this.#socket.writable) {
      waiting.fail(Wire.ownerLost())
      return () => {}
    }
    this.#waiting.set(id, waiting)
    this.#socket.write(Wire.encode({ v: Wire.protocolVersion, id, method, params }))
    return () => {
      if (!this.#waiting.delete(id) || !this.#socket.writable) return
      this.#socket.write(Wire.encode({ v: Wire.protocolVersion, id, cancel: true }))
    }
  }

  /** A method with one answer. Its shape is trusted: the owner is this same program of this same user. */
  call<A>(method: string, ...params: ReadonlyArray<unknown>): Effect.Effect<A, KezChatError> {
    return Effect.callback((resume) => {
      const cancel = this.#open(method, params, {
        ok: (value) => resume(Effect.succeed(value as A)),
        item: () => {},
        end: () => {},
        fail: (error) => resume(Effect.fail(error))
      })
      return Effect.sync(cancel)
    })
  }

  /** A method with many answers. */
  stream<A>(method: string, ...params: ReadonlyArray<unknown>): Stream.Stream<A, KezChatError> {
    return Stream.unwrap(
      Effect.gen({ self: this }, function* () {
        const queue = yield* Queue.unbounded<A, KezChatError | Cause.Done>()
        yield* Effect.acquireRelease(
          Effect.sync(() =>
            this.#open(method, params, {
              ok: () => {},
              item: (value) => void Queue.offerUnsafe(queue, value as A),
              end: () => void Queue.endUnsafe(queue),
              fail: (error) => void Queue.failCauseUnsafe(queue, Cause.fail(error))
            })
          ),
          (cancel) => Effect.sync(cancel)
        )
        return Stream.fromQueue(queue)
      })
    )
  }

  all<A>(method: string, ...params: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<A>, KezChatError> {
    return Stream.runCollect(this.stream<A>(method, ...params))
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** An owner that answered. */
export interface Remote {
  readonly info: OwnerInfo
  readonly chat: KezChat["Service"]
  readonly files: Files
  /** Asks the owner to end. */
  readonly shutdown: Effect.Effect<void, KezChatError>
}

const notHere = (what: string) =>
  Effect.fail(
    new VaultError({ reason: "unavailable", detail: `${what} is not done over the socket of another process` })
  )

/** A stream that cannot fail ends when the owner goes away. */
const untilLost = <A>(stream: Stream.Stream<A, KezChatError>) => stream.pipe(Stream.catch(() => Stream.empty))

const chatOver = (link: Link): KezChat["Service"] => ({
  account: link.call("account"),
  create: () => notHere("creating an account"),
  restore: () => notHere("restoring an account"),
  words: notHere("showing the words"),
  rotate: () => Stream.fromEffect(notHere("rotating the key")),
  rotation: Effect.map(link.call<Rotation | null>("rotation"), (rotation) => rotation ?? undefined),
  connection: untilLost(link.stream("connection")),
  events: untilLost(link.stream("events")),
  sync: link.call("sync"),
  catchingUp: untilLost(link.stream("catchingUp")),
  nudge: Effect.ignore(link.call("nudge")),
  flush: link.call("flush"),
  lookUp: (handle) => link.call("lookUp", handle),
  addContact: (handle) => link.call("addContact", handle),
  contacts: link.all("contacts"),
  contact: (who) => link.call("contact", who),
  refreshContact: (who) => link.call("refreshContact", who),
  verification: (who) => link.call("verification", who),
  proofs: (who) => link.all("proofs", who ?? ""),
  checkProofs: (who, subject) => link.all("checkProofs", who, subject ?? ""),
  prove: (subject) => link.stream("prove", subject),
  provings: link.all("provings"),
  revokeProof: (subject) => link.call("revokeProof", subject),
  held: link.all("held"),
  introduce: (to, who) => link.call("introduce", to, who),
  withdrawIntroduction: (to, who) => link.call("withdrawIntroduction", to, who),
  introductions: link.all("introductions"),
  confirmKey: (who, primary) => link.call("confirmKey", who, primary),
  unconfirmKey: (who) => link.call("unconfirmKey", who),
  acceptKey: (who, primary) => link.call("acceptKey", who, primary),
  keepKey: (who) => link.call("keepKey", who),
  accept: (who) => link.call("accept", who),
  block: (who) => link.call("block", who),
  unblock: (who) => link.call("unblock", who),
  removeContact: (who, withMessages) => link.call("removeContact", who, withMessages ?? false),
  send: (who, text) => link.call("send", who, text),
  conversations: link.all("conversations"),
  history: (who, page) => link.all("history", who, page ?? {}),
  search: (query, options) => link.stream("search", query, options ?? {}),
  draft: (who) => link.call("draft", who),
  setDraft: (who, text) => link.call("setDraft", who, text),
  markRead: (who) => link.call("markRead", who),
  removeMessage: (id) => link.call("removeMessage", id),
  report: (options) => link.call("report", options),
  evidence: (id) => link.call("evidence", id),
  checkHistory: (who) => link.call("checkHistory", who),
  inbox: link.call("inbox"),
  trim: (box) => link.call("trim", box ?? "mail"),
  settings: link.call("settings"),
  updateSettings: (change) => link.call("updateSettings", change),
  export: link.stream("export"),
  deleteAccount: link.call("deleteAccount"),
  share: () => notHere("sharing what is no file"),
  shared: link.all("shared"),
  unshare: (id) => link.call("unshare", id),
  browse: (who) => link.call("browse", who),
  fetch: (fileRef) => link.stream("fetch", fileRef),
  matches: () => notHere("comparing what is no file"),
  read: () => Stream.unwrap(notHere("reading a file")),
  discard: (fileRef) => link.call("discard", fileRef),
  serve: link.call("serve")
})

const filesOver = (link: Link): Files => ({
  shareFile: (path, terms) => link.stream("shareFile", path, terms),
  matches: (fileRef, path) => link.call("matches", fileRef, path),
  fetchTo: (fileRef, terms) => link.stream("fetchTo", fileRef, terms),
  serve: link.call("serve"),
  serving: link.call("serving"),
  blobs: link.stream("blobs")
})

const dial = (address: string): Effect.Effect<net.Socket, "absent"> =>
  Effect.callback((resume) => {
    const socket = net.connect(address)
    socket.once("error", () => resume(Effect.fail("absent")))
    socket.once("connect", () => resume(Effect.succeed(socket)))
    return Effect.sync(() => void socket.destroy())
  })

/** Connects to an owner until the scope closes; `absent` if none answers. */
export const connect = Effect.fn("Remote.connect")(
  function* (address: string, token: string) {
    const socket = yield* Effect.acquireRelease(dial(address), (socket) => Effect.sync(() => void socket.destroy()))
    const link = new Link(socket)
    const info = yield* link.call<OwnerInfo>("hello", token).pipe(Effect.mapError(() => "absent" as const))
    return { info, chat: chatOver(link), files: filesOver(link), shutdown: link.call<void>("shutdown") }
  },
  Effect.timeoutOrElse({ duration: connectMillis, orElse: () => Effect.fail("absent" as const) })
)
