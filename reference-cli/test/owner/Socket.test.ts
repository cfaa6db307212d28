import { ContactUnknown, type Event } from "@kez-chat/sdk"
import { Effect, Exit, Fiber, Option, PubSub, Scope, Stream } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { it } from "@effect/vitest"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "vitest"
import * as Remote from "../../src/owner/Remote.ts"
import { serve } from "../../src/owner/Server.ts"
import { maxRequestBytes } from "../../src/owner/Wire.ts"
import { bob, defaults, fakeChat, fakeFiles, message, picture } from "../kit/OwnerDoubles.ts"

let folder: string
let count = 0
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-sock-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const token = randomBytes(32).toString("base64url")
let address: string
let scope: Scope.Closeable
let stopped: number
let events: PubSub.PubSub<Event>
let account: ReturnType<typeof fakeChat>
let fakes: ReturnType<typeof fakeFiles>

beforeEach(async () => {
  address = path.join(folder, `${count++}.sock`)
  scope = await Effect.runPromise(Scope.make())
  stopped = 0
  events = await Effect.runPromise(PubSub.unbounded<Event>())
  account = fakeChat(events)
  fakes = fakeFiles()
  await Effect.runPromise(
    serve({
      chat: account.chat,
      files: fakes.files,
      address,
      token,
      info: { version: "0", pid: process.pid, command: "listen", since: 1, relay: "direct" },
      stop: Effect.sync(() => void (stopped += 1))
    }).pipe(Scope.provide(scope))
  )
})
afterEach(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const connected = <A, E>(use: (remote: Remote.Remote) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(Remote.connect(address, token), use))

/** Writes raw bytes and waits for the owner to hang up; gives what it answered. */
const hostile = (...chunks: ReadonlyArray<string | Buffer>) =>
  Effect.callback<string>((resume) => {
    let answer = ""
    const socket = net.connect(address, () => {
      for (const chunk of chunks) socket.write(chunk)
    })
    socket.on("data", (text) => (answer += String(text)))
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.succeed(answer)))
  })

/** Waits until a condition holds, and acts before each look. */
const until = Effect.fnUntraced(function* (
  condition: () => boolean,
  act: Effect.Effect<unknown, unknown> = Effect.void
) {
  while (!condition()) {
    yield* act
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
  }
})

const hello = `${JSON.stringify({ v: 2, id: 0, method: "hello", params: [token] })}\n`
const request = (method: string, ...params: ReadonlyArray<unknown>) =>
  `${JSON.stringify({ v: 2, id: 1, method, params })}\n`

const stillServes = () => connected(({ chat }) => chat.contact("bob"))

