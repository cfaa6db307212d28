/** What an adapter answers when the optional package beneath it is not installed. */
import * as Data from "effect/Data"

/** An optional package is missing or does not load here. `install` is the command that brings it. */
export class AdapterUnavailable extends Data.TaggedError("AdapterUnavailable")<{
  /** What cannot be used, in words: `the SQLite store`. */
  readonly adapter: string
  /** The package that is missing. */
  readonly package: string
  /** `npm install <package>`. */
  readonly install: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `${this.adapter} needs the package ${this.package}, which does not load here: ${this.install}`
  }
}
