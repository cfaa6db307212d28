/** The double keeps the rules of a home's manifest store that clients lean on. */
import { Effect } from "effect"
import { Directory, ManifestStore } from "@kez-chat/sdk/services"
import { fixture } from "../kits/Accounts.ts"
import { manifestStoreKit } from "../kits/ManifestStoreKit.ts"
import { makeMemoryHome } from "./MemoryHome.ts"

const home = makeMemoryHome()
const [directory, store] = await fixture(Effect.all([Directory, ManifestStore]).pipe(Effect.provide(home.layer)))

manifestStoreKit("in memory", () => ({ store, directory, server: home.server }))
