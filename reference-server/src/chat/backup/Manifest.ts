/** What an archive says about itself, as its first file: versions, time, and every other file with its digest. */
import * as Schema from "effect/Schema"

/** Grows when an older server could not read the archive. */
export const format = 1

export const manifestFile = "manifest.json"
/** Names within an archive, and within the folder that it is restored to: those of `npm start`. */
export const names = { registry: "chat.sqlite", sigchains: "sig.sqlite", keys: "keys", natsConf: "nats.conf" } as const
/** The largest manifest that is read. */
export const manifestBytes = 1_048_576

/** Names of an archive's files, in none or one of its folders; no name leads out of it. */
const fileName =
  /^(?:also\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,81}|(?:(?:keys|nats|mail)\/)?[A-Za-z0-9_-][A-Za-z0-9._-]{0,80})$/

/** Whether an archive can hold a file of this name. */
export const isFileName = (name: string): boolean => fileName.test(name)

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const File = Schema.Struct({
  name: Schema.String.check(Schema.isPattern(fileName)),
  bytes: Count,
  sha256: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))
})

/** One of the streams that inboxes are spread over, with the file of its snapshot and JetStream's own description of it. */
const Mail = Schema.Struct({
  partition: Count,
  file: Schema.String,
  config: Schema.JsonObject,
  state: Schema.JsonObject
})

export const Manifest = Schema.Struct({
  format: Schema.Literal(format),
  /** Version of the server that wrote it. */
  version: Schema.String,
  /** RFC 3339: when it was begun; what was acknowledged before is in it. */
  createdAt: Schema.String,
  serverName: Schema.String,
  counts: Schema.Record(Schema.String, Count),
  /** What was left out, in words. */
  without: Schema.Array(Schema.String),
  mail: Schema.Array(Mail),
  files: Schema.Array(File)
})
export type Manifest = typeof Manifest.Type

export const decode = (text: string): Manifest => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new Error("is no archive of a home: its manifest is not JSON")
  }
  const found = Object(json) as { readonly format?: unknown; readonly version?: unknown }
  if (typeof found.format === "number" && found.format > format) {
    throw new Error(
      `was written by kez-chat-server ${String(found.version)} (format ${found.format}); this server reads format ${format}: install that version or a later one`
    )
  }
  try {
    return Schema.decodeUnknownSync(Manifest)(json)
  } catch {
    throw new Error("is no archive of a home: its manifest is damaged")
  }
}
