import { NobleCrypto } from "../../src/adapters/noble/index.ts"
import { NodeCrypto } from "../../src/adapters/node/index.ts"
import { WebCrypto } from "../../src/adapters/webcrypto/index.ts"
import { cryptoKit } from "../kits/CryptoKit.ts"

cryptoKit("node", NodeCrypto.layer)
cryptoKit("webcrypto", WebCrypto.layer)
cryptoKit("noble", NobleCrypto.layer)
