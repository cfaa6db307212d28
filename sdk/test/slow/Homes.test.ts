/** People of two homes, each with a chat-server and a sig-server of its own, on other names and ports. */
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { MemoryVault } from "@kez-chat/sdk/memory"
import { openNode } from "@kez-chat/sdk/node"
import type { KezChatClient } from "@kez-chat/sdk/promise"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { type Home, startHome } from "../../../deploy/local/Home.ts"

let folder: string
const homes: Array<Home> = []
const opened: Array<KezChatClient> = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kez-homes-"))
  const start = (serverName: string) =>
    startHome({ data: join(folder, serverName), ports: "auto", source: true, serverName })
  homes.push(await start("a.example"), await start("b.example"))
})

afterAll(async () => {
  await Promise.all(opened.map((client) => client.close()))
  await Promise.all(homes.map((home) => home.stop()))
  rmSync(folder, { recursive: true, force: true })
})

const person = async (at: number, handle: string) => {
  const urls = Object.fromEntries(homes.map(({ serverName, urls }) => [serverName, urls.home]))
  const client = await openNode({
    home: homes[at]!.urls.home,
    homes: urls,
    dir: join(folder, `${handle}${at}`),
    vault: MemoryVault.layer
  })
  opened.push(client)
  await client.create({ handle, words: Mnemonic.generate(randomBytes(32)) })
  return client
}

describe("people of two homes", () => {
  it("find and verify each other at their own servers, and are told that they cannot write yet", async () => {
    const [alice, bob, otherAlice] = [await person(0, "alice"), await person(1, "bob"), await person(1, "alice")]
    const { primary } = await bob.account()
    assert.deepStrictEqual(await alice.lookUp("bob@b.example"), { handle: "bob@b.example", primary })
    const contact = await alice.addContact("bob@b.example")
    assert.deepInclude(contact, { handle: "bob@b.example", home: "b.example", primary, state: "accepted" })
    await bob.addContact("alice@a.example")
    const [hers, his] = [await alice.verification("bob@b.example"), await bob.verification("alice@a.example")]
    assert.strictEqual(hers.pinned.safetyNumber, his.pinned.safetyNumber)
    assert.isNotEmpty(hers.events)
    assert.isTrue((await alice.confirmKey("bob@b.example", primary)).verified)
    const refused = await alice.send("bob@b.example", "hello").catch((error: unknown) => error)
    assert.deepInclude(refused, { code: "federation_unsupported" })
    // Names are those of one's own home, and of another one with its server.
    const twin = await bob.addContact("alice")
    assert.strictEqual(twin.primary, (await otherAlice.account()).primary)
    assert.notProperty(twin, "home")
    assert.lengthOf(await bob.contacts(), 2)
    // Their home stops: nothing is lost but the check.
    await homes[1]!.stop()
    const down = await alice.refreshContact("bob@b.example").catch((error: unknown) => error)
    assert.deepInclude(down, { _tag: "ServerUnreachable" })
    assert.strictEqual((await alice.verification("bob@b.example")).pinned.safetyNumber, hers.pinned.safetyNumber)
  })
})
