/**
 * A lock that the operating system releases when its holder dies: SQLite's lock on an empty file, through the SQLite
 * built into Node. Node itself has no file locks, and a process id in a file does not prove that the process lives.
 */
import { closeSync, fstatSync, openSync, rmSync, statSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"

// Loaded by name, because bundlers do not know `node:sqlite`. Undefined before Node 22.5 and on other runtimes.
const sqlite = process.getBuiltinModule?.("node:sqlite") as typeof import("node:sqlite") | undefined

/** Locks of this process; the only ones where SQLite cannot lock. */
const ours = new Set<string>()

export interface FileLock {
  /** Whether other processes respect this lock: false without `node:sqlite`, and on file systems without locks. */
  readonly exact: boolean
  release(): void
}

const busy = 5
const notADatabase = 26

const codeOf = (cause: unknown): number => Number((cause as { readonly errcode?: unknown }).errcode) & 0xff

/** The file's inode; undefined if it does not exist. */
const inode = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino

/** "taken" by another process, "gone" if the file was replaced in the meantime, undefined where locks do not work. */
const attempt = (path: string): DatabaseSync | "taken" | "gone" | undefined => {
  if (sqlite === undefined) return undefined
  const file = openSync(path, "a", 0o600)
  const { ino } = fstatSync(file)
  // Before SQLite locks it: closing any descriptor of a file releases all of a process's locks on it.
  closeSync(file)
  let database: DatabaseSync | undefined
  try {
    database = new sqlite.DatabaseSync(path, { timeout: 0 })
    database.exec("BEGIN EXCLUSIVE")
    // A holder removes the file on release, so the locked file may no longer have a name.
    if (inode(path) === ino) return database
    database.close()
    return "gone"
  } catch (cause) {
    database?.close()
    if (codeOf(cause) === busy) return "taken"
    if (codeOf(cause) !== notADatabase) return undefined
    rmSync(path, { force: true })
    return "gone"
  }
}

/** Takes the lock in the file `path`; undefined if it is taken. Throws errors of the file system. */
export const acquire = (path: string): FileLock | undefined => {
  if (ours.has(path)) return undefined
  let database = attempt(path)
  for (let tries = 1; database === "gone" && tries < 8; tries++) database = attempt(path)
  if (database === "taken" || database === "gone") return undefined
  const held = database
  ours.add(path)
  return {
    exact: held !== undefined,
    release: () => {
      ours.delete(path)
      try {
        rmSync(path, { force: true })
      } catch {
        // Windows does not remove open files, and a read-only folder none at all. The next holder can lock the file.
      }
      held?.close()
    }
  }
}
