/**
 * Limits on what users send and store (spec/broker.md, Quotas; docs/broker.md). Bytes are those of frames, days are
 * UTC.
 */
import { Limits } from "@kez-chat/sdk/protocol"

/** The operator's settings. */
export interface QuotaLimits {
  /** Bytes that others' mail may take in one inbox. */
  readonly inboxBytes: number
  /** Bytes that an account's own sent copies may take. */
  readonly selfBytes: number
  /** Bytes an account may send to others in a day. */
  readonly sendBytesPerDay: number
  /** Bytes of own copies an account may store in a day. */
  readonly selfBytesPerDay: number
  /** Retention of frames in days, a setting of the stream. */
  readonly retentionDays: number
}

export const defaultQuotaLimits: QuotaLimits = {
  inboxBytes: 32 * 1024 ** 2,
  selfBytes: 32 * 1024 ** 2,
  sendBytesPerDay: 16 * 1024 ** 2,
  selfBytesPerDay: 16 * 1024 ** 2,
  retentionDays: 30
}

/** A smaller frame counts as this many bytes, so that an inbox runs out of bytes before it runs out of frames. */
export const minimumChargeBytes = 512

/** How an inbox is divided among its senders. */
export interface InboxShares {
  /** Stored by all strangers together: an eighth of the inbox. */
  readonly strangersBytes: number
  /** By all strangers in a day: their share spread over retention, at least one frame. */
  readonly strangersBytesPerDay: number
  /** By one stranger in a day: a quarter of that; its first frame of the day always counts as within it. */
  readonly strangerBytesPerDay: number
  /** Stored by one known sender: a quarter of the inbox, and never more than half the room left. */
  readonly senderBytes: number
  /** By one known sender in a day: an eighth of the inbox. */
  readonly senderBytesPerDay: number
}

/** The shares follow from the size of the inbox, so that no setting can contradict another. */
export const sharesOf = ({ inboxBytes, retentionDays }: QuotaLimits): InboxShares => {
  const strangersBytes = Math.floor(inboxBytes / 8)
  const strangersBytesPerDay = Math.max(Math.floor(strangersBytes / retentionDays), Limits.frameBytes)
  return {
    strangersBytes,
    strangersBytesPerDay,
    strangerBytesPerDay: Math.floor(strangersBytesPerDay / 4),
    senderBytes: Math.floor(inboxBytes / 4),
    senderBytesPerDay: Math.floor(inboxBytes / 8)
  }
}
