import { Mnemonic } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { fail, usage } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import * as Profile from "../../profile/Profile.ts"
import * as ProfileVault from "../../profile/ProfileVault.ts"
import { Ask } from "../../terminal/input/Ask.ts"
import { result, Screen } from "../../terminal/output/Screen.ts"
import * as SeedWords from "./SeedWords.ts"

export interface Input {
  readonly check: boolean
  readonly wordsFile: Option.Option<string>
  readonly wordsFd: Option.Option<number>
}

/** Reads the vault even if another process owns the profile: words never cross its socket. */
export const words = Effect.fn("Words.words")(function* (input: Input) {
  const { paths, profile } = yield* Profile.required
  const toFile = Option.isSome(input.wordsFile) || Option.isSome(input.wordsFd)
  const { json } = yield* settings
  if (json && !toFile && !input.check) {
    return yield* usage("words are never printed as JSON: use --words-file or --words-fd with it")
  }
  const vault = yield* ProfileVault.of(paths, profile.vault)
  const seed = yield* ProfileVault.seedOf(vault, paths)
  const text = Redacted.make(Mnemonic.fromSeed(Redacted.value(seed)))
  const ask = yield* Ask
  if (input.check) {
    if (!(yield* ask.guarded(SeedWords.check(text)))) {
      return yield* fail(
        "words_differ",
        "failed",
        `a word was wrong: write them down again with \`${CommandLine.line(paths.name, "words")}\``
      )
    }
    return yield* result({ json: () => ({ correct: true }), text: (style) => style.good("All three are right.") })
  }
  if (Option.isSome(input.wordsFile)) yield* SeedWords.toFile(text, input.wordsFile.value)
  if (Option.isSome(input.wordsFd)) yield* SeedWords.toDescriptor(text, input.wordsFd.value)
  if (toFile) {
    return yield* result({
      json: () => ({ written: true }),
      text: () => Option.match(input.wordsFile, { onNone: () => "", onSome: (file) => `Written to ${file}` })
    })
  }
  const screen = yield* Screen
  // A redirected output (`kez-chat words | gpg --encrypt`) is intended.
  if (screen.outIsTerminal && (yield* ask.possible)) return yield* ask.guarded(SeedWords.show(text))
  yield* screen.out(`${Redacted.value(text)}\n`)
})
