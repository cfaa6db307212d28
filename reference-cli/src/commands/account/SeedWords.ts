/** The 24 words on their way to a person or a file. No other module shows, writes or reads them. */
import { WrittenWords } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { randomInt } from "node:crypto"
import * as fs from "node:fs"
import { type CliFailure, fail } from "../../Failure.ts"
import * as NewFile from "../../NewFile.ts"
import { Ask } from "../../terminal/input/Ask.ts"
import { attempt } from "../../SystemError.ts"
import type { Judge } from "../../terminal/input/Question.ts"

type Words = Redacted.Redacted<string>

/** Largest file of words that is accepted, in bytes. */
const maxBytes = 4096
/** How many words a person has to type back. */
const asked = 3

const list = (words: Words): ReadonlyArray<string> => Redacted.value(words).split(" ")

/** Four numbered columns, read downwards as people write. */
const table = (words: Words): string => {
  const all = list(words)
  const rows = Math.ceil(all.length / 4)
  const line = (row: number) =>
    [0, 1, 2, 3]
      .map((column) => column * rows + row)
      .filter((index) => index < all.length)
      .map((index) => `${String(index + 1).padStart(4)}  ${all[index]!.padEnd(10)}`)
      .join("")
      .trimEnd()
  return Array.from({ length: rows }, (_, row) => line(row)).join("\n")
}

/** Shows the words until Enter, on a screen that is cleared afterwards. */
export const show = Effect.fn("SeedWords.show")(function* (words: Words): Effect.fn.Return<void, CliFailure, Ask> {
  const ask = yield* Ask
  const text = [
    "",
    "  Your 24 words",
    "",
    "  They are your account. Whoever has them is you, and without them a lost",
    "  machine is a lost account: nobody can reset them. Write them on paper,",
    "  in this order, and show them to nobody.",
    "",
    table(words),
    "",
    ""
  ].join("\n")
  yield* ask.secretly(text, ask.line("  Press Enter when they are written down; they then leave this screen. "))
})

const positions = (count: number): ReadonlyArray<number> => {
  const all = new Set<number>()
  while (all.size < asked) all.add(randomInt(count))
  return [...all].toSorted((a, b) => a - b)
}

/** Asks for some of the words, chosen at random, on a screen that is cleared afterwards; false if one was wrong. */
export const check = Effect.fn("SeedWords.check")(function* (words: Words): Effect.fn.Return<boolean, CliFailure, Ask> {
  const ask = yield* Ask
  const all = list(words)
  const answers = Effect.gen(function* () {
    for (const position of positions(all.length)) {
      const answer = yield* ask.line(`  Word ${String(position + 1).padStart(2)}: `)
      if (WrittenWords.wordOf(answer) !== all[position]) return false
    }
    return true
  })
  return yield* ask.secretly(`\n  Type ${asked} of them, to be sure that they are on your paper.\n\n`, answers)
})

/** Shows the words and asks for some of them, until they are right. */
export const teach = Effect.fn("SeedWords.teach")(function* (words: Words): Effect.fn.Return<void, CliFailure, Ask> {
  const ask = yield* Ask
  for (;;) {
    yield* show(words)
    if (yield* check(words)) return
    yield* ask.line("A word was wrong. Press Enter to see the words again. ")
  }
})

const holds = (file: string, text: string): boolean => {
  try {
    return fs.readFileSync(file, "utf8") === text
  } catch {
    return false
  }
}

/** Writes the words to a new file of mode 0600. An existing file is accepted only if it holds these words. */
export const toFile = (words: Words, file: string): Effect.Effect<void, CliFailure> =>
  Effect.suspend(() => {
    const text = `${Redacted.value(words)}\n`
    if (holds(file, text)) return Effect.void
    return Effect.mapError(NewFile.create(file, text), ({ message }) => fail("words_file", "failed", message))
  })

/** Removes a file of words whose account could not be created. */
export const removeFile = (file: string): Effect.Effect<void> => Effect.sync(() => fs.rmSync(file, { force: true }))

/** Writes the words to an open file descriptor. */
export const toDescriptor = (words: Words, descriptor: number): Effect.Effect<void, CliFailure> =>
  attempt("words_file", `cannot write the words to descriptor ${descriptor}`, () => {
    fs.writeFileSync(descriptor, `${Redacted.value(words)}\n`)
  })

const bounded = (text: Buffer): string => {
  if (text.length > maxBytes) throw new Error(`it is longer than ${maxBytes} bytes`)
  return text.toString("utf8").trim()
}

const invalid = (issue: WrittenWords.Issue): CliFailure => fail("mnemonic_invalid", "usage", sentence(issue))

/** What is wrong with words as they were written, without repeating any of them. */
const sentence = (issue: WrittenWords.Issue): string => {
  switch (issue._tag) {
    case "Count":
      return `24 words are needed, or KEZ's 12, and ${issue.count} are there`
    case "Missing":
      return `no word stands at ${issue.positions.length === 1 ? "number" : "the numbers"} ${issue.positions.join(", ")}`
    case "Unknown":
      return issue.words
        .map(({ position, nearest }) =>
          nearest.length === 0
            ? `word ${position} is not in the list`
            : `word ${position} is not in the list (is it ${nearest.join(" or ")}?)`
        )
        .join("; ")
    case "Checksum":
      return "each word is in the list, but not together: one is another than on your paper, or out of place"
  }
}

const read = (text: string): Effect.Effect<Words, CliFailure> => {
  const words = WrittenWords.read(text)
  return Result.isSuccess(words) ? Effect.succeed(Redacted.make(words.success)) : Effect.fail(invalid(words.failure))
}

/** Reads words from a file, or from an open file descriptor. */
export const from = (source: string | number): Effect.Effect<Words, CliFailure> =>
  Effect.flatMap(
    attempt(
      "words_file",
      `cannot read the words from ${typeof source === "string" ? source : `descriptor ${source}`}`,
      () => bounded(fs.readFileSync(source))
    ),
    read
  )

/** Reads several keys' words from a file, a line for each. */
export const linesFrom = (file: string): Effect.Effect<ReadonlyArray<Words>, CliFailure> =>
  Effect.flatMap(
    attempt("words_file", `cannot read the words from ${file}`, () => bounded(fs.readFileSync(file))),
    (text) =>
      Effect.forEach(
        text.split("\n").filter((line) => line.trim() !== ""),
        read
      )
  )

/** Whether the typed lines are complete. 12 words may be half of 24: an empty line completes them. */
export const judge: Judge = (text, isLast) => {
  const words = WrittenWords.read(text)
  const isOver = isLast || /\S\s*\n\s*\n\s*$/.test(text)
  const count = Result.isSuccess(words) ? words.success.split(" ").length : words.failure.count
  if (count === 0 || (count < 24 && !isOver)) return { _tag: "Incomplete" }
  if (Result.isSuccess(words)) return { _tag: "Complete" }
  return { _tag: "Wrong", message: `  ${sentence(words.failure)}` }
}

/** Asks for the words on a screen that is cleared afterwards. They may span lines and be numbered. */
export const typed: Effect.Effect<Words, CliFailure, Ask> = Effect.gen(function* () {
  const ask = yield* Ask
  const text = [
    "",
    "  Type or paste your 24 words in order. Numbers, commas and line breaks",
    "  between them are fine, and so are the first four letters of each.",
    "  After KEZ's 12 words press Enter on an empty line.",
    "",
    ""
  ].join("\n")
  return yield* read(yield* ask.secretly(text, ask.lines("  > ", judge)))
})
