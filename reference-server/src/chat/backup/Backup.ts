/**
 * One archive of a whole home, made while it runs: accounts, sigchains, keys, settings of init, mail.
 *
 * In this order, because of what refers to what: an account's chain is published before its handle is registered, and mail
 * is only sent to registered accounts. So every account of the archive has its chain, and its mail up to the end of the
 * backup. A chain or mail of somebody who registered meanwhile is harmless: it is found when they register again.
 */
import type { NatsConnection } from "@nats-io/nats-core"
import { Timestamp } from "@kez-chat/sdk/protocol"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHash } from "node:crypto"
import { createReadStream, existsSync } from "node:fs"
import { copyFile, link, mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import * as Snapshot from "../../broker/snapshot/Snapshot.ts"
import { version } from "../../metrics/Metrics.ts"
import { Database, type DatabaseSettings } from "../../storage/Database.ts"
import { dumpDatabase } from "../../storage/copy/DumpDatabase.ts"
import { openDatabase } from "../../storage/OpenDatabase.ts"
import { databaseName } from "../../storage/PostgresUrl.ts"
import { registrySchema, sigchainSchema } from "../../storage/Schemas.ts"
import { unfinished } from "./Archive.ts"
import { format, isFileName, type Manifest, manifestFile, names } from "./Manifest.ts"
import { pack } from "./Tar.ts"

export interface BackupOptions {
  readonly serverName: string
  readonly database: DatabaseSettings
  /** Undefined where the sig-server is on another machine. */
  readonly sigchains: DatabaseSettings | undefined
  readonly keysDir: string
  /** The issuer's file, if it is not in the keys folder. */
  readonly issuerPath: string | undefined
  /** Files of nats-server's configuration that init wrote. */
  readonly natsFiles: ReadonlyArray<string>
  /** Other files of the operator's. */
  readonly also: ReadonlyArray<string>
  /** A connection of BACKUP to each stream; undefined to leave the mail out. */
  readonly mail: ReadonlyArray<NatsConnection> | undefined
}

const digestOf = async (path: string): Promise<string> => {
  const hash = createHash("sha256")
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk)
  return hash.digest("hex")
}

/** What a copied database holds, for the manifest. */
const countsOf = (path: string, schema: typeof registrySchema) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { sql } = Context.get(yield* Layer.build(openDatabase({ db: path, schema, existing: true })), Database)
        if (schema.owner === "sig-server") {
          const [totals] = yield* sql<{ chains: number; events: number }>`SELECT chains, events FROM chain_totals`
          return { chains: totals?.chains ?? 0, events: totals?.events ?? 0 }
        }
        const [accounts] = yield* sql<{ n: number }>`SELECT count(*) AS n FROM accounts`
        const [manifests] = yield* sql<{ n: number }>`SELECT count(*) AS n FROM manifests`
        const [invites] = yield* sql<{ n: number }>`SELECT count(*) AS n FROM invites`
        return { accounts: accounts?.n ?? 0, manifests: manifests?.n ?? 0, invites: invites?.n ?? 0 }
      })
    )
  )

/** How many active accounts of the copies have no sigchain: with the wrong database of sigchains, all. */
const accountsWithoutChain = (at: (name: string) => string) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const open = (name: string, schema: typeof registrySchema) =>
          Effect.map(Layer.build(openDatabase({ db: at(name), schema, existing: true })), (context) =>
            Context.get(context, Database)
          )
        const registry = yield* open(names.registry, registrySchema)
        const sigchains = yield* open(names.sigchains, sigchainSchema)
        const chains = yield* sigchains.sql<{ primary_hex: string }>`SELECT primary_hex FROM chains`
        const known = new Set(chains.map(({ primary_hex }) => primary_hex))
        const accounts = yield* registry.sql<{ primary_hex: string }>`
          SELECT primary_hex FROM accounts WHERE state = 'active'`
        return accounts.filter(({ primary_hex }) => !known.has(primary_hex)).length
      })
    )
  )

/** Files within a folder, with their names in the archive. */
const listed = async (folder: string): Promise<ReadonlyArray<string>> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((name) => !/-(?:wal|shm)$/.test(name))
    .toSorted()

const copyMail = async (folder: string, connections: ReadonlyArray<NatsConnection>) => {
  await mkdir(join(folder, "mail"), { mode: 0o700 })
  const mail: Array<Manifest["mail"][number]> = []
  for (const [partition, connection] of connections.entries()) {
    const file = `mail/${partition}.snapshot`
    const handle = await open(join(folder, file), "wx", 0o600)
    try {
      const { config, state } = await Snapshot.read(connection, (chunk) => handle.appendFile(chunk))
      mail.push({ partition, file, config: config as never, state: state as never })
    } finally {
      await handle.close()
    }
  }
  return mail
}

