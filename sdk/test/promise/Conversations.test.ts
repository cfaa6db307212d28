/** Reading conversations through promises: list, search, drafts, and catching up. */
import { Layer, Redacted } from "effect"
import { assert, it } from "vitest"
import { KezChat } from "@kez-chat/sdk"
import { type Message, open } from "@kez-chat/sdk/promise"
import { makeWorld, newDevice, newWords } from "../client/kit/People.ts"

it("lists, searches and drafts, and an aborted search ends", async () => {
  const world = makeWorld()
  await using alice = await open(KezChat.layer().pipe(Layer.provide(world.servicesOf(newDevice()))))
  const { primary } = await alice.create({ handle: "alice", words: Redacted.value(newWords()) })
  for (const text of ["Müesli", "milk", "muesli again"]) await alice.send("alice", text)
  await alice.setDraft("alice", "bread")
  assert.strictEqual(await alice.draft("alice"), "bread")
  const [notes] = await alice.conversations()
  assert.deepInclude(notes, { peer: primary, unread: 0, draft: "bread" })

  const hits: Array<Message> = []
  for await (const message of alice.search("MUESLI")) hits.push(message)
  assert.deepStrictEqual(
    hits.map(({ text }) => text),
    ["muesli again", "Müesli"]
  )
  const around = await alice.history("alice", { around: hits[1]!.order, limit: 4 })
  assert.deepStrictEqual(
    around.map(({ text }) => text),
    ["Müesli", "milk"]
  )

  const stop = new AbortController()
  const search = alice.search("m", {}, { signal: stop.signal })[Symbol.asyncIterator]()
  await search.next()
  stop.abort(new Error("enough"))
  const rest = (async () => {
    while (!(await search.next()).done);
  })()
  assert.strictEqual(await rest.catch((error: Error) => error.message), "enough")

  await alice.nudge()
  await alice.sync()
  for await (const { of, taken } of alice.catchingUp()) {
    if (taken === of) break
  }
})
