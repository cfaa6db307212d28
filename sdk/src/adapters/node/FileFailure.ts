/** Messages for a person whose named file cannot be read or written. */
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import * as Blank from "../../protocol/encoding/Blank.ts"
import { FileError } from "../../services/FileError.ts"
import { codeOf, isFull, isMissing } from "./DurableFile.ts"

type Explanation = readonly [reason: FileError["reason"], detail: string]

const explainRead = (code: string): Explanation =>
  code === "EACCES" || code === "EPERM"
    ? ["denied", "you may not read it: change its permissions, or choose another file"]
    : ["io", `it cannot be read (${code}): check the disk`]

const writeDenied = ["denied", "you may not write there: save to another folder, or change its permissions"] as const
const isFolder = ["not_a_file", "a folder has this name: give another name, or move the folder"] as const
const writeFailures = new Map<string, Explanation>([
  ["EROFS", ["read_only", "this disk cannot be written: save to another folder"]],
  ["EACCES", writeDenied],
  ["EPERM", writeDenied],
  ["EISDIR", isFolder],
  ["ENOTEMPTY", isFolder],
  ["EEXIST", ["exists", "a file of this name exists: overwrite it, or give another name"]],
  ["ENAMETOOLONG", ["io", "the name is too long for this disk: give a shorter one"]]
])

const explainWrite = (code: string): Explanation =>
  writeFailures.get(code) ?? ["io", `it cannot be written (${code}): check the disk`]

/** The failure of reading or writing the file or folder `path`. */
export const fileFailure = (path: string, action: "read" | "write", cause: unknown): FileError => {
  if (cause instanceof FileError) return cause
  const explain = (): Explanation => {
    if (isMissing(cause)) return ["missing", "there is no such file or folder: check the name"]
    if (isFull(cause)) return ["full", "no space is left on this disk: free some, or save to another one"]
    const code = codeOf(cause) || String(cause)
    return action === "read" ? explainRead(code) : explainWrite(code)
  }
  const [reason, detail] = explain()
  return new FileError({ reason, path, detail, cause })
}

/** The absolute path of a named file or folder. An empty name is refused, because it would mean the current folder. */
export const absolute = (path: string): Effect.Effect<string, FileError> =>
  Blank.isBlank(path)
    ? Effect.fail(new FileError({ reason: "missing", path, detail: "the path is empty: name a file or folder" }))
    : Effect.sync(() => resolve(path))

/** Runs a file operation and awaits it even when interrupted, because the system cannot cancel it. */
export const fileIo = <A>(path: string, action: "read" | "write", run: () => Promise<A>): Effect.Effect<A, FileError> =>
  Effect.uninterruptible(Effect.tryPromise({ try: () => run(), catch: (cause) => fileFailure(path, action, cause) }))
