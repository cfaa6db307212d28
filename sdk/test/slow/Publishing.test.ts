/** A program that is killed while it publishes: at every moment readers find a list, and never an older one. */
import { randomInt } from "node:crypto"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { afterAll, assert, beforeAll, it } from "vitest"
import { openNode } from "@kez-chat/sdk/node"
import { Pair } from "../e2e/FilesBetween.ts"

const kills = 15
const pair = new Pair({ manifestOperations: 1_000_000 })

beforeAll(() => pair.open(), 60_000)
afterAll(() => pair.close())

it("KEZ-MAN-012 KEZ-MAN-030 shows readers every list whole and in order while its owner is killed again and again", async () => {
  const bob = await openNode({ home: pair.home, dir: join(pair.folder, "bob"), passphrase: "only for bob" })
  try {
    let seen = 0
    const look = async () => {
      const listing = await bob.browse("alice")
      assert.strictEqual(listing.source, "home")
      assert.isAtLeast(listing.revision, seen)
      seen = listing.revision
      return listing.files.map(({ name }) => name).sort()
    }
    for (let n = 0; n < kills; n++) {
      const alice = await pair.start("alice")
      alice.send({ do: "churn" })
      const dead = new AbortController()
      // The moment is what is random: somewhere within the first changes of this run.
      const changes = randomInt(4)
      const killed = alice
        .answer(({ churned }) => (changes === 0 || churned === changes - 1 ? true : undefined))
        .then(() => setTimeout(randomInt(150)))
        .then(() => alice.end("SIGKILL"))
        .then(() => dead.abort())
      while (!dead.signal.aborted) await look()
      await killed
      await look()
    }
    const alice = await pair.start("alice")
    alice.send({ do: "settle" })
    const names = await alice.answer(({ settled }) => settled)
    assert.deepStrictEqual(await look(), names)
    assert.isAbove(seen, kills / 3)
    await alice.end("SIGTERM")
  } finally {
    await bob.close()
  }
}, 180_000)
