import { Effect } from "effect"
import { MemoryBlobStore, MemoryLocalStore, MemoryVault } from "@kez-chat/sdk/memory"
import { blobStoreKit } from "../../kits/blobs/BlobStoreKit.ts"
import { localStoreKit } from "../../kits/LocalStoreKit.ts"
import { vaultKit } from "../../kits/VaultKit.ts"

localStoreKit("memory", Effect.sync(MemoryLocalStore.make))

blobStoreKit(
  "memory",
  Effect.sync(() => {
    const store = MemoryBlobStore.make()
    return { open: Effect.succeed(store) }
  })
)

vaultKit("memory", {
  place: Effect.succeed({ open: Effect.sync(() => MemoryVault.make()), durable: false })
})
