/** The error of an adapter whose optional package is not installed. */
import * as Data from "effect/Data"

/** An optional package is missing or fails to load. `install` is the command that installs it. */
export class AdapterUnavailable extends Data.TaggedError("AdapterUnavailable")<{
  /** The unusable adapter in words: `the SQLite store`. */
  readonly adapter: string
  readonly package: string
  readonly install: string
  /** What else there is to know. */
  readonly note?: string
  readonly cause?: unknown
}> {
  override get message(): string {
    const words = `${this.adapter} needs the package ${this.package}, which does not load here: ${this.install}`
    return this.note === undefined ? words : `${words} (${this.note})`
  }
}
