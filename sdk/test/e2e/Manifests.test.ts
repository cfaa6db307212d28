/** Sharing and browsing on a real home: the list of an owner who is away, on a page, and from two devices at once. */
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { MemoryLocalStore, MemoryVault } from "@kez-chat/sdk/memory"
import { openNode } from "@kez-chat/sdk/node"
import type { KezChatClient, Listing } from "@kez-chat/sdk/promise"
import { Bytes, Mnemonic } from "@kez-chat/sdk/protocol"
import { openWeb } from "@kez-chat/sdk/web"
import { type Home, startHome } from "../../../deploy/local/Home.ts"

let folder: string
let home: Home
const opened: Array<KezChatClient> = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kez-manifests-"))
  home = await startHome({ data: join(folder, "home"), ports: "auto", source: true })
})

afterAll(async () => {
  await Promise.all(opened.map((client) => client.close()))
  await home.stop()
  rmSync(folder, { recursive: true, force: true })
})

const open = async (dir: string): Promise<KezChatClient> => {
  const client = await openNode({ home: home.urls.home, dir: join(folder, dir), passphrase: "a passphrase" })
  opened.push(client)
  return client
}

const file = (name: string) => ({
  name,
  bytes: (async function* () {
    yield Bytes.utf8(name)
  })()
})

const names = (listing: Listing) => listing.files.map(({ name }) => name)

/** Until all that this device shares is published. */
const settled = async (client: KezChatClient): Promise<void> => {
  const deadline = Date.now() + 60_000
  do await client.flush()
  while ((await client.shared()).some(({ manifest }) => manifest === "pending") && Date.now() < deadline)
}

describe("manifests at a home", () => {
  it(
    "are published, browsed while the owner is away, also on a page, and joined from two devices",
    { timeout: 120_000 },
    async () => {
      const words = Mnemonic.generate(randomBytes(32))
      const alice = await open("alice")
      await alice.create({ handle: "alice", words })
      const bob = await openWeb({ home: home.urls.home, store: MemoryLocalStore.layer, vault: MemoryVault.layer })
      opened.push(bob)
      await bob.create({ handle: "bobby", words: Mnemonic.generate(randomBytes(32)) })
      await alice.addContact("bobby")
      await bob.addContact("alice")
      assert.deepInclude(await bob.browse("alice"), { revision: 0, files: [] })
      // A page has no Iroh, and says so in its chain by saying nothing.
      const protocols = async (who: string) => (await bob.verification(who)).endpoints.map(({ protocol }) => protocol)
      assert.deepStrictEqual(await protocols("alice"), ["nats", "iroh"])
      assert.deepStrictEqual(await protocols("bobby"), ["nats"])

      const share = await alice.share({ file: file("one"), with: ["bobby"] })
      await settled(alice)
      await alice.close()
      const listing = await bob.browse("alice")
      assert.deepInclude(listing, { revision: 1, source: "home" })
      assert.deepStrictEqual(names(listing), ["one"])

      const other = await open("other")
      await other.restore({ words })
      await other.addContact("bobby")
      const again = await open("alice")
      await Promise.all([
        other.share({ file: file("two"), with: ["bobby"] }).then(() => settled(other)),
        again.share({ file: file("three"), with: ["bobby"] }).then(() => settled(again))
      ])
      assert.deepStrictEqual(names(await bob.browse("alice")), ["one", "three", "two"])

      await other.unshare(share.id)
      await settled(other)
      await other.flush()
      assert.deepStrictEqual(names(await bob.browse("alice")), ["three", "two"])
      assert.deepStrictEqual(names(await other.browse("alice")), ["three", "two"])
    }
  )
})
