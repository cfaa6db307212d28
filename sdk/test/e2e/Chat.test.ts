/** The client's promises on a real home: nats-server, sig-server and chat-server as processes. */
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Layer } from "effect"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { MemoryLocalStore, MemoryVault } from "@kez-chat/sdk/memory"
import { openNode } from "@kez-chat/sdk/node"
import type { Event, KezChatClient } from "@kez-chat/sdk/promise"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { Vault } from "@kez-chat/sdk/services"
import { openWeb } from "@kez-chat/sdk/web"
import { type Home, startHome } from "../../../deploy/local/Home.ts"

let folder: string
let home: Home
const opened = new Set<KezChatClient>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kez-e2e-"))
  // Clients see no difference: other tests run on homes with one stream.
  const streams = ["--stream-partitions", "4"]
  const flags = { init: streams, chat: streams }
  home = await startHome({ data: join(folder, "home"), ports: "auto", source: true, flags })
})

afterAll(async () => {
  await Promise.all([...opened].map((client) => client.close()))
  await home.stop()
  rmSync(folder, { recursive: true, force: true })
})

const newWords = () => Mnemonic.generate(randomBytes(32))

const onTcp = async (dir: string): Promise<KezChatClient> => {
  const client = await openNode({ home: home.urls.home, dir: join(folder, dir), vault: vaults(dir) })
  opened.add(client)
  return client
}

// What a keychain is to a program: it outlives it.
const kept = new Map<string, Vault["Service"]>()
const vaults = (name: string) => {
  const vault = kept.get(name) ?? MemoryVault.make()
  kept.set(name, vault)
  return Layer.succeed(Vault, vault)
}

const onWebSocket = async (): Promise<KezChatClient> => {
  const client = await openWeb({ home: home.urls.home, store: MemoryLocalStore.layer, vault: MemoryVault.layer })
  opened.add(client)
  return client
}

/** The first event that passes, of those from now on. */
const next = async <T extends Event["_tag"]>(
  client: KezChatClient,
  tag: T,
  test: (event: Extract<Event, { _tag: T }>) => boolean = () => true
): Promise<Extract<Event, { _tag: T }>> => {
  for await (const event of client.events({ signal: AbortSignal.timeout(50_000) })) {
    if (event._tag === tag && test(event as Extract<Event, { _tag: T }>)) return event as Extract<Event, { _tag: T }>
  }
  throw new Error("the client was closed")
}

type Failure = object & { readonly _tag?: string; readonly code?: string; readonly reason?: string }

/** What a promise is rejected with. */
const failure = async (promise: Promise<unknown>): Promise<Failure> => {
  try {
    await promise
  } catch (error) {
    return error as Failure
  }
  return assert.fail("it succeeded")
}

const texts = async (client: KezChatClient, who: string) => (await client.history(who)).map(({ text }) => text)

/** Waits until a conversation holds these texts. */
const holds = async (client: KezChatClient, who: string, expected: ReadonlyArray<string>) => {
  while ((await texts(client, who)).length < expected.length) await client.sync()
  assert.deepStrictEqual(await texts(client, who), expected)
}

