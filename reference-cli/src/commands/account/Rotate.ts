import { AccountMoved, type KezChat, type Rotation } from "@kez-chat/sdk"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { randomBytes } from "node:crypto"
import { fail, type Failure } from "../../Failure.ts"
import type { Services } from "../../owner/Session.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import * as Profile from "../../profile/Profile.ts"
import { Ask } from "../../terminal/input/Ask.ts"
import { note, result } from "../../terminal/output/index.ts"
import { withAccess } from "../WithAccess.ts"
import * as SeedWords from "./SeedWords.ts"

export interface Input {
  readonly yes: boolean
  readonly wordsFile: Option.Option<string>
  readonly wordsFd: Option.Option<number>
}

const sentences: Record<Rotation["step"], string> = {
  saved: "the new key is stored beside the old one",
  published: "the new key's sigchain is published",
  rotated: "the old key's sigchain has ended: there is no way back",
  transferred: "the home server has put the new key in the place of the old one",
  finished: "this device uses the new key"
}

const explain = (handle: string): string =>
  [
    `This gives ${handle} a new key and new words. Do it if somebody else may know your words, or has a device that held them.`,
    "",
    "  Your contacts see that you handed over to a new key, and confirm it; then the conversation goes on.",
    "  Messages and contacts stay here. Keep the old words too: mail of the old key opens with nothing else.",
    "  What you share ends: share it again afterwards.",
    "  Names that you linked are those of the old key: link each again with the new one, with `kez-chat prove`.",
    "  Your other devices stop sending until you enter the new words there, with `kez-chat restore`.",
    "",
    "Whoever has your words can read old mail, and can do this first. Nothing undoes it: neither the home server nor",
    "your contacts can tell you from somebody else who has the words.",
    ""
  ].join("\n")

/** Asks for consent, and delivers the words of a new key. */
const newWords = Effect.fnUntraced(function* (handle: string, input: Input) {
  const ask = yield* Ask
  if (!input.yes) {
    if (!(yield* ask.possible)) {
      return yield* fail(
        "input_needed",
        "usage",
        "the new words must be written down, but there is no terminal to show them on: use --yes with --words-file or --words-fd"
      )
    }
    yield* ask.show(explain(handle))
    const typed = yield* ask.line(`Type ${handle} to give it a new key: `)
    if (typed.trim() !== handle) {
      return yield* fail(
        "not_confirmed",
        "usage",
        `nothing was changed: ${JSON.stringify(typed.trim())} is not ${handle}`
      )
    }
  }
  const words = Redacted.make(Mnemonic.generate(randomBytes(32)))
  if (Option.isSome(input.wordsFile)) yield* SeedWords.toFile(words, input.wordsFile.value)
  if (Option.isSome(input.wordsFd)) yield* SeedWords.toDescriptor(words, input.wordsFd.value)
  if (!input.yes) yield* SeedWords.teach(words)
  return words
})

/** Words that were delivered for a rotation that did not begin are of no key. */
const withdraw = (chat: KezChat["Service"], { wordsFile }: Input) =>
  Effect.flatMap(chat.rotation, (rotation) =>
    rotation === undefined && Option.isSome(wordsFile) ? SeedWords.removeFile(wordsFile.value) : Effect.void
  )

export const rotate = (input: Input): Effect.Effect<void, Failure, Services> =>
  input.yes ? run(input) : Effect.flatMap(Ask, (ask) => ask.guarded(run(input)))

const run = (input: Input) =>
  withAccess(
    { command: "rotate" },
    Effect.fnUntraced(function* ({ chat, owner, paths, profile }) {
      if (owner !== undefined) {
        return yield* fail(
          "profile_busy",
          "busy",
          `the profile ${paths.name} is held by \`kez-chat ${owner.command}\` (process ${owner.pid}): end it first`
        )
      }
      if (input.yes && Option.isNone(input.wordsFile) && Option.isNone(input.wordsFd)) {
        return yield* fail(
          "words_needed",
          "usage",
          "--yes needs --words-file or --words-fd, or nobody has the new words"
        )
      }
      // Before anybody writes words down: what the home says, and what it still has.
      yield* chat.sync
      const { handle, movedTo } = yield* chat.account
      if (movedTo !== undefined) return yield* new AccountMoved({ handle, to: movedTo })
      const begun = yield* chat.rotation
      if (begun !== undefined)
        yield* note(`Resuming the rotation of ${handle}, to the key whose words you have: ${sentences[begun.step]}.`)
      const words = begun === undefined ? yield* newWords(handle, input) : undefined
      const steps = chat.rotate(words).pipe(
        Stream.drop(begun === undefined ? 0 : 1),
        Stream.tap(({ step }) => note(`${sentences[step]}.`)),
        Stream.runLast
      )
      const last = yield* Effect.tapError(steps, () => Effect.ignore(withdraw(chat, input)))
      const { device, primary, step } = yield* chat.account
      yield* Profile.save(paths, { ...profile, handle, primary, device, step })
      const from = Option.getOrUndefined(last)?.from ?? profile.primary
      yield* result({
        json: () => ({ rotated: handle, from, primary }),
        text: (style) => [
          `${style.good("Rotated")} ${style.name(handle)}`,
          `key   ${primary}`,
          `old   ${from}`,
          "",
          `Your contacts confirm the new key. On your other devices: ${style.bold(CommandLine.line(paths.name, "restore"))}`
        ]
      })
    })
  )
