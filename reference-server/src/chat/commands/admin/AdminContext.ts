/** What the admin commands share: the database they open, who acts, and how a running server hears of it. */
import { Problem } from "@kez-chat/sdk/protocol"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"
import { userInfo } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline/promises"
import { internalSecretFile } from "../../../broker/login/Keys.ts"
import { count } from "../../../process/Flags.ts"
import type { By } from "../../../storage/Audit.ts"
import type { DatabaseSettings } from "../../../storage/Database.ts"
import { registryLayer } from "../../ChatServer.ts"
import { defaultInternalPort, keysDirFlag } from "../ServeCommand.ts"

/** An admin command failed; the message is a sentence. */
export class AdminError extends Data.TaggedError("AdminError")<{ readonly message: string }> {}

export type RegistryFlags = DatabaseSettings & { readonly serverName: string }

export const withRegistry = <A, E, R>(effect: Effect.Effect<A, E, R>, flags: RegistryFlags) =>
  effect.pipe(
    Effect.provide(registryLayer(flags.serverName, flags, true)),
    Effect.mapError((error) => (error instanceof Problem.Problem ? new AdminError({ message: error.message }) : error))
  )

export const json = Flag.Boolean("json").pipe(Flag.withDescription("One JSON object a line"), Flag.withDefault(false))
export const handle = Argument.String("handle").pipe(Argument.withDescription("The part before the @"))
export const note = Flag.String("note").pipe(
  Flag.withDescription("The reason, kept in the audit"),
  Flag.withDefault("")
)

export const yes = Flag.Boolean("yes").pipe(Flag.withDescription("Do not ask"), Flag.withDefault(false))

/** Text that somebody else wrote, without what could steer a terminal or pass for another line. */
export const onOneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")

/** For what a running server carries out at once. */
export const serverFlags = {
  keysDir: keysDirFlag,
  internalPort: count("internal-port", defaultInternalPort, "Internal listener of the running server", 0, 65_535)
}

/** The user of the operating system who runs this, as the audit names them. */
export const by = (reason: string): By => {
  let name = `uid ${process.getuid?.() ?? "unknown"}`
  try {
    name = userInfo().username
  } catch {
    // A container's user may have no name.
  }
  const sudo = process.env["SUDO_USER"]
  return { actor: `user ${sudo === undefined ? name : `${sudo} (as ${name})`}`, note: reason }
}

/** Asks the running server to act at once; it also looks by itself four times a second. */
export const nudge = (port: number, keysDir: string): Effect.Effect<string> =>
  Effect.tryPromise(async (signal) => {
    const secret = (await readFile(join(keysDir, internalSecretFile), "utf8")).trim()
    const response = await fetch(`http://127.0.0.1:${port}/internal/removals`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}` },
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)])
    })
    if (!response.ok) throw new Error(`status ${response.status}`)
    const { left } = (await response.json()) as { left: number }
    return left === 0
      ? "connections are closed"
      : "the broker cannot be reached; connections are closed as soon as it can"
  }).pipe(
    Effect.orElseSucceed(
      () => "a running server closes the connections within a second; one that is down does so when it starts"
    )
  )

/** Has a person type a word back before something that cannot be undone; without a terminal it takes `--yes`. */
export const confirm = Effect.fnUntraced(function* (question: string, word: string) {
  if (!process.stdin.isTTY) return yield* new AdminError({ message: "this cannot be undone: give --yes to do it" })
  const typed = yield* Effect.promise(async () => {
    const terminal = createInterface({ input: process.stdin, output: process.stderr })
    try {
      return await terminal.question(`${question} Type ${word} to go on: `)
    } finally {
      terminal.close()
    }
  })
  if (typed.trim() !== word) return yield* new AdminError({ message: "nothing was changed" })
})