describe("two people on a real home", () => {
  it("chat both ways, one over TCP and one over WebSocket, and see what was delivered and read", async () => {
    const alice = await onTcp("alice")
    const bob = await onWebSocket()
    const account = await alice.create({ handle: "alice", words: newWords() })
    assert.deepInclude(account, { handle: "alice@localhost", step: "published" })
    await bob.create({ handle: "bob", words: newWords() })
    await alice.addContact("bob")
    await bob.addContact("@alice")
    await bob.updateSettings({ readReceipts: true })

    const arrives = next(bob, "Message", ({ message }) => message.text === "over TCP")
    const delivered = next(alice, "State", ({ message }) => message.state === "delivered")
    await alice.send("bob", "over TCP")
    assert.strictEqual((await arrives).contact.handle, "alice@localhost")
    await delivered

    const read = next(alice, "State", ({ message }) => message.state === "read")
    const answered = next(alice, "Message", ({ message }) => message.text === "over WebSocket")
    await bob.markRead("alice")
    await bob.send("alice", "over WebSocket")
    await answered
    await read
    const [alices, bobs] = [await alice.verification("bob"), await bob.verification("alice")]
    assert.strictEqual(alices.pinned.safetyNumber, bobs.pinned.safetyNumber)
  })

  it("chat although one of them was away", async () => {
    const carol = await onTcp("carol")
    const dave = await onTcp("dave")
    await carol.create({ handle: "carol", words: newWords() })
    await dave.create({ handle: "dave", words: newWords() })
    await carol.addContact("dave")
    await dave.addContact("carol")
    await dave.close()
    opened.delete(dave)
    for (const text of ["one", "two", "three"]) await carol.send("dave", text)
    await carol.flush()
    const again = await onTcp("dave")
    await again.sync()
    assert.deepStrictEqual(await texts(again, "carol"), ["one", "two", "three"])

    // Now the sender is away from the network: what she writes goes out when she is back, also by another process.
    await carol.close()
    opened.delete(carol)
    const offline = await openNode({
      home: home.urls.home,
      dir: join(folder, "carol"),
      vault: vaults("carol"),
      offline: true
    })
    assert.strictEqual((await offline.send("dave", "written offline")).state, "queued")
    assert.deepStrictEqual(await texts(offline, "dave"), ["one", "two", "three", "written offline"])
    await offline.close()
    const online = await onTcp("carol")
    await online.flush()
    await holds(again, "carol", ["one", "two", "three", "written offline"])
  })

  it("reach each other through an outage of the broker", async () => {
    const erin = await onTcp("erin")
    const frank = await onWebSocket()
    await erin.create({ handle: "erin", words: newWords() })
    await frank.create({ handle: "frank", words: newWords() })
    await erin.addContact("frank")
    await frank.addContact("erin")
    await home.processes.nats.kill()
    for await (const state of erin.connection()) if (state._tag === "Offline") break
    await erin.send("frank", "during the outage")
    assert.strictEqual(
      await erin.flush().catch((error: unknown) => (error as { _tag: string })._tag),
      "BrokerUnavailable"
    )
    const arrives = next(frank, "Message")
    await home.processes.nats.restart()
    assert.strictEqual((await arrives).message.text, "during the outage")
  })

  it("bring history back from the words on a second device", async () => {
    const grace = await onTcp("grace")
    const heidi = await onTcp("heidi")
    const words = newWords()
    await grace.create({ handle: "grace", words })
    await heidi.create({ handle: "heidi", words: newWords() })
    await grace.addContact("heidi")
    await heidi.addContact("grace")
    await grace.send("heidi", "hello")
    await grace.flush()
    await holds(heidi, "grace", ["hello"])
    await heidi.send("grace", "hello yourself")
    await heidi.flush()
    await grace.close()
    opened.delete(grace)

    const tablet = await onWebSocket()
    const named = next(tablet, "Contact", ({ contact }) => contact.handle === "heidi@localhost")
    assert.strictEqual((await tablet.restore({ words })).handle, "grace@localhost")
    await tablet.sync()
    await named
    assert.deepStrictEqual(await texts(tablet, "heidi"), ["hello", "hello yourself"])
    assert.strictEqual(await tablet.words(), words)
    await tablet.send("heidi", "from the tablet")
    await holds(heidi, "grace", ["hello", "hello yourself", "from the tablet"])
  })

  it("share a file that a page sees, browses and cannot fetch, also while its owner is away", async () => {
    const nora = await onTcp("nora")
    const oscar = await onWebSocket()
    await nora.create({ handle: "nora", words: newWords() })
    await oscar.create({ handle: "oscar", words: newWords() })
    await nora.addContact("oscar")
    await oscar.addContact("nora")
    const bytes = (async function* () {
      yield new TextEncoder().encode("all is well")
    })()
    const share = await nora.share({ file: { name: "report.txt", folder: "2026", bytes }, with: ["oscar"] })
    await nora.flush()
    await nora.close()
    opened.delete(nora)
    await holds(oscar, "nora", ["report.txt"])
    const [offer] = await oscar.history("nora")
    assert.deepInclude(offer?.file, { name: "report.txt", size: 11, blobHash: share.blobHash })
    const { files, source } = await oscar.browse("nora")
    assert.strictEqual(source, "home")
    assert.deepStrictEqual(
      files.map(({ folder, id, name, size }) => ({ folder, id, name, size })),
      [{ folder: "2026", id: share.id, name: "report.txt", size: 11 }]
    )
    const fetching = async () => {
      for await (const { state } of oscar.fetch("@nora/2026/report.txt")) assert.fail(state)
    }
    assert.deepInclude(await failure(fetching()), { _tag: "BlobTransportError", reason: "unavailable" })
  })

  it("export everything, and delete the account for good", async () => {
    const ivan = await onTcp("ivan")
    const words = newWords()
    await ivan.create({ handle: "ivan", words })
    await ivan.send("ivan", "a note")
    const kinds: Array<unknown> = []
    for await (const item of ivan.export()) kinds.push(item["kind"])
    assert.deepStrictEqual(kinds, ["account", "settings", "event", "event", "message"])
    await ivan.deleteAccount()
    assert.strictEqual((await failure(ivan.account()))._tag, "NoAccount")
    assert.strictEqual((await failure(ivan.restore({ words }))).code, "handle_deleted")
  })
})

describe("a client of promises", () => {
  it("lets one process open a folder at a time, and says so", async () => {
    const judy = await onTcp("judy")
    assert.deepInclude(await failure(onTcp("judy")), { _tag: "StoreError", reason: "locked" })
    await judy.close()
    opened.delete(judy)
    await (await onTcp("judy")).close()
  })

  it("ends its loops and refuses calls when it is closed", async () => {
    const client = await onWebSocket()
    const loop = (async () => {
      for await (const event of client.events()) assert.fail(event._tag)
    })()
    await client.close()
    await client.close()
    await loop
    assert.strictEqual((await failure(client.contacts()))._tag, "ClientClosed")
  })

  it("stops waiting when it is told to, with the reason it is given", async () => {
    const client = await onTcp("karl")
    await client.create({ handle: "karl", words: newWords() })
    const reason = new Error("enough")
    const aborted = AbortSignal.abort(reason)
    assert.strictEqual<unknown>(await failure(client.sync({ signal: aborted })), reason)
    const controller = new AbortController()
    const waiting = (async () => {
      for await (const event of client.events({ signal: controller.signal })) assert.fail(event._tag)
    })()
    controller.abort(reason)
    assert.strictEqual<unknown>(await failure(waiting), reason)
  })

  it("rejects with the errors of the client, as they are", async () => {
    const client = await onWebSocket()
    assert.strictEqual((await failure(client.account()))._tag, "NoAccount")
    assert.strictEqual((await failure(client.restore({ words: "no" }))).code, "mnemonic_invalid")
    const nowhere = await openWeb({
      home: "http://127.0.0.1:9",
      store: MemoryLocalStore.layer,
      vault: MemoryVault.layer
    })
    const creating = nowhere.create({ handle: "nobody", words: newWords() })
    assert.strictEqual((await failure(creating))._tag, "ServerUnreachable")
    await nowhere.close()
  })
})
