/** Handles that are handed over to another key, over any kind of database. */
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Envelope, Hash, PrimaryKey, Transfer } from "@kez-chat/sdk/protocol"
import { afterEach, beforeEach, describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { accountDetails } from "../../../src/chat/admin/AccountDetails.ts"
import { ActiveKeys } from "../../../src/storage/ActiveKeys.ts"
import { Database } from "../../../src/storage/Database.ts"
import { Registry } from "../../../src/storage/Registry.ts"
import { Reports } from "../../../src/storage/Reports.ts"
import { deletion, type Identity, newIdentity, registration } from "../Servers.ts"
import type { TestDatabase, TestDatabases } from "./TestDatabases.ts"

const dayMillis = 86_400_000

/** The body by which `old` hands `handle` over to `successor`. */
export const transferOf = (
  old: Identity,
  successor: Identity,
  handle: string,
  options: { readonly server?: string; readonly createdAt?: number } = {}
) =>
  Effect.runPromise(
    Effect.map(
      old.signTransfer({
        handle,
        server: options.server ?? "localhost",
        createdAt: options.createdAt ?? Date.now(),
        rotate: Hash.format("sha256", "ab".repeat(32)),
        successor
      }),
      Transfer.toJson
    )
  )

export const transfersKit = (databases: TestDatabases) =>
  describe("handles that are handed over", () => {
    let opened: TestDatabase
    beforeEach(async () => {
      opened = await databases.open()
    })
    afterEach(() => opened.close())

    const storesOf = (database: Database["Service"]) =>
      Layer.build(
        Layer.mergeAll(Registry.layer("localhost"), Reports.layer("localhost"), ActiveKeys.layer).pipe(
          Layer.provideMerge(Layer.succeed(Database, database)),
          Layer.provide(NodeCrypto.layer)
        )
      )
    const registered = Effect.fnUntraced(function* (registry: Registry["Service"], handle: string) {
      const identity = yield* Effect.promise(newIdentity)
      yield* registry.register(yield* Effect.promise(() => registration(identity, handle)))
      return identity
    })
    const handOver = (
      registry: Registry["Service"],
      old: Identity,
      successor: Identity,
      handle: string,
      options?: Parameters<typeof transferOf>[3]
    ) =>
      Effect.flatMap(
        Effect.promise(() => transferOf(old, successor, handle, options)),
        (json) => registry.transfer(json, 30 * dayMillis)
      )

    it.live(
      "KEZ-REG-123 KEZ-REG-126 KEZ-REG-128 puts the new key in the place of the old one, once, on every server",
      Effect.fnUntraced(function* () {
        const stores = yield* storesOf(opened.database)
        const registry = Context.get(stores, Registry)
        const elsewhere = Context.get(yield* storesOf(yield* Effect.promise(opened.again)), ActiveKeys)
        const keys = Context.get(stores, ActiveKeys)
        const old = yield* registered(registry, "alice")
        const successor = yield* Effect.promise(newIdentity)
        const { sql } = opened.database
        yield* sql`INSERT INTO manifests (primary_hex, revision, hash, body) VALUES (${old.key.hex}, 1, 'x', ${Buffer.of(1)})`

        const account = yield* handOver(registry, old, successor, "alice")
        expect(account).toMatchObject({ handle: "alice", primaryHex: successor.key.hex, state: "active" })
        const again = yield* handOver(registry, old, successor, "alice", { createdAt: Date.now() - dayMillis })
        expect(again).toEqual(account)
        expect((yield* registry.lookUp("alice")).primaryHex).toBe(successor.key.hex)
        expect((yield* registry.byPrimary(successor.key.hex)).handle).toBe("alice")
        const gone = yield* Effect.flip(registry.byPrimary(old.key.hex))
        expect([gone.code, gone.detail]).toEqual(["primary_moved", expect.stringContaining(successor.primary)])

        for (const active of [keys, elsewhere]) {
          yield* active.refresh
          expect([active.has(old.key.hex), active.receives(old.key.hex)]).toEqual([false, false])
          expect([active.isMoved(old.key.hex), active.mayFetch(old.key.hex)]).toEqual([true, true])
          expect([active.has(successor.key.hex), active.isMoved(successor.key.hex)]).toEqual([true, false])
          expect(active.formerOf(successor.key.hex)).toEqual([old.key.hex])
        }
        // Its connections are closed now, its mail is removed when retention ends, its manifests are gone.
        expect(yield* registry.removals).toMatchObject([{ primaryHex: old.key.hex, purge: false }])
        const [{ n } = { n: -1 }] = yield* sql<{
          n: number
        }>`SELECT count(*) AS n FROM removals WHERE not_before IS NOT NULL`
        expect([n, (yield* sql`SELECT id FROM manifests`).length]).toEqual([1, 0])
        const details = yield* Effect.provideContext(accountDetails("alice"), stores)
        expect(details.formerKeys).toMatchObject([{ primary: old.primary }])
        expect(details.audit).toMatchObject([{ action: "transfer", actor: "owner" }])
      }, Effect.scoped)
    )

    it.live(
      "KEZ-LIM-121 hands a handle over three times a day, and knows the keys before in whatever order they are read",
      Effect.fnUntraced(function* () {
        const stores = yield* storesOf(opened.database)
        const registry = Context.get(stores, Registry)
        const keys = [yield* registered(registry, "alice")]
        for (let n = 0; n < 4; n++) keys.push(yield* Effect.promise(newIdentity))
        for (let n = 0; n < 3; n++) yield* handOver(registry, keys[n]!, keys[n + 1]!, "alice")
        const refused = yield* Effect.flip(handOver(registry, keys[3]!, keys[4]!, "alice"))
        expect([refused.code, refused.detail]).toEqual(["rate_limited", expect.stringContaining("3 times a day")])
        // A repeat of the last one still succeeds.
        yield* handOver(registry, keys[2]!, keys[3]!, "alice")
        const expected = [keys[2]!, keys[1]!, keys[0]!].map(({ key }) => key.hex)
        yield* registry.setSuspended("alice", true, { actor: "test", note: "" })
        yield* registry.setSuspended("alice", false, { actor: "test", note: "" })
        const elsewhere = Context.get(yield* storesOf(yield* Effect.promise(opened.again)), ActiveKeys)
        for (const active of [Context.get(stores, ActiveKeys), elsewhere]) {
          yield* active.refresh
          expect(active.formerOf(keys[3]!.key.hex)).toEqual(expected)
        }
        const { sql } = opened.database
        yield* sql`UPDATE moved_keys SET moved_at = '2020-01-01T00:00:00Z'`
        yield* handOver(registry, keys[3]!, keys[4]!, "alice")
      }, Effect.scoped)
    )

    it.live(
      "KEZ-REG-121 KEZ-REG-122 refuses what both keys did not sign for this handle and this hour",
      Effect.fnUntraced(function* () {
        const registry = Context.get(yield* storesOf(opened.database), Registry)
        const [alice, bob] = [yield* registered(registry, "alice"), yield* registered(registry, "bobby")]
        const [successor, mallory] = yield* Effect.promise(() => Promise.all([newIdentity(), newIdentity()]))
        const codeOf = (
          old: Identity,
          next: Identity,
          handle: string,
          options?: Parameters<typeof transferOf>[3],
          change: (json: Record<string, never>) => void = () => undefined
        ) =>
          Effect.promise(() => transferOf(old, next, handle, options)).pipe(
            Effect.map((json) => structuredClone(json) as Record<string, never>),
            Effect.tap((json) => Effect.sync(() => change(json))),
            Effect.flatMap((json) => Effect.flip(registry.transfer(json, dayMillis))),
            Effect.map(({ code }) => code)
          )
        const sigOf = (json: Record<string, never>, name: string) =>
          (json[name] as unknown as { signature: { sig: string } }).signature
        const payloadOf = (json: Record<string, never>, name: string) =>
          (json[name] as unknown as { payload: Record<string, unknown> }).payload

        expect(yield* codeOf(alice, successor, "alice", { server: "example.org" })).toBe("wrong_server")
        for (const minutes of [-6, 6]) {
          const createdAt = Date.now() + minutes * 60_000
          expect(yield* codeOf(alice, successor, "alice", { createdAt })).toBe("clock_skew")
        }
        expect(yield* codeOf(mallory, successor, "alice")).toBe("unauthorized")
        expect(yield* codeOf(bob, successor, "alice")).toBe("unauthorized")
        expect(yield* codeOf(alice, bob, "alice")).toBe("primary_taken")
        expect(yield* codeOf(alice, successor, "nobody")).toBe("handle_not_found")
        expect(yield* codeOf(alice, alice, "alice")).toBe("envelope_malformed")
        for (const name of ["transfer", "registration"]) {
          const flipped = (json: Record<string, never>) => {
            const { sig } = sigOf(json, name)
            sigOf(json, name).sig = (sig.startsWith("0") ? "1" : "0") + sig.slice(1)
          }
          expect(yield* codeOf(alice, successor, "alice", {}, flipped)).toBe("signature_invalid")
        }
        // Signed by the old key alone: the acceptance is another key's.
        const other = yield* Effect.promise(() => transferOf(alice, mallory, "alice"))
        const statement = Envelope.toJson((yield* Effect.fromResult(Transfer.parse(other))).request.registration)
        expect(
          yield* codeOf(alice, successor, "alice", {}, (json) => {
            json["registration"] = statement as never
          })
        ).toBe("envelope_malformed")
        expect(
          yield* codeOf(alice, successor, "alice", {}, (json) => {
            payloadOf(json, "transfer")["new_sig"] = "00".repeat(64)
          })
        ).toBe("signature_invalid")
        expect(
          yield* codeOf(alice, successor, "alice", {}, (json) => {
            payloadOf(json, "transfer")["new"] = PrimaryKey.ofHex(`01${"00".repeat(31)}`)
          })
        ).toBe("key_rejected")
        yield* registry.setSuspended("alice", true, { actor: "user tester", note: "" })
        expect(yield* codeOf(alice, successor, "alice")).toBe("account_suspended")
        yield* registry.setSuspended("alice", false, { actor: "user tester", note: "" })

        // Afterwards the old key can do nothing for the handle, and neither key can be used again for another one.
        const late = yield* Effect.promise(() => transferOf(alice, mallory, "alice"))
        yield* handOver(registry, alice, successor, "alice")
        expect((yield* Effect.flip(registry.transfer(late, dayMillis))).code).toBe("primary_moved")
        const statementOf = (identity: Identity, handle: string) => Effect.promise(() => registration(identity, handle))
        for (const handle of ["alice", "another"]) {
          const refused = yield* Effect.flip(registry.register(yield* statementOf(alice, handle)))
          expect(refused.code).toBe("primary_moved")
        }
        const deleting = yield* Effect.promise(() => deletion(alice, "alice"))
        expect((yield* Effect.flip(registry.delete(deleting))).code).toBe("unauthorized")
        expect(yield* codeOf(bob, alice, "bobby")).toBe("primary_moved")
        expect((yield* registry.register(yield* statementOf(successor, "alice"))).created).toBe(false)
      }, Effect.scoped)
    )

    it.live(
      "KEZ-REG-125 lets exactly one of two handovers win, and ends a moved key with its account",
      Effect.fnUntraced(function* () {
        const stores = yield* storesOf(opened.database)
        const registry = Context.get(stores, Registry)
        const other = Context.get(yield* storesOf(yield* Effect.promise(opened.again)), Registry)
        const [keys, reports] = [Context.get(stores, ActiveKeys), Context.get(stores, Reports)]
        const [alice, bob] = [yield* registered(registry, "alice"), yield* registered(registry, "bobby")]
        const successors = yield* Effect.promise(() => Promise.all([newIdentity(), newIdentity()]))
        const results = yield* Effect.forEach(
          successors.entries(),
          ([n, successor]) => Effect.result(handOver([registry, other][n]!, alice, successor, "alice")),
          { concurrency: "unbounded" }
        )
        expect(results.filter(({ _tag }) => _tag === "Success")).toHaveLength(1)
        const now = successors[results.findIndex(({ _tag }) => _tag === "Success")]!

        // A report about messages of the old key is one about the account.
        const about = { server: "localhost", reason: "abuse" as const, note: "", messages: [], createdAt: Date.now() }
        yield* reports.receive(yield* bob.signReport({ ...about, reported: alice.key }))
        expect(yield* reports.list(false)).toMatchObject([{ reporter: "bobby", reported: "alice" }])
        const last = yield* Effect.promise(newIdentity)
        yield* handOver(registry, now, last, "alice")
        expect(yield* reports.list(false)).toMatchObject([{ reporter: "bobby", reported: "alice" }])
        yield* keys.refresh
        expect(keys.formerOf(last.key.hex)).toEqual([now.key.hex, alice.key.hex])

        yield* registry.delete(yield* Effect.promise(() => deletion(last, "alice")))
        yield* keys.refresh
        expect([keys.isMoved(alice.key.hex), keys.mayFetch(alice.key.hex)]).toEqual([false, false])
        expect((yield* Effect.flip(registry.byPrimary(alice.key.hex))).code).toBe("handle_deleted")
        const purged = (yield* registry.removals).filter(({ purge }) => purge).map(({ primaryHex }) => primaryHex)
        expect(purged.toSorted()).toEqual([alice, now, last].map(({ key }) => key.hex).toSorted())
      }, Effect.scoped)
    )
  })
