/**
 * Everything the client stores in its LocalStore, by key. Layout version 1.
 *
 * | key | value | described in |
 * |---|---|---|
 * | `version` | number of this layout | here |
 * | `account` | account | `Account.ts` |
 * | `chain/<seq>` | event of the own sigchain, JCS, written before it is published | `Account.ts` |
 * | `rotation` | rotation under way | `Rotation.ts` |
 * | `former/<hex>` | key that the account had before | `Rotation.ts` |
 * | `formerPosition/<hex>` | inbox position of this device for such a key | `Rotation.ts` |
 * | `chainOf/<hex>/<seq>` | as `chain/`, of the account's former keys and of the next one | `Rotation.ts` |
 * | `retired/<hex>` | former key of a contact | `Rotation.ts` |
 * | `settings` | settings | `Settings.ts` |
 * | `position` | inbox position of this device | `Position.ts` |
 * | `device/<id>` | inbox position and activity of a device of this account | `Position.ts` |
 * | `contact/<hex>` | contact | `Contact.ts` |
 * | `claim/<hex>/<subject>` | claim of an account, and what checks found | `Claim.ts` |
 * | `proving/<subject>` | proof of this account that is being made | `Claim.ts` |
 * | `heldBy/<hex>` | stranger whose mail is held back | `Request.ts` |
 * | `held/<hex>/<id>` | a frame of theirs | `Request.ts` |
 * | `introduction/<hex of the newcomer>/<hex of the voucher>` | introduction that this account received | `Request.ts` |
 * | `introduced/<hex of the peer>/<hex of the newcomer>` | introduction that it gave | `Request.ts` |
 * | `block/<hex>` | newest decision about blocking an account | `Block.ts` |
 * | `talk/<hex of the peer>` | counters of a conversation | `Conversation.ts` |
 * | `draft/<hex of the peer>` | draft | `Conversation.ts` |
 * | `order` | next position in local order | `Message.ts` |
 * | `message/<hex of the peer>/<order>` | message | `Message.ts` |
 * | `seen/<hex of the sender>/<id>` | envelope received or sent | `Message.ts` |
 * | `receipt/<hex of its author>/<id>` | receipt for messages of this account | `Message.ts` |
 * | `early/<hex of the author>` | receipts that came before the own copies of their messages | `Message.ts` |
 * | `slot/<from>/<to>/<device>/<seq>` | holder of a sequence number | `Message.ts` |
 * | `track/<from>/<to>/<device>` | highest sequence number seen | `Message.ts` |
 * | `out/<order>` | envelope to send | `Outbound.ts` |
 * | `frame/<Kez-Id>` | sealed bytes of a copy in an `out/` row | `Outbound.ts` |
 * | `dropped/<seq modulo 1000>` | why one of the last frames was dropped | `Unreadable.ts` |
 * | `kept/<epoch>/<seq>` | frame that may be readable later | `Unreadable.ts` |
 * | `offerOf/<blob hash>/<hex of its author>` | message that offers a file | `files/Offer.ts` |
 * | `asked/<hex>` | newest request of a contact for this device's addresses | `files/Offer.ts` |
 * | `download/<blob hash>` | file of another account, here completely or in part | `files/Download.ts` |
 * | `share/<id>` | file of this account | `files/Share.ts` |
 * | `shareOf/<blob hash>` | share that serves a blob | `files/Share.ts` |
 * | `entry/<id>` | entry of the next manifest, JCS, made by any device of this account | `files/Share.ts` |
 * | `manifest` | progress of the own manifest | `files/Manifest.ts` |
 * | `manifestBody` | bytes of the own manifest | `files/Manifest.ts` |
 * | `browsed/<hex>` | newest manifest seen of an account | `files/Manifest.ts` |
 * | `browsedBody/<hex>` | its bytes | `files/Manifest.ts` |
 */
import * as AccountRows from "./Account.ts"
import * as BlockRows from "./Block.ts"
import * as ClaimRows from "./Claim.ts"
import * as ContactRows from "./Contact.ts"
import * as ConversationRows from "./Conversation.ts"
import * as DownloadRows from "./files/Download.ts"
import * as ManifestRows from "./files/Manifest.ts"
import * as MessageRows from "./Message.ts"
import * as OfferRows from "./files/Offer.ts"
import * as OutboundRows from "./Outbound.ts"
import * as PositionRows from "./Position.ts"
import * as RequestRows from "./Request.ts"
import { Count, row } from "./Row.ts"
import * as RotationRows from "./Rotation.ts"
import * as SettingsRows from "./Settings.ts"
import * as ShareRows from "./files/Share.ts"
import * as UnreadableRows from "./Unreadable.ts"

export { Account, type AccountRow } from "./Account.ts"
export { Block, type BlockRow } from "./Block.ts"
export { Claim, type ClaimRow, Proving, type ProvingRow } from "./Claim.ts"
export { Contact, type ContactRow } from "./Contact.ts"
export { ConversationCounters, type ConversationCountersRow, Draft } from "./Conversation.ts"
export { Download, type DownloadRow } from "./files/Download.ts"
export { Browsed, Manifest, type ManifestRow } from "./files/Manifest.ts"
export { Early, MessageRow, Order, Receipt, type ReceiptRow, Seen, type SeenRow, Slot, Track } from "./Message.ts"
export { Asked, OfferOf } from "./files/Offer.ts"
export { Out, type OutRow } from "./Outbound.ts"
export { Device, Position } from "./Position.ts"
export {
  HeldFrame,
  type HeldFrameRow,
  HeldSender,
  type HeldSenderRow,
  Introduced,
  type IntroducedRow
} from "./Request.ts"
export { orderOf, type Row } from "./Row.ts"
export { Former, type FormerRow, Retired, Rotation, type RotationRow } from "./Rotation.ts"
export { Settings } from "./Settings.ts"
export { Share, ShareOf, type ShareRow } from "./files/Share.ts"
export { Dropped, Kept } from "./Unreadable.ts"

export const version = 1

export const Version = row(Count)

/** Prefixes of the rows that occur more than once. */
export const prefix = {
  ...OutboundRows.prefix,
  ...MessageRows.prefix,
  ...ConversationRows.prefix,
  ...ContactRows.prefix,
  ...ClaimRows.prefix,
  ...RequestRows.prefix,
  ...AccountRows.prefix,
  ...UnreadableRows.prefix,
  ...BlockRows.prefix,
  ...PositionRows.prefix,
  ...OfferRows.prefix,
  ...DownloadRows.prefix,
  ...ShareRows.prefix,
  ...ManifestRows.prefix,
  ...RotationRows.prefix
} as const

/** The keys of the table above. */
export const key = {
  version: "version",
  ...AccountRows.key,
  ...SettingsRows.key,
  ...PositionRows.key,
  ...ContactRows.key,
  ...ClaimRows.key,
  ...RequestRows.key,
  ...BlockRows.key,
  ...ConversationRows.key,
  ...MessageRows.key,
  ...OutboundRows.key,
  ...UnreadableRows.key,
  ...OfferRows.key,
  ...DownloadRows.key,
  ...ShareRows.key,
  ...ManifestRows.key,
  ...RotationRows.key
} as const

/** Prefixes and single keys that together cover every row but `account` and `version`. */
export const everything: ReadonlyArray<string> = [...Object.values(prefix), ...Object.values(key)]
  .filter((entry) => typeof entry === "string")
  .filter((entry) => entry !== key.account && entry !== key.version)
