/**
 * What the client keeps in its LocalStore, key by key. Schema version 1.
 *
 * | key | value |
 * |---|---|
 * | `version` | number of this layout |
 * | `account` | {@link AccountRow} |
 * | `settings` | {@link Settings} |
 * | `chain/<seq>` | own sigchain event, JCS, written before it is published |
 * | `position` | how far the inbox was taken in (`Position.ts`) |
 * | `order` | {@link Order}: the next place in local order |
 * | `contact/<hex>` | {@link ContactRow} |
 * | `talk/<hex>` | {@link TalkRow}: what is counted per conversation |
 * | `message/<hex of the peer>/<order>` | {@link MessageRow} |
 * | `seen/<hex of the sender>/<id>` | {@link SeenRow}: every envelope ever taken in or sent |
 * | `slot/<from>/<to>/<device>/<seq>` | {@link Slot}: who holds a place in a sender's count |
 * | `track/<from>/<to>/<device>` | {@link Track}: the highest `seq` seen |
 * | `out/<order>` | {@link OutRow}: what still has to be sent |
 * | `frame/<Kez-Id>` | sealed bytes that `out/` rows point to |
 * | `dropped/<0..999>` | {@link Dropped}: the last frames that could not be read |
 * | `kept/<epoch>/<seq>` | {@link Kept}: a raw frame that may be readable later |
 * | `block/<hex>` | {@link BlockRow}: what was decided about blocking an account, and who was told |
 * | `device/<id>` | {@link Device}: what a device of this account holds |
 * | `asked/<hex>` | {@link Asked}: the newest request for our addresses that a contact made |
 * | `offerOf/<blob hash>/<hex of its author>` | {@link OfferOf}: the message that offers a file |
 * | `download/<blob hash>` | {@link Download}: a file of somebody else that is here, wholly or in part |
 * | `share/<id>` | {@link ShareRow}: a file of this account |
 * | `shareOf/<blob hash>` | {@link ShareOf}: the share that serves a blob |
 * | `entry/<id>` | an entry of the next manifest, JCS; those of other devices too |
 * | `manifest` | {@link ManifestRow}: how far the own manifest is published |
 * | `manifestBody` | bytes of the newest own manifest |
 * | `browsed/<hex>` | {@link Browsed}: the newest manifest seen of an account |
 * | `browsedBody/<hex>` | its bytes |
 *
 * Numbers in keys are padded, so that key order is numeric order. A value that does not decode is `damaged`.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import type { JsonObject } from "../../../protocol/encoding/Json.ts"
import type { AdmittedKey } from "../../../protocol/identity/KeyAdmission.ts"
import * as Message from "../../../protocol/messages/Message.ts"
import { StoreError } from "../../../services/LocalStore.ts"

export const version = 1

/** How one kind of value lies in the store. */
export interface Row<A> {
  readonly encode: (value: A) => Uint8Array
  readonly decode: (key: string, bytes: Uint8Array) => Result.Result<A, StoreError>
}

const utf8 = new TextEncoder()
const text = new TextDecoder("utf-8", { fatal: true })

const damaged = (key: string, cause: unknown) =>
  Result.fail(new StoreError({ reason: "damaged", detail: `the entry ${key} cannot be read`, cause }))

const row = <S extends Schema.ConstraintDecoder<unknown>>(schema: S): Row<S["Type"]> => {
  const decode = Schema.decodeUnknownResult(schema)
  return {
    encode: (value) => utf8.encode(JSON.stringify(value)),
    decode: (key, bytes) => {
      try {
        const decoded = decode(JSON.parse(text.decode(bytes)))
        return Result.isSuccess(decoded) ? Result.succeed(decoded.success) : damaged(key, decoded.failure)
      } catch (cause) {
        return damaged(key, cause)
      }
    }
  }
}

const Count = Schema.Natural
const Head = Schema.Struct({ seq: Count, hash: Schema.String })

export const Version = row(Count)

export const Account = row(
  Schema.Struct({
    handle: Schema.String,
    primary: Schema.String,
    server: Schema.String,
    device: Schema.String,
    step: Schema.Literals(["created", "registered", "published"]),
    head: Schema.optionalKey(Head),
    createdAt: Schema.Number
  })
)
export type AccountRow = RowType<typeof Account>

export const Settings = row(
  Schema.Struct({
    readReceipts: Schema.Boolean,
    inbox: Schema.Literals(["everyone", "contacts"]),
    /** Absent in stores of before. */
    autoTrim: Schema.optionalKey(Schema.Boolean)
  })
)

export const Position = row(
  Schema.Struct({
    epoch: Schema.optionalKey(Schema.String),
    base: Count,
    inbox: Count,
    self: Count,
    ahead: Schema.Array(Count)
  })
)

