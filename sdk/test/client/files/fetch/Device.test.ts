/** The endpoint of an account: one at a time, open while it is needed and a minute longer. */
import { Effect, Exit, Fiber, Layer, Option, Redacted, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import { assert, describe, it } from "@effect/vitest"
import { Addresses } from "../../../../src/client/files/fetch/Addresses.ts"
import * as Device from "../../../../src/client/files/fetch/Device.ts"
import { Serving } from "../../../../src/client/files/share/index.ts"
import type { Session } from "../../../../src/client/internal/Session.ts"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { type BlobEndpoint, BlobTransport, type Provider, Vault } from "@kez-chat/sdk/services"

const seed = Redacted.make(new Uint8Array(32).fill(3))

const provider: Provider = { open: () => Effect.undefined, sent: () => Effect.void }

/** A device with everything around it watched. */
const makeDevice = (options: { readonly seed?: Option.Option<Redacted.Redacted<Uint8Array>> } = {}) =>
  Effect.gen(function* () {
    const seen = { opened: 0, open: 0, providers: [] as Array<Provider>, serving: 0, answering: 0, lost: () => {} }
    const counted = (count: "open" | "serving" | "answering") =>
      Effect.acquireRelease(
        Effect.sync(() => void (seen[count] += 1)),
        () => Effect.sync(() => void (seen[count] -= 1))
      )
    const endpoint: BlobEndpoint = {
      addresses: Effect.succeed({ direct: [] }),
      fetch: () => {
        throw new Error("not here")
      },
      serve: (provider) => {
        seen.providers.push(provider)
        return counted("serving")
      }
    }
    const transport: BlobTransport["Service"] = {
      open: (secret) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(Redacted.value(secret), Redacted.value(seed))
          seen.opened += 1
          yield* counted("open")
          return endpoint
        })
    }
    const vault = Vault.of({
      description: "a test's",
      load: Effect.succeed(options.seed ?? Option.some(seed)),
      save: () => Effect.void,
      clear: Effect.void
    })
    const addresses: Pick<Addresses["Service"], "answer"> = {
      answer: (_session, _endpoint, lost) => {
        seen.lost = lost
        return counted("answering")
      }
    }
    const layers = Layer.mergeAll(
      Layer.succeed(BlobTransport, transport),
      Layer.succeed(Vault, vault),
      Layer.succeed(Addresses, addresses as Addresses["Service"]),
      Layer.succeed(Serving, provider),
      NodeCrypto.layer
    )
    // The session is handed on to `answer`, which is a double here.
    const services = yield* Layer.build(layers)
    const device = yield* Effect.provideContext(Device.make({} as Session), services)
    return { device, seen }
  })

/** Lets every fiber do what it can without time going by. */
const settle = TestClock.adjust(0)

describe("the device", () => {
  it.effect("opens its endpoint when it is first needed, shares it, and closes it a minute after the last use", () =>
    Effect.gen(function* () {
      const { device, seen } = yield* makeDevice()
      yield* settle
      assert.strictEqual(seen.opened, 0)
      const one = yield* Scope.make()
      const two = yield* Scope.make()
      yield* Scope.provide(device.endpoint, one)
      yield* Scope.provide(device.endpoint, two)
      yield* Scope.close(one, Exit.void)
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual([seen.opened, seen.open], [1, 1])
      yield* Scope.close(two, Exit.void)
      yield* TestClock.adjust("50 seconds")
      yield* Effect.scoped(device.endpoint)
      yield* TestClock.adjust("50 seconds")
      assert.deepStrictEqual([seen.opened, seen.open], [1, 1])
      yield* TestClock.adjust("11 seconds")
      assert.deepStrictEqual([seen.opened, seen.open], [1, 0])
      yield* Effect.scoped(device.endpoint)
      assert.deepStrictEqual([seen.opened, seen.open], [2, 1])
    })
  )

  it.effect("serves once for any number of callers, until the last of them stops", () =>
    Effect.gen(function* () {
      const { device, seen } = yield* makeDevice()
      const one = yield* Effect.forkChild(device.serve, { startImmediately: true })
      const two = yield* Effect.forkChild(device.serve, { startImmediately: true })
      yield* settle
      assert.deepStrictEqual([seen.opened, seen.serving, seen.answering], [1, 1, 1])
      assert.deepStrictEqual(seen.providers, [provider])
      yield* Fiber.interrupt(one)
      assert.deepStrictEqual([seen.serving, seen.answering], [1, 1])
      yield* Fiber.interrupt(two)
      assert.deepStrictEqual([seen.open, seen.serving, seen.answering], [1, 0, 0])
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(seen.open, 0)
    })
  )

  it.effect("opens another endpoint when the one it serves on was closed", () =>
    Effect.gen(function* () {
      const { device, seen } = yield* makeDevice()
      yield* Effect.forkChild(device.serve, { startImmediately: true })
      yield* settle
      seen.lost()
      yield* settle
      assert.strictEqual(seen.serving, 0)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([seen.opened, seen.open, seen.serving], [2, 1, 1])
    })
  )

  it.effect("says what is missing where it cannot serve", () =>
    Effect.gen(function* () {
      const { device } = yield* makeDevice({ seed: Option.none() })
      const failed = yield* Effect.result(device.serve)
      assert.strictEqual(Result.isFailure(failed) && failed.failure._tag, "NoAccount")
    })
  )
})
