/** Reads an archive: every byte is compared with the manifest before anything is done with it. */
import { createHash } from "node:crypto"
import { createWriteStream } from "node:fs"
import { mkdir, open, readdir, rename, rm, rmdir } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { pipeline } from "node:stream/promises"
import { decode, type Manifest, manifestBytes, manifestFile } from "./Manifest.ts"
import { unpack } from "./Tar.ts"

/** Hashes what passes. */
const hashed = async function* (content: AsyncIterable<Buffer>, done: (digest: string) => void) {
  const hash = createHash("sha256")
  for await (const chunk of content) {
    hash.update(chunk)
    yield chunk
  }
  done(hash.digest("hex"))
}

const drain = async (content: AsyncIterable<Buffer>) => {
  for await (const _ of content);
}

/** Reads all of an archive and gives its files to `onFile`, which reads each wholly. Fails where one is not as listed. */
const readAll = async (
  path: string,
  onFile: (name: string, content: AsyncIterable<Buffer>) => Promise<void>
): Promise<Manifest> => {
  let manifest: Manifest | undefined
  const left = new Map<string, Manifest["files"][number]>()
  await unpack(path, async ({ bytes, name }, content) => {
    if (manifest === undefined) {
      if (name !== manifestFile || bytes > manifestBytes)
        throw new Error("is no archive of a home: it begins otherwise")
      const parts: Array<Buffer> = []
      for await (const part of content) parts.push(part)
      manifest = decode(Buffer.concat(parts).toString())
      for (const file of manifest.files) left.set(file.name, file)
      return
    }
    const listed = left.get(name)
    if (listed === undefined || listed.bytes !== bytes) throw new Error(`is damaged: ${name} is not as listed`)
    let digest = ""
    await onFile(
      name,
      hashed(content, (found) => (digest = found))
    )
    if (digest !== listed.sha256) throw new Error(`is damaged: ${name} has another digest`)
    left.delete(name)
  })
  const [absent] = left.keys()
  if (manifest === undefined || absent !== undefined)
    throw new Error(`is damaged: ${absent ?? manifestFile} is missing`)
  return manifest
}

const about = async <A>(path: string, work: () => Promise<A>): Promise<A> => {
  try {
    return await work()
  } catch (cause) {
    throw new Error(`${path} ${(cause as Error).message}`, { cause })
  }
}

/** Compares every byte of an archive with its manifest. */
export const verify = (path: string): Promise<Manifest> =>
  about(path, () => readAll(path, (_, content) => drain(content)))

/** Reads one file of an archive that was verified before. */
export const readOne = async (
  path: string,
  wanted: string,
  use: (content: AsyncIterable<Buffer>) => Promise<void>
): Promise<void> => {
  let failure: unknown
  const using = (content: AsyncIterable<Buffer>) =>
    use(content).catch((cause: unknown) => {
      failure = cause
      throw cause
    })
  await about(path, () => readAll(path, (name, content) => (name === wanted ? using(content) : drain(content)))).catch(
    (cause: unknown) => {
      throw failure ?? cause
    }
  )
}

const sync = async (path: string): Promise<void> => {
  const handle = await open(path)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Ends the name of what is being made beside its final place. What has such a name is ours to remove. */
export const unfinished = ".kez-partial"

/**
 * Unpacks an archive into a folder that is empty or missing. It appears as a whole, after every byte was verified and
 * `check` had no objection; what an interrupted try left beside it is removed by the next.
 */
export const extract = async (
  path: string,
  folder: string,
  isWanted: (name: string) => boolean,
  check: (folder: string, manifest: Manifest) => Promise<void>
): Promise<Manifest> => {
  const target = resolve(folder)
  const partial = `${target}${unfinished}`
  const present = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined
    throw error
  })
  if (present !== undefined && present.length > 0) throw new Error(`${target} is not empty: name a new folder`)
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true, mode: 0o700 })
  try {
    const manifest = await about(path, () =>
      readAll(path, async (name, content) => {
        if (!isWanted(name)) return drain(content)
        const file = join(partial, name)
        await mkdir(dirname(file), { recursive: true, mode: 0o700 })
        await pipeline(content, createWriteStream(file, { flags: "wx", mode: 0o600, flush: true }))
      })
    )
    await check(partial, manifest)
    for (const entry of await readdir(partial, { withFileTypes: true }))
      if (entry.isDirectory()) await sync(join(partial, entry.name))
    await sync(partial)
    if (present !== undefined) await rmdir(target)
    await rename(partial, target)
    await sync(dirname(target))
    return manifest
  } catch (cause) {
    await rm(partial, { recursive: true, force: true })
    throw cause
  }
}
