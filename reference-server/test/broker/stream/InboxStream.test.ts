/** The stream as clients see it: one life after another, and what the broker learns of who is connected. */
import * as Nats from "@kez-chat/sdk/nats"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Broker, type BrokerConnection } from "@kez-chat/sdk/services"
import type { NatsConnection, RequestOptions } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import BetterSqlite3 from "better-sqlite3"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { rm } from "node:fs/promises"
import { sign } from "node:crypto"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { kezId, makeAccount } from "../../kits/Account.ts"
import * as InboxStream from "../../../src/broker/stream/InboxStream.ts"
import { startTestBroker, type TestBroker, until } from "../../kits/TestBroker.ts"

describe("the stream", () => {
  let broker: TestBroker
  let scope: Scope.Closeable
  let connection: BrokerConnection
  const account = makeAccount()
  const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(effect)
  /** The answer once there is one: the broker may be away for a while. */
  const once = async <A, E>(what: string, effect: Effect.Effect<A, E>): Promise<A> => {
    let answer: Exit.Exit<A, E> | undefined
    await until(what, async () => Exit.isSuccess((answer = await Effect.runPromiseExit(effect))))
    return run(answer as Exit.Exit<A, E>)
  }
  const send = (frame: Uint8Array) => once("a send is answered", connection.send(account.account, kezId(), frame))
  const fetch = (after: number, epoch?: string) => once("a fetch is answered", connection.fetch(after, epoch))

  beforeAll(async () => {
    broker = await startTestBroker()
    broker.register(account.hex)
    scope = await run(Scope.make())
    const layer = Nats.layer({ urls: [broker.tcp] }).pipe(Layer.provide(NodeCrypto.layer))
    const context = await run(Layer.buildWithScope(layer, scope))
    connection = await run(Scope.provide(Context.get(context, Broker).connect(account), scope))
  })
  afterAll(async () => {
    await run(Scope.close(scope, Exit.void))
    await broker.stop()
  })

  it("KEZ-NAT-006 is told no name of the program or person", async () => {
    await send(Uint8Array.of(1))
    const answer = await globalThis.fetch(`http://127.0.0.1:${broker.nodes[0]!.monitoringPort}/connz?auth=true`)
    const { connections } = (await answer.json()) as {
      connections: ReadonlyArray<{ authorized_user?: string; account?: string; name?: string }>
    }
    const own = connections.filter(({ account }) => account === "CHAT")
    expect(own.length).toBeGreaterThan(0)
    for (const { name } of own) expect(name ?? "").toBe("")
  })

  it("KEZ-NAT-028 KEZ-NAT-045 gets a new epoch when it is made anew, and an old epoch is answered from the beginning", async () => {
    await send(Uint8Array.of(2))
    const before = await fetch(0)
    expect(before.frames.length).toBeGreaterThanOrEqual(1)
    const [node] = broker.nodes
    await node!.kill("SIGKILL")
    await rm(join(broker.folder, "jetstream-1"), { recursive: true, force: true })
    await node!.start()
    await broker.ready()
    await send(Uint8Array.of(3))
    await until("a page of the new stream", async () => (await fetch(before.last, before.epoch)).epoch !== before.epoch)
    const after = await fetch(before.last + 100, before.epoch)
    expect(after.epoch).not.toBe(before.epoch)
    expect(after.frames.map(({ frame }) => [...frame])).toEqual([[3]])
  })

  it("is brought in line with its settings, and left alone where it is", async () => {
    const { key, publicNkey } = broker.keys.registrar
    const registrar = await connect({
      servers: broker.tcp,
      inboxPrefix: "_INBOX_reg",
      authenticator: (nonce) => ({
        nkey: publicNkey,
        sig: sign(null, Buffer.from(nonce ?? ""), key).toString("base64url")
      })
    })
    const asked: Array<string> = []
    const listening = new Proxy(registrar, {
      get: (target, name: keyof NatsConnection) =>
        name === "request"
          ? (subject: string, ...rest: [string, RequestOptions]) => {
              asked.push(subject.split(".")[3] as string)
              return target.request(subject, ...rest)
            }
          : target[name]
    })
    const settings = {
      replicas: 1,
      maxBytes: 256 * 1024 ** 2,
      retentionDays: 30,
      maxFrames: 100_000,
      partitions: 1
    } as const
    const ensure = (change: Partial<InboxStream.InboxStreamOptions>) =>
      Effect.runPromise(InboxStream.ensure(listening, { ...settings, ...change }))
    const { epoch } = await ensure({})
    expect(asked.splice(0)).toEqual(["INFO"])
    for (const change of [{ retentionDays: 7 }, { maxFrames: 10 }, { maxBytes: 2 * 1024 ** 2 }, {}]) {
      expect((await ensure(change)).epoch).toBe(epoch)
      expect(asked.splice(0)).toEqual(["INFO", "UPDATE", "INFO"])
    }
    await expect(ensure({ partitions: 4 })).rejects.toThrow(
      "mail is in 1 stream, not 4; start with --stream-partitions 1"
    )
    expect(asked.splice(0)).toEqual(["INFO"])
    await expect(ensure({ replicas: 3 })).rejects.toThrow(/^JetStream \d+: replicas/)
    await registrar.close()
  })

  /** As after a power cut that took acknowledged frames: what was written down is beyond what the stream has. */
  const loseFrames = (count: number) => {
    const sqlite = new BetterSqlite3(join(broker.folder, "registry.db"))
    const last = sqlite.prepare("SELECT value FROM broker_state WHERE name = 'last'").pluck().get() as number
    sqlite.prepare("UPDATE broker_state SET value = ? WHERE name = 'last'").run(last + count)
    sqlite.close()
    return last + count
  }

  it("sees that frames are gone although new ones come at once", async () => {
    await send(Uint8Array.of(4))
    const before = await fetch(0)
    await broker.stopResponders()
    loseFrames(2)
    await broker.startResponders()
    for (let i = 0; i < 4; i++) await send(Uint8Array.of(5))
    expect((await fetch(0)).epoch).not.toBe(before.epoch)
  })

  it("is of one epoch for all instances, also when each of them found out that frames are gone", async () => {
    const before = await fetch(0)
    await broker.stopResponders()
    loseFrames(10)
    const [, other] = await Promise.all([broker.startResponders(), broker.startAnother()])
    await broker.ready()
    await until("one epoch", async () => {
      const found = [await broker.status(), await other.status()].map(({ streams }) => streams[0]?.epoch)
      return found[0] === found[1] && found[0] !== before.epoch
    })
    const page = await fetch(0)
    expect(page.epoch).toBe((await other.status()).streams[0]!.epoch)
    await other.stop()
  })
})
