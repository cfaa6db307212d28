/** A file that a command writes: it appears once it is complete and durable, and never replaces another. */
import { giveNewName, syncFolder } from "@kez-chat/sdk/node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { type CliFailure, fail } from "./Failure.ts"
import { reasonOf } from "./SystemError.ts"

export interface NewFile {
  readonly write: (text: string) => Effect.Effect<void, CliFailure>
  /** Gives the file its name. Nothing may be written afterwards. */
  readonly publish: Effect.Effect<void, CliFailure>
}

/** Begins a file of mode 0600. If it is not published when the scope closes, nothing of it remains. */
export const open = Effect.fn("NewFile.open")(function* (
  file: string
): Effect.fn.Return<NewFile, CliFailure, Scope.Scope> {
  const failure = (error: unknown) => fail("file", "failed", `cannot write ${file}: ${reasonOf(error)}`)
  const io = <A>(run: () => A): Effect.Effect<A, CliFailure> => Effect.try({ try: run, catch: failure })
  const folder = path.dirname(file)
  const draft = path.join(folder, `.${path.basename(file).slice(0, 64)}.${randomBytes(6).toString("hex")}`)
  const descriptor = yield* Effect.acquireRelease(
    io(() => {
      if (fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined) {
        throw Object.assign(new Error(), { code: "EEXIST" })
      }
      return fs.openSync(draft, "wx", 0o600)
    }),
    (opened, exit) =>
      Effect.sync(() => {
        fs.closeSync(opened)
        if (Exit.isFailure(exit)) fs.rmSync(draft, { force: true })
      })
  )
  return {
    write: (text) => io(() => fs.writeFileSync(descriptor, text)),
    publish: Effect.uninterruptible(
      Effect.tryPromise({
        try: async () => {
          fs.fsyncSync(descriptor)
          await giveNewName(draft, file)
          await syncFolder(folder)
        },
        catch: failure
      })
    )
  }
})

/** Creates a file with this text. */
export const create = (file: string, text: string): Effect.Effect<void, CliFailure> =>
  Effect.scoped(Effect.flatMap(open(file), ({ publish, write }) => Effect.andThen(write(text), publish)))
