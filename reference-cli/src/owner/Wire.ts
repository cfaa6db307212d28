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
import { KezChatError } from "@kez-chat/sdk"
import { StoreError } from "@kez-chat/sdk/services"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

export const protocolVersion = 2
/** Longest request the owner reads, in bytes: the largest message, every byte of it escaped, with room to spare. */
export const maxRequestBytes = 1_048_576
/** Longest reply a command reads, in bytes: a whole sigchain of 4 MiB with room to spare. */
export const maxReplyBytes = 16_777_216
/** A connection that has not sent `hello` by then is closed, in milliseconds. */
export const helloMillis = 5_000

const Cancellation = Schema.Struct({ v: Schema.Literal(protocolVersion), id: Schema.Int, cancel: Schema.Literal(true) })
const Call = Schema.Struct({
  v: Schema.Literal(protocolVersion),
  id: Schema.Int,
  method: Schema.String,
  params: Schema.Array(Schema.Unknown)
})
const Request = Schema.Union([Cancellation, Call])
export type Request = typeof Request.Type

/** An error with its own fields, without causes: they may hold anything. */
const WireError = Schema.StructWithRest(Schema.Struct({ tag: Schema.String }), [
  Schema.Record(Schema.String, Schema.Unknown)
])
export type WireError = typeof WireError.Type

const Reply = Schema.Union([
  Schema.Struct({ id: Schema.Int, ok: Schema.Unknown }),
  Schema.Struct({ id: Schema.Int, item: Schema.Unknown }),
  Schema.Struct({ id: Schema.Int, end: Schema.Literal(true) }),
  Schema.Struct({ id: Schema.Int, error: WireError })
])
export type Reply = typeof Reply.Type

const toFields = Schema.encodeSync(KezChatError)
const fromFields = Schema.decodeUnknownOption(KezChatError)

export const encodeError = (error: KezChatError): WireError => {
  const { _tag: tag, ...fields } = toFields(error)
  return { tag, ...fields }
}

/** The owner's error, or a store error that names what could not be understood. */
export const decodeError = ({ tag, ...fields }: WireError): KezChatError =>
  Option.getOrElse(
    fromFields({ ...fields, _tag: tag }),
    () => new StoreError({ reason: "io", detail: `the owner process answered with an error of kind ${tag}` })
  )

/** The owner ended before it answered. What it had acknowledged is safe; whether it did the rest is unknown. */
export const ownerLost = (): StoreError =>
  new StoreError({
    reason: "locked",
    detail:
      "the kez-chat process that held this account ended in the middle; try again, and look at `history` before sending twice"
  })

/** One line for a request or a reply. Bytes are left out: a terminal cannot show the thumbnails of files. */
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

  /** The lines that `chunk` completes, or undefined once a line is too long: nothing after it can be trusted. */
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

const decodeRequest = Schema.decodeUnknownOption(Schema.fromJsonString(Request))
const decodeReply = Schema.decodeUnknownOption(Schema.fromJsonString(Reply))

/** A request, or undefined for anything that is none. */
export const parseRequest = (line: string): Request | undefined => Option.getOrUndefined(decodeRequest(line))

/** A reply, or undefined for anything that is none. */
export const parseReply = (line: string): Reply | undefined => Option.getOrUndefined(decodeReply(line))
