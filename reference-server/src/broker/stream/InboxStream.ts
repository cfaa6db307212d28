/**
 * A stream that holds inboxes, all or a part of them, as its REGISTRAR manages it: created, updated, inspected, purged.
 *
 * A few plain JSON calls of the JetStream API suffice, so no JetStream client is needed. The `epoch` in the stream's
 * metadata names one life of its sequence numbers: clients whose cursor belongs to another epoch start again at 0.
 */
import type { NatsConnection } from "@nats-io/nats-core"
import { Limits, Subject, type Trim } from "@kez-chat/sdk/protocol"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { randomBytes } from "node:crypto"
import { type BrokerDown, request } from "../connections/BrokerDown.ts"
import { isObject, type JsonObject } from "../JsonObject.ts"

/** Room for the subject and the one header of a stored message. */
const sendSlackBytes = 1024
const days = 24 * 60 * 60 * 1_000_000_000

export interface InboxStreamOptions {
  /** Number of servers in the cluster that store each frame. */
  readonly replicas: 1 | 3 | 5
  /** Size of the whole stream on each replica in bytes; at the limit new mail is refused and nothing is dropped. */
  readonly maxBytes: number
  /** Retention of frames in days. */
  readonly retentionDays: number
  /** Most frames in an account's inbox, and most among its own copies. */
  readonly maxFrames: number
  /** Number of streams that the home's inboxes are spread over; this is one of them. */
  readonly partitions: number
}

export interface StreamState {
  /** 22 base64url characters. */
  readonly epoch: string
  readonly lastSeq: number
  readonly messages: number
  readonly bytes: number
}

/** JetStream answered with an error or with something that cannot be read. `code` is JetStream's `err_code`. */
export class JetStreamError extends Data.TaggedError("JetStreamError")<{
  readonly code: number
  readonly description: string
}> {
  override get message(): string {
    return `JetStream ${this.code}: ${this.description}`
  }
}

/** The home's mail is spread over another number of streams than is set. */
export class OtherPartitions extends Data.TaggedError("OtherPartitions")<{
  readonly found: number
  readonly wanted: number
}> {
  override get message(): string {
    return `this home's mail is in ${this.found} stream${this.found === 1 ? "" : "s"}, not ${this.wanted}; start with --stream-partitions ${this.found}`
  }
}

/** The stream cannot be asked, or its answer is an error. */
export type StreamFailure = BrokerDown | JetStreamError

/** JetStream's err_codes for a limit: of a stream or one of its subjects, an account, or the server's storage. */
export const storageFull: ReadonlySet<unknown> = new Set([10077, 10002, 10047])

/** No stream found. */
export const notFound = 10059
const inUse = 10058
/** No message found. */
export const noMessage = 10037

