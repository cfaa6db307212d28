/** What an operator can set about the broker side of chat-server (docs/broker.md). */
import { Limits } from "@kez-chat/sdk/protocol"
import { defaultQuotaLimits, minimumChargeBytes, type QuotaLimits, sharesOf } from "./limits/QuotaLimits.ts"

export interface BrokerLimits extends QuotaLimits {
  /** Most frames in one inbox, and again among an account's self copies. */
  readonly maxFrames: number
  /** Connections an account may have at once; a further login closes the oldest. */
  readonly connectionsPerAccount: number
  /** Sends that may wait for their turn: of one account, and their bytes; bytes of all accounts. */
  readonly sendsWaitingPerAccount: number
  readonly sendBytesWaitingPerAccount: number
  readonly sendBytesWaiting: number
  /** Sends being stored at once, and their bytes. More would only wait for the stream, out of turn. */
  readonly sendsInFlight: number
  readonly sendBytesInFlight: number
  /** Fetches of one account that may wait. */
  readonly fetchesWaitingPerAccount: number
  /** Pages being read at once: all accounts, one account. All of them together must fit into nats.conf's `max_pending`. */
  readonly fetchesInFlight: number
  readonly fetchesInFlightPerAccount: number
  /** Refused requests an account may make at once, how many come back each second, and for how long a flood shuts it out. */
  readonly refusalBurst: number
  readonly refusalsPerSecond: number
  readonly shutOutSeconds: number
  /** Bytes of pages an account may read at once, and how many it gets back each second. */
  readonly readBurstBytes: number
  readonly readBytesPerSecond: number
}

export const defaultLimits: BrokerLimits = {
  ...defaultQuotaLimits,
  maxFrames: 100_000,
  connectionsPerAccount: 8,
  sendsWaitingPerAccount: 256,
  sendBytesWaitingPerAccount: 8 * 1024 ** 2,
  sendBytesWaiting: 64 * 1024 ** 2,
  sendsInFlight: 128,
  sendBytesInFlight: 1024 ** 2,
  fetchesWaitingPerAccount: 16,
  fetchesInFlight: 16,
  fetchesInFlightPerAccount: 2,
  refusalBurst: 1_000,
  refusalsPerSecond: 50,
  shutOutSeconds: 60,
  readBurstBytes: 64 * 1024 ** 2,
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
    frame_charge_min_bytes: minimumChargeBytes,
    blocked_senders: Limits.blocks
  }
}
