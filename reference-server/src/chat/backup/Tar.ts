/**
 * The archive of a backup: a plain tar of regular files (POSIX ustar, with GNU's form of sizes beyond 8 GiB), so that any
 * tar can unpack it. Compressed as its name says: `.tar`, `.tar.gz`, `.tgz`, `.tar.zst`.
 */
import { createReadStream, createWriteStream } from "node:fs"
import type { Readable, Transform } from "node:stream"
import { pipeline } from "node:stream/promises"
import { createGunzip, createGzip, createZstdCompress, createZstdDecompress } from "node:zlib"

const block = 512
const largestOctal = 0o77777777777
/** Longest name of a file; ours are all short. */
const nameBytes = 100

export interface TarFile {
  readonly name: string
  readonly bytes: number
  /** Seconds since 1970. */
  readonly modifiedAt: number
}

const compressor = (path: string): Transform | undefined =>
  path.endsWith(".zst") ? createZstdCompress() : /\.t?gz$/.test(path) ? createGzip() : undefined

/** Whether a path has one of the endings that are understood. */
export const isArchiveName = (path: string): boolean => /\.(?:tar|tar\.gz|tgz|tar\.zst)$/.test(path)

const header = ({ bytes, modifiedAt, name }: TarFile): Buffer => {
  const head = Buffer.alloc(block)
  if (Buffer.byteLength(name) > nameBytes) throw new RangeError(`${name} is too long for an archive`)
  head.write(name, 0)
  head.write("0000600\0", 100)
  head.write("0000000\0", 108)
  head.write("0000000\0", 116)
  if (bytes <= largestOctal) head.write(`${bytes.toString(8).padStart(11, "0")}\0`, 124)
  else {
    head.writeUInt8(0x80, 124)
    head.writeBigUInt64BE(BigInt(bytes), 128)
  }
  head.write(`${Math.floor(modifiedAt).toString(8).padStart(11, "0")}\0`, 136)
  head.write("        ", 148)
  head.write("0", 156)
  head.write("ustar\x0000", 257)
  head.write(`${checksum(head).toString(8).padStart(6, "0")}\0 `, 148)
  return head
}

/** Of a header whose own field counts as blanks. */
const checksum = (head: Buffer): number => head.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 0x20 : byte), 0)

const padding = (bytes: number): Buffer => Buffer.alloc((block - (bytes % block)) % block)

/** Writes files into a new archive, open to its owner alone, and waits until it is on disk. */
export const pack = async (
  path: string,
  archiveName: string,
  files: ReadonlyArray<TarFile & { readonly path: string }>
): Promise<void> => {
  const source = async function* () {
    for (const file of files) {
      yield header(file)
      let left = file.bytes
      for await (const chunk of createReadStream(file.path) as AsyncIterable<Buffer>) {
        left -= chunk.length
        yield chunk
      }
      if (left !== 0) throw new Error(`${file.name} changed while it was packed`)
      yield padding(file.bytes)
    }
    yield Buffer.alloc(2 * block)
  }
  const target = createWriteStream(path, { flags: "wx", mode: 0o600, flush: true })
  const compress = compressor(archiveName)
  await (compress === undefined ? pipeline(source, target) : pipeline(source, compress, target))
}

const malformed = (detail: string) => new Error(`is no archive of a home: ${detail}`)

const parse = (head: Buffer): TarFile => {
  const text = (from: number, bytes: number) => head.toString("latin1", from, from + bytes).replace(/\0.*$/s, "")
  if (Number.parseInt(text(148, 8), 8) !== checksum(head)) throw malformed("a header is damaged")
  if (!["0", "\0", ""].includes(text(156, 1))) throw malformed("it holds something else than files")
  const bytes = head[124] === 0x80 ? Number(head.readBigUInt64BE(128)) : Number.parseInt(text(124, 12), 8)
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw malformed("a size is damaged")
  return { name: text(0, nameBytes), bytes, modifiedAt: Number.parseInt(text(136, 12), 8) || 0 }
}

/** Bytes of a stream, by number. */
class Reader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  /** At most `bytes`; undefined at the end. */
  async some(bytes: number): Promise<Buffer | undefined> {
    if (this.#rest.length === 0) {
      const next = await this.#chunks.next()
      if (next.done === true) return undefined
      this.#rest = next.value
    }
    const part = this.#rest.subarray(0, bytes)
    this.#rest = this.#rest.subarray(part.length)
    return part
  }

  async *exactly(bytes: number): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0;) {
      const part = await this.some(left)
      if (part === undefined) throw malformed("it is cut off")
      left -= part.length
      yield part
    }
  }

  async whole(bytes: number): Promise<Buffer> {
    const parts: Array<Buffer> = []
    for await (const part of this.exactly(bytes)) parts.push(part)
    return Buffer.concat(parts)
  }
}

/** Reads an archive from its beginning to its end, file by file; each handler reads its file or leaves it. */
export const unpack = async (
  path: string,
  onFile: (file: TarFile, content: AsyncIterable<Buffer>) => Promise<void>
): Promise<void> => {
  const file = createReadStream(path)
  const expand = path.endsWith(".zst") ? createZstdDecompress() : /\.t?gz$/.test(path) ? createGunzip() : undefined
  if (expand !== undefined) file.once("error", (error) => expand.destroy(error)).pipe(expand)
  const stream = expand ?? file
  const reader = new Reader(stream)
  try {
    for (;;) {
      const head = await reader.whole(block)
      if (head.every((byte) => byte === 0)) return
      const entry = parse(head)
      const content = reader.exactly(entry.bytes)
      await onFile(entry, content)
      // What the handler left.
      for await (const _ of content);
      await reader.whole(padding(entry.bytes).length)
    }
  } finally {
    stream.destroy()
    file.destroy()
  }
}
