/** A file that a command makes: it appears under its name when it is whole and durable, and never over another one. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { ExitCode } from "./ExitCode.ts"
import { type CliFailure, fail } from "./Failure.ts"
import { reasonOf } from "./SystemError.ts"

export interface NewFile {
  readonly write: (text: string) => Effect.Effect<void, CliFailure>
  /** Gives it its name. Nothing is written afterwards. */
  readonly publish: Effect.Effect<void, CliFailure>
}

const syncFolder = (folder: string): void => {
  if (process.platform === "win32") return
  const descriptor = fs.openSync(folder, "r")
  try {
    fs.fsyncSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

const withoutLinks = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"])

const giveName = (draft: string, file: string): void => {
  try {
    fs.linkSync(draft, file)
  } catch (error) {
    // File systems without links, such as FAT: take the name first, then replace what took it.
    if (!withoutLinks.has((error as NodeJS.ErrnoException).code ?? "")) throw error
    fs.closeSync(fs.openSync(file, "wx"))
    fs.renameSync(draft, file)
    return
  }
  fs.rmSync(draft)
}

/** Begins a file of mode 0600. What was not published when the scope closes leaves nothing behind. */
export const open = (file: string): Effect.Effect<NewFile, CliFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const io = <A>(run: () => A): Effect.Effect<A, CliFailure> =>
      Effect.try({
        try: run,
        catch: (error) => fail("file", ExitCode.failed, `cannot write ${file}: ${reasonOf(error)}`)
      })
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
      publish: io(() => {
        fs.fsyncSync(descriptor)
        giveName(draft, file)
        syncFolder(folder)
      })
    }
  })

/** Makes a file with this text. */
export const create = (file: string, text: string): Effect.Effect<void, CliFailure> =>
  Effect.scoped(Effect.flatMap(open(file), ({ publish, write }) => Effect.andThen(write(text), publish)))
