/**
 * The one stream that holds everybody's inbox, as REGISTRAR sees it: made, kept up to date, inspected, purged.
 *
 * Requests are four plain JSON calls of the JetStream API, so no JetStream client is needed. The `epoch` in the stream's
 * metadata names one life of its sequence numbers: clients whose cursor belongs to another epoch start again at 0.
 */
import type { NatsConnection } from "@nats-io/nats-core"
import { Limits, Subject } from "@kez-chat/sdk/protocol"
import * as Result from "effect/Result"
import { randomBytes } from "node:crypto"
import { isObject } from "../login/Jwt.ts"

/** What a stored message may have beyond its frame: subject and the one header. */
const sendSlackBytes = 1024
const days = 24 * 60 * 60 * 1_000_000_000

export interface InboxStreamOptions {
  /** In how many servers of the cluster each frame lies. */
  readonly replicas: 1 | 3 | 5
  /** Bytes of the whole stream on each replica; at the limit new mail is refused, nothing old is dropped. */
  readonly maxBytes: number
  /** For how long frames are kept, in days. */
  readonly retentionDays: number
  /** Most frames per account in its inbox, and again among its self copies. */
  readonly maxFrames: number
}

export interface StreamState {
  /** 22 base64url characters. */
  readonly epoch: string
  readonly lastSeq: number
  readonly messages: number
  readonly bytes: number
}

/** JetStream answered with an error, or nothing that can be understood. `code` is JetStream's `err_code`. */
export class JetStreamError extends Error {
  override readonly name = "JetStreamError"
  readonly code: number
  constructor(code: number, description: string) {
    super(`JetStream ${code}: ${description}`)
    this.code = code
  }
  /** There is no such stream. */
  get isNotFound(): boolean {
    return this.code === notFound
  }
}

/** JetStream's err_code for a stream or one of its subjects, an account, or the server's storage that holds all it may. */
export const holdsAllItMay: ReadonlySet<unknown> = new Set<unknown>([10077, 10002, 10047])

const notFound = 10059
const inUse = 10058
/** No message found. */
const noMessage = 10037

const config = (options: InboxStreamOptions, epoch: string) => ({
  name: Subject.streamName,
  subjects: [Subject.inbox("*"), Subject.self("*")],
  metadata: { epoch },
  retention: "limits",
  storage: "file",
  num_replicas: options.replicas,
  max_age: options.retentionDays * days,
  max_msgs_per_subject: options.maxFrames,
  discard: "new",
  discard_new_per_subject: true,
  max_bytes: options.maxBytes,
  max_msg_size: Limits.frameBytes + sendSlackBytes,
  max_consumers: -1,
  max_msgs: -1,
  duplicate_window: 120_000_000_000,
  allow_rollup_hdrs: false,
  deny_delete: true,
  deny_purge: false,
  allow_direct: true,
  mirror_direct: false,
  republish: { src: "kez.*.*", dest: "kez.dlv.{{wildcard(2)}}" }
})

/**
 * Makes the stream, or brings its settings in line and keeps its epoch, unless that is the one to `replace`.
 * Safe to run by several instances at once.
 */
export const ensure = async (
  connection: NatsConnection,
  options: InboxStreamOptions,
  replace?: string
): Promise<StreamState> => {
  const newEpoch = randomBytes(16).toString("base64url")
  const present = await find(connection)
  if (present === undefined) {
    try {
      await call(connection, `STREAM.CREATE.${Subject.streamName}`, config(options, newEpoch))
    } catch (error) {
      // Another instance was faster.
      if (!(error instanceof JetStreamError && error.code === inUse)) throw error
    }
    return info(connection)
  }
  const old = epochOf(present)
  const epoch = old === undefined || old === replace ? newEpoch : old
  const wanted = config(options, epoch)
  if (!matches(wanted, present.config)) {
    await call(connection, `STREAM.UPDATE.${Subject.streamName}`, wanted)
    return info(connection)
  }
  return stateOf(present)
}

/** What the stream's leader says of it now. */
export const info = async (connection: NatsConnection): Promise<StreamState> =>
  stateOf(await call(connection, `STREAM.INFO.${Subject.streamName}`, undefined))

