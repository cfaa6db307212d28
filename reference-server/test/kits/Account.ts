/** An account for tests: an Ed25519 key, and the login that the client's `Identity` would make. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"
import { Result } from "effect"
import { BrokerLogin as LoginBytes, KeyAdmission, Nkey } from "@kez-chat/sdk/protocol"
import type { BrokerLogin } from "@kez-chat/sdk/services"
import * as RawKeys from "../../src/broker/login/RawKeys.ts"

export interface Account extends BrokerLogin {
  readonly hex: string
  /** Signs any bytes, which no client of ours would do. */
  signRaw(bytes: Uint8Array): Uint8Array
  /** The private key as text, for another process of the same test. */
  readonly secret: string
}

export const makeAccount = (): Account => fromKey(generateKeyPairSync("ed25519").privateKey)

/** The account that another process made. */
export const fromSecret = (secret: string): Account =>
  fromKey(createPrivateKey({ key: Buffer.from(secret, "base64"), format: "der", type: "pkcs8" }))

const fromKey = (privateKey: KeyObject): Account => {
  const account = Result.getOrThrow(KeyAdmission.admit(Uint8Array.from(RawKeys.publicBytes(privateKey))))
  return {
    account,
    hex: account.hex,
    nkey: Nkey.fromKey(account),
    sign: (host, nonce) => sign(null, Result.getOrThrow(LoginBytes.loginBytes(host, nonce)), privateKey),
    signRaw: (bytes) => sign(null, bytes, privateKey),
    secret: privateKey.export({ format: "der", type: "pkcs8" }).toString("base64")
  }
}

/** A fresh `Kez-Id`. */
export const kezId = (): string => randomBytes(16).toString("base64url")
