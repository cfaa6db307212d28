/** Records which offers were saved, for the list of open ones. A damaged line only lists an offer once more. */
import * as fs from "node:fs"

export interface SavedFile {
  /** `blake3:<hex>` of the encrypted blob. */
  readonly blobHash: string
  readonly path: string
}

/** The newest entries are read, in bytes of the file. */
const maxRead = 4_194_304

/** Records that a file was saved. Throws what writing throws. */
export const note = (file: string, { blobHash, path }: SavedFile): void =>
  fs.appendFileSync(file, `${JSON.stringify({ blob_hash: blobHash, path })}\n`, { mode: 0o600 })

const parse = (line: string): SavedFile | undefined => {
  try {
    const { blob_hash: blobHash, path } = JSON.parse(line) as { readonly [name: string]: unknown }
    return typeof blobHash === "string" && typeof path === "string" ? { blobHash, path } : undefined
  } catch {
    return undefined
  }
}

const tail = (file: string): string => {
  const descriptor = fs.openSync(file, "r")
  try {
    const { size } = fs.fstatSync(descriptor)
    const buffer = Buffer.alloc(Math.min(size, maxRead))
    const length = fs.readSync(descriptor, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString("utf8", 0, length)
  } finally {
    fs.closeSync(descriptor)
  }
}

/** The path where each blob was last saved, by its hash. */
export const read = (file: string): ReadonlyMap<string, string> => {
  try {
    const entries = tail(file)
      .split("\n")
      .flatMap((line) => parse(line) ?? [])
    return new Map(entries.map(({ blobHash, path }) => [blobHash, path]))
  } catch {
    return new Map()
  }
}
