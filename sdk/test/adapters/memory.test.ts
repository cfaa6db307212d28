import { Effect } from "effect"
import { MemoryLocalStore, MemoryVault } from "@kez-chat/sdk/memory"
import { localStoreKit } from "../kits/localStoreKit.ts"
import { vaultKit } from "../kits/vaultKit.ts"

localStoreKit("memory", Effect.sync(MemoryLocalStore.make))

vaultKit("memory", {
  place: Effect.succeed({ open: Effect.sync(() => MemoryVault.make()), durable: false })
})
