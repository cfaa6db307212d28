/**
 * How commands talk to the process that owns the profile: JSON, one message a line, over a socket that only this user
 * can open.
 *
 *   -> {"v":2,"id":0,"method":"hello","params":["<token>"]}        first, within five seconds
 *   <- {"id":0,"ok":{"version":"0.1.0","pid":4711,...}}
 *   -> {"v":2,"id":1,"method":"send","params":["bob","hello"]}     many at once, told apart by id
 *   <- {"id":1,"ok":{...}}  or  {"id":1,"error":{"tag":"ContactUnknown","who":"bob"}}
 *   <- {"id":2,"item":{...}} ... {"id":2,"end":true}               streams
 *   -> {"v":2,"id":2,"cancel":true}
 *
 * Secrets never cross: the methods that show words or take them do not exist here.
 */
import type { KezChatError } from "@kez-chat/sdk"

export const protocolVersion = 2
/** Longest request the owner reads, in bytes: the largest message, every byte of it escaped, with room to spare. */
export const maxRequestBytes = 1_048_576
/** Longest reply a command reads, in bytes: a whole sigchain of 4 MiB with room to spare. */
export const maxReplyBytes = 16_777_216
/** A connection that has not said hello by then is closed. */
export const helloMillis = 5_000

export interface Request {
  readonly v: typeof protocolVersion
  readonly id: number
  readonly method?: string
  readonly params?: ReadonlyArray<unknown>
  readonly cancel?: true
}

export type Reply =
  | { readonly id: number; readonly ok: unknown }
  | { readonly id: number; readonly item: unknown }
  | { readonly id: number; readonly end: true }
  | { readonly id: number; readonly error: WireError }

/** An error with its own fields, without causes: they may hold anything. */
export type WireError = { readonly tag: string } & Readonly<Record<string, unknown>>

export const encodeError = (error: KezChatError): WireError => {
  const { _tag: tag } = error
  switch (error._tag) {
    case "NoAccount":
      return { tag }
    case "AccountUnfinished":
      return { tag, handle: error.handle, step: error.step }
    case "AccountExists":
      return { tag, handle: error.handle }
    case "ContactUnknown":
      return { tag, who: error.who }
    case "SendBlocked":
      return { tag, who: error.who, reason: error.reason, detail: error.detail }
    case "KeyRefused":
      return { tag, who: error.who, primary: error.primary, reason: error.reason, detail: error.detail }
    case "Problem":
      return { tag, code: error.code, detail: error.detail }
    case "ServerUnreachable":
      return { tag, url: error.url, detail: error.detail }
    case "BrokerRefused":
      return {
        tag,
        code: error.code,
        retryable: error.retryable,
        ...(error.untilMillis === undefined ? {} : { untilMillis: error.untilMillis })
      }
    case "FetchBlocked":
      return { tag, who: error.who, reason: error.reason, detail: error.detail }
    case "FileError":
      return { tag, reason: error.reason, path: error.path, detail: error.detail }
    case "BrokerUnavailable":
    case "StoreError":
    case "VaultError":
    case "BlobStoreError":
    case "BlobTransportError":
      return { tag, reason: error.reason, detail: error.detail }
    case "StoreConflict":
      return { tag, key: error.key }
  }
}

/** A request or reply as its line. Bytes stay behind: pictures of files are nothing for a terminal. */
export const encode = (value: Request | Reply): string =>
  `${JSON.stringify(value, (_, member: unknown) => (member instanceof Uint8Array ? undefined : member))}\n`

/** Splits a byte stream into lines of bounded length. */
export class LineSplitter {
  readonly #limit: number
  #parts: Array<Buffer> = []
  #length = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The lines that `chunk` completes, or undefined once a line is too long: nothing that follows can be trusted. */
  push(chunk: Buffer): ReadonlyArray<string> | undefined {
    const lines: Array<string> = []
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      const line = this.#take(chunk.subarray(from, at))
      if (line === undefined) return undefined
      lines.push(line.toString("utf8"))
      from = at + 1
    }
    const rest = chunk.subarray(from)
    this.#length += rest.length
    if (this.#length > this.#limit) return undefined
    if (rest.length > 0) this.#parts.push(rest)
    return lines
  }

  #take(end: Buffer): Buffer | undefined {
    if (this.#length + end.length > this.#limit) return undefined
    const line = this.#parts.length === 0 ? end : Buffer.concat([...this.#parts, end])
    this.#parts = []
    this.#length = 0
    return line
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A request, or undefined for anything that is none. */
export const parseRequest = (line: string): Request | undefined => {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isObject(json) || json["v"] !== protocolVersion || !Number.isSafeInteger(json["id"])) return undefined
  const { method, params, cancel } = json
  const id = json["id"] as number
  if (cancel === true) return { v: protocolVersion, id, cancel }
  if (typeof method !== "string" || !(params === undefined || Array.isArray(params))) return undefined
  return { v: protocolVersion, id, method, params: params ?? [] }
}

/** A reply, or undefined for anything that is none. */
export const parseReply = (line: string): Reply | undefined => {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isObject(json) || !Number.isSafeInteger(json["id"])) return undefined
  const id = json["id"] as number
  if ("ok" in json) return { id, ok: json["ok"] }
  if ("item" in json) return { id, item: json["item"] }
  if (json["end"] === true) return { id, end: true }
  const { error } = json
  return isObject(error) && typeof error["tag"] === "string" ? { id, error: error as WireError } : undefined
}
