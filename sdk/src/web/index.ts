/**
 * kez-chat for browsers: WebCrypto (or noble, where a page has none), HTTP and NATS over WebSocket.
 *
 * A page browses what others share and shows what they offer; it neither sends nor fetches files, as no Iroh reaches it.
 *
 * Where the account is kept is the page's decision and has no default: a store that forgets would lose messages
 * unnoticed. `@kez-chat/sdk/memory` has stores for pages that mean to forget.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpDirectory from "../adapters/http/HttpDirectory.ts"
import * as HttpHomes from "../adapters/http/HttpHomes.ts"
import * as HttpManifestStore from "../adapters/http/HttpManifestStore.ts"
import * as HttpSigchainStore from "../adapters/http/HttpSigchainStore.ts"
import * as NatsBroker from "../adapters/nats-websocket/index.ts"
import * as NobleCrypto from "../adapters/noble/NobleCrypto.ts"
import * as WebProofs from "../adapters/proofs/WebProofs.ts"
import * as WebCrypto from "../adapters/webcrypto/WebCrypto.ts"
import { KezChat } from "../client/KezChat.ts"
import { type KezChatClient, open } from "../promise/index.ts"
import type { Crypto } from "../services/Crypto.ts"
import { Directory } from "../services/Directory.ts"
import * as HomeReach from "../services/homes/HomeReach.ts"
import type { Homes } from "../services/homes/Homes.ts"
import type { LocalStore, StoreConflict, StoreError } from "../services/LocalStore.ts"
import { noFiles } from "../services/absent/NoFiles.ts"
import type { Vault } from "../services/Vault.ts"
import * as TaskScheduler from "./TaskScheduler.ts"

export interface WebOptions<E> {
  /** Base URL of the home server: https, or http on this machine. */
  readonly home: string
  readonly store: Layer.Layer<LocalStore, E>
  readonly vault: Layer.Layer<Vault, E>
  /** See `Options` of `KezChat`. */
  readonly offline?: boolean
  readonly primary?: string
  /**
   * How people of other homes are looked up. Default: over https by name, which the page's Content-Security-Policy must
   * allow; `noHomes` of `@kez-chat/sdk/services` for a page that allows its own home only.
   */
  readonly homes?: Layer.Layer<Homes>
}

/** WebCrypto where the page has a sound one, else noble: pages over plain http and older browsers. */
export const cryptoLayer: Layer.Layer<Crypto> = WebCrypto.layer.pipe(
  Layer.catchTag("CryptoUnavailable", () => NobleCrypto.layer)
)

/** The account in the given store and vault. */
export const layer = <E>(options: WebOptions<E>): Layer.Layer<KezChat, StoreError | StoreConflict | E> => {
  const namedBy = HomeReach.ofUrl(options.home)
  const network = Layer.unwrap(
    Directory.use((directory) =>
      Effect.succeed(
        Layer.mergeAll(
          HttpSigchainStore.layer({ url: Effect.map(directory.wellKnown, (known) => known.sig_server), namedBy }),
          NatsBroker.layer({ urls: Effect.map(directory.wellKnown, (known) => known.broker.websocket), namedBy }),
          WebProofs.layer({
            sources: Effect.map(directory.wellKnown, ({ proof_sources = {} }) => proof_sources),
            decompress: Effect.promise(async () => (await import("../adapters/zstd/Zstd.ts")).decompress)
          })
        )
      )
    )
  ).pipe(
    Layer.merge(HttpManifestStore.layer({ home: options.home })),
    Layer.provideMerge(HttpDirectory.layer({ home: options.home })),
    Layer.merge(options.homes ?? HttpHomes.layer()),
    Layer.provideMerge(cryptoLayer)
  )
  return KezChat.layer(options).pipe(
    Layer.provide([network, noFiles]),
    Layer.provide([options.store, options.vault]),
    Layer.provideMerge(TaskScheduler.layer)
  )
}

/** Opens the account in the given store and vault; before `create` or `restore` there is none. */
export const openWeb = <E>(options: WebOptions<E>): Promise<KezChatClient> => open(layer(options))
