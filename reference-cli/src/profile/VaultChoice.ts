/** Where a new account's seed goes: the OS keychain where there is a lasting one, else a passphrase-encrypted file. */
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import { ExitCode } from "../ExitCode.ts"
import { type CliFailure, fail } from "../Failure.ts"
import { note, type Screen } from "../terminal/Screen.ts"
import type { VaultPlace } from "./Profile.ts"

export type Wish = "auto" | "keychain" | "file"

/** Decides, and says aloud what was decided and why. `profile` names the keychain's entry for a person. */
export const choose = (wish: Wish, profile: string): Effect.Effect<VaultPlace, CliFailure, Screen> =>
  Effect.gen(function* () {
    if (wish === "file") return { kind: "file" }
    const Keyring = yield* Effect.promise(() => import("@kez-chat/sdk/keyring"))
    const found = yield* Keyring.detect
    if (found.available) {
      yield* note(`The seed is kept in the OS keychain (${found.name}).`)
      // Two folders (KEZ_CHAT_DIR) may each have a profile of this name; the entry belongs to one of them.
      return { kind: "keychain", entry: `${profile}-${randomBytes(4).toString("hex")}` }
    }
    if (wish === "keychain") {
      return yield* fail("keychain_unavailable", ExitCode.locked, `no OS keychain can be used here: ${found.reason}`)
    }
    yield* note(`No OS keychain here (${found.reason}): the seed goes into a file encrypted under a passphrase.`)
    return { kind: "file" }
  })
