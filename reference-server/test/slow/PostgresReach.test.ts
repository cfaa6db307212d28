/** The way to PostgreSQL: TLS under an authority of one's own, what is said when it fails, and the first start. */
import { Cause, Effect, Exit, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { type AddressInfo, connect, createServer } from "node:net"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { registrySchema } from "../../src/storage/Schemas.ts"
import * as PostgresDatabase from "../../src/storage/postgres/PostgresDatabase.ts"
import { hasPostgres, type PostgresServer, startPostgres } from "../kits/PostgresServer.ts"
import { run, temporaryFolder } from "../kits/Servers.ts"

const folder = temporaryFolder()
const file = (name: string) => join(folder.path, name)
const password = "correct-horse"

/** An authority, and a certificate of it for `localhost`. */
const makeCertificates = () => {
  const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", args, { stdio: "ignore" })
  const key = (name: string) => ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", name]
  for (const name of ["ca", "other"]) {
    openssl("req", "-x509", ...key(file(`${name}.key`)), "-out", file(`${name}.crt`), "-subj", `/CN=${name}`)
  }
  openssl("req", ...key(file("server.key")), "-out", file("server.csr"), "-subj", "/CN=database")
  writeFileSync(file("names"), "subjectAltName=DNS:localhost")
  const signed = ["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial", "-extfile", file("names")]
  openssl("x509", "-req", "-in", file("server.csr"), "-out", file("server.crt"), ...signed)
}

describe.skipIf(!hasPostgres())("the way to PostgreSQL", () => {
  let postgres: PostgresServer
  beforeAll(async () => {
    makeCertificates()
    const hba = ["hostssl all kez_chat 127.0.0.1/32 scram-sha-256"]
    postgres = await startPostgres({ tls: folder.path, hba })
    await postgres.query("postgres", `CREATE ROLE kez_chat LOGIN PASSWORD '${password}'`)
    await postgres.query("postgres", "CREATE DATABASE chat OWNER kez_chat")
    await postgres.query("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    writeFileSync(file("password"), `${password}\n`)
    writeFileSync(file("wrong"), "wrong-horse\n")
  })
  afterAll(async () => {
    await postgres[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  const open = (db: string, dbPasswordFile = "") =>
    Layer.build(PostgresDatabase.layer({ db, dbPasswordFile, schema: registrySchema, dbConnections: 2 }))

  it("gives servers that make the tables at the same moment their turns", async () => {
    const db = await postgres.create("fresh")
    await Effect.runPromise(
      Effect.scoped(
        Effect.all(
          Array.from({ length: 6 }, () => open(db)),
          { concurrency: 6 }
        )
      )
    )
    const steps = await postgres.query<{ id: string }>("fresh", "SELECT id FROM schema_migrations")
    expect(steps).toHaveLength(registrySchema.migrations.length)
    expect(await postgres.query("fresh", "SELECT owner FROM kez_database")).toEqual([{ owner: "chat-server" }])
  })

  it("is TLS that verifies the server, under the authority that the URL names", async () => {
    const { port } = new URL(postgres.url("chat"))
    const url = (host: string, mode: string, ca?: string) =>
      `postgres://kez_chat@${host}:${port}/chat?sslmode=${mode}${ca === undefined ? "" : `&sslrootcert=${file(ca)}`}`
    const good = url("localhost", "verify-full", "ca.crt")
    for (const db of [good, url("127.0.0.1", "verify-ca", "ca.crt"), url("127.0.0.1", "require")]) {
      await Effect.runPromise(Effect.scoped(open(db, file("password"))))
    }
    const list = ["admin", "list", "--db-password-file", file("password")]
    expect(await run("chat-server", list, { KEZ_DB_URL: good })).toMatchObject({ code: 0, stdout: "" })
  })

  it("says what is wrong in one sentence without names and secrets, and does not wait for it to mend itself", async () => {
    const { port } = new URL(postgres.url("chat"))
    const url = (host: string, rest: string) => `postgres://kez_chat@${host}:${port}/${rest}`
    const verified = `chat?sslmode=verify-full&sslrootcert=${file("ca.crt")}`
    const cases: ReadonlyArray<readonly [db: string, sentence: string, passwordFile?: string]> = [
      [url("127.0.0.1", verified), "certificate for another name"],
      [url("localhost", verified.replace("ca.crt", "other.crt")), "certificate of an unknown authority"],
      [url("localhost", "chat?sslmode=verify-full"), "certificate of an unknown authority"],
      [url("localhost", "chat?sslmode=disable"), "does not let this role in from here"],
      [url("localhost", verified), "refuses the role or its password", file("wrong")],
      [url("localhost", verified), "asks for a password", ""],
      [url("localhost", verified.replace("chat", "nowhere")), "does not exist"],
      [postgres.url("latin"), "its encoding must be UTF8"]
    ]
    for (const [db, sentence, passwordFile = file("password")] of cases) {
      const began = performance.now()
      const exit = await Effect.runPromiseExit(Effect.scoped(open(db, passwordFile)))
      const said = Exit.isFailure(exit) ? (Cause.squash(exit.cause) as Error).message : "nothing"
      expect(said).toContain(sentence)
      expect(said).not.toMatch(/horse|kez_chat|\n/)
      // A PostgreSQL that is starting is waited for for 30 s.
      expect(performance.now() - began).toBeLessThan(20_000)
    }
    const wrong = ["admin", "list", "--db-password-file", file("wrong")]
    const { code, stderr, stdout } = await run("chat-server", wrong, { KEZ_DB_URL: url("localhost", verified) })
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining("refuses the role or its password")])
    expect(stdout + stderr).not.toMatch(/horse|kez_chat|\n\s+at /)
  })

  it("refuses a version before 13", async () => {
    await postgres.create("old")
    const target = Number(new URL(postgres.url("old")).port)
    // The same server, whose answers name another version.
    const relay = createServer((socket) => {
      const behind = connect(target, "127.0.0.1")
      socket.on("error", () => behind.destroy()).on("close", () => behind.destroy())
      behind.on("error", () => socket.destroy()).on("close", () => socket.destroy())
      socket.pipe(behind)
      behind.on("data", (data) => {
        const text = data.toString("latin1").replace(/\b1[3-9]00\d\d(?!\d)/g, "120022")
        socket.write(Buffer.from(text, "latin1"))
      })
    }).listen(0, "127.0.0.1")
    await once(relay, "listening")
    const { port } = relay.address() as AddressInfo
    try {
      const exit = await Effect.runPromiseExit(Effect.scoped(open(`postgres://kez@127.0.0.1:${port}/old`)))
      expect(String(exit)).toContain("PostgreSQL 12 is too old; it takes 13 or later")
    } finally {
      relay.close()
    }
  })
})
