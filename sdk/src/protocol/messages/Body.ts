/** The JSON inside a message (spec: bodies): its `type`, and its sender's sigchain head, which reveals rollbacks. */
import * as Result from "effect/Result"
import { attempt, valid } from "../Attempt.ts"
import * as Bytes from "../encoding/Bytes.ts"
import * as Canonical from "../encoding/Canonical.ts"
import * as FileName from "../files/FileName.ts"
import * as Json from "../encoding/Json.ts"
import * as Handle from "../identity/Handle.ts"
import type { AdmittedKey } from "../identity/KeyAdmission.ts"
import * as Limits from "../Limits.ts"
import { Members } from "../encoding/Members.ts"
import * as PrimaryKey from "../identity/PrimaryKey.ts"
import { fail, type Problem } from "../Problem.ts"
import { type Head, parseHead } from "../sigchain/Sigchain.ts"
import * as Ticket from "../files/Ticket.ts"
import * as Timestamp from "../encoding/Timestamp.ts"

interface Common {
  /** The sender's own sigchain head when it wrote this. */
  readonly chain: Head
  /** Shown by clients that do not know the type. */
  readonly fallback?: string
}

export interface Text extends Common {
  readonly type: "text"
  readonly text: string
}

/** A file offered by the sender's Iroh node. Downloaded only when the recipient asks for it. */
export interface FileShare extends Common {
  readonly type: "file_share"
  readonly filename: string
  readonly media_type: string
  /** Bytes of the file. */
  readonly size: number
  /** `blake3:<64 hex>` of the encrypted blob. */
  readonly blob_hash: string
  /** Iroh ticket; its endpoint must be the sender and its hash the blob's (see {@link checkAuthor}). */
  readonly ticket: string
  /** The content key for the recipient: enc32 || ct48. */
  readonly wrapped_content_key: Uint8Array
  /** The content key for the sender. */
  readonly self_wrapped_content_key: Uint8Array
  /** Encoded image of at most 8 KiB. */
  readonly thumbnail?: Uint8Array
}

/** A device stored (or showed) messages. Counts only for ids that the receipt's reader wrote to its author. */
export interface Receipt extends Common {
  readonly type: "receipt"
  readonly status: "delivered" | "read"
  /** 1 to 128 message ids. */
  readonly ids: ReadonlyArray<string>
}

/** Asks a contact for its current network addresses. Never shown. */
export interface AddressRequest extends Common {
  readonly type: "address_request"
  /** 16 bytes. */
  readonly nonce: Uint8Array
}

/** The answer to an {@link AddressRequest}. Never shown. */
export interface Address extends Common {
  readonly type: "address"
  readonly nonce: Uint8Array
  /** `ip:port`. */
  readonly addrs: ReadonlyArray<string>
  readonly relay_url?: string
  /** Milliseconds since the epoch, at most 5 minutes ahead. */
  readonly expiresAt: number
}

/** The user's decision about one account. */
export interface BlockEntry {
  /** Primary. */
  readonly who: string
  readonly blocked: boolean
  /** Grows with each decision about this account. The highest wins; for equal numbers, the one that blocks. */
  readonly rev: number
}

/** Tells the account's other devices which accounts the user blocks. A note to self, never shown. */
export interface BlockList extends Common {
  readonly type: "block_list"
  /** 1 to 256; accounts not listed stay unchanged. */
  readonly entries: ReadonlyArray<BlockEntry>
}

/** Tells the account's other devices which frames its author's device holds. A note to self, never shown. */
export interface DevicePosition extends Common {
  readonly type: "device_position"
  /** The epoch of the stream that `upTo` belongs to, 22 base64url characters. */
  readonly epoch: string
  /** The device holds every frame with a stream sequence number of at most this. */
  readonly upTo: number
}

/** Says that somebody may write to the recipient, or takes that back (spec: introductions). */
export interface Introduction extends Common {
  readonly type: "introduction"
  /** `ed25519:<hex>` of the newcomer. */
  readonly primary: string
  /** The newcomer's handle as the author knows it. */
  readonly handle?: string
  readonly withdrawn?: true
}

/** A body without meaning to this version: a reserved type (`edit`, `delete`, `reaction`, `typing`) or unknown. */
export interface Other extends Common {
  readonly type: "other"
  /** The type as sent. */
  readonly name: string
  readonly reserved: boolean
}

/** A body to send. */
export type Known = Text | FileShare | Receipt | AddressRequest | Address | BlockList | DevicePosition | Introduction

export type Body = Known | Other

/**
 * Whether a body is for devices only: never shown, never receipted, without a copy for its sender, and not counted as a
 * predecessor by other messages (spec: addresses, receipts).
 */
export const isHidden = ({ type }: { readonly type: Body["type"] }): boolean =>
  type === "receipt" || type === "address_request" || type === "address" || isDeviceNote({ type })

