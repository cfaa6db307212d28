/** What the stream really holds, seen with the service keys, for tests that compare before and after. */
import type { NatsConnection } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import { sign } from "node:crypto"
import * as Keys from "../../src/broker/login/Keys.ts"
import { finder } from "../../src/broker/stream/Partitions.ts"
import type { TestBroker } from "./TestBroker.ts"

export interface StoredMessage {
  readonly subject: string
  readonly seq: number
  readonly payload: Buffer
  readonly headers: ReadonlyArray<readonly [string, string]>
}

/** `config` and counts, by JetStream's names. */
export type Snapshot = Readonly<Record<string, unknown>> & { readonly messages: number; readonly last_seq: number }

export interface Observer {
  /** Configuration, counts and consumers of the streams as their leaders tell them; times and cluster chatter left out. */
  snapshot(): Promise<ReadonlyArray<Snapshot>>
  /** That of the stream that holds an account's mail. */
  snapshotFor(hex: string): Promise<Snapshot>
  /** Everything stored under an account's key, oldest first, as the stream's leader has it. */
  stored(hex: string): Promise<ReadonlyArray<StoredMessage>>
  /** Every replica is current (one server: always). */
  healthy(): Promise<boolean>
  close(): Promise<void>
}

const login = (url: string, key: Keys.ServerKey, inboxPrefix: string): Promise<NatsConnection> =>
  connect({
    servers: [url],
    reconnect: false,
    inboxPrefix,
    authenticator: (nonce) => ({
      nkey: key.publicNkey,
      sig: sign(null, Buffer.from(nonce ?? ""), key.key).toString("base64url")
    })
  })

/** Name and value of each line of a header block; the status line first, under its own name, unless it is the plain one. */
const headersOf = (block: string): ReadonlyArray<readonly [string, string]> =>
  block
    .split("\r\n")
    .filter((line) => line !== "" && line !== "NATS/1.0")
    .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()])

export const observe = async (broker: TestBroker, node = 0): Promise<Observer> => {
  const url = `nats://127.0.0.1:${broker.nodes[node]!.tcpPort}`
  const partitions = await Promise.all(
    Array.from({ length: broker.partitions }, async (_, i) => {
      const { gateway, registrar } = Keys.ofPartition(broker.keys, i)
      return {
        registrar: await login(url, registrar, "_INBOX_reg.test"),
        gateway: await login(url, gateway, "_INBOX_ing.test")
      }
    })
  )
  const info = async ({ registrar }: (typeof partitions)[number]) => {
    const reply = await registrar.request("$JS.API.STREAM.INFO.KEZ_INBOX", "{}", { timeout: 10_000 })
    return reply.json<{
      config: Record<string, unknown>
      state: Record<string, unknown>
      cluster?: { replicas?: Array<{ current: boolean; offline?: boolean }> }
    }>()
  }
  const snapshotOf = async (partition: (typeof partitions)[number]) => {
    const { config, state } = await info(partition)
    const { messages, bytes, first_seq, last_seq, consumer_count, num_deleted, num_subjects } = state
    return { config, messages, bytes, first_seq, last_seq, consumer_count, num_deleted, num_subjects } as Snapshot
  }
  return {
    snapshot: () => Promise.all(partitions.map(snapshotOf)),
    snapshotFor: (hex) => snapshotOf(finder(partitions)(hex)),
    healthy: async () => {
      const infos = await Promise.all(partitions.map(info))
      return infos.every(({ cluster }) =>
        (cluster?.replicas ?? []).every(({ current, offline }) => current && offline !== true)
      )
    },
    stored: async (hex) => {
      const { gateway } = finder(partitions)(hex)
      const ask = async (query: object) => {
        const reply = await gateway.request("$JS.API.STREAM.MSG.GET.KEZ_INBOX", JSON.stringify(query), {
          timeout: 10_000
        })
        return reply.json<{ message?: { subject: string; seq: number; hdrs?: string; data?: string } }>().message
      }
      const last = (await ask({ last_by_subj: `kez.*.${hex}` }))?.seq ?? 0
      const found: Array<StoredMessage> = []
      for (let seq = 0; seq < last;) {
        const message = await ask({ seq: seq + 1, next_by_subj: `kez.*.${hex}` })
        if (message === undefined) throw new Error(`nothing after ${seq} although ${last} is the last`)
        seq = message.seq
        found.push({
          subject: message.subject,
          seq,
          payload: Buffer.from(message.data ?? "", "base64"),
          headers: headersOf(Buffer.from(message.hdrs ?? "", "base64").toString("latin1"))
        })
      }
      return found
    },
    close: async () => {
      await Promise.all(partitions.flatMap(({ gateway, registrar }) => [registrar.close(), gateway.close()]))
    }
  }
}