/** Removes everything an account's inbox and self copies hold. */
export const purge = async (connection: NatsConnection, hex: string): Promise<void> => {
  await call(connection, `STREAM.PURGE.${Subject.streamName}`, { filter: `kez.*.${hex}` })
}

/**
 * Removes the frames of one account on one of its two subjects, up to and with the stream sequence number `upTo`.
 *
 * An empty filter would remove everybody's mail and a number of 0 all of the account's, so anything but a whole subject
 * and a number of at least 1 throws before it is sent.
 */
export const trim = async (
  connection: NatsConnection,
  box: "inbox" | "self",
  hex: string,
  upTo: number
): Promise<void> => {
  const filter = box === "inbox" ? Subject.inbox(hex) : box === "self" ? Subject.self(hex) : ""
  if (Result.isFailure(Subject.parse(filter)) || !Number.isSafeInteger(upTo) || upTo < 1) {
    throw new RangeError("not a removal of one account's frames up to a number")
  }
  // `seq` is the first number that stays.
  await call(connection, `STREAM.PURGE.${Subject.streamName}`, { filter, seq: upTo + 1 })
}

/**
 * When the oldest frame of an account on one of its subjects was stored, in milliseconds since the epoch, as the stream's
 * leader has it; undefined where there is none. For a connection of GATEWAY.
 */
export const oldest = async (
  connection: NatsConnection,
  box: "inbox" | "self",
  hex: string
): Promise<number | undefined> => {
  const query = { seq: 1, next_by_subj: box === "inbox" ? Subject.inbox(hex) : Subject.self(hex) }
  try {
    const { message } = await call(connection, `STREAM.MSG.GET.${Subject.streamName}`, query)
    const time = isObject(message) && typeof message.time === "string" ? Date.parse(message.time) : Number.NaN
    if (Number.isNaN(time)) throw new JetStreamError(0, "a stored message without a time")
    return time
  } catch (error) {
    if (error instanceof JetStreamError && error.code === noMessage) return undefined
    throw error
  }
}

type Answer = Readonly<Record<string, unknown>>

const call = async (connection: NatsConnection, api: string, body: unknown): Promise<Answer> => {
  const payload = body === undefined ? "" : JSON.stringify(body)
  const reply = await connection.request(`$JS.API.${api}`, payload, { timeout: 5_000 })
  const answer: unknown = reply.json()
  if (!isObject(answer)) throw new JetStreamError(0, "an answer that is no object")
  const { error } = answer
  if (isObject(error)) throw new JetStreamError(Number(error.err_code ?? error.code), String(error.description))
  return answer
}

const find = async (connection: NatsConnection): Promise<Answer | undefined> => {
  try {
    return await call(connection, `STREAM.INFO.${Subject.streamName}`, undefined)
  } catch (error) {
    if (error instanceof JetStreamError && error.code === notFound) return undefined
    throw error
  }
}

const epochOf = (answer: Answer): string | undefined => {
  const { config } = answer
  const epoch = isObject(config) && isObject(config.metadata) ? config.metadata.epoch : undefined
  return typeof epoch === "string" && /^[A-Za-z0-9_-]{22}$/.test(epoch) ? epoch : undefined
}

const stateOf = (answer: Answer): StreamState => {
  const epoch = epochOf(answer)
  const { state } = answer
  if (epoch === undefined || !isObject(state)) throw new JetStreamError(0, `${Subject.streamName} has no epoch`)
  const { last_seq: lastSeq, messages, bytes } = state
  if (typeof lastSeq !== "number" || typeof messages !== "number" || typeof bytes !== "number") {
    throw new JetStreamError(0, `${Subject.streamName} has no state`)
  }
  return { epoch, lastSeq, messages, bytes }
}

/** Whether every setting that is wanted is what the server has; it leaves out those that are zero or false. */
const matches = (wanted: unknown, present: unknown): boolean => {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(present) && wanted.length === present.length && wanted.every((item, i) => matches(item, present[i]))
    )
  }
  if (isObject(wanted)) {
    const object = isObject(present) ? present : {}
    return Object.entries(wanted).every(([name, value]) => matches(value, object[name]))
  }
  return wanted === present || ((wanted === 0 || wanted === false) && present === undefined)
}
