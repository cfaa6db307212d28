/** A Vault in memory: for tests, and for programs that get the words at each start. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Vault } from "../../services/Vault.ts"

const copy = (seed: Redacted.Redacted<Uint8Array>) => Redacted.make(Redacted.value(seed).slice(), { label: "seed" })

/** A new vault, empty or with a 32-byte seed, which is copied. */
export const make = (seed?: Redacted.Redacted<Uint8Array>): Vault["Service"] => {
  let kept = seed === undefined ? undefined : copy(seed)
  return Vault.of({
    description: "the memory of this process",
    load: Effect.sync(() => Option.fromNullishOr(kept === undefined ? undefined : copy(kept))),
    save: (seed) => Effect.sync(() => void (kept = copy(seed))),
    clear: Effect.sync(() => void (kept = undefined))
  })
}

/** Each built layer has its own vault. */
export const layer: Layer.Layer<Vault> = Layer.sync(Vault, () => make())