/** Whether a body is for the account's own devices; ignored from or to others (spec: notes between devices). */
export const isDeviceNote = ({ type }: { readonly type: Body["type"] }): boolean =>
  type === "block_list" || type === "device_position"

/** A received body with the JSON it was parsed from, unknown members included. */
export interface Received {
  readonly body: Body
  readonly json: Json.JsonObject
}

const reserved = new Set(["edit", "delete", "reaction", "typing"])
const address = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]{2,45}\]):\d{1,5}$/

const readText = (members: Members) =>
  Result.map(members.string("text", Limits.bodyBytes), (text) => ({ type: "text", text }) as const)

const readFileShare = (members: Members) =>
  Result.gen(function* () {
    const filename = yield* members.matching("filename", FileName.bare, "a bare file name of 1 to 255 characters")
    const media_type = yield* members.string("media_type", Limits.mediaTypeMax)
    const size = yield* members.integer("size")
    const blob_hash = yield* members.hash("blob_hash", "blake3")
    const ticket = yield* members.string("ticket", Limits.ticketMax)
    const wrapped_content_key = yield* members.bytes("wrapped_content_key", { length: Limits.wrappedKeyBytes })
    const self_wrapped_content_key = yield* members.bytes("self_wrapped_content_key", {
      length: Limits.wrappedKeyBytes
    })
    const thumbnail = members.has("thumbnail")
      ? { thumbnail: yield* members.bytes("thumbnail", { max: Limits.thumbnailBytes }) }
      : {}
    const keys = { wrapped_content_key, self_wrapped_content_key }
    return { type: "file_share", filename, media_type, size, blob_hash, ticket, ...keys, ...thumbnail } as const
  })

const readReceipt = (members: Members) =>
  Result.gen(function* () {
    const status = members.get("status")
    if (status !== "delivered" && status !== "read")
      return yield* members.bad("status", "is neither delivered nor read")
    const isId = (text: string) => Bytes.exactly(text, Limits.idBytes) !== undefined
    const ids = yield* members.strings("ids", Limits.receiptIds, isId, "ids")
    if (ids.length === 0) return yield* members.bad("ids", "is empty")
    return { type: "receipt", status, ids } as const
  })

const readAddressRequest = (members: Members) =>
  Result.map(
    members.bytes("nonce", { length: Limits.idBytes }),
    (nonce) => ({ type: "address_request", nonce }) as const
  )

const readAddress = (members: Members) =>
  Result.gen(function* () {
    const nonce = yield* members.bytes("nonce", { length: Limits.idBytes })
    const addrs = yield* members.strings("addrs", Limits.addressesMax, (text) => address.test(text), "ip:port")
    const relay = members.has("relay_url")
      ? { relay_url: yield* members.matching("relay_url", /^https?:\/\/\S{1,500}$/, "an http(s) URL") }
      : {}
    const expiresAt = yield* members.time("expires_at")
    return { type: "address", nonce, addrs, ...relay, expiresAt } as const
  })

const readBlockList = (members: Members) =>
  Result.gen(function* () {
    const entries: Array<BlockEntry> = []
    for (const item of yield* members.array("entries", Limits.blockEntries)) {
      const entry = yield* Members.of(item, "message_malformed", "body: an entry")
      const who = yield* entry.matching("who", PrimaryKey.ed25519Form, "a primary")
      const blocked = entry.get("blocked")
      if (typeof blocked !== "boolean") return yield* entry.bad("blocked", "is not a boolean")
      entries.push({ who, blocked, rev: yield* entry.integer("rev", 1) })
    }
    if (entries.length === 0) return yield* members.bad("entries", "is empty")
    return { type: "block_list", entries } as const
  })

const readDevicePosition = (members: Members) =>
  Result.gen(function* () {
    const epoch = Bytes.toBase64Url(yield* members.bytes("epoch", { length: Limits.epochBytes }))
    return { type: "device_position", epoch, upTo: yield* members.integer("up_to") } as const
  })

const readIntroduction = (members: Members) =>
  Result.gen(function* () {
    const primary = yield* members.matching("primary", PrimaryKey.ed25519Form, "a primary")
    yield* PrimaryKey.parseEd25519(primary)
    const handle = members.has("handle") ? { handle: (yield* Handle.parse(yield* members.string("handle"))).text } : {}
    if (!members.has("withdrawn")) return { type: "introduction", primary, ...handle } as const
    if (members.get("withdrawn") !== true) return yield* members.bad("withdrawn", "is not true")
    return { type: "introduction", primary, ...handle, withdrawn: true } as const
  })

/** A known body without the common members. */
type Own = { [T in Known["type"]]: Omit<Extract<Known, { type: T }>, keyof Common> }[Known["type"]]

