/** An account for tests: an Ed25519 key, and the login that the client's `Identity` would make. */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto"
import { Result } from "effect"
import { BrokerLogin as LoginBytes, KeyAdmission, Nkey } from "@kez-chat/sdk/protocol"
import type { BrokerLogin } from "@kez-chat/sdk/services"
import * as RawKeys from "../../src/broker/RawKeys.ts"

export interface Account extends BrokerLogin {
  readonly hex: string
  /** Signs any bytes, which no client of ours would do. */
  signRaw(bytes: Uint8Array): Uint8Array
}

export const makeAccount = (): Account => {
  const { privateKey } = generateKeyPairSync("ed25519")
  const account = Result.getOrThrow(KeyAdmission.admit(Uint8Array.from(RawKeys.publicBytes(privateKey))))
  return {
    account,
    hex: account.hex,
    nkey: Nkey.fromKey(account),
    sign: (host, nonce) => sign(null, Result.getOrThrow(LoginBytes.loginBytes(host, nonce)), privateKey),
    signRaw: (bytes) => sign(null, bytes, privateKey)
  }
}

/** A fresh `Kez-Id`. */
export const kezId = (): string => randomBytes(16).toString("base64url")
