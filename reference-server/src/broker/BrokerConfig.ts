/** What an operator can set about the broker side of chat-server (docs/broker.md). */
import { defaultQuotaLimits, minimumChargeBytes, type QuotaLimits, sharesOf } from "./QuotaLimits.ts"

export interface BrokerLimits extends QuotaLimits {
  /** Most frames in one inbox, and again among an account's self copies. */
  readonly maxFrames: number
  /** Messages waiting for the stream at once: all senders, one sender. */
  readonly sendsInFlight: number
  readonly sendsInFlightPerSender: number
  /** Pages being read at once: all users, one user. */
  readonly fetchesInFlight: number
  readonly fetchesInFlightPerUser: number
  /** Bytes of pages an account may read at once, and how many it gets back each second. */
  readonly readBurstBytes: number
  readonly readBytesPerSecond: number
}

export const defaultLimits: BrokerLimits = {
  ...defaultQuotaLimits,
  maxFrames: 100_000,
  sendsInFlight: 8192,
  sendsInFlightPerSender: 256,
  fetchesInFlight: 64,
  fetchesInFlightPerUser: 2,
  readBurstBytes: 256 * 1024 ** 2,
  readBytesPerSecond: 1024 ** 2
}

export interface BrokerConfig {
  /** Where chat-server reaches the broker: `nats://` on loopback or a private network, else `tls://`. */
  readonly natsUrls: ReadonlyArray<string>
  /** PEM of the authority of the broker's certificate, unless a public one signed it. */
  readonly caFile?: string
  /** The only host names a login may be signed for, as `BrokerLogin.normaliseHost` writes them. */
  readonly loginHosts: ReadonlyArray<string>
  /** Bytes of the whole stream on each replica; at most what nats.conf was generated for. */
  readonly inboxBytes: number
  readonly replicas: 1 | 3 | 5
  /** For how long a login holds, at most an hour, in seconds. */
  readonly sessionSeconds: number
  readonly limits: BrokerLimits
}

/** What `.well-known/kez-chat` says of these limits: bytes, days, counts. */
export const published = (limits: BrokerLimits): Readonly<Record<string, number>> => {
  const shares = sharesOf(limits)
  return {
    inbox_bytes: limits.inboxBytes,
    inbox_messages: limits.maxFrames,
    self_bytes: limits.selfBytes,
    retention_days: limits.retentionDays,
    send_bytes_per_day: limits.sendBytesPerDay,
    self_bytes_per_day: limits.selfBytesPerDay,
    inbox_sender_bytes: shares.senderBytes,
    inbox_sender_bytes_per_day: shares.senderBytesPerDay,
    inbox_strangers_bytes: shares.strangersBytes,
    inbox_strangers_bytes_per_day: shares.strangersBytesPerDay,
    inbox_stranger_bytes_per_day: shares.strangerBytesPerDay,
    frame_charge_min_bytes: minimumChargeBytes
  }
}
