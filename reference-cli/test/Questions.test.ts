/** Questions to a person, with a double in the person's place: words, and passphrases. */
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { Effect, Layer, Redacted } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { it } from "@effect/vitest"
import { afterAll, beforeAll, describe, expect } from "vitest"
import { CurrentSettings, defaults } from "../src/Flags.ts"
import { Host } from "../src/Host.ts"
import * as Passphrase from "../src/profile/Passphrase.ts"
import { Ask } from "../src/terminal/input/Ask.ts"
import { Screen } from "../src/terminal/output/Screen.ts"
import { screenDouble } from "./kit/ScreenDouble.ts"
import * as SeedWords from "../src/commands/account/SeedWords.ts"

let folder: string
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-words-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const words = Redacted.make(Mnemonic.fromSeed(Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 1)))
const all = Redacted.value(words).split(" ")

interface Person {
  readonly ask: Ask["Service"]
  /** Everything on the ordinary screen, which scrolls back. */
  readonly screen: () => string
  /** Everything that was shown only for a moment. */
  readonly secret: () => string
}

/** Answers questions; what it says may depend on what it was shown. */
const person = (answer: (question: string, shown: string) => string, possible = true): Person => {
  let screen = ""
  let secret = ""
  let inSecret = false
  const write = (text: string) => {
    if (inSecret) secret += text
    else screen += text
  }
  const line = (question: string) =>
    Effect.sync(() => {
      write(question)
      const text = answer(question, screen + secret)
      write(`${text}\n`)
      return text
    })
  return {
    screen: () => screen,
    secret: () => secret,
    ask: {
      possible: Effect.succeed(possible),
      line,
      lines: line,
      guarded: (use) => use,
      hidden: (question) =>
        Effect.sync(() => {
          write(`${question}\n`)
          return Redacted.make(answer(question, screen + secret))
        }),
      secretly: (text, use) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            inSecret = true
            write(text)
          }),
          () => use,
          () =>
            Effect.sync(() => {
              inSecret = false
            })
        ),
      show: (text) => Effect.sync(() => write(text))
    }
  }
}

const wordAsked = (question: string): string | undefined => all[Number(/Word +(\d+)/.exec(question)?.[1]) - 1]

describe("the words on a terminal", () => {
  const teach = (someone: Person) => Effect.provideService(SeedWords.teach(words), Ask, someone.ask)

  it.live("are shown, then some are typed back, and nothing of them stays on the screen", () =>
    Effect.gen(function* () {
      const someone = person((question) => wordAsked(question) ?? "")
      yield* teach(someone)
      for (const word of all) expect(someone.secret()).toContain(word)
      expect(someone.secret().match(/Word +\d+:/g)).toHaveLength(3)
      expect(someone.screen()).not.toMatch(new RegExp(all.map((word) => `\\b${word}\\b`).join("|")))
    })
  )

  it.live("are shown again when one is wrong, until they are right", () =>
    Effect.gen(function* () {
      let mistakes = 2
      const someone = person((question) => {
        const word = wordAsked(question)
        return word !== undefined && mistakes-- > 0 ? "wrong" : (word ?? "")
      })
      yield* teach(someone)
      expect(someone.secret().match(/Your 24 words/g)).toHaveLength(3)
    })
  )

  it.live("are taken in any case and with spaces around", () =>
    Effect.gen(function* () {
      yield* teach(person((question) => ` ${wordAsked(question)?.toUpperCase() ?? ""} `))
    })
  )

  it.live("fit into 80 columns", () =>
    Effect.gen(function* () {
      const someone = person((question) => wordAsked(question) ?? "")
      yield* teach(someone)
      for (const line of someone.secret().split("\n")) expect(line.length).toBeLessThanOrEqual(80)
    })
  )

  it.live("are asked in a different choice each time", () =>
    Effect.gen(function* () {
      const choices = new Set<string>()
      for (let round = 0; round < 20; round++) {
        const someone = person((question) => wordAsked(question) ?? "")
        yield* teach(someone)
        choices.add((someone.secret().match(/Word +\d+/g) ?? []).join())
      }
      expect(choices.size).toBeGreaterThan(10)
    })
  )
})

describe("the words in files", () => {
  it.live("go into a new private file, and over another file never", () =>
    Effect.gen(function* () {
      const file = path.join(folder, "a.words")
      yield* SeedWords.toFile(words, file)
      expect(fs.statSync(file).mode & 0o777).toBe(0o600)
      yield* SeedWords.toFile(words, file)
      const other = path.join(folder, "b.words")
      fs.writeFileSync(other, "something else")
      expect(yield* Effect.flip(SeedWords.toFile(words, other))).toMatchObject({ code: "words_file" })
      expect(fs.readFileSync(other, "utf8")).toBe("something else")
    })
  )

  it.live("come back as they went", () =>
    Effect.gen(function* () {
      const file = path.join(folder, "c.words")
      yield* SeedWords.toFile(words, file)
      expect(Redacted.value(yield* SeedWords.from(file))).toBe(all.join(" "))
      fs.writeFileSync(file, "x".repeat(5_000))
      expect(yield* Effect.flip(SeedWords.from(file))).toMatchObject({ code: "words_file" })
    })
  )
})

