/**
 * Gives a command its account: from the process that owns the profile, if there is one, or by owning the profile for as
 * long as the command needs it. The lock orders two commands that start at once.
 */
import type { KezChat } from "@kez-chat/sdk"
import type { Vault } from "@kez-chat/sdk/services"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import { fail, type Failure } from "../Failure.ts"
import { Host } from "../Host.ts"
import * as CommandLine from "../profile/CommandLine.ts"
import * as Home from "../profile/Home.ts"
import * as ProofServices from "../profile/ProofServices.ts"
import type { ProfilePaths } from "../profile/Paths.ts"
import * as Profile from "../profile/Profile.ts"
import * as ProfileVault from "../profile/ProfileVault.ts"
import * as RelayPolicy from "../profile/RelayPolicy.ts"
import type { Ask } from "../terminal/input/Ask.ts"
import { note, type Screen } from "../terminal/output/Screen.ts"
import { version } from "../Version.ts"
import type { Files } from "./Files.ts"
import * as Lock from "./Lock.ts"
import * as OwnerFile from "./OwnerFile.ts"
import * as Remote from "./Remote.ts"
import type { OwnerInfo } from "./Server.ts"
import { protocolVersion } from "./Wire.ts"

export type Services = Ask | Host | Screen

/** The account, and the process that holds it. */
export interface Access {
  readonly chat: KezChat["Service"]
  readonly files: Files
  readonly paths: ProfilePaths
  readonly profile: Profile.Profile
  /** The relay policy in force, in the syntax of `--relay`. */
  readonly relay: string
  /** The other process that owns the profile; undefined if this one does. */
  readonly owner: OwnerInfo | undefined
  /** Completes when another command has asked this owner to end. Never completes if another process owns. */
  readonly stopped: Effect.Effect<void>
}

export interface Options {
  /** Name of the command, shown to others that wait for it. */
  readonly command: string
  /** Answer other commands while this one runs. */
  readonly answering?: boolean
  /** Use no network. */
  readonly offline?: boolean
  /** The command transfers files: a relay policy given on the command line must be the one in force. */
  readonly transfers?: boolean
  /** A vault already opened. */
  readonly vault?: Vault["Service"]
  /** After how long a background owner ends, in milliseconds. */
  readonly forMillis?: number
}

/** How long to wait for another short command, and how often to check, in milliseconds. */
const waitMillis = 30_000
const pollMillis = 100
/** A shorter wait is not reported, in milliseconds. */
const noticeMillis = 1_500

/** Begins to load what the account needs, whose own import tells where that fails. */
const preload = () => {
  import("./LocalKezChat.ts").then(({ loadNetwork }) => loadNetwork()).catch(() => undefined)
}

const unlockHint = (paths: ProfilePaths): string =>
  `(\`${CommandLine.line(paths.name, "unlock")}\` asks once for the next eight hours.)`

/** The running owner of a profile, if one answers. */
export const findOwner = Effect.fn("Session.findOwner")(function* (
  paths: ProfilePaths
): Effect.fn.Return<Remote.Remote | undefined, never, Scope.Scope> {
  const file = yield* OwnerFile.read(paths)
  if (file?.socket === undefined || file.protocol !== protocolVersion) return undefined
  return yield* Remote.connect(file.socket.address, file.socket.token).pipe(
    Effect.catch(() => Effect.succeed(undefined))
  )
})

/** Takes the profile's lock, or finds its owner; waits while a short command holds it. */
export const lockOrOwner = Effect.fn("Session.lockOrOwner")(function* (
  paths: ProfilePaths
): Effect.fn.Return<Remote.Remote | "locked", Failure, Scope.Scope | Screen> {
  yield* Profile.makeFolders(paths)
  const scope = yield* Scope.Scope
  const began = Date.now()
  let noted = false
  for (;;) {
    const owner = yield* findOwner(paths)
    if (owner !== undefined) return owner
    if (yield* Lock.tryAcquire(paths.lock).pipe(Effect.provideService(Scope.Scope, scope))) return "locked"
    const waited = Date.now() - began
    const holder = yield* OwnerFile.read(paths)
    const who = holder === undefined ? "another command" : `\`kez-chat ${holder.command}\` (process ${holder.pid})`
    if (holder !== undefined && holder.protocol !== protocolVersion) {
      return yield* fail(
        "owner_incompatible",
        "busy",
        `the profile ${paths.name} is held by ${who} of another version of this program: end that first`
      )
    }
    if (waited > waitMillis) {
      return yield* fail(
        "profile_busy",
        "busy",
        `the profile ${paths.name} is still held by ${who}: try again when it has ended`
      )
    }
    if (!noted && waited > noticeMillis) {
      noted = true
      yield* note(`Waiting for ${who} ...`)
    }
    yield* Effect.sleep(pollMillis)
  }
})

