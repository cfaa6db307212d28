/** Small files that only their owner may read, replaced atomically. */
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"

/** Creates a folder and its parents, and makes it private. */
export const makeFolder = (folder: string): void => {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (process.platform !== "win32" && (fs.statSync(folder).mode & 0o077) !== 0) fs.chmodSync(folder, 0o700)
}

/** Whether others on this machine can use a file; false if it cannot be examined. */
export const isOpenToOthers = (file: string): boolean => {
  try {
    return process.platform !== "win32" && (fs.statSync(file).mode & 0o077) !== 0
  } catch {
    return false
  }
}

/** Writes beside the target, syncs, and renames: a reader finds either the old file or the new one. */
export const replace = (file: string, text: string): void => {
  const draft = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString("hex")}`)
  try {
    const descriptor = fs.openSync(draft, "wx", 0o600)
    try {
      fs.writeFileSync(descriptor, text)
      fs.fsyncSync(descriptor)
    } finally {
      fs.closeSync(descriptor)
    }
    fs.renameSync(draft, file)
  } catch (error) {
    fs.rmSync(draft, { force: true })
    throw error
  }
}

/** The text of a file of at most `maxBytes`, or undefined if there is none. Throws what reading throws. */
export const read = (file: string, maxBytes: number): string | undefined => {
  let descriptor: number
  try {
    descriptor = fs.openSync(file, "r")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
  try {
    const buffer = Buffer.alloc(maxBytes + 1)
    const length = fs.readSync(descriptor, buffer, 0, maxBytes + 1, 0)
    if (length > maxBytes) throw new Error(`${file} is larger than ${maxBytes} bytes`)
    return buffer.toString("utf8", 0, length)
  } finally {
    fs.closeSync(descriptor)
  }
}
