import { MemoryBlobTransport } from "@kez-chat/sdk/memory"
import { blobTransportAttacks } from "../../kits/blobs/BlobTransportAttacks.ts"
import { blobTransportKit } from "../../kits/blobs/BlobTransportKit.ts"

blobTransportKit("memory", MemoryBlobTransport.net)
blobTransportAttacks("memory", MemoryBlobTransport.net)
