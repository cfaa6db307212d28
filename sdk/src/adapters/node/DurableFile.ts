/** Durable file writes: when a call returns, the file is whole and on disk. */
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { dirname } from "node:path"

/** The system's error code of a failed file operation, such as `ENOSPC`; empty for anything else. */
export const codeOf = (cause: unknown): string => {
  const code = (cause as { readonly code?: unknown } | null | undefined)?.code
  return typeof code === "string" ? code : ""
}

/** Whether a file operation failed because the file or folder does not exist. */
export const isMissing = (cause: unknown): boolean => ["ENOENT", "ENOTDIR"].includes(codeOf(cause))

/** The result of a file operation; undefined if the file or folder does not exist. */
export const unlessMissing = <A>(found: Promise<A>): Promise<A | undefined> =>
  found.catch((cause: unknown) => {
    if (isMissing(cause)) return undefined
    throw cause
  })

/** Whether one failed for lack of room: on the disk, in a quota, or by the file system's file size limit. */
export const isFull = (cause: unknown): boolean => ["ENOSPC", "EDQUOT", "EFBIG"].includes(codeOf(cause))

/** Bytes that this user may still write to a folder's disk; infinite if the file system does not report it. */
export const freeBytes = async (folder: string): Promise<number> => {
  const { bavail, blocks, bsize } = await fs.statfs(folder)
  return blocks === 0 ? Infinity : bavail * bsize
}

/** Creates a folder and its missing parents, with `mode` (default 0700) less the umask. */
export const makeFolder = async (folder: string, mode = 0o700): Promise<void> => {
  try {
    await fs.mkdir(folder, { recursive: true, mode })
  } catch (cause) {
    // On a read-only disk Node reports a missing folder (24.21). The last existing parent gives the real error.
    let last = folder
    while (isMissing(cause) && last !== dirname(last)) {
      last = dirname(last)
      const found = await fs.stat(last).catch(() => undefined)
      if (found === undefined) continue
      await fs.access(last, constants.W_OK)
      break
    }
    throw cause
  }
}

/** Makes a folder's names durable where possible: not on Windows, some network disks and unreadable folders. */
export const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === "win32") return
  try {
    const handle = await fs.open(folder, "r")
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP", "EACCES"].includes(codeOf(cause))) throw cause
  }
}

/** Names a synchronised file in its folder, durably after {@link syncFolder}. Rejects with `EEXIST`, without a race. */
export const giveNewName = async (draft: string, path: string): Promise<void> => {
  try {
    await fs.link(draft, path)
  } catch (cause) {
    // Without hard links, as on FAT: reserve the name first, then replace the reservation.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(codeOf(cause))) throw cause
    await (await fs.open(path, "wx")).close()
    return fs.rename(draft, path).catch(async (failed: unknown) => {
      await fs.rm(path, { force: true })
      throw failed
    })
  }
  await fs.rm(draft)
}

/** Writes all parts from `position` on. The system may write fewer bytes per call. */
export const writeAt = async (
  handle: fs.FileHandle,
  parts: ReadonlyArray<Uint8Array>,
  position: number
): Promise<void> => {
  let rest = parts.filter((part) => part.length > 0)
  let at = position
  while (rest.length > 0) {
    // Systems limit a call to 1,024 parts.
    let { bytesWritten: taken } = await handle.writev(rest.slice(0, 1024), at)
    at += taken
    let done = 0
    while (done < rest.length && taken >= (rest[done] as Uint8Array).length)
      taken -= (rest[done++] as Uint8Array).length
    rest = rest.slice(done)
    if (taken > 0) rest[0] = (rest[0] as Uint8Array).subarray(taken)
  }
}

/** Reads from `position` on until `buffer` is full or the file ends; returns the number of bytes read. */
export const readAt = async (handle: fs.FileHandle, buffer: Uint8Array, position: number): Promise<number> => {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

/** Smaller buffers need more calls; a mebibyte occasionally takes up to ten times as long on Linux (6.18, ext4). */
const bufferBytes = 256 * 1024

/**
 * Writes a file from its start through buffers, while the caller produces the next bytes. Bytes passed to `write` may
 * be reused once it returns. One call at a time.
 */
export class FileWriter {
  private readonly handle: fs.FileHandle
  private filling: Uint8Array = new Uint8Array(bufferBytes)
  private spare: Uint8Array | undefined
  private filled = 0
  private flushed = 0
  private flushing: Promise<void> = Promise.resolve()

  constructor(handle: fs.FileHandle) {
    this.handle = handle
  }

  get length(): number {
    return this.flushed + this.filled
  }

  /** Buffers bytes; returns undefined if there is nothing to wait for. Rejects for these bytes or earlier ones. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    const room = this.filling.length - this.filled
    this.filling.set(bytes.subarray(0, room), this.filled)
    if (bytes.length < room) {
      this.filled += bytes.length
      return undefined
    }
    this.filled = this.filling.length
    return this.flush().then(() => this.write(bytes.subarray(room)))
  }

  /** Writes the buffer after the previous one, without waiting for it. */
  private async flush(): Promise<void> {
    await this.flushing
    const full = this.filling
    const count = this.filled
    const at = this.flushed
    this.filling = this.spare ?? new Uint8Array(bufferBytes)
    this.spare = full
    this.filled = 0
    this.flushed += count
    this.flushing = writeAt(this.handle, [full.subarray(0, count)], at)
    // The next write, or the end, reports the error; until then nobody listens.
    this.flushing.catch(() => undefined)
  }

  /** Returns when everything is on disk. */
  async finish(): Promise<void> {
    await this.flush()
    await this.flushing
    await this.handle.sync()
  }
}
