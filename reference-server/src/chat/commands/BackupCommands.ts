/** `kez-chat-server backup` and `restore`: a whole home in one archive. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import * as RoleConnection from "../../broker/connections/RoleConnection.ts"
import * as Keys from "../../broker/login/Keys.ts"
import * as Snapshot from "../../broker/snapshot/Snapshot.ts"
import { text, type Values } from "../../process/Flags.ts"
import * as Audit from "../../storage/Audit.ts"
import { Database, DatabaseError } from "../../storage/Database.ts"
import { openDatabase } from "../../storage/OpenDatabase.ts"
import { registrySchema, sigchainSchema } from "../../storage/Schemas.ts"
import * as Archive from "../backup/Archive.ts"
import { backup as makeBackup } from "../backup/Backup.ts"
import { type Manifest, names } from "../backup/Manifest.ts"
import { isArchiveName } from "../backup/Tar.ts"
import { by, json } from "./admin/AdminContext.ts"
import { brokerFlags } from "./BrokerFlags.ts"
import { natsConfFlag, sigDbFlag } from "./InitCommand.ts"
import { issuerFlag, keysDirFlag, registryFlags, serveFlags } from "./ServeCommand.ts"

/** The message is a sentence. */
class BackupError extends Data.TaggedError("BackupError")<{ readonly message: string }> {}

const trying = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({ try: work, catch: (cause) => new BackupError({ message: (cause as Error).message }) })

const file = Argument.String("file").pipe(Argument.withDescription("The archive: .tar, .tar.gz or .tar.zst"))

const brokerOnly = {
  keysDir: keysDirFlag,
  issuerPath: issuerFlag,
  natsUrl: serveFlags.natsUrl,
  natsCaFile: brokerFlags.natsCaFile
}

/** A connection that may read and make snapshots of one of the streams. */
const backupConnection = Effect.fnUntraced(function* (
  { natsCaFile, natsUrl: [url = ""] }: Values<typeof brokerOnly>,
  keys: Keys.BrokerKeys,
  partition: number,
  otherwise = ""
) {
  const { backup: key } = Keys.ofPartition(keys, partition)
  if (key === undefined) {
    const message = `the keys folder has no key for backups yet: run init, restart nats-server, and repeat this${otherwise}`
    return yield* new BackupError({ message })
  }
  const caFile = natsCaFile === "" ? undefined : natsCaFile
  return yield* Effect.acquireRelease(
    RoleConnection.dial({ role: "backup", key, caFile, inboxPrefix: Snapshot.inboxPrefix }, url),
    RoleConnection.close
  ).pipe(Effect.mapError(({ detail }) => new BackupError({ message: `nats-server at ${url}: ${detail}${otherwise}` })))
})

const summary = ({ counts, createdAt, serverName, version, without }: Manifest): string =>
  [
    `@${serverName} of ${createdAt}, by version ${version}: ${Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(", ")}`,
    ...without.map((what) => `without ${what}`)
  ].join("\n")

const flags = {
  file,
  ...registryFlags,
  ...brokerOnly,
  sigDb: sigDbFlag,
  sigDbPasswordFile: text(
    ["sig-db-password-file", "KEZ_SIG_DB_PASSWORD_FILE"],
    "",
    "File with the password of --sig-db, where that is a PostgreSQL database"
  ),
  natsConf: natsConfFlag,
  natsIncludes: text(
    "nats-includes",
    "",
    "The folder that init wrote for a nats-server of your own, instead of nats.conf"
  ),
  also: text("also", "", "Other files to keep with it, such as chat-server.env, separated by commas"),
  noMail: Flag.Boolean("no-mail").pipe(Flag.withDescription("Leaves the broker's mail out"), Flag.withDefault(false)),
  verify: Flag.Boolean("verify").pipe(
    Flag.withDescription("Instead: compares every byte of an archive with its manifest"),
    Flag.withDefault(false)
  ),
  json
}

const natsFilesOf = ({ natsConf, natsIncludes }: { natsConf: string; natsIncludes: string }): ReadonlyArray<string> =>
  (natsIncludes === ""
    ? [natsConf]
    : ["accounts.conf", "authorization.conf"].map((name) => join(natsIncludes, name))
  ).filter((path) => existsSync(path))

/** A connection to each stream of the home. */
const allStreams = Effect.fnUntraced(function* (given: Values<typeof brokerOnly>, keys: Keys.BrokerKeys) {
  const otherwise = "; --no-mail leaves the mail out"
  const first = yield* backupConnection(given, keys, 0, otherwise)
  const partitions = yield* trying(() => Snapshot.partitionsOf(first))
  if (partitions === undefined) {
    return yield* new BackupError({ message: `nats-server has no mail yet: start chat-server once${otherwise}` })
  }
  const others = Array.from({ length: partitions - 1 }, (_, i) => backupConnection(given, keys, i + 1, otherwise))
  return [first, ...(yield* Effect.all(others))]
})

