import { Handle, Mnemonic } from "@kez-chat/sdk/protocol"
import type { Vault } from "@kez-chat/sdk/services"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"
import { fail, type Failure } from "../../Failure.ts"
import { primaryOf } from "../../owner/LocalKezChat.ts"
import * as NewAccount from "./NewAccount.ts"
import type { Services } from "../../owner/Session.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import type { ProfilePaths } from "../../profile/Paths.ts"
import * as Profile from "../../profile/Profile.ts"
import * as ProfileVault from "../../profile/ProfileVault.ts"
import * as VaultChoice from "../../profile/VaultChoice.ts"
import { Json, note, result } from "../../terminal/output/index.ts"
import { Ask } from "../../terminal/input/Ask.ts"
import * as SeedWords from "./SeedWords.ts"

export interface Input {
  readonly handle: string
  readonly yes: boolean
  /** A file with the words of a key that its owner has already. */
  readonly existingWords: Option.Option<string>
  readonly invite: Option.Option<string>
  readonly wordsFile: Option.Option<string>
  readonly wordsFd: Option.Option<number>
  readonly vault: VaultChoice.Wish
}

// With these codes nothing was registered and trying this name again is useless, so the new seed is worthless.
const voiding: ReadonlySet<string> = new Set(["handle_taken", "handle_reserved", "handle_deleted", "wrong_server"])

const isVoiding = (error: Failure): boolean => error._tag === "Problem" && voiding.has(error.code)

/** Delivers the words: to a file, to a descriptor, or to a person who types some of them back. */
const deliverWords = Effect.fnUntraced(function* (words: Redacted.Redacted<string>, input: Input) {
  if (Option.isSome(input.wordsFile)) yield* SeedWords.toFile(words, input.wordsFile.value)
  if (Option.isSome(input.wordsFd)) yield* SeedWords.toDescriptor(words, input.wordsFd.value)
  if (input.yes) return
  const ask = yield* Ask
  if (!(yield* ask.possible)) {
    return yield* fail(
      "input_needed",
      "usage",
      "the words must be written down, but there is no terminal to show them on: use --yes with --words-file or --words-fd"
    )
  }
  yield* SeedWords.teach(words)
})

/** Removes everything that was created for a handle that cannot be registered. */
const withdraw = Effect.fnUntraced(function* (paths: ProfilePaths, vault: Vault["Service"], input: Input) {
  yield* Effect.ignore(vault.clear)
  if (Option.isSome(input.wordsFile)) yield* SeedWords.removeFile(input.wordsFile.value)
  yield* Profile.erase(paths)
})

/** The seed of an earlier, unfinished run; undefined if that run did not get as far. */
const keptWords = Effect.fnUntraced(function* (paths: ProfilePaths, profile: Profile.Profile) {
  const vault = yield* ProfileVault.of(paths, profile.vault)
  const seed = Option.getOrUndefined(yield* vault.load)
  if (seed === undefined) return undefined
  return { vault, words: Redacted.make(Mnemonic.fromSeed(Redacted.value(seed))), vaultPlace: profile.vault }
})

export const register = (input: Input): Effect.Effect<void, Failure, Services> =>
  input.yes || Option.isSome(input.existingWords) ? run(input) : Effect.flatMap(Ask, (ask) => ask.guarded(run(input)))

const run = Effect.fnUntraced(function* (input: Input) {
  const paths = yield* Profile.currentPaths
  const started = yield* NewAccount.unfinished(paths)
  const server = input.handle.includes("@") ? input.handle.replace(/^@/, "").split("@")[1] : undefined
  const home = yield* NewAccount.findHome({ profile: Option.getOrUndefined(started)?.home, server })
  const handle = yield* Effect.fromResult(Handle.parseMention(input.handle, home.server))
  if (handle.server !== home.server) {
    return yield* fail(
      "wrong_server",
      "usage",
      `${home.url} is the home of ${home.server}, and ${handle.text} belongs to another, ${handle.server}: register ${handle.local}@${home.server}, or name the home of ${handle.server} with --home`
    )
  }

  if (Option.isSome(started) && started.value.handle !== handle.text) {
    return yield* fail(
      "account_unfinished",
      "refused",
      `the profile ${paths.name} is in the middle of ${started.value.handle === undefined ? "a restore" : `registering ${started.value.handle}`}: finish that, or use --profile NAME`
    )
  }

  const existing = Option.isSome(input.existingWords) ? yield* SeedWords.from(input.existingWords.value) : undefined
  if (existing !== undefined && Option.isSome(started) && started.value.primary !== (yield* primaryOf(existing))) {
    return yield* fail(
      "account_unfinished",
      "refused",
      `the profile ${paths.name} is in the middle of registering another key: finish that without --existing-words, or use --profile NAME`
    )
  }

  yield* NewAccount.lock(paths)
  const kept = Option.isSome(started) ? yield* keptWords(paths, started.value) : undefined
  const invite = Option.getOrUndefined(input.invite)?.trim()
  if (kept !== undefined) yield* note(`Resuming the registration of ${handle.text}.`)
  else {
    yield* home.ensureOpen(invite)
    yield* home.ensureFree(handle.local)
    for (const [name, url] of Object.entries(home.operator)) yield* note(`${home.server}, ${name}: ${url}`)
  }
  const words = kept?.words ?? existing ?? Redacted.make(Mnemonic.generate(randomBytes(32)))
  const choice = kept === undefined ? yield* VaultChoice.choose(input.vault, paths.name) : undefined
  const vaultPlace = kept?.vaultPlace ?? choice?.vault ?? { kind: "file" }
  const vault = kept?.vault ?? (yield* ProfileVault.of(paths, vaultPlace))
  const before: Profile.Profile = {
    version: 1,
    handle: handle.text,
    primary: yield* primaryOf(words),
    home: home.url,
    step: "created",
    vault: vaultPlace
  }
  // The seed is stored before its words are delivered, so that written words never belong to a lost seed.
  if (choice !== undefined)
    yield* NewAccount.keepSeed({ paths, vault, profile: before, words, sentence: choice.sentence })
  if (existing === undefined) yield* deliverWords(words, input)
  const { device, step } = yield* NewAccount.open(
    { primary: before.primary, home: home.url, paths, vault, command: "register" },
    (chat) => chat.create({ handle: handle.text, words, invite })
  ).pipe(Effect.tapError((error) => (isVoiding(error) ? withdraw(paths, vault, input) : Effect.void)))
  const profile = { ...before, device, step }
  yield* Profile.save(paths, profile)
  yield* result({
    json: () => Json.account(paths.name, profile),
    text: (style) => [
      `${style.good("Registered")} ${style.name(handle.text)}`,
      `key   ${profile.primary}`,
      `seed  ${vault.description}`,
      "",
      ...["add NAME", "send NAME TEXT", "listen"].map(
        (command, index) => `${index === 0 ? "Next:" : "     "} ${style.bold(CommandLine.line(paths.name, command))}`
      )
    ]
  })
}, Effect.scoped)
