/** Flags of chat-server's broker side; docs/broker.md explains what each limit protects. */
import { BrokerLogin, Limits } from "@kez-chat/sdk/protocol"
import * as Result from "effect/Result"
import { type BrokerConfig, defaultLimits } from "../../broker/BrokerConfig.ts"
import { defaultInboxBytes } from "../../broker/NatsAccounts.ts"
import { maxPartitions } from "../../broker/stream/Partitions.ts"
import type { ChatConfig } from "../ChatConfig.ts"
import { count, text, type Values } from "../../process/Flags.ts"

/** In a smaller inbox the shares would not hold a frame. */
const leastInboxBytes = 16 * Limits.frameBytes

export const brokerFlags = {
  natsCaFile: text("nats-ca-file", "", "PEM of the authority of the broker's certificate, if it is a private one"),
  storeBytes: count("store-bytes", defaultInboxBytes, "Bytes of all inboxes together, on each replica", 1_048_576),
  replicas: count(
    ["replicas", "NATS_REPLICAS"],
    1,
    "Servers of the NATS cluster that store each message: 1, 3 or 5",
    1,
    5
  ),
  streamPartitions: count(
    "stream-partitions",
    1,
    "Streams that inboxes are spread over, by the first bits of their keys; as for init",
    1,
    maxPartitions
  ),
  sessionSeconds: count("session-seconds", 3_600, "Lifetime of a broker login, in seconds", 60, 3_600),
  inboxBytes: count(
    "inbox-bytes",
    defaultLimits.inboxBytes,
    "Bytes that others' mail may take in one inbox: strangers an eighth of it, one known sender a quarter",
    leastInboxBytes
  ),
  selfBytes: count("self-bytes", defaultLimits.selfBytes, "Bytes that an account's own sent copies may take", 1),
  sendBytesPerDay: count("send-bytes-per-day", defaultLimits.sendBytesPerDay, "Bytes an account may send in a day", 1),
  selfBytesPerDay: count(
    "self-bytes-per-day",
    defaultLimits.selfBytesPerDay,
    "Bytes of own copies an account may store in a day",
    1
  ),
  retentionDays: count("retention-days", defaultLimits.retentionDays, "Days that stored messages are kept", 1, 3_650),
  maxFrames: count("max-frames", defaultLimits.maxFrames, "Messages in one inbox", 1)
}

/** The hosts that a login may be signed for: the configured list, or those of the public URLs. */
const loginHosts = (config: ChatConfig["Service"]): ReadonlyArray<string> => {
  const names =
    config.loginHosts.length > 0
      ? config.loginHosts.map((host) => (host.includes("://") ? host : `nats://${host}`))
      : [...config.publicNatsUrls, ...config.publicWsUrls]
  return [...new Set(names.map((name) => Result.getOrThrow(BrokerLogin.normaliseHost(name))))]
}

export const toBrokerConfig = (flags: Values<typeof brokerFlags>, config: ChatConfig["Service"]): BrokerConfig => {
  const { natsCaFile, replicas, sessionSeconds, storeBytes, streamPartitions, ...limits } = flags
  if (replicas !== 1 && replicas !== 3 && replicas !== 5)
    throw new Error(`--replicas must be 1, 3 or 5, not ${replicas}`)
  return {
    natsUrls: config.natsUrls,
    ...(natsCaFile === "" ? {} : { caFile: natsCaFile }),
    loginHosts: loginHosts(config),
    inboxBytes: storeBytes,
    partitions: streamPartitions,
    replicas,
    sessionSeconds,
    limits: { ...defaultLimits, ...limits }
  }
}
