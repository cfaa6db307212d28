import { spawn } from "node:child_process"
import { once } from "node:events"
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import Database from "better-sqlite3"
import { Effect, Option } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { StoreError } from "@kez-chat/sdk/services"
import { SqliteLocalStore } from "@kez-chat/sdk/sqlite"
import { canMount, disk } from "../../kits/Disks.ts"
import { localStoreKit } from "../../kits/LocalStoreKit.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "kez-sqlite-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)
const file = Effect.map(folder, (path) => join(path, "deep", "store.db"))

localStoreKit(
  "SQLite",
  Effect.flatMap(file, (path) => SqliteLocalStore.make({ path }))
)

const reasonOf = (error: unknown) => (error instanceof StoreError ? error.reason : error)

describe("the SQLite file", () => {
  it.live("keeps what was committed when it is opened again, and is its owner's alone", () =>
    Effect.gen(function* () {
      const path = yield* file
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* SqliteLocalStore.make({ path })
          yield* store.commit([{ op: "put", key: "a", value: Uint8Array.of(1) }])
          for (const name of [path, `${path}-wal`, `${path}-shm`])
            assert.strictEqual(statSync(name).mode & 0o777, 0o600)
          assert.strictEqual(statSync(join(path, "..")).mode & 0o777, 0o700)
        })
      )
      const again = yield* SqliteLocalStore.make({ path })
      assert.deepStrictEqual(Option.getOrThrow(yield* again.get("a")), Uint8Array.of(1))
    })
  )

  it.live("can be read by a second process's connection while it is written", () =>
    Effect.gen(function* () {
      const path = yield* file
      const writer = yield* SqliteLocalStore.make({ path })
      const reader = yield* SqliteLocalStore.make({ path })
      yield* writer.commit([{ op: "put", key: "a", value: Uint8Array.of(1) }])
      assert.isTrue(Option.isSome(yield* reader.get("a")))
    })
  )

  it.live("says `newer` for a file of a later version and leaves it as it is", () =>
    Effect.gen(function* () {
      const path = yield* file
      yield* Effect.scoped(SqliteLocalStore.make({ path }))
      const raw = new Database(path)
      raw.pragma("user_version = 99")
      raw.close()
      assert.strictEqual(reasonOf(yield* Effect.flip(SqliteLocalStore.make({ path }))), "newer")
      const after = new Database(path)
      assert.strictEqual(after.pragma("user_version", { simple: true }), 99)
      after.close()
    })
  )

  it.live("says `damaged` for a file that is no database, and for another program's database", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const text = join(directory, "text.db")
      writeFileSync(text, "this is certainly not a database, however long one looks at it".repeat(100))
      assert.strictEqual(reasonOf(yield* Effect.flip(SqliteLocalStore.make({ path: text }))), "damaged")

      const foreign = join(directory, "foreign.db")
      const raw = new Database(foreign)
      raw.exec("CREATE TABLE theirs (x)")
      raw.pragma("user_version = 1")
      raw.close()
      assert.strictEqual(reasonOf(yield* Effect.flip(SqliteLocalStore.make({ path: foreign }))), "damaged")
    })
  )

  it.live("says `locked` when another process does not let go, and writes once it does", () =>
    Effect.gen(function* () {
      const path = yield* file
      const store = yield* SqliteLocalStore.make({ path, lockTimeoutMillis: 20 })
      const other = new Database(path)
      other.exec("BEGIN IMMEDIATE")
      const write = store.commit([{ op: "put", key: "a", value: Uint8Array.of(1) }])
      assert.strictEqual(reasonOf(yield* Effect.flip(write)), "locked")
      other.exec("ROLLBACK")
      other.close()
      yield* write
      assert.isTrue(Option.isSome(yield* store.get("a")))
    })
  )

  it.live("says `full` at its limit, keeps nothing of that commit, and goes on with smaller ones", () =>
    Effect.gen(function* () {
      const path = yield* file
      const store = yield* SqliteLocalStore.make({ path, maxBytes: 200_000 })
      const large = new Uint8Array(300_000)
      const error = yield* Effect.flip(
        store.commit([
          { op: "put", key: "small", value: Uint8Array.of(1) },
          { op: "put", key: "large", value: large }
        ])
      )
      assert.strictEqual(reasonOf(error), "full")
      assert.deepStrictEqual(yield* store.scan({ prefix: "" }), [])
      yield* store.commit([{ op: "put", key: "small", value: Uint8Array.of(1) }])
      assert.isTrue(Option.isSome(yield* store.get("small")))
    })
  )

  it.live.skipIf(!canMount)("says `full` also where a full disk has no room to open it", () =>
    Effect.gen(function* () {
      const small = yield* disk(1_048_576)
      const path = join(small.path, "store.db")
      yield* Effect.scoped(SqliteLocalStore.make({ path }))
      const filler = openSync(join(small.path, "filler"), "w")
      for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
        try {
          for (;;) writeSync(filler, new Uint8Array(size))
        } catch (error) {
          assert.strictEqual((error as NodeJS.ErrnoException).code, "ENOSPC")
        }
      }
      closeSync(filler)
      assert.strictEqual(reasonOf(yield* Effect.flip(Effect.scoped(SqliteLocalStore.make({ path })))), "full")
    })
  )

  it.live("says `io` where the path cannot be a file", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      assert.strictEqual(reasonOf(yield* Effect.flip(SqliteLocalStore.make({ path: directory }))), "io")
    })
  )

  it.live("moves a long log into the file by itself, and begins it anew", () =>
    Effect.gen(function* () {
      const path = yield* file
      const keys = Array.from({ length: 400 }, (_, index) => `k/${index}`)
      // The numbers that SQLite draws for each beginning of the log.
      const beginning = () => readFileSync(`${path}-wal`).subarray(16, 24)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* SqliteLocalStore.make({ path })
          // Other bytes each time: what stays as it is is not written.
          const commit = (round: number) =>
            store.commit(keys.map((key) => ({ op: "put", key, value: new Uint8Array(16_384).fill(round) })))
          yield* commit(0)
          const first = beginning()
          for (let round = 1; first.equals(beginning()); round++) {
            yield* Effect.sleep(50)
            yield* commit(round % 256)
          }
          assert.isAtLeast(statSync(path).size, keys.length * 16_384)
        })
      )
      assert.isFalse(existsSync(`${path}-wal`))
      const again = yield* SqliteLocalStore.make({ path })
      assert.strictEqual((yield* again.scan({ prefix: "k/" })).length, keys.length)
    })
  )

  it.live("keeps the log short while messages come without a pause", () =>
    Effect.gen(function* () {
      const path = yield* file
      const store = yield* SqliteLocalStore.make({ path })
      let written = 0
      let longest = 0
      for (let round = 0; written < 12_582_912; round++) {
        const value = new Uint8Array(3_072).fill(round)
        yield* store.commit(["a", "b"].map((name) => ({ op: "put", key: `${name}/${(round * 7) % 1_009}`, value })))
        written += 2 * value.length
        yield* Effect.sleep(1)
        longest = Math.max(longest, statSync(`${path}-wal`).size)
      }
      // SQLite makes a checkpoint on the main thread at 32 MiB, so that all were made on the worker's.
      assert.isBelow(longest, 8_388_608)
    })
  )

  it.live("has everything before the last `sync` in its files as they were then", () =>
    Effect.gen(function* () {
      const path = yield* file
      const store = yield* SqliteLocalStore.make({ path })
      const value = new Uint8Array(3_000).fill(7)
      for (let round = 0; round < 40; round++) {
        for (let index = 0; index < 50; index++) {
          yield* store.commit([
            { op: "put", key: `a/${round}/${index}`, value },
            { op: "put", key: "latest", value: Uint8Array.of(round, index) }
          ])
        }
        yield* store.sync
        if (round % 8 !== 7) continue
        // What a power failure leaves: these files, and none of the commits after them.
        const copy = `${path}-${round}`
        for (const suffix of ["", "-wal"]) copyFileSync(`${path}${suffix}`, `${copy}${suffix}`)
        const left = yield* SqliteLocalStore.make({ path: copy })
        assert.deepStrictEqual(Option.getOrThrow(yield* left.get("latest")), Uint8Array.of(round, 49))
        assert.strictEqual((yield* left.scan({ prefix: "a/" })).length, (round + 1) * 50)
      }
    })
  )

  it.live("loses nothing it acknowledged, and no half commit, when the writer is killed", () =>
    Effect.gen(function* () {
      const path = yield* file
      const script = fileURLToPath(new URL("SqliteWriter.ts", import.meta.url))
      let acknowledged = -1
      for (const atLeast of [20, 60, 110]) {
        const child = spawn(process.execPath, ["--conditions=kez-source", script, path, String(acknowledged + 1)], {
          stdio: ["ignore", "pipe", "inherit"]
        })
        const exited = once(child, "exit")
        yield* Effect.promise(async () => {
          for await (const line of createInterface({ input: child.stdout })) {
            acknowledged = Number(line)
            if (acknowledged >= atLeast) child.kill("SIGKILL")
          }
          await exited
        })
        const [a, b] = yield* Effect.scoped(
          Effect.flatMap(SqliteLocalStore.make({ path }), (store) =>
            Effect.all([store.scan({ prefix: "a/" }), store.scan({ prefix: "b/" })])
          )
        )
        const numbers = a.map((entry) => entry.key.slice(2))
        assert.deepStrictEqual(
          numbers,
          b.map((entry) => entry.key.slice(2))
        )
        // The last commit may have been made and not said.
        assert.include([acknowledged + 1, acknowledged + 2], numbers.length)
        numbers.forEach((number, index) => assert.strictEqual(Number(number), index))
        acknowledged = numbers.length - 1
      }
    })
  )
})
