import { Effect } from "effect"
import { IrohBlobTransport } from "@kez-chat/sdk/iroh"
import { blobTransportKit } from "../kits/blobTransportKit.ts"

blobTransportKit("iroh", {
  transport: Effect.sync(() => IrohBlobTransport.make({ relay: "direct", bind: "127.0.0.1:0" }))
})
