import { MemoryBlobTransport } from "@kez-chat/sdk/memory"
import { blobTransportAttacks } from "../../kits/BlobTransportAttacks.ts"
import { blobTransportKit } from "../../kits/BlobTransportKit.ts"

blobTransportKit("memory", MemoryBlobTransport.net)
blobTransportAttacks("memory", MemoryBlobTransport.net)
