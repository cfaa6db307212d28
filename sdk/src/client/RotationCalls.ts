/** The calls of a client about rotation: giving the account a new key. */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Rotate } from "./account/index.ts"
import type { Services } from "./Rooms.ts"
import type { KezChatError, Rotation } from "./model/index.ts"

export interface RotationCalls {
  /**
   * Rotates the account to a new key, whose 24 words the user has written down: new seed, new sigchain, end of the old
   * one, handle, login. The stream gives the state, then each step as it is done, and ends with `finished`. If it fails or
   * is interrupted, call it again: it goes on where it was, without words or with the same ones. Nothing undoes it from
   * `rotated` on, and whoever has the words can rotate first.
   *
   * Contacts are told by the sigchain and confirm the new key. Old mail and history stay; files that were shared end.
   * Fails with `RotationRefused`, with what the home server has against it before anything is given up, and with
   * `AccountMoved` if somebody else was first.
   */
  rotate(words?: Redacted.Redacted<string>): Stream.Stream<Rotation, KezChatError>
  /** The rotation that has begun and is not finished, if there is one. */
  readonly rotation: Effect.Effect<Rotation | undefined, KezChatError>
}

export const rotationCalls = Effect.gen(function* () {
  const services = yield* Effect.context<Services>()
  const calls: RotationCalls = {
    rotate: (words) => Stream.provideContext(Rotate.rotate(words), services),
    rotation: Effect.provideContext(Rotate.pending, services)
  }
  return calls
})