export const Order = row(Schema.Struct({ next: Count }))

const ContactFields = Schema.Struct({
  handle: Schema.String,
  primary: Schema.String,
  /** Whether the home server has named the key, and its record was verified. */
  resolved: Schema.Boolean,
  state: Schema.Literals(["accepted", "requested", "blocked", "changed"]),
  /** The state to return to when unblocked. */
  before: Schema.optionalKey(Schema.Literals(["accepted", "requested", "changed"])),
  /** What the home says of the handle, where that is not this key; `to` is the key it names. See `ContactState`. */
  name: Schema.optionalKey(
    Schema.Struct({
      state: Schema.Literals(["offered", "offered_kept", "gone", "gone_kept"]),
      to: Schema.optionalKey(Schema.String),
      detail: Schema.String
    })
  ),
  /** What is wrong with the chain; `to` is the key that it was rotated to. */
  chain: Schema.optionalKey(
    Schema.Struct({
      state: Schema.Literals(["behind", "behind_kept", "rotated", "rotated_kept", "forked", "forked_kept"]),
      to: Schema.optionalKey(Schema.String),
      detail: Schema.String
    })
  ),
  noticedAt: Schema.optionalKey(Schema.Number),
  verified: Schema.Boolean,
  head: Schema.optionalKey(Head),
  /** The highest head that the contact's own messages named. */
  claimed: Schema.optionalKey(Head),
  /** Whether the chain names an inbox; absent until a chain was seen. */
  reachable: Schema.optionalKey(Schema.Boolean),
  /** Earlier keys of this contact that the user replaced, as hex. */
  former: Schema.Array(Schema.String),
  addedAt: Schema.Number,
  checkedAt: Schema.optionalKey(Schema.Number)
})
export type ContactRow = typeof ContactFields.Type

/** As contacts were kept before their name and chain were told apart. */
const OldContactFields = ContactFields.mapFields(
  Struct.assign({ changedTo: Schema.optionalKey(Schema.String), warning: Schema.optionalKey(Schema.String) })
)

/**
 * An old row does not say whether it was stopped by something that may heal. It is kept as what never does, and an offered
 * key in it as unexplained: the user decides.
 */
const upgraded = ({ changedTo, warning, ...contact }: typeof OldContactFields.Type): ContactRow => {
  if (contact.name !== undefined || contact.chain !== undefined) return contact
  const isStopped = warning !== undefined || contact.state === "changed" || contact.before === "changed"
  if (!isStopped) return contact
  const detail = warning ?? `${contact.handle} has another key than before`
  return {
    ...contact,
    verified: false,
    chain: { state: "forked", detail },
    ...(changedTo === undefined ? {} : { name: { state: "offered", to: changedTo, detail } })
  }
}

const oldContact = row(OldContactFields)
export const Contact: Row<ContactRow> = {
  encode: oldContact.encode,
  decode: (key, bytes) => Result.map(oldContact.decode(key, bytes), upgraded)
}

export const Talk = row(
  Schema.Struct({
    /** The next `seq` of this device to this peer. */
    seq: Count,
    /** Hash of the newest envelope that is no receipt. */
    prev: Schema.optionalKey(Schema.String),
    /** Orders; 0 for none. `incoming`: the last message that may be receipted. */
    incoming: Count,
    /** Up to here the peer was told that messages were delivered, and read. */
    toldDelivered: Count,
    toldRead: Count,
    /** Up to here the user has read, and up to here the peer may know. */
    read: Count,
    tellRead: Count
  })
)
export type TalkRow = RowType<typeof Talk>

const MessageFields = Schema.Struct({
  id: Schema.String,
  direction: Schema.Literals(["in", "out"]),
  body: Schema.Record(Schema.String, Schema.Json),
  device: Schema.String,
  seq: Count,
  hash: Schema.String,
  createdAt: Schema.Number,
  /** When the broker stored it, or when it was written here. */
  arrivedAt: Schema.Number,
  state: Schema.optionalKey(Schema.Literals(["queued", "stored", "delivered", "read", "failed"])),
  failure: Schema.optionalKey(Schema.String),
  waiting: Schema.optionalKey(
    Schema.Struct({ reason: Schema.Literals(["full", "slow"]), until: Schema.optionalKey(Schema.Number) })
  ),
  suspicious: Schema.optionalKey(Schema.Literal(true)),
  gap: Schema.optionalKey(Count),
  equivocation: Schema.optionalKey(Schema.Literal(true)),
  fork: Schema.optionalKey(Schema.Literal(true))
})
export interface MessageRow extends Omit<typeof MessageFields.Type, "body"> {
  readonly body: JsonObject
}
export const MessageRow: Row<MessageRow> = row(MessageFields) as unknown as Row<MessageRow>

