/**
 * Saves a received file under a name chosen by its sender. It appears under that name only when it is whole and
 * durable; it never leaves the folder, and replaces nothing unless asked to (spec: files, names).
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { randomBytes } from "node:crypto"
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import * as FileName from "../../protocol/files/FileName.ts"
import { FileError } from "../../services/FileError.ts"
import { FileWriter, freeBytes, giveNewName, makeFolder, syncFolder, unlessMissing } from "./DurableFile.ts"
import { absolute, fileIo } from "./FileFailure.ts"

export interface TargetOptions {
  /** An existing folder. */
  readonly folder: string
  /** The received name; saved as `FileName.safe` gives it. */
  readonly name: string
  /** A received subfolder of `folder`, parts separated by `/`; created if missing. */
  readonly subfolder?: string
  /** Replaces a file of the same name. By default saving fails with `exists`. */
  readonly overwrite?: boolean
  /** Expected bytes, if known: fails with `full` at once if there is no room. */
  readonly size?: number
}

/** The location of a file to be saved. */
export interface Target {
  /** Absolute; its last parts may differ from the received name and subfolder. */
  readonly path: string
  /** The given folder, absolute. */
  readonly folder: string
  readonly overwrite: boolean
}

export interface SavedFile {
  readonly path: string
  /** Bytes. */
  readonly size: number
}

/** Names of files being written; hidden, so that nobody mistakes them for complete ones. */
const draftName = /^\.kez-[0-9a-f]{24}\.part$/
/** Drafts of this age are abandoned: writing takes minutes and renews the modification time. */
const draftKeptMillis = 24 * 60 * 60 * 1000

const fileError = (reason: FileError["reason"], path: string, detail: string) => new FileError({ reason, path, detail })

const lstat = (path: string) => unlessMissing(fs.lstat(path))

/** The nearest existing folder of a path. Every component must be a real folder, because a link could lead anywhere. */
const lastFolder = async ({ folder, path }: Target): Promise<string> => {
  let last = folder
  let isLast = true
  for (let at = dirname(path); at !== folder; at = dirname(at)) {
    const stat = await lstat(at)
    if (stat === undefined) continue
    if (!stat.isDirectory()) {
      throw fileError("not_a_file", at, "this is not a folder: save to another folder, or move it away")
    }
    if (isLast) last = at
    isLast = false
  }
  return last
}

const checkName = async ({ overwrite, path }: Target): Promise<void> => {
  const stat = await lstat(path)
  if (stat === undefined) return
  // The same error as the system's.
  if (stat.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" })
  if (!overwrite) throw Object.assign(new Error(), { code: "EEXIST" })
}

/** Checks what can be known before any byte arrives: names, permissions, room. Writes nothing. */
export const prepare = (options: TargetOptions): Effect.Effect<Target, FileError> =>
  Effect.flatMap(absolute(options.folder), (folder) => prepareIn(folder, options))

const prepareIn = (folder: string, options: TargetOptions): Effect.Effect<Target, FileError> => {
  const path = join(folder, ...FileName.safeFolder(options.subfolder ?? ""), FileName.safe(options.name))
  const target: Target = { path, folder, overwrite: options.overwrite === true }
  return fileIo(folder, "write", async () => {
    if (!(await fs.stat(folder)).isDirectory()) {
      throw fileError("not_a_file", folder, "this is not a folder: save to a folder")
    }
    await fs.access(await lastFolder(target), constants.W_OK | constants.X_OK)
    if (options.size !== undefined && options.size > (await freeBytes(folder))) {
      throw Object.assign(new Error(), { code: "ENOSPC" })
    }
  }).pipe(Effect.andThen(fileIo(path, "write", () => checkName(target))), Effect.as(target))
}

const removeOldDrafts = async (folder: string): Promise<void> => {
  for (const name of await fs.readdir(folder)) {
    if (!draftName.test(name)) continue
    const draft = join(folder, name)
    if (Date.now() - (await fs.stat(draft)).mtimeMs > draftKeptMillis) await fs.rm(draft, { force: true })
  }
}

/** Writes a prepared file with the mode of the user's umask. Leaves nothing if it fails or is interrupted. */
export const save = <E, R>(
  target: Target,
  bytes: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<SavedFile, E | FileError, R> => {
  const folder = dirname(target.path)
  const write = <A>(run: () => Promise<A>) => fileIo(target.path, "write", run)
  return Effect.scoped(
    Effect.gen(function* () {
      yield* write(async () => {
        await fs.access(target.folder)
        await lastFolder(target)
        await makeFolder(folder, 0o777)
        // A leftover that cannot be removed does no harm.
        await removeOldDrafts(folder).catch(() => undefined)
      })
      const draft = join(folder, `.kez-${randomBytes(12).toString("hex")}.part`)
      const handle = yield* Effect.acquireRelease(
        write(() => fs.open(draft, "wx")),
        (handle, exit) =>
          write(async () => {
            await handle.close()
            if (Exit.isFailure(exit)) await fs.rm(draft, { force: true })
          }).pipe(Effect.ignore)
      )
      const writer = new FileWriter(handle)
      yield* Stream.runForEach(bytes, (piece) => write(async () => writer.write(piece)))
      yield* write(async () => {
        await writer.finish()
        await (target.overwrite ? fs.rename(draft, target.path) : giveNewName(draft, target.path))
        await syncFolder(folder)
      })
      return { path: target.path, size: writer.length }
    })
  )
}

/** {@link prepare} and {@link save} in one. */
export const saveFile = <E, R>(
  options: TargetOptions & { readonly bytes: Stream.Stream<Uint8Array, E, R> }
): Effect.Effect<SavedFile, E | FileError, R> =>
  Effect.flatMap(prepare(options), (target) => save(target, options.bytes))