export const backup = Command.make(
  "backup",
  flags,
  Effect.fn("backup")(function* (given) {
    const path = resolve(given.file)
    if (!isArchiveName(path))
      return yield* new BackupError({ message: `${given.file} must end in .tar, .tar.gz or .tar.zst` })
    if (given.verify) {
      const manifest = yield* trying(() => Archive.verify(path))
      return yield* Console.log(
        given.json ? JSON.stringify({ path, manifest }) : `${path} is as it was written: ${summary(manifest)}`
      )
    }
    const issuerPath = given.issuerPath === "" ? undefined : given.issuerPath
    const keys = yield* Keys.load(given.keysDir, issuerPath)
    const connections = given.noMail ? undefined : yield* allStreams(given, keys)
    const made = yield* trying(() =>
      makeBackup(path, {
        serverName: given.serverName,
        database: given,
        sigchains:
          given.sigDb === "none"
            ? undefined
            : {
                db: given.sigDb,
                ...(given.sigDbPasswordFile === "" ? {} : { dbPasswordFile: given.sigDbPasswordFile })
              },
        keysDir: given.keysDir,
        issuerPath,
        natsFiles: natsFilesOf(given),
        also: given.also.split(",").filter((each) => each !== ""),
        mail: connections
      })
    )
    const database = Context.get(
      yield* Layer.build(openDatabase({ ...given, schema: registrySchema, existing: true })),
      Database
    )
    const lacking = made.manifest.without.map((what) => `, without ${what}`).join("")
    yield* database.transaction({ lock: "audit" }, (sql) =>
      Audit.record(sql, "backup", "home", by(`${basename(path)} sha256:${made.sha256.slice(0, 16)}${lacking}`))
    )
    const warning = "It holds the keys of the home: keep it secret, and on another machine."
    const { bytes, manifest, sha256 } = made
    yield* Console.log(
      given.json
        ? JSON.stringify({ path, bytes, sha256, manifest })
        : `${path}, ${bytes} bytes: ${summary(manifest)}\n${warning}`
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Copies the whole home into one archive while it runs: accounts, sigchains, keys, settings of init, mail. The archive holds keys."
  )
)

/** Refuses a database of a newer version; one of an older version is upgraded when its server starts. */
const checkDatabases = async (folder: string): Promise<void> => {
  for (const [name, schema] of [
    [names.registry, registrySchema],
    [names.sigchains, sigchainSchema]
  ] as const) {
    const db = join(folder, name)
    if (!existsSync(db)) continue
    await Effect.runPromise(
      Effect.scoped(Layer.build(openDatabase({ db, schema, existing: true }))).pipe(
        Effect.catchIf(
          (error) => error instanceof DatabaseError && error.reason === "older",
          () => Effect.void
        )
      )
    )
  }
}

const nextOf = (path: string, folder: string, { mail }: Manifest): string =>
  [
    `${folder} holds the home of this archive. Next:`,
    `1. Write nats.conf for its place, with the settings of before:`,
    `     kez-chat-server init --keys-dir ${folder}/keys --nats-conf ${folder}/nats.conf --jetstream-dir ${folder}/jetstream`,
    `2. Start nats-server alone${mail.length === 0 ? "." : ", with an empty JetStream folder, and bring the mail back:"}`,
    ...(mail.length === 0 ? [] : [`     kez-chat-server restore ${path} --mail --keys-dir ${folder}/keys`]),
    `3. Start sig-server with --db ${folder}/${names.sigchains} and chat-server with --db ${folder}/${names.registry} --keys-dir ${folder}/keys,`,
    `   and look with kez-chat-server doctor.`
  ].join("\n")

const restoreMail = Effect.fnUntraced(function* (path: string, given: Values<typeof brokerOnly>) {
  const manifest = yield* trying(() => Archive.verify(path))
  if (manifest.mail.length === 0) return yield* new BackupError({ message: `${path} was made without mail` })
  const keys = yield* Keys.load(given.keysDir, given.issuerPath === "" ? undefined : given.issuerPath)
  const label = createHash("sha256").update(JSON.stringify(manifest)).digest("base64url").slice(0, 22)
  let messages = 0
  for (const { config, file: name, partition, state } of manifest.mail) {
    const connection = yield* backupConnection(given, keys, partition)
    yield* trying(() =>
      Archive.readOne(path, name, async (content) => {
        messages += await Snapshot.write(connection, { config, state }, content, label)
      })
    )
  }
  return messages
})

export const restore = Command.make(
  "restore",
  {
    file,
    data: Flag.String("data").pipe(
      Flag.withDescription("A folder that is empty or missing: gets everything but the mail"),
      Flag.withDefault("")
    ),
    mail: Flag.Boolean("mail").pipe(
      Flag.withDescription("Brings the mail back into a running nats-server that has none; before chat-server starts"),
      Flag.withDefault(false)
    ),
    ...brokerOnly,
    json
  },
  Effect.fn("restore")(function* (given) {
    const path = resolve(given.file)
    if (given.mail === (given.data !== "")) return yield* new BackupError({ message: "give either --data or --mail" })
    if (given.mail) {
      const messages = yield* restoreMail(path, given)
      return yield* Console.log(
        given.json ? JSON.stringify({ path, messages }) : `${messages} messages are back; now start chat-server`
      )
    }
    const folder = resolve(given.data)
    const manifest = yield* trying(() =>
      Archive.extract(path, folder, (name) => !name.startsWith("mail/"), checkDatabases)
    )
    yield* Console.log(given.json ? JSON.stringify({ path, folder, manifest }) : nextOf(path, folder, manifest))
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Brings a home back from an archive, in two steps: --data into an empty folder, then --mail into nats-server. Every byte is verified first."
  )
)
