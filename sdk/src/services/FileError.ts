import * as Data from "effect/Data"
import * as Blank from "../protocol/encoding/Blank.ts"

/**
 * A file that a person named cannot be read or written. `exists`: a file of that name is there and was left alone.
 * `changed`: it became another while it was read.
 */
export class FileError extends Data.TaggedError("FileError")<{
  readonly reason: "missing" | "exists" | "denied" | "read_only" | "full" | "changed" | "not_a_file" | "io"
  readonly path: string
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `${Blank.isBlank(this.path) ? JSON.stringify(this.path) : this.path}: ${this.detail}`
  }
}
