import { MemoryBlobTransport } from "@kez-chat/sdk/memory"
import { blobTransportKit } from "../kits/blobTransportKit.ts"

blobTransportKit("memory", (limits) => MemoryBlobTransport.net(limits))
