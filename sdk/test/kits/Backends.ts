/** The three backends, for tests of what must be the same on each. */
import type { Layer } from "effect"
import { NobleCrypto } from "../../src/adapters/noble/index.ts"
import { NodeCrypto } from "../../src/adapters/node/index.ts"
import { WebCrypto } from "../../src/adapters/webcrypto/index.ts"
import type { Backend, Crypto, CryptoUnavailable } from "../../src/services/Crypto.ts"

export const backends: Readonly<Record<Backend, Layer.Layer<Crypto, CryptoUnavailable>>> = {
  node: NodeCrypto.layer,
  webcrypto: WebCrypto.layer,
  noble: NobleCrypto.layer
}