describe("Passphrase.get", () => {
  const get = (purpose: "open" | "new", someone: Person, env: Record<string, string> = {}, fd?: number) => {
    let told = ""
    const screen = screenDouble({ err: (text) => Effect.sync(() => void (told += text)) })
    const host = Host.of({ env, platform: "linux", cwd: folder, homeDirectory: folder, temporary: folder })
    return Passphrase.get(purpose).pipe(
      Effect.provide(
        Layer.mergeAll(Layer.succeed(Ask, someone.ask), Layer.succeed(Screen, screen), Layer.succeed(Host, host))
      ),
      Effect.provideService(CurrentSettings, { ...defaults, passphraseFd: fd }),
      Effect.map(({ passphrase, typed }) => ({ passphrase: Redacted.value(passphrase), typed, told }))
    )
  }

  const passphraseFile = (text: string, mode = 0o600) => {
    const file = path.join(folder, `pass-${Math.random()}`)
    fs.writeFileSync(file, text, { mode })
    fs.chmodSync(file, mode)
    return file
  }

  const nobody = person(() => "", false)

  it.live("is the same from a file of any editor", () =>
    Effect.gen(function* () {
      for (const text of ["correct horse", "correct horse\n", "correct horse\r\n", "\uFEFFcorrect horse\r\n"]) {
        const found = yield* get("open", nobody, { KEZ_PASSPHRASE_FILE: passphraseFile(text) })
        expect(found.passphrase).toBe("correct horse")
      }
    })
  )

  it.live("asks twice for a new one, until both are the same and long enough", () =>
    Effect.gen(function* () {
      const answers = ["short", "long enough", "different", "long enough", "long enough"]
      const someone = person(() => answers.shift()!)
      expect(yield* get("new", someone)).toMatchObject({ passphrase: "long enough", typed: true })
      expect(someone.screen()).toContain("at least 8 characters")
      expect(someone.screen()).toContain("The two differ")
      expect(someone.screen()).not.toContain("long enough")
    })
  )

  it.live("reads a file without its line break, and warns when others can read it", () =>
    Effect.gen(function* () {
      const file = passphraseFile("correct horse\r\n")
      expect(yield* get("open", nobody, { KEZ_PASSPHRASE_FILE: file })).toMatchObject({
        passphrase: "correct horse",
        typed: false,
        told: ""
      })
      const open = passphraseFile("correct horse\n", 0o644)
      expect((yield* get("open", nobody, { KEZ_PASSPHRASE_FILE: open })).told).toContain("can be read by others")
    })
  )

  it.live("prefers a descriptor to a file, and a file to a question", () =>
    Effect.gen(function* () {
      const descriptor = fs.openSync(passphraseFile("from the descriptor\n"), "r")
      const someone = person(() => "from the person")
      const env = { KEZ_PASSPHRASE_FILE: passphraseFile("from the file\n") }
      expect((yield* get("open", someone, env, descriptor)).passphrase).toBe("from the descriptor")
      fs.closeSync(descriptor)
      expect((yield* get("open", someone, env)).passphrase).toBe("from the file")
      expect((yield* get("open", someone)).passphrase).toBe("from the person")
    })
  )

  it.live("is locked without a person, an empty file, an absent file, or too short a new one", () =>
    Effect.gen(function* () {
      const locked = { _tag: "VaultError", reason: "locked" }
      const error = (attempt: ReturnType<typeof get>) => Effect.flip(attempt)
      expect(yield* error(get("open", nobody))).toMatchObject(locked)
      expect(yield* error(get("open", nobody, { KEZ_PASSPHRASE_FILE: passphraseFile("\n") }))).toMatchObject(locked)
      expect(yield* error(get("open", nobody, { KEZ_PASSPHRASE_FILE: path.join(folder, "absent") }))).toMatchObject(
        locked
      )
      expect(
        yield* error(get("open", nobody, { KEZ_PASSPHRASE_FILE: passphraseFile("x".repeat(5_000)) }))
      ).toMatchObject(locked)
      expect(yield* error(get("new", nobody, { KEZ_PASSPHRASE_FILE: passphraseFile("short") }))).toMatchObject(locked)
    })
  )
})
