/** Transactions that wait together: one commit for all, and a verdict for each. */
import { Problem } from "@kez-chat/sdk/protocol"
import { Context, Effect, Exit, Fiber, Layer } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { Database } from "../../src/storage/Database.ts"
import { openDatabase } from "../../src/storage/OpenDatabase.ts"
import { registrySchema } from "../../src/storage/Schemas.ts"
import { temporaryFolder } from "../kits/Servers.ts"

/** Runs a program on a new database with the table `notes`. */
const onDatabase = async <A>(program: (database: Database["Service"], path: string) => Effect.Effect<A, unknown>) => {
  using folder = temporaryFolder()
  const path = join(folder.path, "registry.db")
  return await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const built = yield* Layer.build(openDatabase({ db: path, schema: registrySchema }))
        const database = Context.get(built, Database)
        yield* database.sql`CREATE TABLE notes (name TEXT PRIMARY KEY) STRICT`
        return yield* program(database, path)
      })
    )
  )
}

/** Commits in a write-ahead log: frames that say how many pages the database has (SQLite's file format, section 4.1). */
const commitsIn = (path: string): number => {
  const log = readFileSync(`${path}-wal`)
  const pageBytes = log.readUInt32BE(8)
  let commits = 0
  for (let at = 32; at + 24 <= log.length; at += 24 + pageBytes) if (log.readUInt32BE(at + 4) !== 0) commits++
  return commits
}

const refusal = new Problem.Problem({ code: "unauthorized", detail: "no" })

const note = (database: Database["Service"], name: string, isRefused = false) =>
  database.transaction({ lock: "notes", sharesCommit: true }, (sql) =>
    Effect.andThen(sql`INSERT INTO notes VALUES (${name})`, isRefused ? Effect.fail(refusal) : Effect.succeed(name))
  )

const names = (database: Database["Service"]) =>
  Effect.map(database.sql<{ name: string }>`SELECT name FROM notes ORDER BY name`, (rows) =>
    rows.map(({ name }) => name)
  )

describe("transactions that wait together", () => {
  it("share a commit, and each is kept or taken back by itself", () =>
    onDatabase((database, path) =>
      Effect.gen(function* () {
        const before = commitsIn(path)
        const found = yield* Effect.all(
          Array.from({ length: 20 }, (_, n) => Effect.exit(note(database, `n${n}`, n % 2 === 1))),
          { concurrency: "unbounded" }
        )
        // The server's own write, by which it notices a full disk, may be one more.
        expect(commitsIn(path) - before).toBeLessThanOrEqual(2)
        expect(found.map(Exit.isSuccess)).toEqual(found.map((_, n) => n % 2 === 0))
        expect(yield* names(database)).toEqual(["n0", "n2", "n4", "n6", "n8", "n10", "n12", "n14", "n16", "n18"].sort())
      })
    ))

  it("that write nothing do not show that a full disk is writable again", () =>
    onDatabase((database) =>
      Effect.gen(function* () {
        yield* database.sql`PRAGMA max_page_count = 1`
        expect(Exit.isFailure(yield* Effect.exit(note(database, "x".repeat(100_000))))).toBe(true)
        expect(database.isWorking()).toBe(false)
        const refused = database.transaction({ lock: "notes", sharesCommit: true }, () => Effect.fail(refusal))
        expect(Exit.isFailure(yield* Effect.exit(refused))).toBe(true)
        expect(database.isWorking()).toBe(false)
      })
    ))

  it("see what those before them wrote, and a defect of one harms no other", () =>
    onDatabase((database) =>
      Effect.gen(function* () {
        const [first, second, third] = yield* Effect.all(
          [note(database, "same"), note(database, "same"), note(database, "other")].map((each) => Effect.exit(each)),
          { concurrency: "unbounded" }
        )
        expect([first, second, third].map((exit) => exit !== undefined && Exit.isSuccess(exit))).toEqual([
          true,
          false,
          true
        ])
        expect(yield* names(database)).toEqual(["other", "same"])
      })
    ))

  it("all fail where the commit fails, those that were refused included, and none of them is kept", () =>
    onDatabase((database) =>
      Effect.gen(function* () {
        yield* database.sql`CREATE TABLE replies (
          name TEXT REFERENCES notes (name) DEFERRABLE INITIALLY DEFERRED) STRICT`
        const orphan = database.transaction({ lock: "notes", sharesCommit: true }, (sql) =>
          Effect.as(sql`INSERT INTO replies VALUES ('nobody')`, "orphan")
        )
        const found = yield* Effect.all(
          [note(database, "a"), orphan, note(database, "b", true)].map((each) => Effect.exit(each)),
          { concurrency: "unbounded" }
        )
        for (const exit of found) expect(String(exit)).toContain("FOREIGN KEY")
        expect(yield* names(database)).toEqual([])
        expect(yield* note(database, "c")).toBe("c")
      })
    ))

  it("are unavailable one and all where the disk is full", () =>
    onDatabase((database) =>
      Effect.gen(function* () {
        yield* note(database, "before")
        const large = "x".repeat(100_000)
        const [pages] = yield* database.sql<{ page_count: number }>`PRAGMA page_count`
        yield* database.sql`PRAGMA max_page_count = 1`
        const found = yield* Effect.all(
          [note(database, large), note(database, `${large}y`)].map((each) => Effect.exit(each)),
          { concurrency: "unbounded" }
        )
        expect(pages?.page_count).toBeGreaterThan(1)
        for (const exit of found) expect(String(exit)).toContain("the server cannot store this now")
        yield* database.sql`PRAGMA max_page_count = 1000000`
        expect(yield* note(database, "later")).toBe("later")
        expect(yield* names(database)).toEqual(["before", "later"])
      })
    ))

  it("are not run at all when interrupted before", () =>
    onDatabase((database) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(note(database, "never"), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        yield* note(database, "later")
        expect(yield* names(database)).toEqual(["later"])
      })
    ))
})