/** Envelope hash, and the message it became; without one it was a receipt, or was dropped unseen. */
export const Seen = row(
  Schema.Struct({ hash: Schema.String, peer: Schema.optionalKey(Schema.String), order: Schema.optionalKey(Count) })
)
export type SeenRow = RowType<typeof Seen>

export const Slot = row(Schema.Struct({ id: Schema.String }))

export const Track = row(Schema.Struct({ highest: Count }))

export const Out = row(
  Schema.Struct({
    peer: Schema.String,
    /** `order` of the message whose state follows; absent for receipts. */
    message: Schema.optionalKey(Count),
    /** Copies that the broker has not acknowledged. `main` decides over the message's state. */
    copies: Schema.Array(Schema.Struct({ to: Schema.String, kezId: Schema.String, main: Schema.Boolean }))
  })
)
export type OutRow = RowType<typeof Out>

export const Dropped = row(
  Schema.Struct({
    epoch: Schema.String,
    seq: Count,
    at: Schema.Number,
    code: Schema.String,
    detail: Schema.String
  })
)

export const Kept = row(
  Schema.Struct({
    seq: Count,
    at: Schema.Number,
    /** The version of the reader that could not read it; 0 if it should be tried at every start. */
    reader: Count,
    /** base64url. */
    frame: Schema.String
  })
)

export const Block = row(
  Schema.Struct({
    blocked: Schema.Boolean,
    /** Grows with each decision; see `Body.BlockEntry`. */
    rev: Count,
    /** When the newest note about it was stored or queued; absent until there is one. */
    notedAt: Schema.optionalKey(Schema.Number),
    /** When the home last confirmed it, and the stream's epoch then. */
    atHome: Schema.optionalKey(Schema.Struct({ epoch: Schema.String, at: Schema.Number }))
  })
)
export type BlockRow = RowType<typeof Block>

export const Device = row(
  Schema.Struct({
    /** When something of it was last stored, milliseconds since the epoch; the home's clock. */
    seenAt: Schema.Number,
    /** What it last announced to hold; absent until it has. */
    holds: Schema.optionalKey(Schema.Struct({ epoch: Schema.String, upTo: Count, at: Schema.Number })),
    /** When it announced so for the first time. */
    firstAt: Schema.optionalKey(Schema.Number)
  })
)

export const Asked = row(
  Schema.Struct({
    /** base64url. */
    nonce: Schema.String,
    /** When the broker stored the request. */
    at: Schema.Number
  })
)

export const OfferOf = row(Schema.Struct({ peer: Schema.String, order: Count }))

export const Download = row(
  Schema.Struct({
    /** Primary of who shares it. */
    owner: Schema.String,
    /** The entry of their manifest by which it was found. */
    entry: Schema.optionalKey(Schema.String),
    name: Schema.String,
    folder: Schema.optionalKey(Schema.String),
    mediaType: Schema.String,
    size: Count,
    /** The content key, wrapped for this account as its owner would have wrapped it; base64url. */
    key: Schema.String,
    startedAt: Schema.Number
  })
)
export type DownloadRow = RowType<typeof Download>

export const Share = row(
  Schema.Struct({
    id: Schema.String,
    /** 64 hexadecimal digits. */
    hash: Schema.String,
    blobBytes: Count,
    name: Schema.String,
    folder: Schema.optionalKey(Schema.String),
    mediaType: Schema.String,
    size: Count,
    sharedAt: Schema.Number,
    listed: Schema.Literals(["readers", "public", "unlisted"]),
    /** `sent`: the boundaries of the chunks that were handed to the network for them. */
    readers: Schema.Array(
      Schema.Struct({
        hex: Schema.String,
        sent: Schema.Array(Count),
        fetchedAt: Schema.optionalKey(Schema.Number)
      })
    ),
    /** Whether this device made it; else another one did, or this one before it was restored. */
    here: Schema.Boolean,
    /** The content key wrapped for this account, base64url; only where this device made the share. */
    selfKey: Schema.optionalKey(Schema.String),
    /** base64url. */
    thumbnail: Schema.optionalKey(Schema.String),
    /** Whether a manifest with its entry was published at some time. The name is from when each one was anchored. */
    anchored: Schema.Boolean,
    /** Taken back. The row stays until a manifest without its entry is published. */
    removed: Schema.optionalKey(Schema.Literal(true))
  })
)
export type ShareRow = RowType<typeof Share>

export const ShareOf = row(Schema.Struct({ id: Schema.String }))

