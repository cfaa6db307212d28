/** The SDK's HTTP adapters against the real servers, by the kits that every adapter passes. */
import { Effect, Layer } from "effect"
import { afterAll, beforeAll } from "vitest"
import { HttpDirectory, HttpManifestStore, HttpSigchainStore } from "@kez-chat/sdk/http"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Directory, ManifestStore, SigchainStore } from "@kez-chat/sdk/services"
import { directoryKit } from "../../../sdk/test/kits/DirectoryKit.ts"
import { manifestStoreKit } from "../../../sdk/test/kits/ManifestStoreKit.ts"
import { sigchainStoreKit } from "../../../sdk/test/kits/SigchainStoreKit.ts"
import { type Running, startChat, startSig, temporaryFolder } from "../kits/Servers.ts"

const folder = temporaryFolder()
let servers: ReadonlyArray<Running>
let directory: Directory["Service"]
let store: SigchainStore["Service"]
let manifests: ManifestStore["Service"]

beforeAll(async () => {
  const [chat, sig] = await Promise.all([startChat(folder.path), startSig(folder.path)])
  servers = [chat, sig]
  const adapters = Layer.mergeAll(
    HttpDirectory.layer({ home: chat.url }),
    HttpManifestStore.layer({ home: chat.url }),
    HttpSigchainStore.layer({ url: Effect.succeed(`${sig.url}/`) })
  ).pipe(Layer.provide(NodeCrypto.layer))
  ;[directory, store, manifests] = await Effect.runPromise(
    Effect.all([Directory, SigchainStore, ManifestStore]).pipe(Effect.provide(adapters))
  )
})
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
  folder[Symbol.dispose]()
})

directoryKit("HTTP", () => ({ directory, server: "localhost" }))
sigchainStoreKit("HTTP", () => store)
manifestStoreKit("HTTP", () => ({ store: manifests, directory, server: "localhost" }))
