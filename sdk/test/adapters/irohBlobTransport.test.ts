import { IrohBlobTransport } from "@kez-chat/sdk/iroh"
import { blobTransportAttacks } from "../kits/blobTransportAttacks.ts"
import { blobTransportKit, type MakeTransport } from "../kits/blobTransportKit.ts"

const options = { relay: "direct", bind: "127.0.0.1:0" } as const

const make: MakeTransport = (limits) => ({
  transport: IrohBlobTransport.make(options, limits),
  network: (secret) => IrohBlobTransport.network(options, secret, limits)
})

blobTransportKit("iroh", make)
blobTransportAttacks("iroh", make)
