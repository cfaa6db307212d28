/**
 * `kez-chat-sig-server admin`: looking at the stored sigchains, and their backup, whether the server runs or not.
 *
 * There is no removal: a chain that is gone or shorter is a rollback to everybody who has seen it. What strangers can
 * store is bounded by `--new-chains-per-hour`, `--chain-bytes-per-day` and `--chain-store-bytes` instead.
 */
import { PrimaryKey, Problem } from "@kez-chat/sdk/protocol"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { databaseFlags } from "../process/DatabaseFlags.ts"
import { count, type Values } from "../process/Flags.ts"
import { migrateCommand } from "../process/MigrateCommand.ts"
import { Database } from "../storage/Database.ts"
import { openDatabase } from "../storage/OpenDatabase.ts"
import { sigchainSchema } from "../storage/Schemas.ts"

/** An admin command failed; the message is a sentence. */
class AdminError extends Data.TaggedError("AdminError")<{ readonly message: string }> {}

export const databaseFlag = databaseFlags("KEZ_DB", "kez-sigchains.db", "The sigchains")

const shared = {
  ...databaseFlag,
  json: Flag.Boolean("json").pipe(Flag.withDescription("One JSON object a line"), Flag.withDefault(false))
}

const withChains = <A, E, R>(effect: Effect.Effect<A, E, R>, flags: Values<typeof databaseFlag>) =>
  effect.pipe(
    Effect.provide(openDatabase({ ...flags, schema: sigchainSchema, existing: true })),
    Effect.mapError((error) => (error instanceof Problem.Problem ? new AdminError({ message: error.message }) : error))
  )

interface Chain {
  readonly primary_hex: string
  readonly head_seq: number
  readonly bytes: number
  readonly rotated_to: string | null
}

const shown = ({ bytes, head_seq, primary_hex, rotated_to }: Chain) => ({
  primary: PrimaryKey.ofHex(primary_hex),
  events: head_seq + 1,
  bytes,
  rotatedTo: rotated_to
})

const stat = Command.make(
  "stat",
  shared,
  Effect.fn("admin.stat")(function* (flags) {
    const { size, sql } = yield* Database
    const [totals] = yield* sql<{ chains: number; events: number; bytes: number }>`
      SELECT chains, events, bytes FROM chain_totals`
    const found = { ...totals, databaseBytes: (yield* size).bytes }
    yield* Console.log(
      flags.json
        ? JSON.stringify(found)
        : `${found.chains} chains, ${found.events} events, ${found.bytes} bytes; the database has ${found.databaseBytes} bytes`
    )
  }, withChains)
).pipe(Command.withDescription("How much is stored."))

const list = Command.make(
  "list",
  {
    ...shared,
    limit: count("limit", 100, "How many chains", 1, 1_000_000),
    order: Flag.Literals("order", ["bytes", "key"]).pipe(
      Flag.withDescription("The largest first, or by key"),
      Flag.withDefault("bytes" as const)
    )
  },
  Effect.fn("admin.list")(function* (flags) {
    const { sql } = yield* Database
    const chains =
      flags.order === "bytes"
        ? sql<Chain>`SELECT primary_hex, head_seq, bytes, rotated_to FROM chains
            ORDER BY bytes DESC, primary_hex LIMIT ${flags.limit}`
        : sql<Chain>`SELECT primary_hex, head_seq, bytes, rotated_to FROM chains
            ORDER BY primary_hex LIMIT ${flags.limit}`
    for (const chain of (yield* chains).map(shown)) {
      const { bytes, events, primary } = chain
      const rotated = chain.rotatedTo === null ? "" : ` rotated to ${chain.rotatedTo}`
      yield* Console.log(flags.json ? JSON.stringify(chain) : `${primary} ${events} events, ${bytes} bytes${rotated}`)
    }
  }, withChains)
).pipe(Command.withDescription("Lists chains, the largest first."))

const backup = Command.make(
  "backup",
  { ...shared, file: Argument.String("file").pipe(Argument.withDescription("A file that does not exist yet")) },
  Effect.fn("admin.backup")(function* (flags) {
    const database = yield* Database
    const path = resolve(flags.file)
    if (existsSync(path)) return yield* new AdminError({ message: `${path} exists; name a new file` })
    yield* database.backup(path)
    yield* Console.log(flags.json ? JSON.stringify({ path }) : `${path} holds the sigchains as they are now`)
  }, withChains)
).pipe(Command.withDescription("Copies the sigchains into one file while the server runs."))

export const admin = Command.make("admin").pipe(
  Command.withDescription("Inspects the stored sigchains; safe while the server runs."),
  Command.withSubcommands([stat, list, backup, migrateCommand(sigchainSchema)])
)
