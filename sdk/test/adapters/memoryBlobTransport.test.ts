import { Effect } from "effect"
import { MemoryBlobTransport } from "@kez-chat/sdk/memory"
import { blobTransportKit } from "../kits/blobTransportKit.ts"

blobTransportKit("memory", { transport: Effect.sync(() => MemoryBlobTransport.net().transport) })
