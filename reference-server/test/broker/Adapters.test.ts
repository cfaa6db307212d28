import { NodeCrypto } from "@kez-chat/sdk/node"
import * as Nats from "@kez-chat/sdk/nats"
import * as NatsWebSocket from "@kez-chat/sdk/nats-websocket"
import { Layer } from "effect"
import { brokerKit, type BrokerHome } from "../../../sdk/test/kits/BrokerKit.ts"
import { makeAccount } from "../kits/Account.ts"
import { startTestBroker, type TestBroker, type TestBrokerOptions } from "../kits/TestBroker.ts"

const home = async (
  layer: (broker: TestBroker) => BrokerHome["layer"],
  options: TestBrokerOptions = {}
): Promise<BrokerHome> => {
  const broker = await startTestBroker(options)
  return {
    account: () => {
      const account = makeAccount()
      broker.register(account.hex)
      return account
    },
    stranger: makeAccount,
    layer: layer(broker),
    goDown: () => broker.nodes[0]!.kill("SIGKILL"),
    comeBack: async () => {
      await broker.nodes[0]!.start()
      await broker.ready()
    },
    freeze: async () => broker.nodes[0]!.freeze(true),
    thaw: async () => broker.nodes[0]!.freeze(false),
    revoke: async ({ account }) => {
      broker.unregister(account.hex)
      await broker.kick(account.hex)
    },
    close: () => broker.stop()
  }
}

brokerKit("the broker over TCP", () =>
  home(({ tcp }) => Nats.layer({ urls: [tcp] }).pipe(Layer.provide(NodeCrypto.layer)))
)

brokerKit("the broker over WebSocket, with mail in four streams", () =>
  home(({ websocket }) => NatsWebSocket.layer({ urls: [websocket] }).pipe(Layer.provide(NodeCrypto.layer)), {
    partitions: 4
  })
)
