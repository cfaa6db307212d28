/** The double keeps the rules of a home's manifest store that clients lean on. */
import { Directory, ManifestStore } from "@kez-chat/sdk/services"
import { Effect } from "effect"
import { manifestStoreKit } from "../kits/ManifestStoreKit.ts"
import { makeMemoryHome } from "./MemoryHome.ts"

const home = makeMemoryHome()
const [directory, store] = await Effect.runPromise(
  Effect.all([Directory, ManifestStore]).pipe(Effect.provide(home.layer))
)

manifestStoreKit("in memory", () => ({ store, directory, server: home.server }))