const readers: Readonly<Record<Known["type"], (members: Members) => Result.Result<Own, Problem>>> = {
  text: readText,
  file_share: readFileShare,
  receipt: readReceipt,
  address_request: readAddressRequest,
  address: readAddress,
  block_list: readBlockList,
  device_position: readDevicePosition,
  introduction: readIntroduction
}

/**
 * Parses a decrypted plaintext. Another form than JCS and a known type with wrong members are `message_malformed`; an
 * unknown type is kept.
 */
export const parse = (bytes: Uint8Array): Result.Result<Received, Problem> =>
  attempt(() => {
    const { canonical, value } = valid(Json.parseText(bytes, { maxBytes: Limits.bodyBytes }))
    if (!canonical && !Bytes.equal(Canonical.encode(value), bytes)) {
      return valid(fail("message_malformed", "the body is not in JCS form"))
    }
    const members = valid(Members.of(value, "message_malformed", "body"))
    const name = valid(members.string("type", Limits.operationMax))
    const chain = valid(parseHead(valid(members.members("chain"))))
    const fallback = valid(members.optionalString("fallback", Limits.bodyBytes))
    const common = { chain, ...(fallback === undefined ? {} : { fallback }) }
    if (!Object.hasOwn(readers, name)) {
      return { body: { type: "other", name, reserved: reserved.has(name), ...common }, json: members.json }
    }
    const body = valid(readers[name as Known["type"]](members))
    return { body: { ...body, ...common }, json: members.json }
  })

const membersOf = (body: Known): Json.JsonObject => {
  switch (body.type) {
    case "text":
      return { text: body.text }
    case "file_share":
      return {
        filename: body.filename,
        media_type: body.media_type,
        size: body.size,
        blob_hash: body.blob_hash,
        ticket: body.ticket,
        wrapped_content_key: Bytes.toBase64Url(body.wrapped_content_key),
        self_wrapped_content_key: Bytes.toBase64Url(body.self_wrapped_content_key),
        ...(body.thumbnail === undefined ? {} : { thumbnail: Bytes.toBase64Url(body.thumbnail) })
      }
    case "receipt":
      return { status: body.status, ids: body.ids }
    case "address_request":
      return { nonce: Bytes.toBase64Url(body.nonce) }
    case "block_list":
      return { entries: body.entries.map(({ who, blocked, rev }) => ({ who, blocked, rev })) }
    case "device_position":
      return { epoch: body.epoch, up_to: body.upTo }
    case "introduction":
      return {
        primary: body.primary,
        ...(body.handle === undefined ? {} : { handle: body.handle }),
        ...(body.withdrawn === undefined ? {} : { withdrawn: true })
      }
    case "address":
      return {
        nonce: Bytes.toBase64Url(body.nonce),
        addrs: body.addrs,
        ...(body.relay_url === undefined ? {} : { relay_url: body.relay_url }),
        expires_at: Timestamp.fromMillis(body.expiresAt)
      }
  }
}

/** The plaintext of a body: JCS. Fails with `message_too_large` or the problem that readers would report. */
export const encode = (body: Known): Result.Result<Uint8Array, Problem> => {
  const json: Json.JsonObject = {
    type: body.type,
    ...membersOf(body),
    chain: { seq: body.chain.seq, hash: body.chain.hash },
    ...(body.fallback === undefined ? {} : { fallback: body.fallback })
  }
  const members = new Members(json, "message_malformed", "body")
  const chain = parseHead(new Members(json["chain"] as Json.JsonObject, "message_malformed", "body: chain"))
  if (Result.isFailure(chain)) return Result.fail(chain.failure)
  if (Object.values(json).some((value) => typeof value === "string" && !value.isWellFormed())) {
    return fail("json_string", "the body holds a lone surrogate")
  }
  const bytes = Canonical.encode(json)
  if (bytes.length > Limits.bodyBytes) {
    return fail("message_too_large", `the body has ${bytes.length} bytes, more than ${Limits.bodyBytes}`)
  }
  const checked: Result.Result<unknown, Problem> = readers[body.type](members)
  return Result.isFailure(checked) ? Result.fail(checked.failure) : Result.succeed(bytes)
}

/** The ids of a receipt that count: those for which `isOurs` says that we wrote them to the receipt's author. */
export const countingIds = (receipt: Receipt, isOurs: (id: string) => boolean): ReadonlyArray<string> =>
  [...new Set(receipt.ids)].filter(isOurs)

/**
 * Checks that a body may come from its author: the ticket of a `file_share` must lead to the author's own device and to
 * the blob offered. Fails with `ticket_malformed`, `ticket_mismatch` or `key_rejected`.
 */
export const checkAuthor = (body: Body, author: AdmittedKey): Result.Result<void, Problem> =>
  body.type === "file_share"
    ? Result.map(Ticket.decodeShared(body.ticket, { owner: author, blobHash: body.blob_hash }), () => undefined)
    : Result.succeed(undefined)
