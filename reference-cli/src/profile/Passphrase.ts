/** Where a passphrase comes from: `--passphrase-fd`, `KEZ_PASSPHRASE_FILE`, or a question. Never the command line. */
import { VaultError } from "@kez-chat/sdk/services"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as fs from "node:fs"
import { settings } from "../Flags.ts"
import { Host } from "../Host.ts"
import * as CommandLine from "./CommandLine.ts"
import * as PrivateFile from "./PrivateFile.ts"
import * as Profile from "./Profile.ts"
import { Ask } from "../terminal/input/Ask.ts"
import { reasonOf } from "../SystemError.ts"
import { Screen, warn } from "../terminal/output/Screen.ts"

/** Shortest passphrase for a new file, in characters. */
export const minimumLength = 8
const maxBytes = 4096

const locked = (detail: string): VaultError => new VaultError({ reason: "locked", detail })

/** Reads until the end or the limit. A byte order mark and a final line break are not part of the passphrase. */
const readDescriptor = (descriptor: number): string => {
  const buffer = Buffer.alloc(maxBytes + 1)
  let length = 0
  while (length <= maxBytes) {
    const count = fs.readSync(descriptor, buffer, length, buffer.length - length, null)
    if (count === 0) break
    length += count
  }
  if (length > maxBytes) throw new Error(`it is longer than ${maxBytes} bytes`)
  // Some editors write a byte order mark.
  return buffer
    .toString("utf8", 0, length)
    .replace(/^\uFEFF/, "")
    .replace(/\r?\n$/, "")
}

const readFrom = Effect.fnUntraced(function* (what: string, read: () => string) {
  const text = yield* Effect.try({
    try: read,
    catch: (error) => locked(`the passphrase cannot be read from ${what}: ${reasonOf(error)}`)
  })
  if (text === "") return yield* locked(`the passphrase from ${what} is empty`)
  return Redacted.make(text)
})

const readFile = (file: string) =>
  readFrom(`KEZ_PASSPHRASE_FILE (${file})`, () => {
    const descriptor = fs.openSync(file, "r")
    try {
      return readDescriptor(descriptor)
    } finally {
      fs.closeSync(descriptor)
    }
  })

const isLongEnough = (passphrase: Redacted.Redacted<string>): boolean =>
  [...Redacted.value(passphrase)].length >= minimumLength

/** A new passphrase from a file follows the same rule as a typed one; an existing one may be any text. */
const checked = (passphrase: Redacted.Redacted<string>, purpose: "open" | "new") =>
  purpose === "open" || isLongEnough(passphrase)
    ? Effect.succeed({ passphrase, typed: false })
    : Effect.fail(locked(`the passphrase needs at least ${minimumLength} characters`))

const typeTwice = Effect.gen(function* () {
  const ask = yield* Ask
  for (;;) {
    const first = yield* ask.hidden("Choose a passphrase for the seed on this machine: ")
    if (!isLongEnough(first)) {
      yield* ask.show(`It needs at least ${minimumLength} characters.\n`)
      continue
    }
    const second = yield* ask.hidden("Once more: ")
    if (Redacted.value(first) === Redacted.value(second)) return first
    yield* ask.show("The two differ.\n")
  }
})

export interface Passphrase {
  readonly passphrase: Redacted.Redacted<string>
  /** It was typed, so asking again makes sense. */
  readonly typed: boolean
}

/** The passphrase to open the seed with, or a new one (asked twice). Fails with `locked` if there is no one to ask. */
export const get = Effect.fn("Passphrase.get")(function* (
  purpose: "open" | "new",
  hint?: string
): Effect.fn.Return<Passphrase, VaultError, Ask | Host | Screen> {
  const { env } = yield* Host
  const { passphraseFd } = yield* settings
  if (passphraseFd !== undefined) {
    const what = `--passphrase-fd ${passphraseFd}`
    return yield* checked(yield* readFrom(what, () => readDescriptor(passphraseFd)), purpose)
  }
  const file = env["KEZ_PASSPHRASE_FILE"]
  if (file) {
    if (PrivateFile.isOpenToOthers(file)) yield* warn(`${file} can be read by others: chmod 600 it`)
    return yield* checked(yield* readFile(file), purpose)
  }
  const ask = yield* Ask
  if (!(yield* ask.possible)) {
    return yield* locked(
      `a passphrase is needed: run this on a terminal, run \`${CommandLine.line(yield* Profile.current, "unlock")}\` first, or give it by KEZ_PASSPHRASE_FILE or --passphrase-fd`
    )
  }
  if (hint !== undefined) yield* ask.show(`${(yield* Screen).errStyle.dim(hint)}\n`)
  const passphrase = yield* (purpose === "new" ? typeTwice : ask.hidden("Passphrase: ")).pipe(
    Effect.mapError((error) => locked(error.message))
  )
  return { passphrase, typed: true }
})
