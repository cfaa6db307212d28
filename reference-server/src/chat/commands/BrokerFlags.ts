/** Flags of chat-server's broker side; docs/broker.md explains what each limit protects. */
import { BrokerLogin, Limits } from "@kez-chat/sdk/protocol"
import * as Result from "effect/Result"
import { type BrokerConfig, type BrokerLimits, defaultLimits } from "../../broker/BrokerConfig.ts"
import { defaultInboxBytes } from "../../broker/NatsConf.ts"
import type { ChatConfig } from "../ChatConfig.ts"
import { count, text, type Values } from "../../process/Flags.ts"

const limit = (name: keyof BrokerLimits, flag: string, env: string, description: string, most?: number) =>
  count(flag, env, defaultLimits[name], description, 1, most)

/** In a smaller inbox the shares would not hold a frame. */
const leastInboxBytes = 16 * Limits.frameBytes

export const brokerFlags = {
  natsCaFile: text(
    "nats-ca-file",
    "NATS_CA_FILE",
    "",
    "PEM of the authority of the broker's certificate, if it is a private one"
  ),
  storeBytes: count(
    "store-bytes",
    "STORE_BYTES",
    defaultInboxBytes,
    "Bytes of all inboxes together, on each replica",
    1_048_576
  ),
  replicas: count(
    "replicas",
    "NATS_REPLICAS",
    1,
    "Servers of the NATS cluster that store each message: 1, 3 or 5",
    1,
    5
  ),
  sessionSeconds: count(
    "session-seconds",
    "SESSION_SECONDS",
    3_600,
    "Lifetime of a broker login, in seconds",
    60,
    3_600
  ),
  inboxBytes: count(
    "inbox-bytes",
    "INBOX_BYTES",
    defaultLimits.inboxBytes,
    "Bytes that others' mail may take in one inbox: strangers an eighth of it, one known sender a quarter",
    leastInboxBytes
  ),
  selfBytes: limit("selfBytes", "self-bytes", "SELF_BYTES", "Bytes that an account's own sent copies may take"),
  sendBytesPerDay: limit(
    "sendBytesPerDay",
    "send-bytes-per-day",
    "SEND_BYTES_PER_DAY",
    "Bytes an account may send in a day"
  ),
  selfBytesPerDay: limit(
    "selfBytesPerDay",
    "self-bytes-per-day",
    "SELF_BYTES_PER_DAY",
    "Bytes of own copies an account may store in a day"
  ),
  retentionDays: limit(
    "retentionDays",
    "retention-days",
    "RETENTION_DAYS",
    "Days that stored messages are kept",
    3_650
  ),
  maxFrames: limit("maxFrames", "max-frames", "MAX_FRAMES", "Messages in one inbox")
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
  const { natsCaFile, replicas, sessionSeconds, storeBytes, ...limits } = flags
  if (replicas !== 1 && replicas !== 3 && replicas !== 5)
    throw new Error(`--replicas must be 1, 3 or 5, not ${replicas}`)
  return {
    natsUrls: config.natsUrls,
    ...(natsCaFile === "" ? {} : { caFile: natsCaFile }),
    loginHosts: loginHosts(config),
    inboxBytes: storeBytes,
    replicas,
    sessionSeconds,
    limits: { ...defaultLimits, ...limits }
  }
}
