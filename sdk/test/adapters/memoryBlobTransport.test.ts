import { MemoryBlobTransport } from "@kez-chat/sdk/memory"
import { blobTransportAttacks } from "../kits/blobTransportAttacks.ts"
import { blobTransportKit } from "../kits/blobTransportKit.ts"

blobTransportKit("memory", MemoryBlobTransport.net)
blobTransportAttacks("memory", MemoryBlobTransport.net)
