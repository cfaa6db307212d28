import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { fail, type Failure } from "../../Failure.ts"
import { primaryOf } from "../../owner/LocalKezChat.ts"
import * as NewAccount from "./NewAccount.ts"
import type { Services } from "../../owner/Session.ts"
import type { ProfilePaths } from "../../profile/Paths.ts"
import * as Profile from "../../profile/Profile.ts"
import * as ProfileVault from "../../profile/ProfileVault.ts"
import * as VaultChoice from "../../profile/VaultChoice.ts"
import { Json, note, result, warn } from "../../terminal/output/index.ts"
import { Ask } from "../../terminal/input/Ask.ts"
import { withAccess } from "../WithAccess.ts"
import * as SeedWords from "./SeedWords.ts"
import * as Cursor from "../messages/Cursor.ts"
import { newestOrder } from "../messages/Backlog.ts"

export interface Input {
  readonly wordsFile: Option.Option<string>
  readonly wordsFd: Option.Option<number>
  /** A file with the words of former keys, a line for each. */
  readonly formerWords: Option.Option<string>
  readonly vault: VaultChoice.Wish
}

/** How long to wait for the history that the broker still has, in milliseconds. The rest arrives later. */
const historyMillis = 60_000

const nobody = (home: string) =>
  fail(
    "handle_not_found",
    "notFound",
    `the words are valid, but no account is registered for them at ${home}: name its home server with --home URL`
  )

export const restore = (input: Input): Effect.Effect<void, Failure, Services> =>
  Option.isSome(input.wordsFile) || Option.isSome(input.wordsFd)
    ? run(input)
    : Effect.flatMap(Ask, (ask) => ask.guarded(run(input)))

const wordsOf = (input: Input) =>
  Option.isSome(input.wordsFile)
    ? SeedWords.from(input.wordsFile.value)
    : Option.isSome(input.wordsFd)
      ? SeedWords.from(input.wordsFd.value)
      : SeedWords.typed

const formerOf = ({ formerWords }: Input) =>
  Option.match(formerWords, { onNone: () => Effect.succeed([]), onSome: SeedWords.linesFrom })

/** The words of the key that this profile's account was rotated to on another device. */
const goOn = (input: Input, paths: ProfilePaths, profile: Profile.Profile) =>
  withAccess(
    { command: "restore" },
    Effect.fnUntraced(function* ({ chat, owner }) {
      yield* Effect.ignore(Effect.timeout(chat.sync, 10_000))
      if (owner !== undefined || (yield* chat.account).movedTo === undefined) {
        return yield* fail(
          "account_exists",
          "refused",
          `the profile ${paths.name} already holds ${profile.handle}: use --profile NAME for another account`
        )
      }
      const words = yield* wordsOf(input)
      const { device, handle, primary, step } = yield* chat.restore({ words, former: yield* formerOf(input) })
      const next = { ...profile, handle, primary, device, step }
      yield* Profile.save(paths, next)
      yield* result({
        json: () => Json.account(paths.name, next),
        text: (style) => [`${style.good("Restored")} ${style.name(handle)}`, `key   ${primary}`]
      })
    })
  )

const run = Effect.fnUntraced(function* (input: Input) {
  const paths = yield* Profile.currentPaths
  const held = yield* Profile.load(paths)
  if (Option.isSome(held) && held.value.step === "published") return yield* goOn(input, paths, held.value)
  const started = yield* NewAccount.unfinished(paths)
  const home = yield* NewAccount.findHome({ profile: Option.getOrUndefined(started)?.home })
  const words = yield* wordsOf(input)
  const former = yield* formerOf(input)
  const primary = yield* primaryOf(words)

  // The seed of another account is never overwritten, however little of that account is stored.
  if (Option.isSome(started) && started.value.primary !== primary) {
    return yield* fail(
      "account_unfinished",
      "refused",
      `the profile ${paths.name} holds the unfinished account of another key: use --profile NAME`
    )
  }

  yield* NewAccount.lock(paths)
  const choice = yield* VaultChoice.choose(input.vault, paths.name)
  const vaultPlace = Option.isSome(started) ? started.value.vault : choice.vault
  const { sentence } = choice
  const vault = yield* ProfileVault.of(paths, vaultPlace)
  const before: Profile.Profile = { version: 1, primary, home: home.url, step: "created", vault: vaultPlace }
  yield* NewAccount.keepSeed({ paths, vault, profile: before, words, sentence })
  const { account, messages } = yield* NewAccount.open(
    { primary, home: home.url, paths, vault, command: "restore" },
    Effect.fnUntraced(function* (chat) {
      const account = yield* chat.restore({ words, former })
      const synced = yield* chat.sync.pipe(Effect.timeout(historyMillis), Effect.result)
      return { account, messages: yield* newestOrder(chat), synced: synced._tag === "Success" }
    })
  ).pipe(
    // If there is no account for the words at this home, nothing is left behind.
    Effect.tapError((error) =>
      error._tag === "Problem" ? Effect.andThen(Effect.ignore(vault.clear), Profile.erase(paths)) : Effect.void
    ),
    Effect.mapError((error) =>
      error._tag === "Problem" && error.code === "handle_not_found" ? nobody(home.url) : error
    )
  )
  const { handle, device, step } = account
  const profile = { ...before, handle, device, step }
  yield* Profile.save(paths, profile)
  // Restored messages are history, not news: `listen` starts after them.
  yield* Cursor.write(paths, messages)
  yield* note("History goes back as far as the home server keeps it: 30 days by default.")
  if (step !== "published") yield* warn("the account is not complete yet: the next command that goes online resumes")
  yield* result({
    json: () => Json.account(paths.name, profile),
    text: (style) => [
      `${style.good("Restored")} ${style.name(handle)}`,
      `key   ${primary}`,
      `seed  ${vault.description}`
    ]
  })
}, Effect.scoped)
