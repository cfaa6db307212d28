/** Joins the adapters of a Node program; see `index.ts`. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createRequire } from "node:module"
import { join, resolve } from "node:path"
import * as HttpDirectory from "../adapters/http/HttpDirectory.ts"
import * as HttpHomes from "../adapters/http/HttpHomes.ts"
import * as HttpManifestStore from "../adapters/http/HttpManifestStore.ts"
import * as HttpSigchainStore from "../adapters/http/HttpSigchainStore.ts"
import * as NatsBroker from "../adapters/nats/index.ts"
import * as DiskBlobStore from "../adapters/node/blobs/DiskBlobStore.ts"
import * as FileVault from "../adapters/node/FileVault.ts"
import * as HomeNetwork from "../adapters/node/network/HomeNetwork.ts"
import * as NodeProofs from "../adapters/node/proofs/NodeProofs.ts"
import * as NodeCrypto from "../adapters/node/NodeCrypto.ts"
import * as SqliteLocalStore from "../adapters/sqlite/SqliteLocalStore.ts"
import { KezChat } from "../client/KezChat.ts"
import type { NodeError, NodeOptions } from "./NodeOptions.ts"
import { AddressClass, Blank } from "../protocol/index.ts"
import type { Vault, VaultError } from "../services/index.ts"
import { AdapterUnavailable, BlobTransport, BlobTransportError, Directory, StoreError } from "../services/index.ts"

const vaultOf = ({ dir, passphrase, vault }: NodeOptions): Layer.Layer<Vault, AdapterUnavailable | VaultError> => {
  if (vault !== undefined) return vault
  if (passphrase === undefined) {
    const keychain = Effect.promise(() => import("../adapters/keyring/index.ts"))
    return Layer.unwrap(Effect.map(keychain, ({ layer }) => layer({ account: resolve(dir) })))
  }
  const secret = typeof passphrase === "string" ? Redacted.make(passphrase) : passphrase
  return FileVault.layer({ path: join(dir, "seed.json"), passphrase: () => Effect.succeed(secret) })
}

/** The home says where its sig-server and broker are, when they are first needed: nothing is asked while offline. */
const network = ({ home, homes = {}, workers }: NodeOptions) => {
  const { fetch, named, reach, webSocket } = HomeNetwork.make({ home })
  return Layer.unwrap(
    Directory.use((directory) =>
      Effect.succeed(
        Layer.mergeAll(
          HttpSigchainStore.layer({
            url: Effect.map(directory.wellKnown, (known) => known.sig_server),
            fetch: named,
            namedBy: reach
          }),
          NatsBroker.layer({
            urls: Effect.map(directory.wellKnown, ({ broker }) => NatsBroker.urlsOf(broker)),
            namedBy: reach,
            webSocket
          })
        )
      )
    )
  ).pipe(
    Layer.provideMerge(HttpManifestStore.layer({ home, fetch })),
    Layer.provideMerge(HttpDirectory.layer({ home, fetch })),
    Layer.merge(HttpHomes.layer({ urls: homes, network: HomeNetwork.others() })),
    Layer.provideMerge(NodeCrypto.layerWith(workers === undefined ? {} : { workers }))
  )
}

/** Whether an optional package is there; whether its binary loads on this system shows when it is first needed. */
const hasIroh = (): boolean => {
  const require = createRequire(import.meta.url)
  const isThere = (find: () => unknown): boolean => {
    try {
      find()
      return true
    } catch (cause) {
      return (cause as { readonly code?: unknown }).code !== "MODULE_NOT_FOUND"
    }
  }
  // The addon is a package of its own for every system, which only loading finds.
  return isThere(() => require.resolve("@number0/iroh/index.js")) || isThere(() => require("@kez-chat/iroh-native"))
}

const withoutIroh = new AdapterUnavailable({
  adapter: "sending and fetching files",
  package: "@number0/iroh",
  install: "npm install @number0/iroh"
})

/** Iroh, loaded when a file first goes over the network. */
const transportOf = ({ binding, home, relay, relayOnly }: NodeOptions): BlobTransport["Service"] => {
  if (!hasIroh()) {
    const unavailable = new BlobTransportError({
      reason: "unavailable",
      detail: withoutIroh.message,
      cause: withoutIroh
    })
    return { isAbsent: true, open: () => Effect.fail(unavailable) }
  }
  const ofHome = AddressClass.isLoopback(URL.parse(home)?.hostname ?? "") ? "direct" : "default"
  const options = {
    relay: relay ?? ofHome,
    ...(relayOnly === undefined ? {} : { relayOnly }),
    ...(binding === undefined ? {} : { binding })
  }
  return {
    open: (secret) =>
      Effect.flatMap(
        Effect.promise(() => import("../adapters/iroh/IrohBlobTransport.ts")),
        (iroh) => iroh.make(options).open(secret)
      )
  }
}

const local = (options: NodeOptions) =>
  Layer.mergeAll(
    SqliteLocalStore.layer({ path: join(options.dir, "store.db"), exclusive: true }),
    DiskBlobStore.layer({ folder: join(options.dir, "blobs") }),
    Layer.sync(BlobTransport, () => transportOf(options)),
    NodeProofs.layer(options.proofs),
    vaultOf(options)
  )

const noFolder = new StoreError({ reason: "io", detail: "an empty path names no folder for the account: say which" })

export const layer = (options: NodeOptions): Layer.Layer<KezChat, NodeError> =>
  // As a relative path it would be the current folder.
  Blank.isBlank(options.dir) ? Layer.effect(KezChat, Effect.fail(noFolder)) : assemble(options)

const assemble = (options: NodeOptions): Layer.Layer<KezChat, NodeError> =>
  KezChat.layer(options).pipe(Layer.provide(network(options)), Layer.provide(local(options)))
