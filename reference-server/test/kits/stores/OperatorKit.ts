/** What an operator decides, over any kind of database: invites, suspensions, reports, and the audit of them. */
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Timestamp } from "@kez-chat/sdk/protocol"
import { afterEach, beforeEach, describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import * as Audit from "../../../src/storage/Audit.ts"
import { Database } from "../../../src/storage/Database.ts"
import * as Invites from "../../../src/storage/Invites.ts"
import { Registry } from "../../../src/storage/Registry.ts"
import { openAgainst, reportLimits, Reports } from "../../../src/storage/Reports.ts"
import { accountDetails } from "../../../src/chat/admin/AccountDetails.ts"
import { newIdentity, registration } from "../Servers.ts"
import type { TestDatabase, TestDatabases } from "./TestDatabases.ts"

const by: Audit.By = { actor: "user tester", note: "why" }

export const operatorKit = (databases: TestDatabases) =>
  describe("what an operator decides", () => {
    let opened: TestDatabase
    beforeEach(async () => {
      opened = await databases.open()
    })
    afterEach(() => opened.close())

    /** The stores of one server, on a connection of its own. */
    const storesOf = (database: Database["Service"]) =>
      Layer.build(
        Layer.merge(Registry.layer("localhost"), Reports.layer("localhost")).pipe(
          Layer.provideMerge(Layer.succeed(Database, database)),
          Layer.provide(NodeCrypto.layer)
        )
      )
    const register = Effect.fnUntraced(function* (registry: Registry["Service"], handle: string, invite?: string) {
      const identity = yield* Effect.promise(newIdentity)
      const statement = yield* Effect.promise(() => registration(identity, handle))
      return yield* registry.register(statement, { mode: "invite", invite })
    })

    it.live(
      "KEZ-REG-050 lets exactly as many in as an invite says, across two servers",
      Effect.fnUntraced(function* () {
        const other = yield* Effect.promise(opened.again)
        const registries = yield* Effect.forEach([opened.database, other], (database) =>
          Effect.map(storesOf(database), Context.get(Registry))
        )
        const { code, id } = yield* Invites.create(opened.database, { uses: 3 }, by)
        const results = yield* Effect.forEach(
          Array.from({ length: 12 }, (_, n) => n),
          (n) => Effect.result(register(registries[n % 2]!, `racer${n}`, code)),
          { concurrency: 12 }
        )
        const outcomes = results.map((result) => (result._tag === "Success" ? "in" : result.failure.code)).toSorted()
        expect(outcomes).toEqual([
          ...Array.from({ length: 3 }, () => "in"),
          ...Array.from({ length: 9 }, () => "invite_invalid")
        ])
        expect(yield* Invites.list(other)).toMatchObject([{ id, uses: 3, used: 3, note: "why" }])
        const expired = yield* Invites.create(other, { uses: 1, expiresInMillis: -1_000 }, by)
        const late = yield* Effect.flip(register(registries[0]!, "latecomer", expired.code))
        expect(late).toMatchObject({ code: "invite_invalid" })
      }, Effect.scoped)
    )

    it.live(
      "suspends and lifts it, finds accounts by state, and writes all of it down",
      Effect.fnUntraced(function* () {
        const stores = yield* storesOf(opened.database)
        const registry = Context.get(stores, Registry)
        const { code, id } = yield* Invites.create(opened.database, { uses: 5 }, by)
        const { account } = yield* register(registry, "alice", code)
        yield* registry.setSuspended("alice", true, by)
        expect(yield* Effect.flip(registry.lookUp("alice"))).toMatchObject({ code: "account_suspended" })
        expect(yield* registry.list({ state: "suspended", limit: 5 })).toMatchObject([{ handle: "alice", invite: id }])
        expect(yield* registry.list({ state: "active", limit: 5 })).toEqual([])
        expect(yield* registry.counts).toEqual({ active: 0, suspended: 1, deleted: 0, revoked: 0 })
        yield* registry.setSuspended("alice", false, by)
        expect((yield* registry.lookUp("alice")).state).toBe("active")
        yield* registry.setReserved("trademark", true, by)
        yield* Invites.revoke(opened.database, id, by)
        const entries = yield* Audit.entries(opened.database.sql, { limit: 10 })
        expect(entries.map(({ action }) => action)).toEqual([
          "invite-revoke",
          "reserve",
          "unsuspend",
          "suspend",
          "invite-create"
        ])
        expect(yield* Audit.entries(opened.database.sql, { limit: 10, before: entries[3]!.id })).toHaveLength(1)
        const details = yield* Effect.provideContext(accountDetails("alice"), stores)
        expect(details).toMatchObject({ mailBytes: 0, ownCopyBytes: 0, manifestBytes: 0, openReports: 0 })
        expect(details.audit).toHaveLength(2)
        expect(yield* openAgainst(opened.database.sql, account.primaryHex)).toBe(0)
      }, Effect.scoped)
    )

    it.live(
      "KEZ-RPT-001 takes a report once, shows it and closes it",
      Effect.fnUntraced(function* () {
        const stores = yield* storesOf(opened.database)
        const [registry, reports] = [Context.get(stores, Registry), Context.get(stores, Reports)]
        const [alice, bob] = yield* Effect.promise(() => Promise.all([newIdentity(), newIdentity()]))
        for (const [identity, handle] of [
          [alice, "alice"],
          [bob, "bobby"]
        ] as const) {
          yield* registry.register(yield* Effect.promise(() => registration(identity, handle)))
        }
        const statement = yield* bob.signReport({
          server: "localhost",
          reported: alice.key,
          reason: "abuse",
          note: "a\0b",
          createdAt: Date.now(),
          messages: []
        })
        const { id } = yield* reports.receive(statement)
        expect(yield* reports.receive(statement)).toEqual({ created: false, id })
        expect(yield* reports.list(false)).toMatchObject([
          { id, reporter: "bobby", reported: "alice", note: "a b", messages: 0 }
        ])
        expect(yield* openAgainst(opened.database.sql, alice.key.hex)).toBe(1)
        expect(yield* reports.show(id)).toMatchObject({ shown: [], closedAt: null })
        yield* reports.close(id, by)
        yield* reports.close(id, by)
        expect([yield* reports.list(false), (yield* reports.list(true)).length]).toEqual([[], 1])
      }, Effect.scoped)
    )

    it.live(
      "KEZ-RPT-005 gives each reporter a share of the room, and closed reports give way",
      Effect.fnUntraced(function* () {
        const stores = yield* storesOf(opened.database)
        const [registry, reports] = [Context.get(stores, Registry), Context.get(stores, Reports)]
        const { sql } = opened.database
        const people = yield* Effect.promise(() => Promise.all([newIdentity(), newIdentity(), newIdentity()]))
        for (const [n, identity] of people.entries()) {
          yield* registry.register(yield* Effect.promise(() => registration(identity, `person${n}`)))
        }
        const [alice, bob, mallory] = people
        const report = Effect.fnUntraced(function* (reporter: typeof alice, note: string) {
          const about = { server: "localhost", reported: alice!.key, reason: "spam" as const, messages: [] }
          const statement = yield* reporter!.signReport({ ...about, note, createdAt: Date.now() })
          return yield* reports.receive(statement).pipe(Effect.catch(({ code }) => Effect.succeed(code)))
        })
        /** As if a report of so many bytes had been kept. */
        const keep = (id: string, by: typeof alice, bytes: number, closedAt: string | null) =>
          sql`INSERT INTO reports (id, received_at, reporter_hex, reported_hex, reason, note, messages, statement, bytes, closed_at)
            VALUES (${id}, '2020-01-01T00:00:00Z', ${by!.key.hex}, ${alice!.key.hex}, 'spam', '', 0, '{}', ${bytes}, ${closedAt})`
        const { reporterShare, storeBytes } = reportLimits
        yield* keep("flood", mallory, storeBytes * reporterShare - 100, null)
        expect([yield* report(mallory, "more"), typeof (yield* report(bob, "mine"))]).toEqual(["store_full", "object"])
        yield* reports.delete("flood", by)
        expect((yield* Effect.flip(reports.delete("flood", by))).code).toBe("not_found")
        expect(typeof (yield* report(mallory, "more"))).toBe("object")
        // Whatever others do, a part of the room is left; what is closed is taken from it, the oldest first.
        const recently = Timestamp.fromMillis(Date.now() - 86_400_000)
        yield* keep("newer", bob, storeBytes / 2, recently)
        yield* keep("older", bob, storeBytes / 2, "2026-01-01T00:00:00Z")
        expect(typeof (yield* report(bob, "late ".repeat(300)))).toBe("object")
        const left = yield* sql<{ id: string }>`SELECT id FROM reports WHERE closed_at IS NOT NULL ORDER BY id`
        expect(left).toEqual([{ id: "newer" }])
        yield* keep("forgotten", bob, 1, "2020-01-01T00:00:00Z")
        yield* reports.removeOld
        expect((yield* reports.list(true)).map(({ id }) => id)).not.toContain("forgotten")
        expect((yield* reports.list(true)).map(({ id }) => id)).toContain("newer")
      }, Effect.scoped)
    )
  })
