/** The list of removals from the broker, when some of them fail. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { BrokerControl } from "../../src/broker/BrokerControl.ts"
import { BrokerDown } from "../../src/broker/connections/BrokerDown.ts"
import { ActiveKeys } from "../../src/storage/ActiveKeys.ts"
import { Registry, type Removal } from "../../src/storage/Registry.ts"
import { Removals } from "../../src/chat/Removals.ts"

const removal = (id: number, purge: boolean): Removal => ({ id, primaryHex: String(id).repeat(64), purge })

/** A work list and what was done at the broker, where purging fails as long as `state.down` says so. */
const world = (...removals: ReadonlyArray<Removal>) => {
  const state = { list: [...removals], kicked: [] as Array<string>, purged: [] as Array<string>, down: true, broken: 0 }
  const registry = Layer.mock(Registry, {
    removals: Effect.sync(() => {
      if (state.broken-- > 0) throw new Error("disk I/O error")
      return [...state.list]
    }),
    recent: () => undefined,
    removed: (id) => Effect.sync(() => void (state.list = state.list.filter((one) => one.id !== id)))
  })
  const activeKeys = Layer.mock(ActiveKeys, {
    has: () => false,
    receives: () => false,
    isMoved: () => false,
    mayFetch: () => false,
    formerOf: () => [],
    refresh: Effect.void
  })
  const broker = Layer.mock(BrokerControl, {
    kick: (hex) => Effect.sync(() => void state.kicked.push(hex[0]!)),
    purge: (hex) =>
      Effect.suspend(() =>
        state.down
          ? Effect.fail(new BrokerDown({ detail: "no stream" }))
          : Effect.sync(() => void state.purged.push(hex[0]!))
      )
  })
  const layer = Removals.layer.pipe(Layer.provide([registry, activeKeys, broker]))
  return { state, layer }
}

describe("removals", () => {
  it.effect(
    "KEZ-REG-027 closes everybody's connections, once, while purging does not succeed; and purges when it does",
    () => {
      const { layer, state } = world(removal(1, true), removal(2, true), removal(3, false))
      return Effect.gen(function* () {
        const { run } = yield* Removals
        yield* run
        yield* run
        expect(state.kicked.toSorted()).toEqual(["1", "2", "3"])
        expect(state.purged).toEqual([])
        state.down = false
        expect((yield* run).left).toBe(0)
        expect(state.purged).toEqual(["1", "2"])
        expect(state.list).toEqual([])
        expect(state.kicked.length).toBe(3)
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("goes on polling after a round in which the list could not be read", () => {
    const { layer, state } = world(removal(1, false))
    state.broken = 3
    return Effect.gen(function* () {
      yield* TestClock.adjust("500 millis")
      expect(state.kicked).toEqual([])
      yield* TestClock.adjust("500 millis")
      expect(state.kicked).toEqual(["1"])
    }).pipe(Effect.provide(layer))
  })
})
