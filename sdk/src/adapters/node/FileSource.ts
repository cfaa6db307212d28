/** Local files to share: the `FileSource`s of `KezChat.share`. */
import * as Effect from "effect/Effect"
import { lookup } from "mrmime"
import { isUtf8 } from "node:buffer"
import { type BigIntStats, constants, type Dirent } from "node:fs"
import * as fs from "node:fs/promises"
import { basename, join } from "node:path"
import * as FileName from "../../protocol/files/FileName.ts"
import * as Limits from "../../protocol/Limits.ts"
import { FileError } from "../../services/FileError.ts"
import { readAt } from "./DurableFile.ts"
import { absolute, fileFailure, fileIo } from "./FileFailure.ts"

/** A regular file, as it was when it was examined. */
export interface PathSource {
  /** Absolute. */
  readonly path: string
  /** Its name without folders, as sent in an offer. */
  readonly name: string
  /** Its path within the shared folder, starting with that folder's own name, parts separated by `/`. */
  readonly folder?: string
  /** Guessed from its extension. */
  readonly mediaType: string
  /** Bytes; also 0 for files that the kernel generates on reading. */
  readonly size: number
  /**
   * Its content. Every reading starts from the beginning, and the caller owns the bytes. Throws a `FileError`; after
   * the last byte with `changed` if the file was written to in the meantime.
   */
  readonly bytes: AsyncIterable<Uint8Array>
}

/** Maximum number of files in a shared folder. */
export const maxFiles = 10_000

const pieceBytes = 256 * 1024
const unknownType = "application/octet-stream"

const kindOf = (stat: BigIntStats): string => {
  if (stat.isDirectory()) return "a folder"
  return stat.isFIFO() ? "a pipe" : stat.isSocket() ? "a socket" : "a device"
}

const notAFile = (path: string, detail: string) => new FileError({ reason: "not_a_file", path, detail })

const checkFile = (path: string, stat: BigIntStats): void => {
  if (!stat.isFile()) throw notAFile(path, `this is ${kindOf(stat)}: choose a file`)
}

/** Opening a pipe by mistake must not block. */
const open = async (path: string): Promise<fs.FileHandle> =>
  fs.open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))

const changed = (path: string) =>
  new FileError({ reason: "changed", path, detail: "it changed while it was read: try again when it is finished" })

const untrueSize = (path: string) =>
  notAFile(path, "it has fewer bytes than its size says, as system files can: copy it, and share the copy")

/** Files that the kernel generates on reading, as in /proc, have the size 0 and content nevertheless. */
async function* readSizeless(file: fs.FileHandle): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    const piece = new Uint8Array(pieceBytes)
    const { bytesRead } = await file.read(piece, 0, piece.length, null)
    if (bytesRead === 0) return
    yield piece.subarray(0, bytesRead)
  }
}

async function* readFile(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  let handle: fs.FileHandle | undefined
  try {
    handle = await open(path)
    const before = await handle.stat({ bigint: true })
    checkFile(path, before)
    const size = Number(before.size)
    const file = handle
    const readPiece = async (at: number): Promise<Uint8Array> => {
      const piece = new Uint8Array(Math.max(0, Math.min(pieceBytes, size - at)))
      if ((await readAt(file, piece, at)) === piece.length) return piece
      throw (await file.stat({ bigint: true })).size === before.size ? untrueSize(path) : changed(path)
    }
    if (size === 0) yield* readSizeless(file)
    let next = readPiece(0)
    for (let at = 0; at < size;) {
      const piece = await next
      at += piece.length
      // Reads the next piece while this one is processed; its failure surfaces when it is awaited.
      next = readPiece(at)
      next.catch(() => undefined)
      yield piece
    }
    const after = await handle.stat({ bigint: true })
    if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) throw changed(path)
  } catch (cause) {
    throw fileFailure(path, "read", cause)
  } finally {
    await handle?.close()
  }
}

const wireName = (name: string): string => (FileName.bare.test(name) ? name : FileName.safe(name))

const describe = async (path: string, name: string, folder?: string): Promise<PathSource> => {
  const stat = await fs.stat(path, { bigint: true })
  checkFile(path, stat)
  await fs.access(path, constants.R_OK)
  return {
    path,
    name,
    ...(folder === undefined || folder === "" ? {} : { folder }),
    mediaType: lookup(name) ?? unknownType,
    size: Number(stat.size),
    bytes: { [Symbol.asyncIterator]: () => readFile(path) }
  }
}

