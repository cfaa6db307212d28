import { WebCrypto } from "../../src/adapters/webcrypto/index.ts"
import { cryptoKit } from "../kits/CryptoKit.ts"

cryptoKit("webcrypto", WebCrypto.layer)
