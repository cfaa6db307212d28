/** What the stream really holds, seen with the service keys, for tests that compare before and after. */
import type { NatsConnection } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import { sign } from "node:crypto"
import type { ServerKey } from "../../src/broker/Keys.ts"
import type { TestBroker } from "./TestBroker.ts"

export interface StoredMessage {
  readonly subject: string
  readonly seq: number
  readonly payload: Buffer
  /** Headers of the stored message itself, without those that the direct get adds. */
  readonly headers: ReadonlyArray<readonly [string, ReadonlyArray<string>]>
}

export interface Observer {
  /** Configuration, counts and consumers of the stream as its leader tells them; times and cluster chatter left out. */
  snapshot(): Promise<unknown>
  /** Everything stored under an account's key, oldest first. */
  stored(hex: string): Promise<ReadonlyArray<StoredMessage>>
  /** Every replica is current (one server: always). */
  healthy(): Promise<boolean>
  close(): Promise<void>
}

const login = (url: string, key: ServerKey, inboxPrefix: string): Promise<NatsConnection> =>
  connect({
    servers: [url],
    reconnect: false,
    inboxPrefix,
    authenticator: (nonce) => ({
      nkey: key.publicNkey,
      sig: sign(null, Buffer.from(nonce ?? ""), key.key).toString("base64url")
    })
  })

const added = new Set([
  "Nats-Stream",
  "Nats-Subject",
  "Nats-Sequence",
  "Nats-Time-Stamp",
  "Nats-Num-Pending",
  "Nats-Last-Sequence"
])

export const observe = async (broker: TestBroker, node = 0): Promise<Observer> => {
  const url = `nats://127.0.0.1:${broker.nodes[node]!.tcpPort}`
  const registrar = await login(url, broker.keys.registrar, "_INBOX_reg.test")
  const gateway = await login(url, broker.keys.gateway, "_INBOX_ing.test")
  const info = async () => {
    const reply = await registrar.request("$JS.API.STREAM.INFO.KEZ_INBOX", "{}", { timeout: 10_000 })
    return reply.json<{
      config: Record<string, unknown>
      state: Record<string, unknown>
      cluster?: { replicas?: Array<{ current: boolean; offline?: boolean }> }
    }>()
  }
  return {
    snapshot: async () => {
      const { config, state } = await info()
      const { messages, bytes, first_seq, last_seq, consumer_count, num_deleted, num_subjects } = state
      return { config, messages, bytes, first_seq, last_seq, consumer_count, num_deleted, num_subjects }
    },
    healthy: async () => {
      const { cluster } = await info()
      return (cluster?.replicas ?? []).every(({ current, offline }) => current && offline !== true)
    },
    stored: async (hex) => {
      const found: Array<StoredMessage> = []
      for (let after = 0; ;) {
        const query = JSON.stringify({ seq: after + 1, next_by_subj: `kez.*.${hex}`, batch: 256 })
        const answers = await gateway.requestMany("$JS.API.DIRECT.GET.KEZ_INBOX", query, {
          strategy: "sentinel",
          maxWait: 10_000
        })
        let count = 0
        for await (const message of answers) {
          if (message.headers === undefined || message.headers.code !== 0) break
          count += 1
          after = Number(message.headers.get("Nats-Sequence"))
          found.push({
            subject: message.headers.get("Nats-Subject"),
            seq: after,
            payload: Buffer.from(message.data),
            headers: [...message.headers].filter(([name]) => !added.has(name))
          })
        }
        if (count < 256) return found
      }
    },
    close: async () => {
      await Promise.all([registrar.close(), gateway.close()])
    }
  }
}
