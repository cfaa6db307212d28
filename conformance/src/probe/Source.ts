/** What a probe reads: a file, standard input, an address, or the text itself, all of bounded size. */
import { createReadStream } from "node:fs"
import { UsageError } from "../suite/UsageError.ts"

/** Bytes of an input, after a server's content encoding. The largest bundle of a chain has 5.6 MB. */
export const limitBytes = 8 * 1024 * 1024
/** How long a server may take, in milliseconds. */
const patienceMillis = 20_000

/** The address cannot be reached, or has no envelopes: exit code 4. */
export class SourceUnavailable extends Error {
  override readonly name = "SourceUnavailable"
}

/** The input is there, but nothing that this project knows from KEZ: exit code 3. */
export class NotKez extends UsageError {}

export interface Source {
  readonly kind: "text" | "file" | "url"
  readonly name: string
  readonly bytes: Uint8Array
  /** Of an answer over HTTP. */
  readonly headers?: Headers
}

const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const parts: Array<Uint8Array> = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > limitBytes) throw new NotKez(`the input has more than ${limitBytes} bytes`)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

const fromUrl = async (url: string): Promise<Source> => {
  let answer: Response
  try {
    answer = await fetch(url, { signal: AbortSignal.timeout(patienceMillis) })
    if (!answer.ok) throw new SourceUnavailable(`${url} answers ${answer.status}`)
    return {
      kind: "url",
      name: url,
      bytes: answer.body === null ? new Uint8Array() : await collect(answer.body),
      headers: answer.headers
    }
  } catch (error) {
    if (error instanceof NotKez || error instanceof SourceUnavailable) throw error
    const { cause, message } = error as Error
    throw new SourceUnavailable(`${url} cannot be read: ${cause instanceof Error ? cause.message : message}`)
  }
}

/** Reads `-`, an `http:` or `https:` URL, a text that begins with `kez:`, or else a file. */
export const readSource = async (argument: string): Promise<Source> => {
  if (/^kez:/i.test(argument)) return { kind: "text", name: "the argument", bytes: Buffer.from(argument) }
  if (/^https?:/i.test(argument)) return fromUrl(argument)
  if (argument === "-") return { kind: "file", name: "standard input", bytes: await collect(process.stdin) }
  try {
    return { kind: "file", name: argument, bytes: await collect(createReadStream(argument)) }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${argument} cannot be read: ${(error as Error).message}`)
  }
}
