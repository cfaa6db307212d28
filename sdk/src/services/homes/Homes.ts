/** Homes of other people: handles and sigchains there, for reading only. Answers are unverified. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { HandleRecord } from "../../protocol/registration/Registration.ts"
import type { Directory, DirectoryError } from "../Directory.ts"
import type { SigchainStore } from "../SigchainStore.ts"

/** One other home, as it describes itself now. */
export interface OtherHome {
  /** The keys under which it signs acceptances, `ed25519:<hex>`. */
  readonly acceptanceKeys: ReadonlyArray<string>
  /** As of `Directory`. */
  lookup(local: string): Effect.Effect<HandleRecord, DirectoryError>
  /** As of `Directory`. */
  readonly byPrimary: Directory["Service"]["byPrimary"]
  /** As of `SigchainStore`, at the sig-server that the home names. */
  readonly fetch: SigchainStore["Service"]["fetch"]
}

export class Homes extends Context.Service<
  Homes,
  {
    /**
     * The home of handles `…@server`, which is asked for its description at each call and sees the user's address. Fails
     * with `wrong_server` where it calls itself otherwise, with `address_forbidden` where it is not at a public address,
     * and with `federation_unsupported` where this client can ask its own home only.
     */
    at(server: string): Effect.Effect<OtherHome, DirectoryError>
  }
>()("@kez-chat/sdk/Homes") {}
