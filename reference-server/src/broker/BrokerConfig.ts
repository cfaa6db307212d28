/** Settings of chat-server's broker side (docs/broker.md). */
import { Limits } from "@kez-chat/sdk/protocol"
import { defaultQuotaLimits, minimumChargeBytes, sharesOf } from "./limits/QuotaLimits.ts"

export type BrokerLimits = Readonly<typeof defaultLimits>

export const defaultLimits = {
  ...defaultQuotaLimits,
  /** Most frames in an account's inbox, and most among its own copies. */
  maxFrames: 100_000,
  /** Connections that an account may have; a further login closes the oldest. */
  connectionsPerAccount: 8,
  /** Sends that may wait for their turn: of one account by number and bytes, of all accounts by bytes. */
  sendsWaitingPerAccount: 256,
  sendBytesWaitingPerAccount: 8 * 1024 ** 2,
  sendBytesWaiting: 64 * 1024 ** 2,
  /** Sends stored concurrently, by number and bytes. More would only wait for the stream, out of turn. */
  sendsInFlight: 128,
  sendBytesInFlight: 1024 ** 2,
  /** Fetches of one account that may wait. */
  fetchesWaitingPerAccount: 16,
  /** Pages read concurrently, for all accounts and for one. Together they must fit into nats.conf's `max_pending`. */
  fetchesInFlight: 16,
  fetchesInFlightPerAccount: 2,
  /** Burst and rate of refused requests that an account may cause; beyond them it is shut out for this time. */
  refusalBurst: 1_000,
  refusalsPerSecond: 50,
  shutOutSeconds: 60,
  /** Burst and rate of page bytes that an account may read. */
  readBurstBytes: 64 * 1024 ** 2,
  readBytesPerSecond: 1024 ** 2
}

export interface BrokerConfig {
  /** The broker's URLs: `nats://` on loopback or a private network, otherwise `tls://`. */
  readonly natsUrls: ReadonlyArray<string>
  /** PEM of the authority of the broker's certificate, unless a public one signed it. */
  readonly caFile?: string
  /** Host names that a login may be signed for, in `BrokerLogin.normaliseHost` form. */
  readonly loginHosts: ReadonlyArray<string>
  /** Size of all streams together on each replica in bytes; at most what nats.conf was generated for. */
  readonly inboxBytes: number
  /** Number of streams that inboxes are spread over; the one that nats.conf was generated for. */
  readonly partitions: number
  readonly replicas: 1 | 3 | 5
  /** Lifetime of a login in seconds, at most an hour. */
  readonly sessionSeconds: number
  readonly limits: BrokerLimits
}

/** These limits as `.well-known/kez-chat` publishes them: bytes, days, counts. */
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