/** Copies everything into a folder of its own beside the archive, and packs it from there. */
const collect = async (folder: string, options: BackupOptions): Promise<Manifest> => {
  const keyFiles = (await readdir(options.keysDir)).filter((file) => /\.(?:nk|xk|secret)$/.test(file))
  const kept: ReadonlyArray<readonly [string, string]> = [
    ...keyFiles.map((file) => ["keys", file] as const),
    ...options.natsFiles.map((file) => ["nats", file] as const),
    ...options.also.map((file) => ["also", file] as const)
  ]
  for (const [kind, file] of kept) {
    if (isFileName(`${kind}/${basename(file)}`)) continue
    throw new Error(`${file}: an archive takes names of up to 81 letters, digits, dots, - and _; copy it under another`)
  }
  const createdAt = Timestamp.fromMillis(Date.now())
  const at = (name: string) => join(folder, name)
  const dump = (database: DatabaseSettings, schema: typeof registrySchema, name: string) =>
    Effect.runPromise(dumpDatabase({ ...database, schema }, at(name)))
  await dump(options.database, registrySchema, names.registry)
  if (options.sigchains !== undefined) {
    await dump(options.sigchains, sigchainSchema, names.sigchains).catch((cause: unknown) => {
      const message = `sigchains: ${(cause as Error).message}; name them with --sig-db, or none if they are on another machine`
      throw new Error(message, { cause })
    })
  }
  await mkdir(at(names.keys), { mode: 0o700 })
  for (const file of keyFiles) await copyFile(join(options.keysDir, file), at(join(names.keys, file)))
  if (options.issuerPath !== undefined) await copyFile(options.issuerPath, at(join(names.keys, "issuer.nk")))
  const copies: ReadonlyArray<readonly [string, string]> = [
    ...options.natsFiles.map(
      (file) => [file, options.natsFiles.length === 1 ? names.natsConf : `nats/${basename(file)}`] as const
    ),
    ...options.also.map((file) => [file, `also/${basename(file)}`] as const)
  ]
  for (const [file, name] of copies) {
    await mkdir(dirname(at(name)), { recursive: true, mode: 0o700 })
    if (existsSync(at(name))) throw new Error(`two files of the name ${basename(file)}: name one of them otherwise`)
    await copyFile(file, at(name))
  }
  const mail = options.mail === undefined ? [] : await copyMail(folder, options.mail)
  const chainless = options.sigchains === undefined ? 0 : await accountsWithoutChain(at)
  const counts = {
    ...(await countsOf(at(names.registry), registrySchema)),
    ...(options.sigchains === undefined ? {} : await countsOf(at(names.sigchains), sigchainSchema)),
    ...(options.mail === undefined
      ? {}
      : { messages: mail.reduce((sum, { state }) => sum + Number((state as { messages?: number }).messages ?? 0), 0) })
  }
  const files = []
  for (const name of await listed(folder)) {
    const path = at(name)
    files.push({ name, bytes: (await stat(path)).size, sha256: await digestOf(path) })
  }
  return {
    format,
    version,
    createdAt,
    serverName: options.serverName,
    counts,
    without: [
      ...(options.sigchains === undefined ? ["sigchains: the sig-server's are backed up where it runs"] : []),
      ...(chainless === 0
        ? []
        : [
            `the sigchains of ${chainless} accounts: is ${databaseName(options.sigchains?.db ?? "")} the sig-server's?`
          ]),
      ...(options.natsFiles.length === 0 ? ["settings of init: no nats.conf was found"] : []),
      ...(options.mail === undefined ? ["mail"] : [])
    ],
    mail,
    files
  }
}

export interface BackedUp {
  readonly manifest: Manifest
  readonly bytes: number
  readonly sha256: string
}

/** Makes an archive of that name, which must not exist; it appears as a whole or not at all. */
export const backup = async (path: string, options: BackupOptions): Promise<BackedUp> => {
  const target = resolve(path)
  const exists = new Error(`${target} exists; name a new file`)
  if (existsSync(target)) throw exists
  const partial = `${target}${unfinished}`
  // Of a try that was killed.
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { mode: 0o700 })
  try {
    const folder = join(partial, "home")
    await mkdir(folder, { mode: 0o700 })
    const manifest = await collect(folder, options)
    await writeFile(join(folder, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`)
    const archive = join(partial, "archive")
    const modifiedAt = Date.parse(manifest.createdAt) / 1_000
    const files = [manifestFile, ...manifest.files.map(({ name }) => name)].map(async (name) => {
      const file = join(folder, name)
      return { name, path: file, bytes: (await stat(file)).size, modifiedAt }
    })
    await pack(archive, target, await Promise.all(files))
    // Unlike a rename, this never replaces what somebody else made meanwhile.
    await link(archive, target).catch((error: NodeJS.ErrnoException) => {
      // Disks without links, such as exFAT.
      if (error.code !== "EEXIST" && !existsSync(target)) return rename(archive, target)
      throw error.code === "EEXIST" ? exists : error
    })
    const handle = await open(dirname(target))
    await handle.sync().finally(() => handle.close())
    return { manifest, bytes: (await stat(target)).size, sha256: await digestOf(target) }
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}
