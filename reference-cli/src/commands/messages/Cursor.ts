/**
 * The position of `listen`: the largest `order` that was shown, in a file of the profile. It advances after the output
 * is written, so a consumer that is killed sees the last message again rather than never.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import type { CliFailure } from "../../Failure.ts"
import type { ProfilePaths } from "../../profile/Paths.ts"
import { attempt } from "../../SystemError.ts"

const width = 20

const line = (order: number): string => `${String(order).padStart(width - 1, "0")}\n`

const io = <A>({ cursor }: ProfilePaths, run: () => A) => attempt("file", `cannot use ${cursor}`, run)

export interface Cursor {
  readonly order: number
  /** Notes that everything up to `order` was shown. */
  readonly advance: (order: number) => Effect.Effect<void, CliFailure>
}

/** Opens the cursor until the scope closes; in a new profile it is 0, before everything. */
export const open = Effect.fn("Cursor.open")(function* (
  paths: ProfilePaths
): Effect.fn.Return<Cursor, CliFailure, Scope.Scope> {
  const descriptor = yield* Effect.acquireRelease(
    io(paths, () => fs.openSync(paths.cursor, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600)),
    (opened) => Effect.sync(() => fs.closeSync(opened))
  )
  const buffer = Buffer.alloc(width)
  const length = yield* io(paths, () => fs.readSync(descriptor, buffer, 0, width, 0))
  const stored = Number(buffer.toString("utf8", 0, length))
  let order = Number.isSafeInteger(stored) && stored > 0 ? stored : 0
  return {
    get order() {
      return order
    },
    // One small write in place, always of the same length, is never seen half-written.
    advance: (next) =>
      io(paths, () => {
        if (next <= order) return
        fs.writeSync(descriptor, line(next), 0)
        order = next
      })
  }
})

/** Sets the cursor. */
export const write = (paths: ProfilePaths, order: number): Effect.Effect<void, CliFailure> =>
  Effect.scoped(Effect.flatMap(open(paths), (cursor) => cursor.advance(order)))
