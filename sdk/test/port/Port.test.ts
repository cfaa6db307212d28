/** A client through a port gives what the client itself gives. */
import { Effect, Layer, Redacted } from "effect"
import * as fc from "fast-check"
import { afterEach, assert, describe, it, vi } from "vitest"
import { KezChat } from "@kez-chat/sdk"
import { connectPort, servePort } from "@kez-chat/sdk/port"
import { type Event, type KezChatClient, open, type Waiting } from "@kez-chat/sdk/promise"
import { makeWorld, newDevice, newWords, type World } from "../client/kit/People.ts"
import { clientWith, endless, outcome } from "./PortKit.ts"

const closers: Array<() => unknown> = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A client and the same one through a port. */
const both = (direct: KezChatClient) => {
  const { port1, port2 } = new MessageChannel()
  const stop = servePort(port1, direct)
  const remote = connectPort(port2)
  closers.push(
    () => direct.close(),
    stop,
    () => remote.close()
  )
  return { direct, remote, stop }
}

const join = async (world: World, handle: string) => {
  const direct = await open(KezChat.layer().pipe(Layer.provide(world.servicesOf(newDevice()))))
  await direct.create({ handle, words: Redacted.value(newWords()) })
  return both(direct)
}

const first = async <T extends Event["_tag"]>(client: KezChatClient, tag: T) => {
  for await (const event of client.events({ signal: AbortSignal.timeout(20_000) })) if (event._tag === tag) return event
  return assert.fail("the loop ended")
}

const collect = async (items: AsyncIterable<unknown>) => {
  const all: Array<unknown> = []
  for await (const item of items) all.push(item)
  return all
}