/** Fails if the profile has an account and the store has none: then the store was lost. */
const ensureStored = (paths: ProfilePaths, profile: Profile.Profile, chat: KezChat["Service"]) =>
  chat.account.pipe(
    Effect.catchTag("NoAccount", () =>
      Effect.fail(
        fail(
          "store_empty",
          "failed",
          `the local store ${paths.store} is empty or damaged: \`kez-chat --profile NEW restore\` with the 24 words brings ${profile.handle ?? profile.primary} back, under a profile name of your choice`
        )
      )
    )
  )

/** Opens the account in this process. Only for the holder of the lock. */
export const own = Effect.fn("Session.own")(function* (
  paths: ProfilePaths,
  profile: Profile.Profile,
  options: Options
): Effect.fn.Return<Access, Failure, Scope.Scope | Services> {
  const host = yield* Host
  const stopped = yield* Deferred.make<void>()
  // Other commands see at once whom they wait for; the socket follows when the account is open.
  const file = { version: 1, protocol: protocolVersion, pid: process.pid, command: options.command } as const
  yield* OwnerFile.announce(paths, file)
  const { url } = yield* Home.discover({ profile: profile.home })
  const vault = options.vault ?? (yield* ProfileVault.of(paths, profile.vault, unlockHint(paths), preload))
  // Opened first, so that a passphrase is asked for before anything runs.
  if (options.offline !== true) yield* vault.load
  const { open } = yield* Effect.promise(() => import("./LocalKezChat.ts"))
  const relay = (yield* RelayPolicy.wanted) ?? RelayPolicy.ofHome(url)
  const owned = yield* open({
    primary: profile.primary,
    home: url,
    homes: yield* Home.others,
    proofs: yield* ProofServices.wanted,
    paths,
    vault,
    relay,
    offline: options.offline ?? false
  })
  const { chat } = owned
  if (profile.step === "published") yield* ensureStored(paths, profile, chat)
  if (options.answering === true) {
    const since = Date.now()
    const info: OwnerInfo = {
      version,
      pid: process.pid,
      command: options.command,
      since,
      relay: relay.text,
      ...(options.forMillis === undefined ? {} : { until: since + options.forMillis })
    }
    const address = yield* OwnerFile.freshAddress(paths, host)
    const token = randomBytes(32).toString("base64url")
    const { serve } = yield* Effect.promise(() => import("./Server.ts"))
    yield* serve({ ...owned, address, token, info, stop: Effect.asVoid(Deferred.succeed(stopped, undefined)) })
    yield* OwnerFile.announce(paths, { ...file, socket: { address, token } })
  }
  return { ...owned, paths, profile, relay: relay.text, owner: undefined, stopped: Deferred.await(stopped) }
})

/** Updates the profile with the progress of the account's creation. */
const remember = Effect.fnUntraced(function* (paths: ProfilePaths, profile: Profile.Profile, chat: KezChat["Service"]) {
  if (profile.step === "published") return
  const account = yield* chat.account
  const { handle, primary, device, step } = account
  yield* Profile.save(paths, { ...profile, handle, primary, device, step })
})

/** Fails if the owner's relay policy is not the requested one, because its user relies on it. */
const sameRelay = Effect.fnUntraced(function* (paths: ProfilePaths, { command, pid, relay }: OwnerInfo) {
  const wanted = yield* RelayPolicy.wanted
  if (wanted === undefined || wanted.text === relay) return
  return yield* fail(
    "relay_differs",
    "busy",
    `the profile ${paths.name} is held by \`kez-chat ${command}\` (process ${pid}) with --relay ${relay}, not ${wanted.text}: end that first, or leave --relay and KEZ_RELAY out`
  )
})

/** The account of the profile, until the scope closes. */
export const access = Effect.fn("Session.access")(function* (
  options: Options
): Effect.fn.Return<Access, Failure, Scope.Scope | Services> {
  const { paths, profile } = yield* Profile.required
  const found = yield* lockOrOwner(paths)
  if (found !== "locked") {
    const { chat, files, info } = found
    if (options.transfers === true) yield* sameRelay(paths, info)
    return { chat, files, paths, profile, relay: info.relay, owner: info, stopped: Effect.never }
  }
  const mine = yield* own(paths, profile, options)
  // The client resumes an interrupted creation; offline or unreachable, that is left to the next command.
  yield* Effect.ignore(remember(paths, profile, mine.chat))
  return mine
})

/** Runs `work`; `lost` if the process that held the account ended. {@link access} then finds the next owner. */
export const untilLost = <A, R>(
  { owner }: Access,
  work: Effect.Effect<A, Failure, R>
): Effect.Effect<A | "lost", Failure, R> =>
  work.pipe(
    Effect.catch((error): Effect.Effect<"lost", Failure> => {
      const lost = owner !== undefined && error._tag === "StoreError" && error.reason === "locked"
      return lost ? Effect.succeed("lost") : Effect.fail(error)
    })
  )
