import { generateKeyPairSync } from "node:crypto"
import { Result } from "effect"
import { KeyAdmission, Nkey } from "../../src/protocol/index.ts"
import type { BrokerLogin } from "../../src/services/Broker.ts"
import { brokerKit } from "../kits/BrokerKit.ts"
import { makeMemoryBroker } from "./MemoryBroker.ts"

const login = (): BrokerLogin => {
  const raw = generateKeyPairSync("ed25519").publicKey.export({ format: "der", type: "spki" }).subarray(-32)
  const account = Result.getOrThrow(KeyAdmission.admit(Uint8Array.from(raw)))
  return { account, nkey: Nkey.fromKey(account), sign: () => new Uint8Array(64) }
}

brokerKit("the in-process broker", async () => {
  const broker = makeMemoryBroker()
  return {
    account: login,
    stranger: () => {
      const stranger = login()
      broker.setRegistered(stranger.account, false)
      broker.setAuthorized(stranger.account, false)
      return stranger
    },
    layer: broker.layer,
    goDown: async () => broker.setOnline(false),
    comeBack: async () => broker.setOnline(true),
    freeze: async () => broker.silence(),
    thaw: async () => undefined,
    revoke: async (account) => broker.setAuthorized(account.account, false),
    close: async () => undefined
  }
})
