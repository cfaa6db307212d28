/** Steps that `register` and `restore` share, before there is an account that a session could open. */
import type { KezChat, KezChatError } from "@kez-chat/sdk"
import { Mnemonic, type Registration } from "@kez-chat/sdk/protocol"
import type { Vault } from "@kez-chat/sdk/services"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { fail, type Failure } from "../../Failure.ts"
import type { Host } from "../../Host.ts"
import * as Home from "../../profile/Home.ts"
import type { ProfilePaths } from "../../profile/Paths.ts"
import * as Profile from "../../profile/Profile.ts"
import * as RelayPolicy from "../../profile/RelayPolicy.ts"
import { note, type Screen } from "../../terminal/output/Screen.ts"
import { directoryOf, open as openLocal } from "../../owner/LocalKezChat.ts"
import * as OwnerFile from "../../owner/OwnerFile.ts"
import { lockOrOwner } from "../../owner/Session.ts"
import { protocolVersion } from "../../owner/Wire.ts"

/** A home server that answered. */
export interface FoundHome {
  readonly url: string
  /** Its name: the part after the `@` in its handles. */
  readonly server: string
  /** Fails if the handle is taken, reserved or was deleted, before its words are written down. */
  readonly ensureFree: (local: string) => Effect.Effect<void, Failure>
  /** Fails if the home registers nobody, or only who has an invite and there is none. */
  readonly ensureOpen: (invite: string | undefined) => Effect.Effect<void, Failure>
  readonly operator: Registration.Operator
}

/** Finds the home server and asks it for its name. */
export const findHome = Effect.fn("NewAccount.findHome")(function* (known: {
  readonly profile?: string | undefined
  readonly server?: string | undefined
}): Effect.fn.Return<FoundHome, Failure, Host> {
  const { url } = yield* Home.discover(known)
  const directory = yield* directoryOf(url)
  const { operator = {}, registration, server } = yield* directory.wellKnown
  const ensureOpen = Effect.fnUntraced(function* (invite: string | undefined) {
    const asking = operator.contact === undefined ? "its operator" : `its operator, ${operator.contact}`
    if (registration === "closed") {
      return yield* fail("registration_closed", "refused", `${server} takes no new accounts; ask ${asking}`)
    }
    if (registration === "invite" && invite === undefined) {
      return yield* fail(
        "invite_required",
        "refused",
        `${server} registers only who has an invite: get one from ${asking}, and give it with --invite CODE`
      )
    }
  })
  const ensureFree = (local: string) =>
    directory.lookup(local).pipe(
      Effect.matchEffect({
        onSuccess: () =>
          Effect.fail(fail("handle_taken", "refused", `${local}@${server} is taken: choose another name`)),
        onFailure: (error) =>
          error._tag === "Problem" && error.code === "handle_not_found" ? Effect.void : Effect.fail(error)
      })
    )
  return { url, server, ensureFree, ensureOpen, operator }
})

/** What an interrupted run has left of the profile; fails if the profile has an account. */
export const unfinished = Effect.fn("NewAccount.unfinished")(function* (paths: ProfilePaths) {
  const found = yield* Profile.load(paths)
  if (Option.isNone(found) || found.value.step !== "published") return found
  return yield* fail(
    "account_exists",
    "refused",
    `the profile ${paths.name} already holds ${found.value.handle}: use --profile NAME for another account`
  )
})

/** Takes the profile's lock for the rest of the scope. */
export const lock = Effect.fn("NewAccount.lock")(function* (
  paths: ProfilePaths
): Effect.fn.Return<void, Failure, Scope.Scope | Screen> {
  const found = yield* lockOrOwner(paths)
  if (found === "locked") return
  const { command, pid } = found.info
  return yield* fail(
    "profile_busy",
    "busy",
    `the profile ${paths.name} is held by \`kez-chat ${command}\` (process ${pid}): end it first`
  )
})

/** Stores the seed and the profile that names it, both or neither. Asks for the passphrase. */
export const keepSeed = Effect.fn("NewAccount.keepSeed")(function* (options: {
  readonly paths: ProfilePaths
  readonly vault: Vault["Service"]
  readonly profile: Profile.Profile
  readonly words: Redacted.Redacted<string>
  readonly sentence: string
}): Effect.fn.Return<void, Failure, Screen> {
  const { paths, vault, profile, words, sentence } = options
  const seed = yield* Effect.fromResult(Mnemonic.toSeed(Redacted.value(words)))
  yield* note(sentence)
  yield* Profile.save(paths, profile)
  yield* vault
    .save(Redacted.make(seed, { label: "seed" }))
    .pipe(Effect.onError(() => Effect.ignore(Profile.erase(paths))))
})

/** Runs `use` with a client that has no account yet. Only for the holder of the lock. */
export const open = Effect.fn("NewAccount.open")(function* <A>(
  options: {
    readonly primary: string
    readonly home: string
    readonly paths: ProfilePaths
    readonly vault: Vault["Service"]
    readonly command: string
  },
  use: (chat: KezChat["Service"]) => Effect.Effect<A, KezChatError>
) {
  const { primary, home, paths, vault, command } = options
  yield* OwnerFile.announce(paths, { version: 1, protocol: protocolVersion, pid: process.pid, command })
  const { chat } = yield* openLocal({
    primary,
    home,
    // Restoring asks about no contact.
    homes: {},
    proofs: {},
    paths,
    vault,
    relay: RelayPolicy.ofHome(home),
    offline: false
  })
  return yield* use(chat)
}, Effect.scoped)
