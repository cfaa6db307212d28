/**
 * Our own authenticator for nats.js: the stock one signs whatever a broker calls a nonce (spec KEZ-NAT-001 to 003).
 *
 * nats.js calls it in the middle of its handshake, synchronously, and a throw there would leave the dial hanging; so it
 * sends no credentials instead, and `refused` says afterwards why.
 */
import type { Authenticator } from "@nats-io/nats-core"
import * as Result from "effect/Result"
import { BrokerLogin as LoginBytes, Bytes } from "../../protocol/index.ts"
import type { BrokerLogin } from "../../services/Broker.ts"

export interface Login {
  readonly authenticator: Authenticator
  /** Why nothing was signed, once the broker has asked for something that is not signed. */
  readonly refused: () => string | undefined
}

export const make = (login: BrokerLogin, host: string): Login => {
  let refused: string | undefined
  return {
    authenticator: (nonce) => {
      const bytes = LoginBytes.loginBytes(host, nonce ?? "")
      if (Result.isFailure(bytes)) {
        refused = bytes.failure.detail
        return
      }
      try {
        return { nkey: login.nkey, sig: Bytes.toBase64Url(login.sign(host, nonce ?? "")) }
      } catch {
        refused = "the key could not sign"
        return
      }
    },
    refused: () => refused
  }
}
