/**
 * An authenticator for nats.js, whose own signs any nonce that a broker sends (spec KEZ-NAT-001 to 003). A throw during
 * the handshake would leave the dial hanging, so on error it sends no credentials and `refused` gives the reason.
 */
import type { Authenticator } from "@nats-io/nats-core"
import * as Result from "effect/Result"
import { BrokerLogin as LoginBytes, Bytes } from "../../protocol/index.ts"
import type { BrokerLogin } from "../../services/Broker.ts"

export interface Login {
  readonly authenticator: Authenticator
  /** Why nothing was signed, once the broker has sent a nonce that is not signed. */
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
