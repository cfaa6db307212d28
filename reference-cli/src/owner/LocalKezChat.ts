/** Assembles the account in this process, with SQLite, a folder of blobs, HTTP, NATS over TCP, and Iroh. */
import { KezChat } from "@kez-chat/sdk"
import { Identity } from "@kez-chat/sdk/crypto"
import { HttpDirectory, HttpHomes, HttpManifestStore, HttpSigchainStore } from "@kez-chat/sdk/http"
import { DiskBlobStore, HomeNetwork, NodeCrypto, NodeProofs } from "@kez-chat/sdk/node"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import {
  type AdapterUnavailable,
  BlobStore,
  BlobTransport,
  Broker,
  Directory,
  type DirectoryError,
  Vault
} from "@kez-chat/sdk/services"
import { SqliteLocalStore } from "@kez-chat/sdk/sqlite"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Failure } from "../Failure.ts"
import type { ProfilePaths } from "../profile/Paths.ts"
import type { RelayPolicy } from "../profile/RelayPolicy.ts"
import * as LocalFiles from "./LocalFiles.ts"
import type { Owned } from "./Methods.ts"

export interface LocalOptions {
  /** Primary key of the account that the store must hold. */
  readonly primary: string
  /** URL of the home server. */
  readonly home: string
  /** URLs of other homes by server name; see `Home.others`. */
  readonly homes: Readonly<Record<string, string>>
  /** The services that are asked for proofs. */
  readonly proofs: NodeProofs.NodeProofOptions
  /** The paths of store and blobs. */
  readonly paths: Pick<ProfilePaths, "store" | "blobs" | "saved">
  readonly vault: Vault["Service"]
  /** Which relays transfers may use. */
  readonly relay: RelayPolicy
  /** No broker, and HTTP only where a call cannot do without. */
  readonly offline: boolean
}

/** The home server's directory. */
export const directoryOf = (home: string): Effect.Effect<Directory["Service"]> =>
  Effect.provide(Directory, HttpDirectory.layer({ home, fetch: HomeNetwork.make({ home }).fetch }))

/** The primary key that belongs to the words. */
export const primaryOf = Effect.fn("LocalKezChat.primaryOf")(function* (words: Redacted.Redacted<string>) {
  const seed = yield* Effect.fromResult(Mnemonic.toSeed(Redacted.value(words)))
  const { primary } = yield* Identity.fromSeed(Redacted.make(seed))
  return primary
}, Effect.provide(NodeCrypto.layer))

/** Never connects: an offline client does not ask it to. */
const noBroker = Layer.succeed(Broker, Broker.of({ connect: () => Effect.never }))

/** Loads what the first request to home and broker needs. */
export const loadNetwork = (): Promise<unknown> => Promise.all([import("@kez-chat/sdk/nats"), HomeNetwork.load()])

/** The broker that the home names, looked up for every connection: the home may move it. */
const homeBroker = ({ reach, webSocket }: Pick<HomeNetwork.HomeNetwork, "reach" | "webSocket">) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const directory = yield* Directory
      const Nats = yield* Effect.promise(() => import("@kez-chat/sdk/nats"))
      const urls = Effect.map(directory.wellKnown, ({ broker }) => Nats.urlsOf(broker))
      return Nats.layer({ urls, namedBy: reach, webSocket })
    })
  )

/** Iroh, loaded when a file first crosses the network: other commands start without it. */
export const transportOf = ({ relay, relayOnly }: RelayPolicy): BlobTransport["Service"] =>
  BlobTransport.of({
    open: (secret) =>
      Effect.flatMap(
        Effect.promise(() => import("@kez-chat/sdk/iroh")),
        ({ IrohBlobTransport }) => IrohBlobTransport.make({ relay, relayOnly }).open(secret)
      )
  })

/** The account of a store and a vault, and its files, until the scope closes. */
export const open = Effect.fn("LocalKezChat.open")(function* (
  options: LocalOptions
): Effect.fn.Return<Owned, Failure | AdapterUnavailable, Scope.Scope> {
  const { home, homes, paths, primary, proofs, vault, relay, offline } = options
  const { fetch, named, reach, webSocket } = HomeNetwork.make({ home })
  const directory = HttpDirectory.layer({ home, fetch })
  const sigServer: Effect.Effect<string, DirectoryError> = Effect.map(
    Effect.flatMap(Effect.provide(Directory, directory), ({ wellKnown }) => wellKnown),
    ({ sig_server }) => sig_server
  )
  const local = Layer.mergeAll(
    NodeCrypto.layer,
    directory,
    SqliteLocalStore.layer({ path: paths.store }),
    DiskBlobStore.layer({ folder: paths.blobs }),
    Layer.succeed(BlobTransport, transportOf(relay)),
    Layer.succeed(Vault, vault),
    NodeProofs.layer(proofs)
  )
  const remote = Layer.mergeAll(
    HttpSigchainStore.layer({ url: sigServer, fetch: named, namedBy: reach }),
    HttpManifestStore.layer({ home, fetch }),
    HttpHomes.layer({ urls: homes, network: HomeNetwork.others() }),
    offline ? noBroker : homeBroker({ reach, webSocket })
  )
  const layer = KezChat.layer({ offline, primary }).pipe(Layer.provide(remote), Layer.provideMerge(local))
  const context = yield* Layer.build(layer)
  const chat = Context.get(context, KezChat)
  const files = yield* LocalFiles.make({ chat, blobs: Context.get(context, BlobStore), saved: paths.saved })
  return { chat, files }
})
