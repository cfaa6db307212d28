/** Where a new seed is stored: in a persistent OS keychain, else in a passphrase-encrypted file. */
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import { type CliFailure, fail } from "../Failure.ts"
import type { VaultPlace } from "./Profile.ts"

export type Wish = "auto" | "keychain" | "file"

export interface Choice {
  readonly vault: VaultPlace
  /** The decision and its reason, shown when the seed is about to be stored. */
  readonly sentence: string
}

const inFile = "The seed goes into a file encrypted under a passphrase."

/** Decides before any words are written down. `profile` labels the keychain's entry. */
export const choose = Effect.fn("VaultChoice.choose")(function* (
  wish: Wish,
  profile: string
): Effect.fn.Return<Choice, CliFailure> {
  if (wish === "file") return { vault: { kind: "file" }, sentence: inFile }
  const Keyring = yield* Effect.promise(() => import("@kez-chat/sdk/keyring"))
  const found = yield* Keyring.detect
  if (found.available) {
    // Two folders (KEZ_CHAT_DIR) may each have a profile of this name; each gets an entry of its own.
    const entry = `${profile}-${randomBytes(4).toString("hex")}`
    return { vault: { kind: "keychain", entry }, sentence: `The seed goes into the OS keychain (${found.name}).` }
  }
  if (wish === "keychain") {
    return yield* fail("keychain_unavailable", "locked", `no OS keychain can be used here: ${found.reason}`)
  }
  return { vault: { kind: "file" }, sentence: `No OS keychain here: ${found.reason}.\n${inFile}` }
})
