import type { Msg } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import * as Nats from "@kez-chat/sdk/nats"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Limits } from "@kez-chat/sdk/protocol"
import { Broker } from "@kez-chat/sdk/services"
import { Context, Effect, Fiber, Layer, Stream } from "effect"
import { sign } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { kezId, makeAccount } from "../../kits/Account.ts"
import { startTestBroker, type TestBroker, until } from "../../kits/TestBroker.ts"

describe("a client's window", () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker()
  })
  afterAll(() => broker.stop())

  it("KEZ-NAT-054 has at most 64 sends and 8 fetches without an answer, and goes on when they are answered", async () => {
    const account = makeAccount()
    broker.register(account.hex)
    const layer = Nats.layer({ urls: [broker.tcp] }).pipe(Layer.provide(NodeCrypto.layer))
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const connection = yield* Context.get(yield* Layer.build(layer), Broker).connect(account)
          yield* Stream.runHead(Stream.filter(connection.state, ({ _tag }) => _tag === "Online"))
          yield* Effect.promise(() => broker.stopResponders())
          // A home server that takes requests and does not answer yet.
          const silent = yield* Effect.promise(() =>
            connect({
              servers: [broker.tcp],
              authenticator: (nonce) => ({
                nkey: broker.keys.gateway.publicNkey,
                sig: sign(null, Buffer.from(nonce ?? ""), broker.keys.gateway.key).toString("base64url")
              })
            })
          )
          const sends: Array<Msg> = []
          const fetches: Array<Msg> = []
          silent.subscribe("kez.send.*", { callback: (_, message) => void sends.push(message) })
          silent.subscribe("kez.fetch.*", { callback: (_, message) => void fetches.push(message) })
          yield* Effect.promise(() => silent.flush())
          const sending = yield* Effect.forkScoped(
            Effect.forEach(
              Array.from({ length: 200 }),
              () => connection.send(account.account, kezId(), Uint8Array.of(1)),
              { concurrency: "unbounded" }
            )
          )
          yield* Effect.forkScoped(
            Effect.forEach(Array.from({ length: 20 }), () => connection.fetch(0), { concurrency: "unbounded" })
          )
          yield* Effect.promise(() => until("the windows are full", () => sends.length === 64 && fetches.length === 8))
          expect([Limits.sendsUnanswered, Limits.fetchesUnanswered]).toEqual([64, 8])
          // Each answer lets one more through; a request that were let through without would be here before.
          for (let answered = 0; answered < 200; answered++) {
            sends[answered]!.respond('{"ok":1}')
            const expected = Math.min(200, 64 + answered + 1)
            yield* Effect.promise(() => until("the next one came", () => sends.length >= expected))
            expect(sends.length).toBe(expected)
          }
          yield* Fiber.join(sending)
          expect(fetches).toHaveLength(8)
          yield* Effect.promise(() => silent.close())
        })
      )
    )
  })
})