describe("a client through a port", () => {
  it("gives the same results and the same errors", async () => {
    const world = makeWorld()
    const [alice, bob] = [await join(world, "alice"), await join(world, "bob")]
    const requested = first(bob.remote, "Request")
    await alice.remote.addContact("bob")
    const sent = await alice.remote.send("bob", "hello 🌍")
    assert.strictEqual(sent.text, "hello 🌍")
    const request = await requested
    assert.strictEqual(request._tag === "Request" && request.message.text, "hello 🌍")
    await bob.remote.accept("alice")
    await bob.remote.send("alice", "and back")
    await alice.remote.flush()

    const calls: ReadonlyArray<(client: KezChatClient) => Promise<unknown>> = [
      (client) => client.account(),
      (client) => client.words(),
      (client) => client.contacts(),
      (client) => client.contact("bob"),
      (client) => client.contact("nobody"),
      (client) => client.contact(""),
      (client) => client.verification("bob"),
      (client) => client.history("bob"),
      (client) => client.history("bob", { limit: 1 }),
      (client) => client.inbox(),
      (client) => client.shared(),
      (client) => client.settings(),
      (client) => client.updateSettings({ receipts: false } as never),
      (client) => client.send("carol", "text"),
      (client) => client.send("bob", "x".repeat(50_000)),
      (client) => client.send("bob", 7 as never),
      (client) => client.create({ handle: "other", words: Redacted.value(newWords()) }),
      (client) => client.restore({ words: "twelve words" }),
      (client) => client.confirmKey("bob", "ed25519:00"),
      (client) => client.unshare("nothing"),
      (client) => client.discard("nothing"),
      (client) => collect(client.read("nothing")),
      (client) => collect(client.export()),
      (client) => client.sync({ signal: AbortSignal.abort(new Error("mine")) }),
      (client) => collect(client.fetch("nothing", { signal: AbortSignal.abort(new Error("mine")) }))
    ]
    for (const call of calls) {
      assert.deepStrictEqual(await outcome(call(alice.remote)), await outcome(call(alice.direct)), String(call))
    }
  })

  it("refuses what reads the caller's files, with a reason", async () => {
    const { remote } = both(clientWith({}))
    const share = remote.share({} as never)
    assert.deepInclude(await outcome(share), { _tag: "NotPortable", call: "share" })
    assert.deepInclude(await outcome(remote.matches("x", endless())), { _tag: "NotPortable", call: "matches" })
  })

  it("carries any value and any error that a call may give", async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything({ withDate: true, withTypedArray: true, withBigInt: true }), async (value) => {
        const { remote, direct, stop } = both(
          clientWith({ account: async () => value, words: async () => Promise.reject(value) })
        )
        assert.deepStrictEqual(await remote.account(), structuredClone(value) as never)
        const error = await remote.words().then(
          () => assert.fail("it succeeded"),
          (caught: unknown) => caught as Error
        )
        assert.propertyVal(error, "_tag", "Unexpected")
        assert.instanceOf(error, Error)
        stop()
        await direct.close()
      })
    )
  })

  it("brings the error in a connection's state across with its fields, and without its cause", async () => {
    const secret = "correct horse"
    const error = Object.assign(new Error("visible", { cause: secret }), {
      _tag: "BrokerUnavailable",
      reason: "suspended"
    })
    const { remote } = both(
      clientWith({
        connection: async function* () {
          yield { _tag: "Offline", since: 7, error } as never
        }
      })
    )
    for await (const state of remote.connection()) {
      const found = state._tag === "Offline" ? state.error : undefined
      assert.instanceOf(found, Error)
      assert.deepInclude(found, { _tag: "BrokerUnavailable", reason: "suspended", message: "visible" })
      assert.isUndefined(found.cause)
    }
  })

  it("leaves causes and stacks behind, and fails a call whose value cannot cross", async () => {
    const secret = "correct horse"
    const error = Object.assign(new Error("visible", { cause: secret }), { _tag: "Known", code: 7, cause: secret })
    const { remote } = both(
      clientWith({
        account: async () => Promise.reject(error),
        words: async () => Promise.reject(new TypeError(secret)),
        contacts: async () => () => secret,
        contact: async () => Promise.reject(Object.assign(new Error("x"), { _tag: "Odd", field: () => secret }))
      })
    )
    const caught = await outcome(remote.account())
    assert.deepEqual(caught, { _tag: "Known", name: "Error", message: "visible", code: 7 })
    for (const call of [remote.words(), remote.contacts(), remote.contact("x")]) {
      const other = await outcome(call)
      assert.deepInclude(other, { _tag: "Unexpected" })
      assert.notInclude(JSON.stringify(other), secret)
    }
  })

  it("holds a stream back, and ends it where its loop is left", async () => {
    let produced = 0
    let ended = 0
    const { remote } = both(
      clientWith({
        async *export() {
          try {
            for (;;) yield { number: ++produced }
          } finally {
            ended += 1
          }
        }
      })
    )
    const iterator = remote.export()[Symbol.asyncIterator]()
    await iterator.next()
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.strictEqual(produced, 32)
    for (let at = 2; at <= 500; at++) assert.deepEqual((await iterator.next()).value, { number: at })
    assert.isAtMost(produced, 500 + 32)
    await iterator.return?.()
    assert.deepEqual(await iterator.next(), { done: true, value: undefined })
    await vi.waitUntil(() => ended > 0)
  })

  it("aborts calls and loops with the caller's reason", async () => {
    const aborted: Array<string> = []
    const until = (name: string, signal: AbortSignal | undefined) =>
      new Promise<never>((_, reject) => {
        signal?.addEventListener("abort", () => {
          aborted.push(name)
          reject(new Error("ended here"))
        })
      })
    const { remote } = both(
      clientWith({
        sync: ({ signal }: Waiting) => until("sync", signal),
        // oxlint-disable-next-line require-yield -- a stream that waits until it is aborted
        async *events({ signal }: Waiting) {
          await until("events", signal)
        }
      })
    )
    const control = new AbortController()
    const reason = new Error("enough")
    const call = outcome(remote.sync({ signal: control.signal }))
    const loop = outcome(collect(remote.events({ signal: control.signal })))
    control.abort(reason)
    assert.strictEqual(await call, reason)
    assert.strictEqual(await loop, reason)
    await vi.waitUntil(() => aborted.length === 2)
  })

  it("rejects what is pending and ends loops when either side closes", async () => {
    for (const side of ["server", "client"] as const) {
      const { remote, stop } = both(
        clientWith({ sync: () => new Promise(() => {}), events: () => endless(() => new Promise(() => {})) })
      )
      const call = outcome(remote.sync())
      const loop = outcome(collect(remote.events()))
      await new Promise((resolve) => setTimeout(resolve, 10))
      if (side === "server") stop()
      else await remote.close()
      assert.deepInclude(await call, { _tag: "ClientClosed" })
      assert.deepEqual(await loop, [])
      assert.deepInclude(await outcome(remote.account()), { _tag: "ClientClosed" })
      await remote[Symbol.asyncDispose]()
    }
  })

  it("leaves the client open, which ends its own loops", async () => {
    const world = makeWorld()
    const { remote, direct } = await join(world, "alice")
    const loop = outcome(collect(remote.connection()))
    await Effect.runPromise(Effect.sleep("20 millis"))
    await direct.close()
    assert.isArray(await loop)
    assert.deepInclude(await outcome(remote.account()), { _tag: "ClientClosed" })
  })
})