/**
 * The file at a path, following symbolic links. Fails at once if it does not exist (`missing`), is a folder or a device
 * (`not_a_file`), or may not be read (`denied`).
 */
export const fileSource = (path: string): Effect.Effect<PathSource, FileError> =>
  Effect.flatMap(absolute(path), (file) => fileIo(file, "read", () => describe(file, wireName(basename(file)))))

interface Entry {
  readonly name: string
  /** The name to send, unique in the folder. */
  readonly sentAs: string
  readonly isFolder: boolean
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0

/** Gives each entry a name that can be sent: unchanged where possible, numbered on collision. */
const withSentNames = (entries: ReadonlyArray<Omit<Entry, "sentAs">>): ReadonlyArray<Entry> => {
  const taken = new Set(entries.flatMap(({ name }) => (wireName(name) === name ? [name] : [])))
  return entries.map((entry) => {
    const wanted = wireName(entry.name)
    if (wanted === entry.name) return { ...entry, sentAs: wanted }
    let sentAs = wanted
    for (let number = 2; taken.has(sentAs); number++) sentAs = FileName.numbered(wanted, number)
    taken.add(sentAs)
    return { ...entry, sentAs }
  })
}

/** The shared entries of a folder: no hidden files, which people forget, and no links to elsewhere. */
const isShared = (entry: Dirent<Buffer>): boolean =>
  entry.name[0] !== ".".charCodeAt(0) && (entry.isFile() || entry.isDirectory())

/** Names on disk are bytes. One that is not UTF-8 decodes to a different name, which does not exist. */
const toEntry = (path: string, entry: Dirent<Buffer>): Omit<Entry, "sentAs"> => {
  const name = entry.name.toString()
  if (isUtf8(entry.name)) return { name, isFolder: entry.isDirectory() }
  throw notAFile(join(path, name), "its name is not UTF-8: rename it, then share again")
}

const entriesOf = async (path: string): Promise<ReadonlyArray<Entry>> => {
  const entries = await fs.readdir(path, { withFileTypes: true, encoding: "buffer" })
  return withSentNames(
    entries
      .filter(isShared)
      .map((entry) => toEntry(path, entry))
      .sort(byName)
  )
}

async function* walk(path: string, parts: ReadonlyArray<string>): AsyncGenerator<PathSource, void, undefined> {
  const folder = parts.join("/")
  if (parts.length > FileName.maxDepth || folder.length > Limits.folderMax) {
    const detail = `this is nested too deeply (${FileName.maxDepth} folders at most): share a folder further down by itself`
    throw notAFile(path, detail)
  }
  try {
    for (const entry of await entriesOf(path)) {
      const inside = join(path, entry.name)
      if (entry.isFolder) yield* walk(inside, [...parts, entry.sentAs])
      else
        yield await describe(inside, entry.sentAs, folder).catch((cause: unknown) =>
          Promise.reject(fileFailure(inside, "read", cause))
        )
    }
  } catch (cause) {
    throw fileFailure(path, "read", cause)
  }
}

/**
 * Every regular file below a folder, by name, without hidden ones (a leading dot) and symbolic links. Fails before
 * anything is shared: for an unreadable entry, a name that is not UTF-8, or more than {@link maxFiles} files.
 */
export const folderSources = (path: string): Effect.Effect<ReadonlyArray<PathSource>, FileError> =>
  Effect.flatMap(absolute(path), sourcesOf)

const sourcesOf = (folder: string) =>
  fileIo(folder, "read", async () => {
    const stat = await fs.stat(folder, { bigint: true })
    if (!stat.isDirectory()) throw notAFile(folder, "this is not a folder: share it as a file")
    const name = basename(folder)
    const found: Array<PathSource> = []
    for await (const source of walk(folder, name === "" ? [] : [wireName(name)])) {
      found.push(source)
      if (found.length > maxFiles) {
        throw notAFile(
          folder,
          `it has more than ${maxFiles} files: share folders in it one by one, or an archive of it`
        )
      }
    }
    return found
  })
