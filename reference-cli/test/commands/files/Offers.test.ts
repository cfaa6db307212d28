/** What a person types to mean a file. */
import { type Contact, ContactUnknown, type KezChat, type ListedFile, type Message } from "@kez-chat/sdk"
import { Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { it } from "@effect/vitest"
import { afterAll, beforeAll, beforeEach, describe, expect } from "vitest"
import * as Offers from "../../../src/commands/files/Offers.ts"
import * as Saved from "../../../src/owner/Saved.ts"
import * as Paths from "../../../src/profile/Paths.ts"
import { Screen } from "../../../src/terminal/output/Screen.ts"
import { screenDouble } from "../../kit/ScreenDouble.ts"

let folder: string
let place: Paths.ProfilePaths
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-offers-"))
  place = Paths.ofProfile({ env: { KEZ_CHAT_DIR: folder }, platform: "linux", homeDirectory: folder }, "default")
  fs.mkdirSync(path.dirname(place.saved), { recursive: true })
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const contact = (name: string, state: Contact["state"] = "accepted"): Contact => ({
  handle: `${name}@home`,
  primary: `ed25519:${name}`,
  state,
  verified: false,
  addedAt: 1
})

const offer = (peer: Contact, id: string, order: number): Message => ({
  id: id.padEnd(22, "x"),
  peer: peer.primary,
  direction: "in",
  text: "",
  type: "file_share",
  file: { name: `${id}.txt`, mediaType: "text/plain", size: 5, blobHash: `blake3:${id}` },
  body: {},
  createdAt: order,
  arrivedAt: order,
  order
})

const entry = (id: string, name: string, more: Partial<ListedFile> = {}): ListedFile => ({
  id: id.padEnd(22, "y"),
  name,
  mediaType: "text/plain",
  size: 5,
  blobHash: `blake3:${id}`,
  sharedAt: 1,
  public: false,
  ...more
})

const bob = contact("bob")
const eve = contact("eve", "blocked")
let messages: ReadonlyArray<Message>
let onSync: () => void
const files = [
  entry("aaaa1", "report.pdf", { sharedAt: 1, replacedBy: "aaaa2" }),
  entry("aaaa2", "report.pdf", { sharedAt: 2 }),
  entry("bbbb1", "one.jpg", { folder: "photos" }),
  entry("bbbb2", "two.jpg", { folder: "photos/2024" }),
  entry("cccc1", "three.jpg", { folder: "photos-old" }),
  entry("dddd1", "../../etc/passwd".replaceAll("/", "_"))
]

beforeEach(() => {
  messages = [offer(bob, "first", 3), offer(eve, "first-of-eve", 4), offer(bob, "second", 7), offer(bob, "seconds", 5)]
  onSync = () => {}
})

const chat = {
  contacts: Effect.sync(() => [bob, eve]),
  history: (who: string, page?: { readonly before?: number; readonly limit?: number }) =>
    Effect.sync(() =>
      messages
        .filter(({ peer, order }) => peer === who && order < (page?.before ?? Infinity))
        .toSorted((a, b) => a.order - b.order)
        .slice(-(page?.limit ?? 50))
    ),
  sync: Effect.sync(() => onSync()),
  browse: (who: string) =>
    who.replace("@", "") === "bob" || who === "bob@home"
      ? Effect.succeed({ owner: bob, revision: 1, source: "home" as const, files })
      : Effect.fail(new ContactUnknown({ who }))
} as unknown as KezChat["Service"]

const screen = Layer.succeed(Screen, screenDouble())
const resolve = (fileRef: string) => Effect.result(Offers.resolve(chat, place, fileRef)).pipe(Effect.provide(screen))

describe("all", () => {
  it.live("is what others than blocked contacts offered, the newest last, with what was saved marked", () =>
    Effect.gen(function* () {
      Saved.note(place.saved, { blobHash: "blake3:seconds", path: "/tmp/s" })
      const found = yield* Offers.all(chat, place)
      expect(found.map(({ message, saved }) => [message.file.name, saved])).toEqual([
        ["first.txt", undefined],
        ["seconds.txt", "/tmp/s"],
        ["second.txt", undefined]
      ])
    })
  )

  it.live("finds offers behind many messages", () =>
    Effect.gen(function* () {
      const talk = Array.from({ length: 500 }, (_, index) => {
        const { file: _file, ...text } = offer(bob, `t${index}`, 100 + index)
        return { ...text, type: "text", text: "hi" }
      })
      messages = [...messages, ...talk]
      expect(yield* Offers.all(chat, place)).toHaveLength(3)
    })
  )
})

describe("resolve", () => {
  const ticket = `blob${"a".repeat(90)}`

  it.live("leaves whole ids and tickets to the account", () =>
    Effect.gen(function* () {
      for (const fileRef of ["A".repeat(22), "-".repeat(22), ticket]) {
        expect(yield* resolve(fileRef)).toMatchObject({ success: [{ fileRef }] })
      }
      expect(yield* resolve(`@bob/${"A".repeat(22)}`)).toMatchObject({
        success: [{ fileRef: `@bob/${"A".repeat(22)}` }]
      })
    })
  )

  it.live("finds an offer by the beginning of its id, also one that is still at the home", () =>
    Effect.gen(function* () {
      expect(yield* resolve("firs")).toMatchObject({ success: [{ fileRef: "firstxxxxxxxxxxxxxxxxx" }] })
      onSync = () => {
        messages = [...messages, offer(bob, "late", 9)]
      }
      expect(yield* resolve("late")).toMatchObject({ success: [{ fileRef: "latexxxxxxxxxxxxxxxxxx" }] })
    })
  )

  it.live("does not guess", () =>
    Effect.gen(function* () {
      expect(yield* resolve("secon")).toMatchObject({
        failure: { exit: 2, message: expect.stringMatching(/several ids: \w{22}, \w{22}/) }
      })
      expect(yield* resolve("none")).toMatchObject({
        failure: { code: "file_not_found", exit: 4, message: expect.stringContaining("`kez-chat fetch` lists them") }
      })
      for (const what of ["abc", "", "a b c d", "ünïcödé"])
        expect(yield* resolve(what)).toMatchObject({ failure: { exit: 2 } })
      expect(yield* resolve("@bob")).toMatchObject({
        failure: { message: expect.stringContaining("kez-chat browse @bob") }
      })
    })
  )

  it.live("finds an entry by its path, the newest of a name, by its id and by the beginning of it", () =>
    Effect.gen(function* () {
      for (const who of ["@bob", "bob", "@bob@home"]) {
        expect(yield* resolve(`${who}/report.pdf`)).toMatchObject({ success: [{ file: { blobHash: "blake3:aaaa2" } }] })
      }
      expect(yield* resolve("@bob/photos/one.jpg")).toMatchObject({ success: [{ file: { blobHash: "blake3:bbbb1" } }] })
      expect(yield* resolve("@bob/cccc")).toMatchObject({ success: [{ fileRef: "@bob/cccc1yyyyyyyyyyyyyyyyy" }] })
      expect(yield* resolve("@bob/aaaa")).toMatchObject({ failure: { exit: 2 } })
      expect(yield* resolve("@bob/one.jpg")).toMatchObject({ failure: { exit: 4, code: "file_not_found" } })
      expect(yield* resolve("@carol/one.jpg")).toMatchObject({ failure: { _tag: "ContactUnknown" } })
    })
  )

  it.live("takes a folder with all below it, and not its neighbour", () =>
    Effect.gen(function* () {
      for (const what of ["@bob/photos", "@bob/photos/"]) {
        expect(yield* resolve(what)).toMatchObject({
          success: [
            { file: { name: "one.jpg" }, within: "photos" },
            { file: { name: "two.jpg" }, within: "photos/2024" }
          ]
        })
      }
      expect(yield* resolve("@bob/photos/2024")).toMatchObject({
        success: [{ file: { name: "two.jpg" }, within: "2024" }]
      })
    })
  )
})
