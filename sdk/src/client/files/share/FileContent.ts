/** The bytes of a file that somebody handed over, and what reading them may throw. */
import * as Stream from "effect/Stream"
import { FileError } from "../../../services/FileError.ts"

const toFileError =
  (name: string) =>
  (cause: unknown): FileError =>
    cause instanceof FileError
      ? cause
      : new FileError({
          reason: "io",
          path: name,
          detail: `it cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
          cause
        })

/** The pieces of a file's content; `name` stands in errors for the path that nobody knows here. */
export const contentOf = (name: string, bytes: AsyncIterable<Uint8Array>): Stream.Stream<Uint8Array, FileError> =>
  Stream.fromAsyncIterable(bytes, toFileError(name))
