/** Every store over PostgreSQL, held to what it is held to over SQLite. */
import { afterAll, beforeAll, describe } from "vitest"
import { hasPostgres, postgresDatabases, type PostgresServer, startPostgres } from "../kits/PostgresServer.ts"
import { blocksKit } from "../kits/stores/BlocksKit.ts"
import { quotaCountersKit } from "../kits/stores/QuotaCountersKit.ts"
import { quotasKit } from "../kits/stores/QuotasKit.ts"

describe.skipIf(!hasPostgres())("over PostgreSQL", () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server[Symbol.asyncDispose]())
  const databases = postgresDatabases(() => server)

  blocksKit(databases)
  describe("", () => quotasKit(databases))
  describe("", () => quotaCountersKit(databases))
})
