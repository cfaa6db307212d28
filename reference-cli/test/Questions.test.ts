/** Questions to a person, with a double in the person's place: words, and passphrases. */
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { Cause, Effect, Exit, Layer, Redacted } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { CurrentSettings, type Settings } from "../src/Flags.ts"
import { Host } from "../src/Host.ts"
import * as Passphrase from "../src/profile/Passphrase.ts"
import { Ask } from "../src/terminal/input/Ask.ts"
import { Screen } from "../src/terminal/output/Screen.ts"
import { uncoloured } from "../src/terminal/output/Style.ts"
import * as Words from "../src/commands/account/SeedWords.ts"

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
  const teach = (someone: Person) => Effect.runPromise(Effect.provideService(Words.teach(words), Ask, someone.ask))

  it("are shown, then some are typed back, and nothing of them stays on the screen", async () => {
    const someone = person((question) => wordAsked(question) ?? "")
    await teach(someone)
    for (const word of all) expect(someone.secret()).toContain(word)
    expect(someone.secret().match(/Word +\d+:/g)).toHaveLength(3)
    expect(someone.screen()).not.toMatch(new RegExp(all.map((word) => `\\b${word}\\b`).join("|")))
  })

  it("are shown again when one is wrong, until they are right", async () => {
    let mistakes = 2
    const someone = person((question) => {
      const word = wordAsked(question)
      return word !== undefined && mistakes-- > 0 ? "wrong" : (word ?? "")
    })
    await teach(someone)
    expect(someone.secret().match(/Your 24 words/g)).toHaveLength(3)
  })

  it("are taken in any case and with spaces around", async () => {
    await teach(person((question) => ` ${wordAsked(question)?.toUpperCase() ?? ""} `))
  })

  it("fit into 80 columns", async () => {
    const someone = person((question) => wordAsked(question) ?? "")
    await teach(someone)
    for (const line of someone.secret().split("\n")) expect(line.length).toBeLessThanOrEqual(80)
  })

  it("are asked in a different choice each time", async () => {
    const choices = new Set<string>()
    for (let round = 0; round < 20; round++) {
      const someone = person((question) => wordAsked(question) ?? "")
      await teach(someone)
      choices.add((someone.secret().match(/Word +\d+/g) ?? []).join())
    }
    expect(choices.size).toBeGreaterThan(10)
  })
})

describe("the words in files", () => {
  const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(effect)

  it("go into a new private file, and over another file never", async () => {
    const file = path.join(folder, "a.words")
    await run(Words.toFile(words, file))
    expect(fs.statSync(file).mode & 0o777).toBe(0o600)
    await run(Words.toFile(words, file))
    const other = path.join(folder, "b.words")
    fs.writeFileSync(other, "something else")
    await expect(run(Words.toFile(words, other))).rejects.toMatchObject({ code: "words_file" })
    expect(fs.readFileSync(other, "utf8")).toBe("something else")
  })

  it("come back as they went", async () => {
    const file = path.join(folder, "c.words")
    await run(Words.toFile(words, file))
    expect(Redacted.value(await run(Words.from(file)))).toBe(all.join(" "))
    fs.writeFileSync(file, "x".repeat(5_000))
    await expect(run(Words.from(file))).rejects.toMatchObject({ code: "words_file" })
  })
})

