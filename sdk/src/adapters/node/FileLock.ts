/**
 * A lock that the operating system takes back when its holder dies, however it dies: SQLite's lock on an empty file, by
 * the SQLite that is built into Node. Node itself has no file locks, and a process id in a file is no proof of life.
 */
import { closeSync, fstatSync, openSync, rmSync, statSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"

// Asked for by name, because bundlers know no `node:sqlite`. Undefined before Node 22.5 and on other runtimes.
const sqlite = process.getBuiltinModule?.("node:sqlite") as typeof import("node:sqlite") | undefined

/** Locks of this process. They are all there is where SQLite cannot lock. */
const ours = new Set<string>()

export interface FileLock {
  /** Whether other processes respect this lock. Not so without `node:sqlite`, and on file systems that have no locks. */
  readonly exact: boolean
  /** Gives the lock back and removes its file. */
  release(): void
}

const busy = 5
const notADatabase = 26

const codeOf = (cause: unknown): number => Number((cause as { readonly errcode?: unknown }).errcode) & 0xff

/** The number by which the system knows a file; undefined where there is none. */
const inode = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino

/** "taken" by another process, "gone" when the file was exchanged meanwhile, undefined where locks do not work. */
const attempt = (path: string): DatabaseSync | "taken" | "gone" | undefined => {
  if (sqlite === undefined) return undefined
  const file = openSync(path, "a", 0o600)
  const { ino } = fstatSync(file)
  // Before SQLite locks it: closing any descriptor of a file gives back all locks that a process has on it.
  closeSync(file)
  let database: DatabaseSync | undefined
  try {
    database = new sqlite.DatabaseSync(path, { timeout: 0 })
    database.exec("BEGIN EXCLUSIVE")
    // A holder removes the file as it gives the lock back, so what is locked here may have no name any more.
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

/** Takes the lock in the file `path`; undefined when somebody has it. Throws what the file system throws. */
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
        // Windows removes no file that is open, and a read-only folder none at all. Whoever comes next can lock it.
      }
      held?.close()
    }
  }
}
