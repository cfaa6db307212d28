/**
 * Limits on what users send and store (spec/broker.md, Quotas; docs/broker.md). Bytes are those of frames, days are
 * UTC.
 */
import { Limits } from "@kez-chat/sdk/protocol"

/** The operator's settings. */
export type QuotaLimits = Readonly<typeof defaultQuotaLimits>

export const defaultQuotaLimits = {
  /** Bytes that others' mail may take in one inbox. */
  inboxBytes: 32 * 1024 ** 2,
  /** Bytes that an account's own sent copies may take. */
  selfBytes: 32 * 1024 ** 2,
  /** Bytes an account may send to others in a day. */
  sendBytesPerDay: 16 * 1024 ** 2,
  /** Bytes of own copies an account may store in a day. */
  selfBytesPerDay: 16 * 1024 ** 2,
  /** Retention of frames in days, a setting of the stream. */
  retentionDays: 30
}

/** A smaller frame counts as this many bytes, so that an inbox runs out of bytes before it runs out of frames. */
export const minimumChargeBytes = 512

/**
 * How an inbox is divided among its senders. The shares follow from its size, so that no setting can contradict another.
 */
export const sharesOf = ({ inboxBytes, retentionDays }: QuotaLimits) => {
  /** Stored by all strangers together. */
  const strangersBytes = Math.floor(inboxBytes / 8)
  /** By all strangers in a day: their share spread over retention, at least one frame. */
  const strangersBytesPerDay = Math.max(Math.floor(strangersBytes / retentionDays), Limits.frameBytes)
  return {
    strangersBytes,
    strangersBytesPerDay,
    /** By one stranger in a day; its first frame of the day always counts as within it. */
    strangerBytesPerDay: Math.floor(strangersBytesPerDay / 4),
    /** Stored by one known sender, and never more than half the room left. */
    senderBytes: Math.floor(inboxBytes / 4),
    /** By one known sender in a day. */
    senderBytesPerDay: Math.floor(inboxBytes / 8)
  }
}
