/** Rotations, as tests ask for them. */
import { Effect, Redacted, Stream } from "effect"
import type { Rotation } from "@kez-chat/sdk"
import { Identity } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import type { Program } from "./People.ts"

export const identityOf = (words: Redacted.Redacted<string>) =>
  Mnemonic.toSeed(Redacted.value(words)).pipe(
    Effect.fromResult,
    Effect.flatMap((seed) => Identity.fromSeed(Redacted.make(seed))),
    Effect.provide(NodeCrypto.layer)
  )

export const stepsOf = (rotations: ReadonlyArray<Rotation>) => rotations.map(({ step }) => step)
export const rotated = (chat: Program["chat"], words?: Redacted.Redacted<string>) =>
  Effect.map(Stream.runCollect(chat.rotate(words)), stepsOf)

/** Accepts the key that a contact handed over to. */
export const acceptKey = Effect.fnUntraced(function* (chat: Program["chat"], who: string, primary: string) {
  yield* chat.refreshContact(who)
  return yield* chat.acceptKey(who, primary)
})
