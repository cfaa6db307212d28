/** For clients that neither send nor fetch files, such as a web page: they still chat, browse and show offers. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BlobStore, BlobStoreError } from "../BlobStore.ts"
import { BlobTransport, BlobTransportError } from "../BlobTransport.ts"

const detail = "this client does not send or fetch files"
const noStore = Effect.fail(new BlobStoreError({ reason: "missing", detail }))

/** An empty store that accepts nothing, and a transport that is `unavailable`. */
export const noFiles: Layer.Layer<BlobStore | BlobTransport> = Layer.mergeAll(
  Layer.succeed(BlobStore, {
    put: () => noStore,
    open: () => noStore,
    resume: () => noStore,
    info: () => Effect.succeed(undefined),
    list: Effect.succeed([]),
    remove: () => Effect.void
  }),
  Layer.succeed(BlobTransport, {
    isAbsent: true,
    open: () => Effect.fail(new BlobTransportError({ reason: "unavailable", detail }))
  })
)
