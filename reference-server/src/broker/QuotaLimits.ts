/** How much users may send and store (docs/broker.md). Bytes are those of frames. */
export interface QuotaLimits {
  /** Bytes that others' mail may take in one inbox. */
  readonly inboxBytes: number
  /** Bytes that an account's own sent copies may take. */
  readonly selfBytes: number
  /** Bytes an account may send to others in a day. */
  readonly sendBytesPerDay: number
  /** Bytes of own copies an account may store in a day. */
  readonly selfBytesPerDay: number
  /** Messages a day to somebody who has not written back yet. */
  readonly strangerMessagesPerDay: number
  /** Messages a day to somebody who has. */
  readonly peerMessagesPerDay: number
  /** Messages a day that one inbox takes from senders its owner never wrote to. */
  readonly inboxStrangerMessagesPerDay: number
  /** For how long frames are kept, in days; the stream's own setting. */
  readonly retentionDays: number
}

/** What holds unless the operator says otherwise. */
export const defaultQuotaLimits: QuotaLimits = {
  inboxBytes: 32 * 1024 ** 2,
  selfBytes: 32 * 1024 ** 2,
  sendBytesPerDay: 16 * 1024 ** 2,
  selfBytesPerDay: 16 * 1024 ** 2,
  strangerMessagesPerDay: 20,
  peerMessagesPerDay: 2000,
  inboxStrangerMessagesPerDay: 500,
  retentionDays: 30
}
