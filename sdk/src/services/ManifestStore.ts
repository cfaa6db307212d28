/**
 * Server copies of the manifests of shared files, so that an owner who is away can be browsed (spec: manifest). Not
 * trusted: bodies are signed, and the owner's sigchain names an anchor.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { DirectoryError } from "./Directory.ts"

export class ManifestStore extends Context.Service<
  ManifestStore,
  {
    /**
     * Stores a body of at most 1 MiB for its owner, `ed25519:<hex>`. Idempotent; `manifest_conflict` if another
     * manifest of the same or a later revision is stored.
     */
    put(primary: string, body: Uint8Array): Effect.Effect<void, DirectoryError>
    /** The newest body of an owner, `undefined` if its hash is `held` (`blake3:<hex>`), or `manifest_not_found`. */
    current(primary: string, held?: string): Effect.Effect<Uint8Array | undefined, DirectoryError>
    /**
     * A body by its hash, `blake3:<hex>`; the last four of an owner are kept, and the one that the newest calls
     * anchored. `manifest_not_found` for others.
     */
    byHash(primary: string, hash: string): Effect.Effect<Uint8Array, DirectoryError>
  }
>()("@kez-chat/sdk/ManifestStore") {}
