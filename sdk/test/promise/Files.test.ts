/** Files through promises: streams as loops that may be left, calls that may be aborted. */
import { Layer } from "effect"
import { setImmediate } from "node:timers/promises"
import { afterEach, assert, describe, it } from "vitest"
import { KezChat, type Message } from "@kez-chat/sdk"
import { type KezChatClient, open } from "@kez-chat/sdk/promise"
import { Bytes } from "@kez-chat/sdk/protocol"
import { Redacted } from "effect"
import { contentOf, fileOf } from "../client/kit/Files.ts"
import { type Device, makeWorld, newDevice, newWords, type World } from "../client/kit/People.ts"

const opened = new Set<KezChatClient>()
afterEach(async () => {
  await Promise.all([...opened].map((client) => client.close()))
  opened.clear()
})

const join = async (world: World, handle: string, device: Device = newDevice()): Promise<KezChatClient> => {
  const client = await open(KezChat.layer().pipe(Layer.provide(world.servicesOf(device))))
  opened.add(client)
  await client.create({ handle, words: Redacted.value(newWords()) })
  return client
}

/** The newest offer of Alice's to Bob, once it is there. */
const offerTo = async (bob: KezChatClient): Promise<Message> => {
  while (true) {
    const message = (await bob.history("alice")).findLast(({ file }) => file !== undefined)
    if (message !== undefined) return message
    await bob.sync()
    // In memory all of this takes microtasks alone, which would keep Alice's client from its turn.
    await setImmediate()
  }
}

const friends = async () => {
  const world = makeWorld()
  const [alice, bob] = [await join(world, "alice"), await join(world, "bob")]
  await alice.addContact("bob")
  await bob.addContact("alice")
  return { alice, bob }
}

describe("files through promises", () => {
  it("are shared, listed, fetched, read, discarded and taken back", async () => {
    const { alice, bob } = await friends()
    const content = contentOf(200_000)
    const stop = new AbortController()
    const serving = alice.serve({ signal: stop.signal })
    const share = await alice.share({ file: fileOf(content), with: ["bob"] })
    await alice.flush()
    const offer = await offerTo(bob)
    await bob.refreshContact("alice")
    assert.deepStrictEqual(
      (await bob.browse("alice")).files.map(({ id }) => id),
      [share.id]
    )
    const states: Array<string> = []
    for await (const { state } of bob.fetch(offer.id)) states.push(state)
    assert.strictEqual(states.at(-1), "complete")
    const pieces: Array<Uint8Array> = []
    for await (const piece of bob.read(offer.id)) pieces.push(piece)
    assert.deepStrictEqual(Bytes.concat(...pieces), content)
    await bob.discard(offer.id)
    assert.strictEqual((await alice.unshare(share.id)).id, share.id)
    assert.deepStrictEqual(await alice.shared(), [])
    stop.abort()
    await serving
  })

  it("are fetched for as long as the loop runs", async () => {
    const { alice, bob } = await friends()
    await alice.share({ file: fileOf(contentOf(1_000)), with: ["bob"] })
    const offer = await offerTo(bob)
    // Nobody serves: the first step comes, and no other.
    for await (const { state } of bob.fetch(offer.id)) {
      assert.strictEqual(state, "connecting")
      break
    }
    const reason = new Error("enough")
    const stop = new AbortController()
    const fetching = (async () => {
      for await (const _ of bob.fetch(offer.id, { signal: stop.signal })) stop.abort(reason)
    })()
    assert.strictEqual(await fetching.catch((error: unknown) => error), reason)
    // Discarded without a word of somebody still writing it.
    await bob.discard(offer.id)
  })

  it("are served until the client is closed", async () => {
    const { alice, bob } = await friends()
    const serving = alice.serve()
    await alice.share({ file: fileOf(contentOf(10)), with: ["bob"] })
    const offer = await offerTo(bob)
    for await (const _ of bob.fetch(offer.id));
    await alice.close()
    await serving
  })

  it("reject with the client's errors", async () => {
    const { bob } = await friends()
    const failed = async () => {
      for await (const _ of bob.fetch("@alice/nothing"));
    }
    const error = await failed().catch((error: unknown) => error as { readonly _tag: string; readonly code: string })
    assert.deepStrictEqual([error?._tag, error?.code], ["Problem", "file_not_found"])
  })
})
