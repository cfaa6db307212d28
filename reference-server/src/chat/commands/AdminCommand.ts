/** `kez-chat-server admin`: operators' changes to a registry, whether its server runs or not. */
import { PrimaryKey, Problem } from "@kez-chat/sdk/protocol"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { registryLayer } from "../ChatServer.ts"
import { Database } from "../../storage/Database.ts"
import { internalSecretFile } from "../../broker/login/Keys.ts"
import { count } from "../../process/Flags.ts"
import { Registry, type State } from "../../storage/Registry.ts"
import { reservedHandles } from "../../storage/ReservedHandles.ts"
import { defaultInternalPort, keysDirFlag, registryFlags } from "./ServeCommand.ts"

/** An admin command failed; the message is a sentence. */
export class AdminError extends Data.TaggedError("AdminError")<{ readonly message: string }> {}

type RegistryFlags = { readonly serverName: string; readonly db: string }

const withRegistry = <A, E, R>(effect: Effect.Effect<A, E, R>, flags: RegistryFlags) =>
  effect.pipe(
    Effect.provide(registryLayer(flags.serverName, flags.db, true)),
    Effect.mapError((error) => (error instanceof Problem.Problem ? new AdminError({ message: error.message }) : error))
  )

const json = Flag.Boolean("json").pipe(Flag.withDescription("One JSON object a line"), Flag.withDefault(false))
const handle = Argument.String("handle").pipe(Argument.withDescription("The part before the @"))
const note = Flag.String("note").pipe(
  Flag.withDescription("Reason, shown in the list of reserved names"),
  Flag.withDefault("")
)

const list = Command.make(
  "list",
  {
    ...registryFlags,
    json,
    state: Flag.Literals("state", ["active", "deleted", "revoked", "reserved", "all"]).pipe(
      Flag.withDescription("Which accounts, or the reserved names"),
      Flag.withDefault("all")
    )
  },
  (flags) =>
    withRegistry(flags.state === "reserved" ? listReserved(flags.json) : listAccounts(flags.json, flags.state), flags)
).pipe(Command.withDescription("Lists accounts in handle order, or the reserved names."))

const listAccounts = Effect.fnUntraced(function* (asJson: boolean, state: State | "all") {
  const registry = yield* Registry
  let after = ""
  for (;;) {
    const page = yield* registry.list({ after, limit: 500, ...(state === "all" ? {} : { state }) })
    for (const account of page) {
      yield* Console.log(
        asJson
          ? JSON.stringify(account)
          : `${account.handle.padEnd(32)} ${account.state.padEnd(8)} ${account.registeredAt} ${PrimaryKey.ofHex(account.primaryHex)}`
      )
    }
    const last = page.at(-1)
    if (last === undefined) return
    after = last.handle
  }
})

const listReserved = Effect.fnUntraced(function* (asJson: boolean) {
  const registry = yield* Registry
  const own = new Map((yield* registry.listReserved).map((entry) => [entry.handle, entry]))
  for (const name of reservedHandles)
    if (!own.has(name)) own.set(name, { handle: name, reserved: true, note: "built in" })
  for (const entry of [...own.values()].toSorted((a, b) => (a.handle < b.handle ? -1 : 1))) {
    yield* Console.log(
      asJson
        ? JSON.stringify(entry)
        : `${entry.handle.padEnd(32)} ${entry.reserved ? "reserved" : "lifted  "} ${entry.note}`
    )
  }
})

const setReserved = (reserved: boolean) =>
  Effect.fn("admin.setReserved")(function* (flags: RegistryFlags & { readonly handle: string; readonly note: string }) {
    yield* (yield* Registry).setReserved(flags.handle, reserved, flags.note)
    yield* Console.log(`${flags.handle} is ${reserved ? "reserved" : "free to register"}`)
  }, withRegistry)

const reserve = Command.make("reserve", { ...registryFlags, handle, note }, setReserved(true)).pipe(
  Command.withDescription("Keeps a handle from being registered. A handle that is already registered is not affected.")
)
const unreserve = Command.make("unreserve", { ...registryFlags, handle, note }, setReserved(false)).pipe(
  Command.withDescription("Lets a reserved handle be registered, including one of the built-in list.")
)

/** Asks the running server to act at once; it also looks by itself four times a second. */
const nudge = (port: number, keysDir: string): Effect.Effect<string> =>
  Effect.tryPromise(async (signal) => {
    const secret = (await readFile(join(keysDir, internalSecretFile), "utf8")).trim()
    const response = await fetch(`http://127.0.0.1:${port}/internal/removals`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}` },
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)])
    })
    if (!response.ok) throw new Error(`status ${response.status}`)
    const { left } = (await response.json()) as { left: number }
    return left === 0
      ? "connections are closed"
      : "the broker cannot be reached; connections are closed as soon as it can"
  }).pipe(
    Effect.orElseSucceed(
      () => "a running server closes the connections within a second; one that is down does so when it starts"
    )
  )

const revoke = Command.make(
  "revoke",
  {
    ...registryFlags,
    handle,
    keysDir: keysDirFlag,
    internalPort: count("internal-port", defaultInternalPort, "Internal listener of the running server", 0, 65_535)
  },
  Effect.fn("admin.revoke")(function* (flags) {
    const account = yield* (yield* Registry).revoke(flags.handle)
    yield* Console.log(
      `${account.handle} is ${account.state} since ${account.endedAt ?? ""}; ${yield* nudge(flags.internalPort, flags.keysDir)}`
    )
  }, withRegistry)
).pipe(
  Command.withDescription(
    "Revokes an account for good and closes its connections. Nobody can register the handle again."
  )
)

const backup = Command.make(
  "backup",
  { ...registryFlags, file: Argument.String("file").pipe(Argument.withDescription("A file that does not exist yet")) },
  Effect.fn("admin.backup")(function* (flags) {
    const database = yield* Database
    const path = resolve(flags.file)
    if (existsSync(path)) return yield* new AdminError({ message: `${path} exists; name a new file` })
    yield* database.backup(path)
    yield* Console.log(`${path} holds the registry as it is now`)
  }, withRegistry)
).pipe(Command.withDescription("Copies the registry into one file while the server runs."))

export const admin = Command.make("admin").pipe(
  Command.withDescription("Inspects and changes the registry; safe while the server runs."),
  Command.withSubcommands([list, reserve, unreserve, revoke, backup])
)
