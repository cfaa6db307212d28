/** Every store over PostgreSQL, held to what it is held to over SQLite. */
import { Effect } from "effect"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Database } from "../../src/storage/Database.ts"
import { registrySchema } from "../../src/storage/Schemas.ts"
import * as SqliteDatabase from "../../src/storage/SqliteDatabase.ts"
import { newIdentity, post, registration, run, startChat, temporaryFolder } from "../kits/Servers.ts"
import { person } from "../kits/stores/QuotaBench.ts"
import { hasPostgres, postgresDatabases, type PostgresServer, startPostgres } from "../kits/PostgresServer.ts"
import { blocksKit } from "../kits/stores/BlocksKit.ts"
import { operatorKit } from "../kits/stores/OperatorKit.ts"
import { quotaCountersKit } from "../kits/stores/QuotaCountersKit.ts"
import { quotasKit } from "../kits/stores/QuotasKit.ts"
import { transfersKit } from "../kits/stores/TransfersKit.ts"

describe.skipIf(!hasPostgres())("over PostgreSQL", () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server[Symbol.asyncDispose]())
  const databases = postgresDatabases(() => server)

  blocksKit(databases)
  describe("", () => void operatorKit(databases))
  describe("", () => void transfersKit(databases))
  describe("", () => quotasKit(databases))
  describe("", () => quotaCountersKit(databases))

  describe("admin migrate", () => {
    /** Writes rows into every table of a registry. */
    const fill = (file: string, accounts: number) =>
      Effect.runPromise(
        Effect.gen(function* () {
          const { sql } = yield* Database
          for (let n = 0; n < accounts; n++) {
            const registration = n % 3 === 0 ? null : `{"payload":{"server":"localhost","n":"ü${n}"}}`
            yield* sql`INSERT INTO accounts (handle, primary_hex, state, registered_at, registration)
              VALUES (${`user-${n}`}, ${person(n)}, 'active', 'x', ${registration})`
            yield* sql`INSERT INTO broker_counters (key, day, n) VALUES (${Buffer.from(person(n), "hex")}, ${n}, ${n * 2 ** 33})`
          }
          yield* sql`UPDATE accounts SET state = 'revoked' WHERE handle = 'user-1'`
          yield* sql`INSERT INTO removals (id, primary_hex, purge, requested_at) VALUES (7, ${person(1)}, 0, 'x')`
          yield* sql`INSERT INTO moved_keys (primary_hex, handle, new_hex, moved_at, fetch_until, transfer, state)
            VALUES (${person(accounts)}, 'user-2', ${person(2)}, 'x', 'x', '{}', 'active')`
          yield* sql`INSERT INTO reserved VALUES ('kept', 1, '', 'x')`
          yield* sql`INSERT INTO audit (at, actor, action, subject, note) VALUES ('x', 'user', 'revoke', 'user-1', '')`
          yield* sql`INSERT INTO broker_state (name, value) VALUES ('last', 42)`
          for (let n = 0; n < 9; n++) {
            yield* sql`INSERT INTO manifests (primary_hex, revision, hash, body)
              VALUES (${person(2)}, ${n}, ${person(n)}, ${Buffer.alloc(100_000, n)})`
          }
        }).pipe(Effect.provide(SqliteDatabase.layer({ db: file, schema: registrySchema })))
      )

    it("copies everything, goes on where it was stopped, and refuses what holds something else", async () => {
      using folder = temporaryFolder()
      const [file, other] = [join(folder.path, "chat.db"), join(folder.path, "other.db")]
      await fill(file, 1_200)
      await fill(other, 1)
      const db = await server.create("migrated")
      const migrate = (from: string) => run("chat-server", ["admin", "migrate", "--from", from], { KEZ_DB_URL: db })
      const first = await migrate(file)
      expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/accounts +1200 rows/) })
      const totals = await server.query("migrated", "SELECT manifests, bytes FROM manifest_totals")
      expect(totals).toEqual([{ manifests: "9", bytes: "900000" }])
      // An archive holds it as a file again, from one moment, with the same rows.
      await run("chat-server", [
        "init",
        "--keys-dir",
        join(folder.path, "k"),
        "--nats-conf",
        join(folder.path, "n.conf")
      ])
      const archive = join(folder.path, "home.tar.gz")
      const whole = ["--keys-dir", join(folder.path, "k"), "--no-mail", "--sig-db", "none"]
      expect(await run("chat-server", ["backup", archive, "--db", db, ...whole])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("1200 accounts, 9 manifests")
      })
      const back = join(folder.path, "back")
      expect((await run("chat-server", ["restore", archive, "--data", back])).code).toBe(0)
      const into = ["--from", join(back, "chat.sqlite"), "--to", await server.create("restored")]
      const rowsOf = (stdout: string) => stdout.split("\n").filter((line) => / rows /.test(line))
      expect(rowsOf((await run("chat-server", ["admin", "migrate", ...into])).stdout)).toEqual(rowsOf(first.stdout))
      // The archive is noted in the audit, which the file has not.
      await server.query("migrated", "DELETE FROM audit WHERE action = 'backup'")
      // As if it had been stopped in the midst of two tables.
      await server.query("migrated", "DELETE FROM accounts WHERE handle > 'user-5'; DELETE FROM manifests WHERE id > 4")
      expect(await migrate(file)).toMatchObject({ code: 0, stdout: first.stdout })
      expect(await migrate(other)).toMatchObject({ code: 1, stdout: expect.stringContaining("another file") })
      await server.query("migrated", "UPDATE accounts SET registered_at = 'y' WHERE handle = 'user-9'")
      expect(await migrate(file)).toMatchObject({ code: 1, stdout: expect.stringContaining("accounts differs") })
      // Ids follow on those that were copied.
      await server.query("migrated", "INSERT INTO removals (primary_hex, purge, requested_at) VALUES ('', 0, '')")
      expect(await server.query("migrated", "SELECT max(id) AS id FROM removals")).toEqual([{ id: "8" }])
      const url = await server.create("in_use")
      const chat = await startChat(folder.path, ["--db", url])
      const answer = await post(`${chat.url}/v1/register`, await registration(await newIdentity(), "somebody"))
      expect(answer.status).toBe(201)
      await chat.stop()
      const used = await run("chat-server", ["admin", "migrate", "--from", file, "--to", url])
      expect(used).toMatchObject({ code: 1, stdout: expect.stringContaining("is not empty (accounts)") })
    })
  })
})