export const Manifest = row(
  Schema.Struct({
    /** The highest revision that was ever given to a body, or seen. */
    revision: Count,
    /** Counts what changed in the entries, and how much of that the body has. */
    changes: Count,
    included: Count,
    /** `changes` when something published was taken back last, and how much of the changes the chain's anchor has. */
    withdrawn: Schema.optionalKey(Count),
    settled: Schema.optionalKey(Count),
    /** Hash and revision of the manifest that was published, or taken over, last. */
    base: Schema.optionalKey(Schema.String),
    baseRevision: Schema.optionalKey(Count),
    /** Hash of the manifest that the chain named when it was looked at last. */
    anchor: Schema.optionalKey(Schema.String),
    /** `manifestBody`: signed here, then stored at the home, which publishes it, and perhaps named by the chain. */
    body: Schema.optionalKey(
      Schema.Struct({
        manifest: Schema.String,
        size: Count,
        revision: Schema.optionalKey(Count),
        /** Its member of this name. */
        anchored: Schema.optionalKey(Schema.String),
        state: Schema.Literals(["signed", "stored", "anchored"])
      })
    ),
    /** The manifest that the chain names and the home does not show, and since when; milliseconds since the epoch. */
    withheld: Schema.optionalKey(Schema.Struct({ manifest: Schema.String, since: Schema.Number })),
    /** Why it cannot be published or anchored, where trying again is no help. */
    problem: Schema.optionalKey(Schema.Struct({ code: Schema.String, detail: Schema.String }))
  })
)
export type ManifestRow = RowType<typeof Manifest>

export const Browsed = row(
  Schema.Struct({
    revision: Count,
    hash: Schema.String,
    /** Its member of this name. */
    anchored: Schema.optionalKey(Schema.String),
    createdAt: Schema.Number
  })
)

type RowType<R> = R extends Row<infer A> ? A : never

const padded = (n: number): string => String(n).padStart(15, "0")

/** The keys of the table above, and the prefixes that ranges are scanned by. */
export const key = {
  version: "version",
  account: "account",
  settings: "settings",
  position: "position",
  order: "order",
  chain: (seq: number) => `chain/${padded(seq)}`,
  contact: (hex: string) => `contact/${hex}`,
  talk: (hex: string) => `talk/${hex}`,
  message: (peer: string, order: number) => `message/${peer}/${padded(order)}`,
  seen: (message: Parameters<typeof Message.seenKey>[0]) => `seen/${Message.seenKey(message)}`,
  seenBy: (hex: string, id: string) => `seen/${hex}/${id}`,
  slot: (message: Parameters<typeof Message.sequenceKey>[0]) => `slot/${Message.sequenceKey(message)}`,
  track: (from: AdmittedKey, to: AdmittedKey, device: string) => `track/${from.hex}/${to.hex}/${device}`,
  out: (order: number) => `out/${padded(order)}`,
  frame: (kezId: string) => `frame/${kezId}`,
  dropped: (seq: number) => `dropped/${padded(seq % 1_000)}`,
  kept: (epoch: string, seq: number) => `kept/${epoch}/${padded(seq)}`,
  block: (hex: string) => `block/${hex}`,
  device: (id: string) => `device/${id}`,
  asked: (hex: string) => `asked/${hex}`,
  offerOf: (blobHash: string, author: string) => `offerOf/${blobHash}/${author}`,
  download: (blobHash: string) => `download/${blobHash}`,
  share: (id: string) => `share/${id}`,
  shareOf: (hash: string) => `shareOf/${hash}`,
  entry: (id: string) => `entry/${id}`,
  manifest: "manifest",
  manifestBody: "manifestBody",
  browsed: (hex: string) => `browsed/${hex}`,
  browsedBody: (hex: string) => `browsedBody/${hex}`
} as const

export const prefix = {
  chain: "chain/",
  contacts: "contact/",
  messages: (peer: string) => `message/${peer}/`,
  everyMessage: "message/",
  talks: "talk/",
  out: "out/",
  dropped: "dropped/",
  kept: "kept/",
  blocks: "block/",
  devices: "device/",
  asked: "asked/",
  downloads: "download/",
  shares: "share/",
  entries: "entry/"
} as const

/** Prefixes of all there is but `account` and `version`. */
export const everything: ReadonlyArray<string> = [
  "out/",
  "frame/",
  "message/",
  "seen/",
  "slot/",
  "track/",
  "talk/",
  "contact/",
  "chain/",
  "kept/",
  "dropped/",
  "block/",
  "device/",
  "asked/",
  "offerOf/",
  "download/",
  "share/",
  "shareOf/",
  "entry/",
  "manifest",
  "browsed/",
  "browsedBody/",
  key.position,
  key.order,
  key.settings
]

/** The order at the end of a `message/` or `out/` key. */
export const orderOf = (key: string): number => Number(key.slice(key.lastIndexOf("/") + 1))
