import { IndexedDbLocalStore, SealedLocalStore } from "@kez-chat/sdk/indexeddb"
import { Effect, Redacted } from "effect"
import { localStoreKit } from "../../kits/LocalStoreKit.ts"
import * as Raw from "./RawDatabase.ts"

localStoreKit(
  "IndexedDB, sealed",
  Effect.flatMap(
    Effect.suspend(() => IndexedDbLocalStore.make({ name: Raw.newName() })),
    (store) => SealedLocalStore.make(store, Redacted.make(new Uint8Array(32).fill(1)))
  )
)