describe("the owner's socket", () => {
  it.live("carries calls, errors and their fields", () =>
    Effect.gen(function* () {
      expect(yield* connected(({ info }) => Effect.succeed(info))).toEqual({
        version: "0",
        pid: process.pid,
        command: "listen",
        since: 1,
        relay: "direct"
      })
      expect(yield* connected(({ chat }) => chat.contact("bob"))).toEqual(bob)
      expect(yield* connected(({ chat }) => Effect.flip(chat.contact("eve")))).toEqual(
        new ContactUnknown({ who: "eve" })
      )
      expect(yield* connected(({ chat }) => chat.send("bob", "hi"))).toMatchObject({ text: "hi", state: "queued" })
      expect(yield* connected(({ chat }) => chat.updateSettings({ readReceipts: true }))).toEqual({
        ...defaults,
        readReceipts: true
      })
      expect(yield* connected(({ chat }) => Stream.runCollect(chat.export))).toEqual([
        { kind: "account" },
        { kind: "message" }
      ])
    })
  )

  it.live("carries lists that are longer than a line may be", () =>
    Effect.gen(function* () {
      expect(yield* connected(({ chat }) => chat.contacts)).toHaveLength(3_000)
      const page = yield* connected(({ chat }) => chat.history("bob", { limit: 100 }))
      expect(page.map(({ order }) => order)).toEqual(Array.from({ length: 100 }, (_, order) => order))
    })
  )

  it.live("answers many requests at a time on one connection", () =>
    Effect.gen(function* () {
      const texts = Array.from({ length: 40 }, (_, index) => `text ${index}`)
      yield* connected(({ chat }) =>
        Effect.forEach(texts, (text) => chat.send("bob", text), { concurrency: "unbounded" })
      )
      expect(account.sent.toSorted()).toEqual(texts.toSorted())
    })
  )

  it.live("streams events to every listener and ends them with the owner", () =>
    Effect.gen(function* () {
      const seen: ReadonlyArray<Array<string>> = [[], []]
      const listening = yield* Effect.forEach(seen, (texts) =>
        Effect.forkChild(
          connected(({ chat }) =>
            Stream.runForEach(chat.events, (event) =>
              Effect.sync(() => void (event._tag === "Message" && texts.push(event.message.text)))
            )
          )
        )
      )
      const publish = (text: string) =>
        PubSub.publish(events, { _tag: "Message", message: message(1, text), contact: bob })
      yield* until(() => seen.every((texts) => texts.length > 0), publish("ping"))
      yield* publish("last")
      yield* until(() => seen.every((texts) => texts.at(-1) === "last"))
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.joinAll(listening)
    })
  )

  it.live("holds a stream back while its reader does not read", () =>
    Effect.gen(function* () {
      const socket = net.connect(address)
      socket.pause()
      socket.write(hello + request("fetch", "id"))
      // Nothing more is account.counts.produced while the owner answers others.
      let before = -1
      const hasStopped = Effect.gen(function* () {
        const isSame = account.counts.produced > 0 && account.counts.produced === before
        before = account.counts.produced
        for (let round = 0; round < 5; round++) yield* stillServes()
        return isSame
      })
      while (!(yield* hasStopped));
      expect(account.counts.produced).toBeLessThan(1_000)
      socket.resume()
      yield* until(() => account.counts.produced > before, stillServes())
      socket.pause()
      // An owner that ends does not wait forever for a reader.
      yield* Scope.close(scope, Exit.void)
      socket.destroy()
    })
  )

  it.live("tells who waits that the owner is gone", () =>
    Effect.gen(function* () {
      const error = yield* connected(({ chat }) =>
        Effect.raceFirst(
          Effect.flip(chat.flush),
          Effect.andThen(Effect.sleep(50), Effect.andThen(Scope.close(scope, Exit.void), Effect.never))
        )
      )
      expect(error).toMatchObject({ _tag: "StoreError", reason: "locked" })
    })
  )

  it.live("answers what it was asked before it ends, and does not wait for what goes on for ever", () =>
    Effect.gen(function* () {
      const answered = yield* connected(({ chat }) =>
        Effect.gen(function* () {
          yield* Effect.forkChild(Stream.runDrain(chat.events), { startImmediately: true })
          const asked = yield* Effect.forkChild(chat.settings, { startImmediately: true })
          yield* Effect.promise(() => account.atWork)
          const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
          account.finish()
          const settings = yield* Fiber.join(asked)
          yield* Fiber.join(closing)
          return settings
        })
      )
      expect(answered).toEqual({ ...defaults, readReceipts: true })
    })
  )

  it.live("ends a request that nobody waits for any more", () =>
    Effect.gen(function* () {
      yield* connected(({ chat }) => Effect.timeoutOption(chat.flush, 50))
      expect(yield* connected(({ chat }) => Effect.map(Effect.timeoutOption(chat.flush, 20), Option.isNone))).toBe(true)
    })
  )

  it.live("carries what is done with files by their paths, step by step", () =>
    Effect.gen(function* () {
      const terms = { with: ["ed25519:bb"], public: false, unlisted: true }
      const parts = yield* connected(({ files }) => Stream.runCollect(files.shareFile("/home/alice/a.png", terms)))
      expect(parts.map(({ _tag }) => _tag)).toEqual(["Found", "Encrypting", "Shared"])
      expect(parts[2]).toEqual({ _tag: "Shared", share: picture })
      expect(fakes.asked).toEqual([["/home/alice/a.png", terms]])
      expect(yield* connected(({ chat }) => chat.shared)).toEqual([picture])
      const error = yield* connected(({ files }) => Effect.flip(Stream.runCollect(files.blobs)))
      expect(error).toMatchObject({ _tag: "BlobTransportError", reason: "unavailable" })
    })
  )

  it.live("carries no pictures", () =>
    Effect.gen(function* () {
      const { files } = yield* connected(({ chat }) => chat.browse("bob"))
      expect(files).toEqual([{ ...picture, public: true }])
    })
  )

  it.live("ends a transfer with the command that wanted it, and serving with the last that did", () =>
    Effect.gen(function* () {
      const terms = { folder: "/tmp", overwrite: false }
      const first = yield* connected(({ files }) => Stream.runHead(files.fetchTo("id", terms)))
      expect(Option.isSome(first)).toBe(true)
      yield* until(() => fakes.running.fetching === 0)
      yield* connected(({ files }) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(files.serve, { startImmediately: true })
          yield* until(() => fakes.running.serving === 1)
          expect(yield* files.serving).toBe(true)
          yield* Fiber.interrupt(fiber)
          yield* until(() => fakes.running.serving === 0)
          expect(yield* files.serving).toBe(false)
        })
      )
    })
  )

  it.live("survives a defect of one request", () =>
    Effect.gen(function* () {
      const error = yield* connected(({ chat }) => Effect.flip(chat.addContact("bob")))
      expect(error._tag).toBe("StoreError")
      yield* stillServes()
    })
  )

  it.live("ends on request, and after the account was deleted", () =>
    Effect.gen(function* () {
      yield* connected(({ shutdown }) => shutdown)
      expect(stopped).toBe(1)
      yield* connected(({ chat }) => chat.deleteAccount)
      expect(stopped).toBe(2)
    })
  )

  it.live("has no method that shows or takes words", () =>
    Effect.gen(function* () {
      for (const method of ["words", "create", "restore", "seed", "constructor", "__proto__", "toString"]) {
        expect(yield* hostile(hello, request(method))).not.toContain('"id":1')
      }
      const error = yield* connected(({ chat }) => Effect.flip(chat.words))
      expect(error._tag).toBe("VaultError")
    })
  )

  it.live("hangs up on whoever does not know the token", () =>
    Effect.gen(function* () {
      expect(yield* hostile(request("contact", "bob"))).toBe("")
      expect(yield* hostile(`${JSON.stringify({ v: 2, id: 0, method: "hello", params: ["wrong"] })}\n`)).toBe("")
      expect(yield* hostile(`${JSON.stringify({ v: 2, id: 0, method: "hello" })}\n`, request("contact", "bob"))).toBe(
        ""
      )
      expect(yield* Effect.flip(Effect.scoped(Remote.connect(address, "wrong")))).toBe("absent")
      yield* stillServes()
    })
  )

  it.live("hangs up on noise, wrong versions, wrong arguments and endless lines, and serves on", () =>
    Effect.gen(function* () {
      const noise = [
        randomBytes(10_000),
        "GET / HTTP/1.1\r\n\r\n",
        "{}\n",
        "\n",
        `${JSON.stringify({ v: 1, id: 0, method: "hello", params: [token] })}\n`,
        "x".repeat(maxRequestBytes + 2)
      ]
      for (const chunk of noise) expect(yield* hostile(chunk, "\n")).toBe("")
      const wrong = [
        request("nosuch"),
        request("contact", 7),
        request("contact"),
        request("history", "bob", { limit: -1 }),
        request("history", "bob", "x"),
        request("removeContact", "bob", "yes"),
        request("shareFile", "a.png", { with: [] }),
        request("shareFile", "/a.png", { with: "bob" }),
        request("shareFile", "/a.png"),
        request("fetchTo", "id", { folder: "here" }),
        request("fetchTo", "id"),
        request("fetchTo", "id", { folder: "/tmp", name: 7 }),
        `{"v":2,"id":1,"method":"contact","params":"bob"}\n`
      ]
      for (const chunk of wrong) expect(yield* hostile(hello, chunk)).not.toContain('"id":1')
      yield* stillServes()
    })
  )

  it.live("knows no owner where nobody listens, or only a dead one's socket lies", () =>
    Effect.gen(function* () {
      const absent = (at: string) => Effect.flip(Effect.scoped(Remote.connect(at, token)))
      expect(yield* absent(path.join(folder, "nobody.sock"))).toBe("absent")
      fs.writeFileSync(path.join(folder, "file.sock"), "")
      expect(yield* absent(path.join(folder, "file.sock"))).toBe("absent")
    })
  )
})
