/** The three backends, for tests of what must be the same on each. */
import { Effect, type Layer } from "effect"
import { NobleCrypto } from "../../src/adapters/noble/index.ts"
import { NodeCrypto } from "../../src/adapters/node/index.ts"
import { WebCrypto } from "../../src/adapters/webcrypto/index.ts"
import type { Crypto } from "../../src/services/Crypto.ts"

export interface Backend {
  readonly name: string
  run<A, E>(effect: Effect.Effect<A, E, Crypto>): Promise<A>
}

const backend = (name: string, layer: Layer.Layer<Crypto, unknown>): Backend => ({
  name,
  run: (effect) => Effect.runPromise(Effect.provide(effect, layer))
})

export const backends: ReadonlyArray<Backend> = [
  backend("node", NodeCrypto.layer),
  backend("webcrypto", WebCrypto.layer),
  backend("noble", NobleCrypto.layer)
]
