/** A key change through promises: both numbers, and the refusals as errors. */
import { Effect, Layer, Redacted } from "effect"
import { afterEach, assert, describe, it } from "vitest"
import { KezChat } from "@kez-chat/sdk"
import { type KezChatClient, KeyRefused, open } from "@kez-chat/sdk/promise"
import { impostor } from "../client/kit/Liar.ts"
import { makeWorld, newDevice, newWords, type World } from "../client/kit/People.ts"

const opened = new Set<KezChatClient>()
afterEach(async () => {
  await Promise.all([...opened].map((client) => client.close()))
  opened.clear()
})

const join = async (world: World, handle: string): Promise<KezChatClient> => {
  const client = await open(KezChat.layer().pipe(Layer.provide(world.servicesOf(newDevice()))))
  opened.add(client)
  await client.create({ handle, words: Redacted.value(newWords()) })
  return client
}

const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "not refused",
    (error: unknown) => (error instanceof KeyRefused ? error.reason : String(error))
  )

describe("a changed key through promises", () => {
  it("shows both numbers, and takes, keeps and confirms only the key that is named", async () => {
    const world = makeWorld()
    const [alice, bob] = [await join(world, "alice"), await join(world, "bob")]
    await bob.addContact("alice")
    const { primary } = await alice.addContact("bob")
    const mallory = await Effect.runPromise(impostor(world, "bob", 140))
    const truth = mallory.takesOver()
    assert.strictEqual((await alice.refreshContact("bob")).state, "changed")
    const { offered, pinned } = await alice.verification("bob")
    assert.strictEqual(pinned.safetyNumber, (await bob.verification("alice")).pinned.safetyNumber)
    assert.deepInclude(offered, { primary: mallory.primary, origin: "unexplained" })
    assert.notStrictEqual(offered?.safetyNumber, pinned.safetyNumber)

    assert.strictEqual(await refusal(alice.confirmKey("bob", primary)), "not_accepted")
    assert.strictEqual(await refusal(alice.acceptKey("bob", primary)), "not_offered")
    assert.deepInclude(await alice.keepKey("bob"), { state: "accepted", kept: true, primary })
    truth()
    assert.strictEqual((await alice.refreshContact("bob")).state, "accepted")
    assert.strictEqual(await refusal(alice.acceptKey("bob", mallory.primary)), "not_offered")
    assert.isTrue((await alice.confirmKey("bob", primary)).verified)
    assert.isFalse((await alice.unconfirmKey("bob")).verified)

    mallory.takesOver()
    await alice.refreshContact("bob")
    assert.deepInclude(await alice.acceptKey("bob", mallory.primary), { primary: mallory.primary, verified: false })
  })
})
