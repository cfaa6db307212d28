import * as Schema from "effect/Schema"
import * as Blank from "../protocol/encoding/Blank.ts"
import { LocalCause } from "./LocalCause.ts"

/** A named file cannot be read or written. `exists`: it was left alone; `changed`: it changed while it was read. */
export class FileError extends Schema.TaggedError<FileError>()("FileError", {
  reason: Schema.Literals(["missing", "exists", "denied", "read_only", "full", "changed", "not_a_file", "io"]),
  path: Schema.String,
  detail: Schema.String,
  cause: LocalCause
}) {
  override get message(): string {
    return `${Blank.isBlank(this.path) ? JSON.stringify(this.path) : this.path}: ${this.detail}`
  }
}
