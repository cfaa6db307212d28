/** The bytes of a file that a caller provides, with what they throw as `FileError`. */
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

/** The pieces of a file's content; errors have `name` in place of the path, which is unknown here. */
export const contentOf = (name: string, bytes: AsyncIterable<Uint8Array>): Stream.Stream<Uint8Array, FileError> =>
  Stream.fromAsyncIterable(bytes, toFileError(name))