describe("Passphrase.get", () => {
  const quiet: Settings = {
    json: false,
    quiet: false,
    profile: undefined,
    home: undefined,
    relay: undefined,
    passphraseFd: undefined,
    noInput: false
  }

  const get = (purpose: "open" | "new", someone: Person, env: Record<string, string> = {}, fd?: number) => {
    let told = ""
    const screen = Screen.of({
      out: () => Effect.void,
      emit: () => Effect.void,
      err: (text) => Effect.sync(() => void (told += text)),
      outIsTerminal: false,
      outIsPipe: false,
      canRedraw: false,
      errIsTerminal: false,
      columns: Effect.succeed(80),
      errTerminal: { canRedraw: false, columns: () => 80, write: () => {}, onResize: () => () => {} },
      style: uncoloured,
      errStyle: uncoloured
    })
    const host = Host.of({ env, platform: "linux", cwd: folder, homeDirectory: folder, temporary: folder })
    return Passphrase.get(purpose).pipe(
      Effect.provide(
        Layer.mergeAll(Layer.succeed(Ask, someone.ask), Layer.succeed(Screen, screen), Layer.succeed(Host, host))
      ),
      Effect.provideService(CurrentSettings, { ...quiet, passphraseFd: fd }),
      Effect.map(({ passphrase, typed }) => ({ passphrase: Redacted.value(passphrase), typed, told })),
      Effect.runPromiseExit
    )
  }

  const value = <A, E>(exit: Exit.Exit<A, E>): A => {
    if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
    return exit.value
  }

  const passphraseFile = (text: string, mode = 0o600) => {
    const file = path.join(folder, `pass-${Math.random()}`)
    fs.writeFileSync(file, text, { mode })
    fs.chmodSync(file, mode)
    return file
  }

  const nobody = person(() => "", false)

  it("is the same from a file of any editor", async () => {
    for (const text of ["correct horse", "correct horse\n", "correct horse\r\n", "\uFEFFcorrect horse\r\n"]) {
      const found = value(await get("open", nobody, { KEZ_PASSPHRASE_FILE: passphraseFile(text) }))
      expect(found.passphrase).toBe("correct horse")
    }
  })

  it("asks twice for a new one, until both are the same and long enough", async () => {
    const answers = ["short", "long enough", "different", "long enough", "long enough"]
    const someone = person(() => answers.shift()!)
    expect(value(await get("new", someone))).toMatchObject({ passphrase: "long enough", typed: true })
    expect(someone.screen()).toContain("at least 8 characters")
    expect(someone.screen()).toContain("The two differ")
    expect(someone.screen()).not.toContain("long enough")
  })

  it("reads a file without its line break, and warns when others can read it", async () => {
    const file = passphraseFile("correct horse\r\n")
    expect(value(await get("open", nobody, { KEZ_PASSPHRASE_FILE: file }))).toMatchObject({
      passphrase: "correct horse",
      typed: false,
      told: ""
    })
    const open = passphraseFile("correct horse\n", 0o644)
    expect(value(await get("open", nobody, { KEZ_PASSPHRASE_FILE: open })).told).toContain("can be read by others")
  })

  it("prefers a descriptor to a file, and a file to a question", async () => {
    const descriptor = fs.openSync(passphraseFile("from the descriptor\n"), "r")
    const someone = person(() => "from the person")
    const env = { KEZ_PASSPHRASE_FILE: passphraseFile("from the file\n") }
    expect(value(await get("open", someone, env, descriptor)).passphrase).toBe("from the descriptor")
    fs.closeSync(descriptor)
    expect(value(await get("open", someone, env)).passphrase).toBe("from the file")
    expect(value(await get("open", someone)).passphrase).toBe("from the person")
  })

  it("is locked without a person, an empty file, an absent file, or too short a new one", async () => {
    const locked = { _tag: "VaultError", reason: "locked" }
    const error = async (exit: ReturnType<typeof get>) => {
      const done = await exit
      return Exit.isFailure(done) ? Cause.squash(done.cause) : undefined
    }
    expect(await error(get("open", nobody))).toMatchObject(locked)
    expect(await error(get("open", nobody, { KEZ_PASSPHRASE_FILE: passphraseFile("\n") }))).toMatchObject(locked)
    expect(await error(get("open", nobody, { KEZ_PASSPHRASE_FILE: path.join(folder, "absent") }))).toMatchObject(locked)
    expect(await error(get("open", nobody, { KEZ_PASSPHRASE_FILE: passphraseFile("x".repeat(5_000)) }))).toMatchObject(
      locked
    )
    expect(await error(get("new", nobody, { KEZ_PASSPHRASE_FILE: passphraseFile("short") }))).toMatchObject(locked)
  })
})