const config = (options: InboxStreamOptions, epoch: string) => ({
  name: Subject.streamName,
  subjects: [Subject.inbox("*"), Subject.self("*")],
  // Absent in homes that were made when there was only one.
  metadata: { epoch, ...(options.partitions === 1 ? {} : { partitions: String(options.partitions) }) },
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
 * Safe to run by several instances at once. Fails with `OtherPartitions` when the home was made with another number of
 * streams: under this one, mail would be looked for where it is not.
 */
export const ensure = Effect.fn("InboxStream.ensure")(function* (
  connection: NatsConnection,
  options: InboxStreamOptions,
  replace?: string
) {
  const newEpoch = randomBytes(16).toString("base64url")
  let present = yield* orAbsent(describe(connection), notFound)
  if (present === undefined) {
    // Already in use: another instance was faster, and may be set otherwise.
    yield* orAbsent(call(connection, "CREATE", config(options, newEpoch)), inUse)
    present = yield* describe(connection)
  }
  const found = partitionsOf(present)
  if (found !== options.partitions) return yield* new OtherPartitions({ found, wanted: options.partitions })
  const old = epochOf(present)
  const epoch = old === undefined || old === replace ? newEpoch : old
  const wanted = config(options, epoch)
  if (matches(wanted, present.config)) return yield* stateOf(present)
  yield* call(connection, "UPDATE", wanted)
  return yield* info(connection)
})

/** The stream's state, from its leader. */
export const info = (connection: NatsConnection): Effect.Effect<StreamState, StreamFailure> =>
  Effect.flatMap(describe(connection), stateOf)

/** Removes everything an account's inbox and self copies hold. */
export const purge = (connection: NatsConnection, hex: string): Effect.Effect<void, StreamFailure> =>
  Effect.asVoid(call(connection, "PURGE", { filter: `kez.*.${hex}` }))

/**
 * Removes the frames of one account on one of its two subjects, up to and including the stream sequence number `upTo`.
 *
 * An empty filter would remove everybody's mail and a number of 0 all of the account's, so anything but a whole subject
 * and a number of at least 1 is a defect, and nothing is sent.
 */
export const trim = (
  connection: NatsConnection,
  box: Trim.Box,
  hex: string,
  upTo: number
): Effect.Effect<void, StreamFailure> => {
  const filter = box === "inbox" ? Subject.inbox(hex) : box === "self" ? Subject.self(hex) : ""
  if (Result.isFailure(Subject.parse(filter)) || !Number.isSafeInteger(upTo) || upTo < 1) {
    return Effect.die(new RangeError("not a removal of one account's frames up to a number"))
  }
  // `seq` is the first number that stays.
  return Effect.asVoid(call(connection, "PURGE", { filter, seq: upTo + 1 }))
}

/**
 * When the oldest frame of an account on one of its subjects was stored, in milliseconds since the epoch, as the
 * stream's leader has it; undefined where there is none. For a connection of GATEWAY.
 */
export const oldest = Effect.fnUntraced(function* (connection: NatsConnection, box: Trim.Box, hex: string) {
  const query = { seq: 1, next_by_subj: box === "inbox" ? Subject.inbox(hex) : Subject.self(hex) }
  const answer = yield* orAbsent(call(connection, "MSG.GET", query), noMessage)
  if (answer === undefined) return undefined
  const { message } = answer
  const time = isObject(message) && typeof message.time === "string" ? Date.parse(message.time) : Number.NaN
  return Number.isNaN(time) ? yield* malformed("a stored message without a time") : time
})

const malformed = (description: string) => new JetStreamError({ code: 0, description })

/** One call of the JetStream API. */
const call = Effect.fnUntraced(function* (connection: NatsConnection, operation: string, body?: unknown) {
  const subject = `$JS.API.STREAM.${operation}.${Subject.streamName}`
  const reply = yield* request(connection, subject, body === undefined ? "" : JSON.stringify(body), 5_000)
  const answer = yield* Effect.try({
    try: (): unknown => reply.json(),
    catch: () => malformed("an answer that is not JSON")
  })
  if (!isObject(answer)) return yield* malformed("an answer that is no object")
  const { error } = answer
  if (!isObject(error)) return answer
  const code = Number(error.err_code ?? error.code)
  return yield* new JetStreamError({ code, description: String(error.description) })
})

const describe = (connection: NatsConnection) => call(connection, "INFO")

/** Undefined instead of the JetStream error with this code. */
const orAbsent = <A>(effect: Effect.Effect<A, StreamFailure>, code: number) =>
  Effect.catchIf(
    effect as Effect.Effect<A | undefined, StreamFailure>,
    (error) => error._tag === "JetStreamError" && error.code === code,
    () => Effect.succeed(undefined)
  )

const epochOf = (answer: JsonObject): string | undefined => {
  const { config } = answer
  const epoch = isObject(config) && isObject(config.metadata) ? config.metadata.epoch : undefined
  return typeof epoch === "string" && /^[A-Za-z0-9_-]{22}$/.test(epoch) ? epoch : undefined
}

const partitionsOf = ({ config }: JsonObject): number =>
  isObject(config) && isObject(config.metadata) ? Number(config.metadata.partitions ?? 1) : 1

const stateOf = (answer: JsonObject): Effect.Effect<StreamState, JetStreamError> => {
  const epoch = epochOf(answer)
  const { state } = answer
  if (epoch === undefined || !isObject(state)) return Effect.fail(malformed(`${Subject.streamName} has no epoch`))
  const { last_seq: lastSeq, messages, bytes } = state
  return typeof lastSeq === "number" && typeof messages === "number" && typeof bytes === "number"
    ? Effect.succeed({ epoch, lastSeq, messages, bytes })
    : Effect.fail(malformed(`${Subject.streamName} has no state`))
}

/** Whether the server has every wanted setting. It omits those that are zero or false. */
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
