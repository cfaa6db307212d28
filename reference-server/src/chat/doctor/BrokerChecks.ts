/** What chat-server needs of nats-server: its accounts and permissions, the callout, closing connections, the stream. */
import { Subject } from "@kez-chat/sdk/protocol"
import type { NatsConnection } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import type { BrokerConfig } from "../../broker/BrokerConfig.ts"
import * as RoleConnection from "../../broker/connections/RoleConnection.ts"
import { isObject, type JsonObject } from "../../broker/JsonObject.ts"
import * as Keys from "../../broker/login/Keys.ts"
import { notFound } from "../../broker/stream/InboxStream.ts"
import { shareOf } from "../../broker/stream/Partitions.ts"
import { type Check, failed, type Findings, ok, reasonOf, warning } from "./Check.ts"

/** A stream that holds more of what it may is worth a warning. */
const fullShare = 0.8
const askMillis = 5_000
/** nats-server waits two seconds (`timeout` of its `authorization`) for a callout that does not answer. */
const answeredMillis = 1_900
const natsRemedy = "see that nats-server runs, and that --nats-url is right"
const keysRemedy = "nats-server runs with a nats.conf of other keys: run init, then restart nats-server"
const dayNanos = 86_400_000_000_000

const roles = ["callout", "registrar", "gateway", "sys", "backup"] as const
type Role = (typeof roles)[number]
const inboxes: Partial<Readonly<Record<Role, string>>> = { registrar: "_INBOX_reg", sys: "_INBOX_sys" }

const isRefusal = (cause: unknown): boolean => /authori[sz]ation/i.test(reasonOf(cause))

/** Asks a subject that answers with JSON. */
const ask = async (connection: NatsConnection, subject: string, body: string): Promise<JsonObject> => {
  const reply: unknown = (await connection.request(subject, body, { timeout: askMillis })).json()
  if (!isObject(reply)) throw new Error(`${subject} answered something else than an object`)
  return reply
}

const gibibytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(2)} GiB`

/** The checks of the broker behind `--nats-url`. */
export const brokerChecks = (config: BrokerConfig, keys: Keys.BrokerKeys): ReadonlyArray<Check> => {
  const { caFile, natsUrls, partitions } = config
  const dial = (role: Role, url: string, partition = 0) => {
    const key: Keys.ServerKey | undefined = { ...keys, ...Keys.ofPartition(keys, partition) }[role]
    if (key === undefined) throw new Error("no key")
    return Effect.runPromise(RoleConnection.dial({ role: "doctor", key, caFile, inboxPrefix: inboxes[role] }, url))
  }
  /** At the first URL that answers. */
  const dialAny = async (role: Role, partition = 0) => {
    let failure: unknown
    for (const url of natsUrls) {
      try {
        return await dial(role, url, partition)
      } catch (cause) {
        failure = cause
      }
    }
    throw failure
  }
  const using = async <A>(connection: NatsConnection, use: (connection: NatsConnection) => Promise<A>): Promise<A> => {
    try {
      return await use(connection)
    } finally {
      await connection.close()
    }
  }

  const reachable = async (): Promise<Findings> => {
    const found = await Promise.all(
      natsUrls.map(async (url): Promise<Findings> => {
        try {
          return await using(await dial("gateway", url), async ({ info }) =>
            ok(`${url} answers, version ${info?.version}`)
          )
        } catch (cause) {
          return isRefusal(cause)
            ? failed(`${url} refuses chat-server`, keysRemedy)
            : failed(`${url}: ${reasonOf(cause)}`, natsRemedy)
        }
      })
    )
    return found.flat()
  }

  const accounts = async (): Promise<Findings> => {
    const found = await Promise.all(
      roles.map(async (role): Promise<Findings> => {
        const isOptional = role === "backup"
        if (keys[role] === undefined)
          return warning("there is no key for backups yet", "run init, then restart nats-server")
        try {
          await using(await dialAny(role), async () => undefined)
          return []
        } catch (cause) {
          if (!isRefusal(cause)) throw cause
          return (isOptional ? warning : failed)(`nats-server does not let ${role} in`, keysRemedy)
        }
      })
    )
    const faults = found.flat()
    return faults.length > 0 ? faults : ok(`${roles.join(", ")} may log in`)
  }

  /** A login that must be refused: promptly by the callout, or late by nats-server because nobody answered it. */
  const callout = async (): Promise<Findings> => {
    const asked = performance.now()
    try {
      const connection = await connect({
        servers: natsUrls[0] as string,
        user: "doctor",
        pass: randomBytes(16).toString("hex"),
        name: "kez-chat-server doctor",
        reconnect: false,
        timeout: askMillis,
        noAsyncTraces: true,
        ...(caFile === undefined ? {} : { tls: { caFile } })
      })
      await connection.close()
      return failed(
        "nats-server lets anybody in",
        "its configuration has no auth_callout: run init, then restart nats-server"
      )
    } catch (cause) {
      if (performance.now() - asked < answeredMillis && isRefusal(cause))
        return ok("a login of nobody is refused at once")
      return failed(
        `a login of nobody was not answered (${reasonOf(cause)})`,
        "nobody can log in: see that chat-server runs, with these keys, and that its log shows the role callout connected"
      )
    }
  }

  /** Closes a connection of our own, as those of revoked accounts are closed. */
  const kick = async (): Promise<Findings> =>
    using(await dialAny("sys"), async (sys) =>
      using(await dialAny("gateway"), async (victim) => {
        const { client_id: cid, server_id: server } = victim.info ?? {}
        const closed = victim.closed()
        const answer = await ask(sys, `$SYS.REQ.SERVER.${server}.KICK`, JSON.stringify({ cid }))
        if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error))
        const isClosed = await Promise.race([closed.then(() => true), timer(askMillis)])
        return isClosed ? ok("a connection is closed when asked") : failed("a connection was not closed", keysRemedy)
      })
    )

  const streams = async (): Promise<Findings> =>
    (await Promise.all(Array.from({ length: partitions }, (_, partition) => stream(partition)))).flat()

  const stream = async (partition: number): Promise<Findings> =>
    using(await dialAny("registrar", partition), async (registrar) => {
      const info = await ask(registrar, `$JS.API.STREAM.INFO.${Subject.streamName}`, "")
      if (isObject(info.error)) {
        return info.error.err_code === notFound
          ? failed("there is no stream", "start chat-server, which makes it; its log says why it cannot")
          : failed(String(info.error.description), "see nats-server's log, and that it has JetStream")
      }
      return [...settingsOf(config, info), ...replicasOf(info), ...fillOf(info)]
    })

  return [
    { name: "broker", remedy: natsRemedy, run: reachable },
    { name: "accounts", remedy: natsRemedy, run: accounts },
    { name: "callout", remedy: natsRemedy, run: callout },
    { name: "kick", remedy: "SYS lacks its permissions: run init, then restart nats-server", run: kick },
    {
      name: "stream",
      remedy: "KEZ lacks its permissions or JetStream does not answer: see nats-server's log",
      run: streams
    }
  ]
}

const timer = (millis: number): Promise<boolean> =>
  new Promise((resolve) => void setTimeout(() => resolve(false), millis).unref())

/** Where the stream is not as the settings want it. */
const settingsOf = (config: BrokerConfig, info: JsonObject): Findings => {
  const present = Object(info.config) as JsonObject
  const wanted = [
    ["--store-bytes", shareOf(config.inboxBytes, config.partitions), present["max_bytes"]],
    ["--stream-partitions", config.partitions, Number(Object(present["metadata"])["partitions"] ?? 1)],
    ["--replicas", config.replicas, present["num_replicas"]],
    ["--retention-days", config.limits.retentionDays, Number(present["max_age"]) / dayNanos],
    ["--max-frames", config.limits.maxFrames, present["max_msgs_per_subject"]]
  ] as const
  return wanted
    .filter(([, asked, found]) => asked !== found)
    .flatMap(([flag, asked, found]) =>
      warning(
        `${flag} is ${asked} here and ${String(found)} at the stream`,
        "give doctor the settings of chat-server; if they are, restart it, and see why its log says that it cannot change the stream"
      )
    )
}

/** Members of a cluster that are away or behind. */
const replicasOf = (info: JsonObject): Findings => {
  const cluster = Object(info.cluster) as { readonly leader?: string; readonly replicas?: ReadonlyArray<JsonObject> }
  const absent = (cluster.replicas ?? []).filter(({ current, offline }) => offline === true || current !== true)
  return absent.flatMap(({ name, offline }) =>
    warning(`${String(name)} is ${offline === true ? "away" : "behind"}`, "see that its nats-server runs and has room")
  )
}

const fillOf = (info: JsonObject): Findings => {
  const { max_bytes: most } = Object(info.config) as JsonObject
  const { bytes, messages } = Object(info.state) as JsonObject
  const share = Number(bytes) / Number(most)
  const found = `${String(messages)} messages, ${gibibytes(Number(bytes))} of ${gibibytes(Number(most))} (${Math.round(share * 100)} %)`
  return share < fullShare
    ? ok(found)
    : (share < 0.98 ? warning : failed)(
        found,
        "give init and chat-server a larger --store-bytes, or a shorter --retention-days, and restart nats-server and chat-server"
      )
}
