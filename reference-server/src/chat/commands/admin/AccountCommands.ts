/** `kez-chat-server admin` on accounts and names: list, look at, suspend, revoke, reserve. */
import { PrimaryKey } from "@kez-chat/sdk/protocol"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { type Account, Registry, type State } from "../../../storage/Registry.ts"
import { reservedHandles } from "../../../storage/ReservedHandles.ts"
import { accountDetails } from "../../admin/AccountDetails.ts"
import { registryFlags } from "../ServeCommand.ts"
import {
  by,
  confirm,
  handle,
  json,
  note,
  nudge,
  onOneLine,
  type RegistryFlags,
  serverFlags,
  withRegistry,
  yes
} from "./AdminContext.ts"
import { entryLine } from "./AuditCommand.ts"

const list = Command.make(
  "list",
  {
    ...registryFlags,
    json,
    state: Flag.Literals("state", ["active", "suspended", "deleted", "revoked", "reserved", "all"]).pipe(
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
          : `${account.handle.padEnd(32)} ${account.state.padEnd(9)} ${account.registeredAt} ${PrimaryKey.ofHex(account.primaryHex)}`
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
        : `${entry.handle.padEnd(32)} ${entry.reserved ? "reserved" : "lifted  "} ${onOneLine(entry.note)}`
    )
  }
})

const account = Command.make(
  "account",
  { ...registryFlags, handle, json },
  Effect.fn("admin.account")(function* (flags) {
    const found = yield* accountDetails(flags.handle)
    if (flags.json) return yield* Console.log(JSON.stringify(found))
    const kibibytes = (bytes: number) => `${Math.ceil(bytes / 1024)} KiB`
    const lines: ReadonlyArray<readonly [string, string | null]> = [
      ["state", found.state],
      ["key", found.primary],
      ["registered", found.registeredAt],
      ["invite", found.invite],
      ["suspended", found.suspendedAt],
      ["ended", found.endedAt],
      ["mail", kibibytes(found.mailBytes)],
      ["own copies", kibibytes(found.ownCopyBytes)],
      ["manifests", kibibytes(found.manifestBytes)],
      ["open reports", String(found.openReports)]
    ]
    for (const [name, value] of lines) if (value !== null) yield* Console.log(`${name.padEnd(13)} ${value}`)
    for (const entry of found.audit) yield* Console.log(`audit         ${entryLine(entry)}`)
  }, withRegistry)
).pipe(Command.withDescription("Shows an account: its state, what it stores, and what operators did to it."))

const setReserved = (reserved: boolean) =>
  Effect.fn("admin.setReserved")(function* (
    flags: RegistryFlags & { readonly handle: string; readonly note: string; readonly json: boolean }
  ) {
    yield* (yield* Registry).setReserved(flags.handle, reserved, by(flags.note))
    const { handle } = flags
    yield* Console.log(
      flags.json ? JSON.stringify({ handle, reserved }) : `${handle} is ${reserved ? "reserved" : "free to register"}`
    )
  }, withRegistry)

const reserve = Command.make("reserve", { ...registryFlags, handle, note, json }, setReserved(true)).pipe(
  Command.withDescription("Keeps a handle from being registered. A handle that is already registered is not affected.")
)
const unreserve = Command.make("unreserve", { ...registryFlags, handle, note, json }, setReserved(false)).pipe(
  Command.withDescription("Lets a reserved handle be registered, including one of the built-in list.")
)

const report = (account: Account, sentence: string, asJson: boolean) =>
  Console.log(asJson ? JSON.stringify(account) : sentence)

const suspend = Command.make(
  "suspend",
  { ...registryFlags, ...serverFlags, handle, note, json },
  Effect.fn("admin.suspend")(function* (flags) {
    const account = yield* (yield* Registry).setSuspended(flags.handle, true, by(flags.note))
    const nudged = yield* nudge(flags.internalPort, flags.keysDir)
    yield* report(account, `${account.handle} is suspended since ${account.suspendedAt ?? ""}; ${nudged}`, flags.json)
  }, withRegistry)
).pipe(
  Command.withDescription(
    "Shuts an account out until `unsuspend`: it cannot log in or send, its handle resolves to nothing, its mail is kept."
  )
)

const unsuspend = Command.make(
  "unsuspend",
  { ...registryFlags, handle, note, json },
  Effect.fn("admin.unsuspend")(function* (flags) {
    const account = yield* (yield* Registry).setSuspended(flags.handle, false, by(flags.note))
    yield* report(account, `${account.handle} is active again`, flags.json)
  }, withRegistry)
).pipe(Command.withDescription("Lets a suspended account in again."))

const revoke = Command.make(
  "revoke",
  {
    ...registryFlags,
    ...serverFlags,
    handle,
    note,
    yes,
    json
  },
  Effect.fn("admin.revoke")(function* (flags) {
    const registry = yield* Registry
    yield* registry.find(flags.handle)
    if (!flags.yes) yield* confirm(`${flags.handle} is lost for good, also to its owner.`, flags.handle)
    const account = yield* registry.revoke(flags.handle, by(flags.note))
    const nudged = yield* nudge(flags.internalPort, flags.keysDir)
    yield* report(
      account,
      `${account.handle} is ${account.state} since ${account.endedAt ?? ""}; ${nudged}`,
      flags.json
    )
  }, withRegistry)
).pipe(
  Command.withDescription(
    "Revokes an account for good and closes its connections. Nobody can register the handle again. `suspend` can be undone."
  )
)

export const accountCommands = [list, account, suspend, unsuspend, revoke, reserve, unreserve] as const
