/** The Broker adapter of the examples passes the kit that every Broker must pass. */
import { Layer, Result } from "effect"
import { generateKeyPairSync } from "node:crypto"
import { assert, it } from "vitest"
import { observed, type Traffic } from "../../examples/own-broker.ts"
import { KeyAdmission, Nkey } from "../../src/protocol/index.ts"
import type { BrokerLogin } from "../../src/services/Broker.ts"
import { makeMemoryBroker } from "../doubles/MemoryBroker.ts"
import { brokerKit } from "../kits/BrokerKit.ts"

const login = (): BrokerLogin => {
  const raw = generateKeyPairSync("ed25519").publicKey.export({ format: "der", type: "spki" }).subarray(-32)
  const account = Result.getOrThrow(KeyAdmission.admit(Uint8Array.from(raw)))
  return { account, nkey: Nkey.fromKey(account), sign: () => new Uint8Array(64) }
}

const seen: Array<Traffic> = []

brokerKit("a broker of one's own", async () => {
  const broker = makeMemoryBroker()
  return {
    account: login,
    stranger: () => {
      const stranger = login()
      broker.setRegistered(stranger.account, false)
      broker.setAuthorized(stranger.account, false)
      return stranger
    },
    layer: observed((traffic) => seen.push(traffic)).pipe(Layer.provide(broker.layer)),
    goDown: async () => broker.setOnline(false),
    comeBack: async () => broker.setOnline(true),
    freeze: async () => broker.silence(),
    thaw: async () => undefined,
    revoke: async (account) => broker.setAuthorized(account.account, false),
    close: async () => undefined
  }
})

it("tells of everything that passed through it", () => {
  assert.sameMembers([...new Set(seen.map(({ direction }) => direction))], ["sent", "fetched", "live"])
})
