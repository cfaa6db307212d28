/** The reference client whose broker connection is a WebSocket, as in a browser; everything else is as `openNode` has it. */
import { KezChat } from "@kez-chat/sdk"
import { HttpDirectory, HttpManifestStore, HttpSigchainStore } from "@kez-chat/sdk/http"
import { MemoryBlobStore } from "@kez-chat/sdk/memory"
import * as NatsBroker from "@kez-chat/sdk/nats-websocket"
import { HomeNetwork, NodeCrypto } from "@kez-chat/sdk/node"
import { type KezChatClient, open } from "@kez-chat/sdk/promise"
import { BlobTransport, BlobTransportError, Directory, noHomes, noProofs, Vault } from "@kez-chat/sdk/services"
import { SqliteLocalStore } from "@kez-chat/sdk/sqlite"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"

const withoutFiles: BlobTransport["Service"] = {
  isAbsent: true,
  open: () => Effect.fail(new BlobTransportError({ reason: "unavailable", detail: "no files over WebSocket" }))
}

export const openOverWebSocket = (home: string, dir: string, vault: Layer.Layer<Vault>): Promise<KezChatClient> => {
  const { fetch, named, reach, webSocket } = HomeNetwork.make({ home })
  const network = Layer.unwrap(
    Directory.use((directory) =>
      Effect.succeed(
        Layer.mergeAll(
          HttpSigchainStore.layer({
            url: Effect.map(directory.wellKnown, (known) => known.sig_server),
            fetch: named,
            namedBy: reach
          }),
          NatsBroker.layer({
            urls: Effect.map(directory.wellKnown, (known) => known.broker.websocket),
            namedBy: reach,
            webSocket
          })
        )
      )
    )
  ).pipe(
    Layer.provideMerge(HttpManifestStore.layer({ home, fetch })),
    Layer.provideMerge(HttpDirectory.layer({ home, fetch })),
    Layer.provideMerge(NodeCrypto.layer)
  )
  const local = Layer.mergeAll(
    noHomes,
    SqliteLocalStore.layer({ path: join(dir, "store.db"), exclusive: true }),
    MemoryBlobStore.layer,
    Layer.succeed(BlobTransport, withoutFiles),
    noProofs,
    vault
  )
  return open(KezChat.layer({}).pipe(Layer.provide(network), Layer.provide(local)))
}
