/** A PostgreSQL server of Debian's package for tests: a cluster of its own in a temporary folder, on a free port. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Client, type QueryResultRow } from "pg"
import { registrySchema } from "../../src/storage/Schemas.ts"
import * as PostgresDatabase from "../../src/storage/postgres/PostgresDatabase.ts"
import type { Schema } from "../../src/storage/tables/Schema.ts"
import { testDatabase, type TestDatabases } from "./stores/TestDatabases.ts"

const debian = "/usr/lib/postgresql"

/** The newest version's programs; undefined where there are none. */
const programs = existsSync(debian)
  ? readdirSync(debian)
      .toSorted((a, b) => Number(b) - Number(a))
      .map((version) => join(debian, version, "bin"))
      .find((folder) => existsSync(join(folder, "initdb")))
  : undefined

/** Whether there is a PostgreSQL; where there is none tests are skipped, and with KEZ_NO_SKIP they fail. */
export const hasPostgres = (): boolean => {
  if (programs !== undefined) return true
  const sentence = "PostgreSQL is not installed: apt-get install postgresql"
  if (process.env["KEZ_NO_SKIP"] === "1") throw new Error(sentence)
  process.stderr.write(`Skipped: ${sentence}\n`)
  return false
}

export interface PostgresServer {
  /** For `--db`: a database of this name. */
  url(database: string): string
  /** Makes an empty database. */
  create(database: string): Promise<string>
  /** Runs SQL in a database and gives the rows of the last statement. */
  query<Row extends QueryResultRow>(database: string, text: string): Promise<ReadonlyArray<Row>>
  /** Ends all its processes at once, or the server in order, and waits for their end. */
  stop(signal?: "SIGKILL" | "SIGINT"): Promise<void>
  start(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** PostgreSQL refuses to run as root. */
const otherUser = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const id = (option: string) => Number(execFileSync("id", [option, "postgres"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, "close")
  return port
}

/** Its processes are in sessions of their own, so no signal reaches all; left alone, each goes on with its statement. */
const killAll = (pid: number): void => {
  // Stopped, it starts no other.
  process.kill(pid, "SIGSTOP")
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").map(Number)
  for (const child of [...children.filter((child) => child > 0), pid]) {
    try {
      process.kill(child, "SIGKILL")
    } catch {
      // It has ended.
    }
  }
}

export interface PostgresOptions {
  /** For tests that kill it: then what it committed is on disk. */
  readonly durable?: boolean
  /** Folder of `server.crt` and `server.key`, to speak TLS as well. */
  readonly tls?: string
  /** Lines of pg_hba.conf for others than `kez`, who needs no password. */
  readonly hba?: ReadonlyArray<string>
}

export const startPostgres = async (asked: PostgresOptions = {}): Promise<PostgresServer> => {
  const { durable = false, hba = [], tls } = asked
  if (programs === undefined) throw new Error("PostgreSQL is not installed")
  const folder = mkdtempSync(join(tmpdir(), "kez-postgres-"))
  const user = otherUser()
  const data = join(folder, "data")
  mkdirSync(data)
  if (user.uid !== undefined) {
    chmodSync(folder, 0o755)
    execFileSync("chown", ["-R", `${user.uid}:${user.gid}`, folder])
  }
  const port = await freePort()
  const options = { ...user, cwd: folder }
  const init = ["-D", data, "-U", "kez", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
  execFileSync(join(programs, "initdb"), init, { ...options, stdio: "ignore" })
  writeFileSync(join(data, "pg_hba.conf"), ["host all kez 127.0.0.1/32 trust", ...hba, ""].join("\n"))
  if (tls !== undefined) {
    // It takes a key only of its own user or of root, for nobody else to read.
    for (const name of ["server.crt", "server.key"]) {
      copyFileSync(join(tls, name), join(data, name))
      chmodSync(join(data, name), 0o600)
      if (user.uid !== undefined) chownSync(join(data, name), user.uid, user.gid as number)
    }
  }
  const settings = [
    ...(tls === undefined ? [] : ["ssl=on"]),
    "listen_addresses=127.0.0.1",
    `port=${port}`,
    `unix_socket_directories=${folder}`,
    "max_connections=100",
    "shared_buffers=32MB",
    ...(durable ? [] : ["fsync=off", "full_page_writes=off"])
  ].flatMap((setting) => ["-c", setting])

  let child: ChildProcess | undefined
  const url = (database: string) => `postgres://kez@127.0.0.1:${port}/${database}`
  const query = async <Row extends QueryResultRow>(database: string, text: string) => {
    const client = new Client({ connectionString: url(database) })
    client.on("error", () => undefined)
    await client.connect()
    try {
      return (await client.query<Row>(text)).rows
    } finally {
      await client.end()
    }
  }
  const isUp = () =>
    query("postgres", "SELECT 1").then(
      () => true,
      () => false
    )
  const start = async () => {
    const until = Date.now() + 60_000
    do {
      if (Date.now() > until) throw new Error("PostgreSQL does not start")
      // It refuses to start, and ends, while a process that was killed still lets go of the shared memory.
      if (child === undefined || child.exitCode !== null) {
        child = spawn(join(programs, "postgres"), ["-D", data, ...settings], { ...options, stdio: "ignore" })
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    } while (!(await isUp()))
  }
  const stop = async (signal: "SIGKILL" | "SIGINT" = "SIGINT") => {
    const running = child
    child = undefined
    if (running?.pid === undefined) return
    const closed = once(running, "close")
    if (signal === "SIGINT") running.kill(signal)
    else killAll(running.pid)
    await closed
  }
  await start()
  return {
    url,
    query,
    start,
    stop,
    create: async (database) => {
      await query("postgres", `CREATE DATABASE ${database}`)
      return url(database)
    },
    [Symbol.asyncDispose]: async () => {
      await stop("SIGKILL")
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

/** Fresh databases on a server; the first of a schema is kept as the template of the others. */
export const postgresDatabases = (server: () => PostgresServer): TestDatabases => {
  const templates = new Map<Schema, Promise<string>>()
  let count = 0
  const template = async (schema: Schema): Promise<string> => {
    const name = `template_${schema.owner.replace("-", "_")}`
    const db = await server().create(name)
    const opened = await testDatabase(PostgresDatabase.layer({ db, schema }), () => undefined)
    await opened.close()
    return name
  }
  return {
    name: "PostgreSQL",
    open: async (schema = registrySchema) => {
      const made = templates.get(schema) ?? template(schema)
      templates.set(schema, made)
      const name = `test_${count++}`
      await server().query("postgres", `CREATE DATABASE ${name} TEMPLATE ${await made}`)
      return testDatabase(PostgresDatabase.layer({ db: server().url(name), schema, dbConnections: 4 }), async () => {
        await server().query("postgres", `DROP DATABASE ${name} WITH (FORCE)`)
      })
    }
  }
}
