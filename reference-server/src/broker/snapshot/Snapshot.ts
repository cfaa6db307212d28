/**
 * Copies of a stream of JetStream, over its own protocol of snapshots: chunk by chunk, each acknowledged. For a connection
 * of BACKUP.
 */
import type { Msg, NatsConnection } from "@nats-io/nats-core"
import { Subject } from "@kez-chat/sdk/protocol"
import { randomBytes } from "node:crypto"
import { isObject, type JsonObject } from "../JsonObject.ts"
import { notFound } from "../stream/InboxStream.ts"

/** Inbox prefix of BACKUP, as nats.conf allows it. */
export const inboxPrefix = "_INBOX_bak"

const chunkBytes = 131_072
const askMillis = 10_000
/** nats-server computes for a while before it sends, and after it has received. */
const stalledMillis = 60_000

/** What a snapshot holds, as JetStream describes it. */
export interface Described {
  readonly config: JsonObject
  readonly state: JsonObject
}

const stream = Subject.streamName

const failure = (detail: string) => new Error(`stream ${stream}: ${detail}`)

const answerOf = (message: Msg): JsonObject => {
  const answer: unknown = message.json()
  if (!isObject(answer)) throw failure("an answer that is no object")
  if (isObject(answer.error)) throw failure(String(answer.error.description))
  return answer
}

/** The stream's own description; undefined where there is none. */
const describe = async (connection: NatsConnection) => {
  const answer: unknown = (await connection.request(`$JS.API.STREAM.INFO.${stream}`, "", { timeout: askMillis })).json()
  if (!isObject(answer)) throw failure("an answer that is no object")
  if (isObject(answer.error)) {
    if (answer.error.err_code === notFound) return undefined
    throw failure(String(answer.error.description))
  }
  const metadata = isObject(answer.config) && isObject(answer.config.metadata) ? answer.config.metadata : {}
  return { metadata, messages: isObject(answer.state) ? answer.state.messages : undefined }
}

/** In how many streams the home's mail is, as the first of them says; undefined where there is none. */
export const partitionsOf = async (connection: NatsConnection): Promise<number | undefined> => {
  const found = await describe(connection)
  return found === undefined ? undefined : Number(found.metadata.partitions ?? 1)
}

/** Gives the chunks of a snapshot to `take`, one after the other. */
export const read = async (
  connection: NatsConnection,
  take: (chunk: Uint8Array) => Promise<void>
): Promise<Described> => {
  const target = `${inboxPrefix}.${randomBytes(12).toString("hex")}`
  const subscription = connection.subscribe(target)
  const stalled = setTimeout(() => subscription.unsubscribe(), stalledMillis)
  try {
    const body = JSON.stringify({ deliver_subject: target, no_consumers: true, chunk_size: chunkBytes })
    const asked = await connection.request(`$JS.API.STREAM.SNAPSHOT.${stream}`, body, { timeout: askMillis })
    const { config, state } = answerOf(asked)
    if (!isObject(config) || !isObject(state)) throw failure("a snapshot without a description")
    for await (const message of subscription) {
      stalled.refresh()
      if (message.data.length === 0) {
        const { code, description } = message.headers ?? {}
        if (code !== undefined && code >= 400) throw failure(`the snapshot was broken off (${description})`)
        return { config, state }
      }
      await take(message.data)
      message.respond()
    }
    throw failure("the snapshot stopped before its end")
  } finally {
    clearTimeout(stalled)
    subscription.unsubscribe()
  }
}

/** An epoch in the form of the stream's metadata. */
const newEpoch = (): string => randomBytes(16).toString("base64url")

/**
 * Makes a stream from a snapshot; it must not exist, unless it was made from the one of this `label` before. It gets a new
 * epoch: what was stored after the snapshot is gone and its numbers will be given again, so clients have to read from the
 * beginning.
 */
export const write = async (
  connection: NatsConnection,
  { config, state }: Described,
  chunks: AsyncIterable<Uint8Array>,
  label: string
): Promise<number> => {
  // Asked before: beside a stream that exists JetStream speaks of too little room.
  const present = await describe(connection)
  if (present?.metadata.restored === label) {
    for await (const _ of chunks);
    return Number(present.messages)
  }
  if (present !== undefined) {
    throw failure(
      "exists already. Stop chat-server and nats-server, move the JetStream folder away, start nats-server alone, and repeat this"
    )
  }
  const before = isObject(config.metadata) ? config.metadata : {}
  const metadata = { ...before, epoch: newEpoch(), restored: label }
  const body = JSON.stringify({ config: { ...config, metadata }, state })
  const asked = await connection.request(`$JS.API.STREAM.RESTORE.${stream}`, body, { timeout: askMillis })
  const { deliver_subject: target } = answerOf(asked)
  if (typeof target !== "string") throw failure("nats-server takes no snapshot")
  const send = (chunk: Uint8Array) => connection.request(target, chunk, { timeout: stalledMillis })
  for await (const chunk of chunks) {
    for (let i = 0; i < chunk.length; i += chunkBytes) {
      const answer = await send(chunk.subarray(i, i + chunkBytes))
      if (answer.data.length > 0 && answer.string().startsWith("{")) answerOf(answer)
    }
  }
  const done = answerOf(await send(new Uint8Array()))
  // Not always as many as described: what came while the snapshot was made is in it, and what has expired since is not.
  const made = isObject(done.state) ? done.state.messages : undefined
  if (typeof made !== "number") throw failure("was not described after it was made")
  return made
}
