import { IrohBlobTransport } from "@kez-chat/sdk/iroh"
import { blobTransportKit } from "../kits/blobTransportKit.ts"

const options = { relay: "direct", bind: "127.0.0.1:0" } as const

blobTransportKit("iroh", (limits) => ({
  transport: IrohBlobTransport.make(options, limits),
  network: (secret) => IrohBlobTransport.network(options, secret, limits)
}))
