/** What only this machine shows: keys, the database, the disks, the sig-server's inner address, the last backup. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readFileSync, statfsSync, statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import type { BrokerConfig } from "../../broker/BrokerConfig.ts"
import { defaultInboxBytes, storeSlack } from "../../broker/NatsAccounts.ts"
import { keptIn } from "../../process/KeptFlags.ts"
import * as Audit from "../../storage/Audit.ts"
import { Database, type DatabaseSettings } from "../../storage/Database.ts"
import { openDatabase } from "../../storage/OpenDatabase.ts"
import { isPostgresUrl } from "../../storage/PostgresUrl.ts"
import { registrySchema } from "../../storage/Schemas.ts"
import type { ChatConfig } from "../ChatConfig.ts"
import { type Check, failed, type Findings, ok, warning } from "./Check.ts"

const askMillis = 5_000
const leastFreeBytes = 256 * 1024 ** 2
const leastFreeShare = 0.1
/** A larger file takes too long to be read as a whole. */
const readableBytes = 2 * 1024 ** 3
const backupDays = 8
const dayMillis = 86_400_000
/** In a note of the audit: what the archive left out. */
const incompleteBackup = /sha256:[0-9a-f]+, without /

const mebibytes = (bytes: number): string =>
  bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`

const octal = (mode: number): string => (mode & 0o777).toString(8)

/** Runs with the registry as admin commands open it. */
const withDatabase = <A>(settings: DatabaseSettings, use: (database: Database["Service"]) => Effect.Effect<A, Error>) =>
  Effect.runPromise(
    Effect.scoped(
      Layer.build(openDatabase({ ...settings, schema: registrySchema, existing: true })).pipe(
        Effect.flatMap((context) => use(Context.get(context, Database)))
      )
    )
  )

export interface Local {
  readonly config: ChatConfig["Service"]
  readonly broker: BrokerConfig
  /** nats.conf as init wrote it, for what nats-server was told; its folder need not be here. */
  readonly natsConf: string
}

export const localChecks = ({ broker, config, natsConf }: Local): ReadonlyArray<Check> => {
  const { database, keysDir } = config
  const isFile = !isPostgresUrl(database.db)

  const opened = (): Promise<Findings> =>
    withDatabase(
      database,
      Effect.fnUntraced(function* ({ size, sql, transaction }) {
        yield* transaction({ lock: "accounts" }, (within) => within`UPDATE account_version SET n = n`)
        const { bytes } = yield* size
        const holds = `${mebibytes(bytes)}, can be written`
        if (!isFile) return ok(holds)
        if (bytes > readableBytes) return ok(`${holds}; too large to be read as a whole here`)
        const [found] = yield* sql<{ quick_check: string }>`PRAGMA quick_check(1)`
        return found?.quick_check === "ok"
          ? ok(`${holds}, without a fault`)
          : failed(`damaged: ${found?.quick_check}`, "stop chat-server and restore the last backup")
      })
    )

  const name = (): Promise<Findings> =>
    withDatabase(
      database,
      Effect.fnUntraced(function* ({ sql }) {
        const [account] = yield* sql<{ registration: string }>`
          SELECT registration FROM accounts WHERE registration IS NOT NULL LIMIT 1`
        const server = account === undefined ? undefined : /"server":"([^"]+)"/.exec(account.registration)?.[1]
        return server === undefined || server === config.serverName
          ? ok(`accounts are of @${config.serverName}`)
          : failed(`accounts are of @${server}, not of @${config.serverName}`, `set --server-name ${server}`)
      })
    )

  const backup = (): Promise<Findings> =>
    withDatabase(
      database,
      Effect.fnUntraced(function* ({ sql }) {
        const [last] = yield* Audit.lastOf(sql, "backup")
        const remedy = "kez-chat-server backup FILE.tar.gz, daily, and keep the files on another machine"
        if (last === undefined) return warning("there is no backup yet", remedy)
        const days = Math.floor((Date.now() - Date.parse(last.at)) / dayMillis)
        const found = `the last one is ${days === 0 ? "of today" : `${days} days old`} (${last.note})`
        if (days > backupDays) return warning(found, remedy)
        return incompleteBackup.test(last.note)
          ? warning(found, "make a whole one, or see that what it lacks is backed up elsewhere")
          : ok(found)
      })
    )

  const modes = async (): Promise<Findings> => {
    const secret = [keysDir, ...(isFile ? [database.db] : []), database.dbPasswordFile ?? ""]
      .filter((path) => path !== "")
      .map((path) => resolve(path))
    const open = secret.filter((path) => process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0)
    return open.length === 0
      ? ok("keys and database are for their owner alone")
      : open.flatMap((path) => {
          const { mode } = statSync(path)
          return failed(`${path} has mode ${octal(mode)}`, `chmod ${octal(mode & 0o700)} ${path}`)
        })
  }

  const kept = (): Readonly<Record<string, unknown>> => keptIn(readFileSync(natsConf, "utf8"))

  const disk = async (): Promise<Findings> => {
    const mail = readable(natsConf) ? String(kept()["jetstream-dir"] ?? "") : ""
    const folders = [...(isFile ? [dirname(resolve(database.db))] : []), ...(mail === "" ? [] : [mail])]
    return folders.flatMap((folder): Findings => {
      const disk = diskOf(folder)
      if (disk === undefined)
        return warning(`${folder} is not on this machine, or not open to this user`, "check its disk where it is")
      const found = `${folder} has ${mebibytes(disk.free)} free`
      const remedy = "make room before it is full: nothing can be stored then (deploy/docs/incidents.md)"
      if (disk.free < leastFreeBytes) return failed(found, remedy)
      return disk.free < disk.all * leastFreeShare ? warning(found, remedy) : ok(found)
    })
  }

  const natsSettings = async (): Promise<Findings> => {
    if (!readable(natsConf))
      return warning(`${natsConf} cannot be read`, "name it with --nats-conf to have it compared")
    const found = kept()
    const bytes = Number(found["store-bytes"] ?? defaultInboxBytes)
    const replicas = Number(found["replicas"] ?? 1)
    const partitions = Number(found["stream-partitions"] ?? 1)
    if (bytes !== broker.inboxBytes)
      return failed(
        `init was given --store-bytes ${bytes} and chat-server ${broker.inboxBytes}`,
        "give both the same, and restart nats-server and chat-server"
      )
    if (partitions !== broker.partitions)
      return failed(
        `init was given --stream-partitions ${partitions} and chat-server ${broker.partitions}`,
        "give chat-server what init was given: mail is looked for in other streams otherwise"
      )
    return replicas === broker.replicas
      ? ok(`as chat-server's; nats-server needs ${mebibytes(bytes + storeSlack)} of disk`)
      : failed(`init was given --replicas ${replicas} and chat-server ${broker.replicas}`, "give both the same")
  }

  /**
   * A sig-server without the chain of an account has another database than the one this home began with. The one here and
   * the published one are one, if they know the same head.
   */
  const sigServer = async (signal: AbortSignal): Promise<Findings> => {
    const [inner, outer] = [config.sigServerUrl, config.publicSigServerUrl].map((url) => url.replace(/\/+$/, ""))
    const ask = (url: string) =>
      fetch(url, { redirect: "manual", signal: AbortSignal.any([signal, AbortSignal.timeout(askMillis)]) })
    const health = await ask(`${inner}/v1/healthz`)
    if (health.status >= 500) return failed(`${inner} says ${health.status}`, "see its log: it cannot store sigchains")
    if (health.status !== 200) return failed(`${inner} says ${health.status}`, "correct --sig-server-url")
    const [account] = await withDatabase(
      database,
      // The newest: the one that a copy of before lacks.
      ({ sql }) => sql<{ primary_hex: string }>`
        SELECT primary_hex FROM accounts WHERE state = 'active' ORDER BY registered_at DESC LIMIT 1`
    )
    if (account === undefined) return ok(`${inner} works; whether it has the chains shows with the first account`)
    const path = `/v1/sigchains/ed25519/${account.primary_hex}/head`
    const headAt = async (url: string) => {
      const answer = await ask(url + path)
      return { status: answer.status, text: await answer.text() }
    }
    const here = await headAt(`${inner}`)
    if (here.status === 404)
      return failed(
        `${inner} does not have the chain of an active account`,
        "the sig-server has a wrong --db, or another one than its own was restored"
      )
    if (here.status !== 200) return failed(`${inner} says ${here.status}`, "see the log of the sig-server")
    if (inner === outer) return ok(`${inner} works`)
    const there = await headAt(`${outer}`)
    return there.status === 200 && here.text === there.text
      ? ok(`${inner} works, and ${outer} is the same`)
      : failed(`${outer} is another sig-server than ${inner}`, "correct --public-sig-server-url or the proxy")
  }

  const cores = async (): Promise<Findings> => {
    const pidFile = readable(natsConf) ? String(kept()["pid-file"] ?? "") : ""
    const own = "chat-server and sig-server keep their memory out of them"
    if (process.platform !== "linux" || pidFile === "" || !readable(pidFile)) {
      return ok(`${own}; for nats-server set ulimit -c 0`)
    }
    const limits = `/proc/${readFileSync(pidFile, "utf8").trim()}/limits`
    const soft = readable(limits) ? /^Max core file size +(\S+)/m.exec(readFileSync(limits, "utf8"))?.[1] : undefined
    return soft === undefined || soft === "0"
      ? ok(own)
      : warning(
          "nats-server may write core dumps, which hold mail in transit",
          "start it with ulimit -c 0 (LimitCORE=0)"
        )
  }

  const databaseRemedy = "see that --db is chat-server's, and that this user may write it"
  return [
    { name: "files", remedy: "give doctor the paths of chat-server", run: modes },
    { name: "database", remedy: databaseRemedy, run: opened },
    { name: "accounts of", remedy: databaseRemedy, run: name },
    { name: "disk", remedy: "check the disk by hand", run: disk },
    { name: "nats.conf", remedy: "run init", run: natsSettings },
    { name: "sig-server here", remedy: "see that it runs, and that --sig-server-url is right", run: sigServer },
    { name: "backup", remedy: databaseRemedy, run: backup },
    { name: "core dumps", remedy: "set ulimit -c 0", run: cores }
  ]
}

const readable = (path: string): boolean => {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}

const diskOf = (folder: string) => {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder)
    return { free: bavail * bsize, all: blocks * bsize }
  } catch {
    return undefined
  }
}
