/** The 24 words on their way to a person or a file. They are shown, written and typed here and nowhere else. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { randomInt } from "node:crypto"
import * as fs from "node:fs"
import { ExitCode } from "../ExitCode.ts"
import { type CliFailure, fail } from "../Failure.ts"
import * as NewFile from "../NewFile.ts"
import { Ask } from "../terminal/Ask.ts"
import { reasonOf } from "../SystemError.ts"

type Words = Redacted.Redacted<string>

/** Largest file of words that is read, in bytes. */
const maxBytes = 4096
/** How many words are asked back. */
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

/** Shows the words on a screen that is gone afterwards, until Enter. */
export const show = (words: Words): Effect.Effect<void, CliFailure, Ask> =>
  Effect.gen(function* () {
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

/** Asks for some words at random, on a screen that is gone afterwards; false when one was wrong. */
export const check = (words: Words): Effect.Effect<boolean, CliFailure, Ask> =>
  Effect.gen(function* () {
    const ask = yield* Ask
    const all = list(words)
    const answers = Effect.gen(function* () {
      for (const position of positions(all.length)) {
        const answer = yield* ask.line(`  Word ${String(position + 1).padStart(2)}: `)
        if (answer.trim().toLowerCase() !== all[position]) return false
      }
      return true
    })
    return yield* ask.secretly(`\n  Type ${asked} of them, to be sure that they are on your paper.\n\n`, answers)
  })

/** Shows the words and asks for some of them, until they are right. */
export const teach = (words: Words): Effect.Effect<void, CliFailure, Ask> =>
  Effect.gen(function* () {
    const ask = yield* Ask
    for (;;) {
      yield* show(words)
      if (yield* check(words)) return
      yield* ask.line("That was not it. Press Enter to see the words again. ")
    }
  })

const io = <A>(what: string, run: () => A): Effect.Effect<A, CliFailure> =>
  Effect.try({
    try: run,
    catch: (error) => fail("words_file", ExitCode.failed, `${what}: ${reasonOf(error)}`)
  })

const holds = (file: string, text: string): boolean => {
  try {
    return fs.readFileSync(file, "utf8") === text
  } catch {
    return false
  }
}

/** Writes the words to a new file of mode 0600. An existing file is left alone; it is right if it holds the same words. */
export const toFile = (words: Words, file: string): Effect.Effect<void, CliFailure> =>
  Effect.suspend(() => {
    const text = `${Redacted.value(words)}\n`
    if (holds(file, text)) return Effect.void
    return Effect.mapError(NewFile.create(file, text), ({ message }) => fail("words_file", ExitCode.failed, message))
  })

/** Removes a file of words that turned out to be of no account. */
export const removeFile = (file: string): Effect.Effect<void> => Effect.sync(() => fs.rmSync(file, { force: true }))

/** Writes the words to an open file descriptor. */
export const toDescriptor = (words: Words, descriptor: number): Effect.Effect<void, CliFailure> =>
  io(`cannot write the words to descriptor ${descriptor}`, () => {
    fs.writeFileSync(descriptor, `${Redacted.value(words)}\n`)
  })

const bounded = (text: Buffer): string => {
  if (text.length > maxBytes) throw new Error(`it is longer than ${maxBytes} bytes`)
  return text.toString("utf8").trim()
}

/** Reads words from a file, or from an open file descriptor. */
export const from = (source: string | number): Effect.Effect<Words, CliFailure> =>
  Effect.map(
    io(`cannot read the words from ${typeof source === "string" ? source : `descriptor ${source}`}`, () =>
      bounded(fs.readFileSync(source))
    ),
    (text) => Redacted.make(text)
  )

/** Asks for the words, on a screen that is gone afterwards. They may come in several lines, as from paper. */
export const typed: Effect.Effect<Words, CliFailure, Ask> = Effect.gen(function* () {
  const ask = yield* Ask
  const text = [
    "",
    "  Type your 24 words in order, with spaces between; several lines are fine.",
    "  After KEZ's 12 words press Enter once more.",
    "",
    ""
  ].join("\n")
  const isComplete = (words: string) => words.trim().split(/\s+/).length >= 24
  return Redacted.make(yield* ask.secretly(text, ask.line("  > ", isComplete)))
})
