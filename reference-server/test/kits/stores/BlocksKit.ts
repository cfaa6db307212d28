/** Block lists, over any kind of database. */
import { afterEach, beforeEach, describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Blocks from "../../../src/broker/responders/Blocks.ts"
import { alice, bob, person } from "./QuotaBench.ts"
import { runText, type TestDatabase, type TestDatabases } from "./TestDatabases.ts"

export const blocksKit = (databases: TestDatabases) =>
  describe("block lists", () => {
    let opened: TestDatabase
    beforeEach(async () => {
      opened = await databases.open()
    })
    afterEach(() => opened.close())

    const open = (key = "key") => {
      const blocks = Blocks.make(opened.database, Buffer.from(key))
      return {
        ...blocks,
        has: (owner: string, who: string) => Effect.map(blocks.isBlocked([{ owner, who }]), ([found]) => found),
        add: (owner: string, who: string) => Effect.map(blocks.change([{ op: "add", owner, who }]), ([made]) => made),
        remove: (owner: string, who: string) =>
          Effect.map(blocks.change([{ op: "remove", owner, who }]), ([made]) => made)
      }
    }
    const change = (op: "add" | "remove", who = bob) => ({ op, owner: alice, who })

    it.live(
      "KEZ-NAT-062 go one way, are idempotent and stay until they are removed",
      Effect.fnUntraced(function* () {
        const blocks = open()
        expect([yield* blocks.add(alice, bob), yield* blocks.add(alice, bob)]).toEqual([true, true])
        expect([yield* blocks.has(alice, bob), yield* blocks.has(bob, alice), yield* open().has(alice, bob)]).toEqual([
          true,
          false,
          true
        ])
        yield* blocks.remove(alice, bob)
        yield* blocks.remove(alice, bob)
        expect(yield* blocks.has(alice, bob)).toBe(false)
      })
    )

    it.live(
      "KEZ-NAT-062 hold 10,000 accounts, and then only those",
      Effect.fnUntraced(function* () {
        const blocks = open()
        const all = Array.from({ length: 10_001 }, (_, n) => change("add", person(n)))
        expect((yield* blocks.change(all)).indexOf(false)).toBe(10_000)
        expect([
          yield* blocks.add(alice, bob),
          yield* blocks.has(alice, bob),
          yield* blocks.add(alice, person(0))
        ]).toEqual([false, false, true])
        expect(yield* blocks.add(bob, alice)).toBe(true)
        yield* blocks.remove(alice, person(5))
        expect(yield* blocks.add(alice, bob)).toBe(true)
        yield* blocks.forget(alice)
        expect([yield* blocks.has(alice, bob), yield* blocks.has(bob, alice)]).toEqual([false, true])
      })
    )

    it.live(
      "make what comes together in its order and in one transaction",
      Effect.fnUntraced(function* () {
        const blocks = open()
        expect(yield* blocks.change([change("add"), change("remove"), change("add")])).toEqual([true, true, true])
        expect(yield* blocks.has(alice, bob)).toBe(true)
        yield* blocks.change([change("remove"), change("add"), change("remove")])
        expect(yield* blocks.has(alice, bob)).toBe(false)
        yield* blocks.add(alice, person(1))
        // The removals are made first; the additions then fail.
        yield* runText(opened.database, "ALTER TABLE broker_blocks RENAME COLUMN owner TO gone")
        const exit = yield* Effect.exit(blocks.change([change("remove", person(1)), change("add")]))
        expect(exit._tag).toBe("Failure")
        yield* runText(opened.database, "ALTER TABLE broker_blocks RENAME COLUMN gone TO owner")
        expect([yield* blocks.has(alice, person(1)), yield* blocks.has(alice, bob)]).toEqual([true, false])
      })
    )

    it.live(
      "KEZ-NAT-064 are keyed hashes: the database names nobody, and another key finds nothing",
      Effect.fnUntraced(function* () {
        yield* open().add(alice, bob)
        const stored = yield* opened.database.sql<{
          pair: Buffer
          owner: Buffer
        }>`SELECT pair, owner FROM broker_blocks`
        const text = stored.map(({ owner, pair }) => pair.toString("hex") + owner.toString("hex")).join()
        expect(text).not.toContain("aaaaaaaa")
        expect(text).not.toContain("bbbbbbbb")
        expect(yield* open("another key").has(alice, bob)).toBe(false)
      })
    )
  })
