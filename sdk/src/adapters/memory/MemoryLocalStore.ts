/** A LocalStore in memory, for tests and programs that need no durability. Copies values; commits are atomic. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { LocalStore } from "../../services/LocalStore.ts"
import { SortedKeys } from "../store-core/SortedKeys.ts"
import { stage } from "../store-core/Staging.ts"

/** A new, empty store. Clients that share it see the same entries, like consecutive runs of one program. */
export const make = (): LocalStore["Service"] => {
  const values = new Map<string, Uint8Array>()
  const keys = new SortedKeys()
  return LocalStore.of({
    get: (key) => Effect.sync(() => Option.fromNullishOr(values.get(key)?.slice())),
    scan: (range) => Effect.sync(() => keys.range(range).map((key) => ({ key, value: values.get(key)!.slice() }))),
    commit: (writes) =>
      Effect.suspend(() =>
        Effect.fromResult(
          Result.map(
            stage(writes, (key) => values.has(key)),
            (staged) => {
              keys.apply(staged)
              for (const [key, value] of staged) {
                if (value === undefined) values.delete(key)
                else values.set(key, value)
              }
            }
          )
        )
      ),
    sync: Effect.void
  })
}

/** Each built layer has its own store. */
export const layer: Layer.Layer<LocalStore> = Layer.sync(LocalStore, make)
