/** What every Vault must do. `make` opens the vault of one place; opened again it must find what was saved there. */
import { Effect, Option, Redacted, type Scope } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { Vault } from "@kez-chat/sdk/services"

export interface VaultUnderTest<E> {
  /** A new, empty place for each test. */
  readonly place: Effect.Effect<
    {
      readonly open: Effect.Effect<Vault["Service"], E, Scope.Scope>
      /** False where a second `open` is another vault by design (memory). */
      readonly durable: boolean
    },
    E,
    Scope.Scope
  >
}

const seed = (fill: number) => Redacted.make(new Uint8Array(32).fill(fill))

const loaded = (vault: Vault["Service"]) => Effect.map(vault.load, Option.map(Redacted.value))

export const vaultKit = <E>(name: string, { place }: VaultUnderTest<E>): void => {
  describe(`Vault: ${name}`, () => {
    it.live("is empty at first, and clearing it then is no error", () =>
      Effect.gen(function* () {
        const vault = yield* (yield* place).open
        assert.isTrue(Option.isNone(yield* vault.load))
        yield* vault.clear
        assert.isTrue(Option.isNone(yield* vault.load))
        assert.isAbove(vault.description.length, 0)
      })
    )

    it.live("gives back the seed, replaces it, and forgets it", () =>
      Effect.gen(function* () {
        const vault = yield* (yield* place).open
        yield* vault.save(seed(1))
        assert.deepStrictEqual(Option.getOrThrow(yield* loaded(vault)), new Uint8Array(32).fill(1))
        yield* vault.save(seed(2))
        assert.deepStrictEqual(Option.getOrThrow(yield* loaded(vault)), new Uint8Array(32).fill(2))
        yield* vault.clear
        yield* vault.clear
        assert.isTrue(Option.isNone(yield* vault.load))
      })
    )

    it.live("finds the seed again when opened again", () =>
      Effect.gen(function* () {
        const { durable, open } = yield* place
        if (!durable) return
        yield* Effect.scoped(Effect.flatMap(open, (vault) => vault.save(seed(3))))
        const again = yield* open
        assert.deepStrictEqual(Option.getOrThrow(yield* loaded(again)), new Uint8Array(32).fill(3))
        yield* again.clear
        assert.isTrue(Option.isNone(yield* Effect.flatMap(open, (vault) => vault.load)))
      })
    )

    it.live("hands out and keeps copies, redacted", () =>
      Effect.gen(function* () {
        const vault = yield* (yield* place).open
        const mine = new Uint8Array(32).fill(4)
        yield* vault.save(Redacted.make(mine))
        mine.fill(0)
        const first = Option.getOrThrow(yield* vault.load)
        assert.notInclude(JSON.stringify(first) + String(first), "4,4")
        Redacted.value(first).fill(0)
        assert.deepStrictEqual(Option.getOrThrow(yield* loaded(vault)), new Uint8Array(32).fill(4))
        yield* vault.clear
      })
    )
  })
}
