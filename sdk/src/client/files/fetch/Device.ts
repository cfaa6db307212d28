/**
 * This device on the net of devices: its endpoint, opened when it is first needed and closed a minute after nobody needs
 * it, and what it gives to contacts while it serves.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as RcRef from "effect/RcRef"
import type * as Scope from "effect/Scope"
import { BlobStore, BlobStoreError, type StoredBlob } from "../../../services/BlobStore.ts"
import { type BlobEndpoint, BlobTransport, type Provider } from "../../../services/BlobTransport.ts"
import type { Crypto } from "../../../services/Crypto.ts"
import { Vault } from "../../../services/Vault.ts"
import { Serving } from "../share/index.ts"
import { Addresses } from "./Addresses.ts"
import { type KezChatError, NoAccount } from "../../model/index.ts"
import type { Session } from "../../internal/Session.ts"

/** How long an endpoint stays open that nobody needs. */
const idleTime = "1 minute"

/** How long an endpoint that broke is left alone before the next one is opened. */
const reopenPause = "1 second"

/** How often it is looked, in the middle of an answer, whether the peer may still have the blob; milliseconds. */
const lookMillis = 1_000

/** A blob that can be read for as long as `allowed` says so: a large answer outlasts a change of mind. */
const whileAllowed = <E>(blob: StoredBlob, allowed: Effect.Effect<boolean, E>, openedAt: number): StoredBlob => {
  let lookedAt = openedAt
  return {
    tree: blob.tree,
    read: (offset, length) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (Math.abs(now - lookedAt) >= lookMillis) {
          lookedAt = now
          const still = yield* Effect.orElseSucceed(allowed, () => false)
          if (!still) return yield* new BlobStoreError({ reason: "missing", detail: "it is not shared any more" })
        }
        return yield* blob.read(offset, length)
      })
  }
}

export interface Device {
  /** Fails with `unavailable`, and says why, where this client has no transport and never will. */
  readonly present: Effect.Effect<void, KezChatError>
  /** The endpoint, the same for all who hold it. */
  readonly endpoint: Effect.Effect<BlobEndpoint, KezChatError, Scope.Scope>
  /** The endpoint was found closed: whoever needs one next gets another. */
  readonly renew: Effect.Effect<void>
  /** Answers other devices until it is interrupted; any number of callers, one provider. */
  readonly serve: Effect.Effect<never, KezChatError>
}

/** Makes the device of a session, for as long as the scope is open. */
export const make = Effect.fnUntraced(function* (session: Session) {
  const transport = yield* BlobTransport
  const blobs = yield* BlobStore
  const vault = yield* Vault
  const addresses = yield* Addresses
  const shares = yield* Serving
  const provider: Provider = {
    // What is not allowed, what is not here, and what cannot be read look the same to who asks.
    open: (peer, hash) =>
      Effect.gen(function* () {
        const allowed = shares.allowed(peer, hash)
        if (!(yield* allowed)) return undefined
        return whileAllowed(yield* blobs.open(hash), allowed, yield* Clock.currentTimeMillis)
      }).pipe(Effect.catch(() => Effect.undefined)),
    sent: shares.sent
  }

  const endpoint = yield* RcRef.make<BlobEndpoint, KezChatError, Scope.Scope>({
    acquire: Effect.gen(function* () {
      const seed = yield* vault.load
      if (Option.isNone(seed)) return yield* new NoAccount()
      return yield* transport.open(seed.value)
    }),
    idleTimeToLive: idleTime
  })

  const serving = yield* RcRef.make<Deferred.Deferred<void>, KezChatError, Scope.Scope | Crypto>({
    acquire: Effect.gen(function* () {
      const open = yield* RcRef.get(endpoint)
      const lost = yield* Deferred.make<void>()
      yield* open.serve(provider)
      yield* addresses.answer(session, open, () => Deferred.doneUnsafe(lost, Effect.void))
      return lost
    })
  })

  /** Serves until the endpoint breaks. */
  const serveOnce = Effect.scoped(Effect.flatMap(RcRef.get(serving), Deferred.await))

  const device: Device = {
    present: transport.isAbsent === true ? Effect.scoped(Effect.asVoid(RcRef.get(endpoint))) : Effect.void,
    endpoint: RcRef.get(endpoint),
    renew: RcRef.invalidate(endpoint),
    serve: Effect.forever(
      serveOnce.pipe(
        Effect.andThen(Effect.all([RcRef.invalidate(serving), RcRef.invalidate(endpoint)])),
        Effect.andThen(Effect.sleep(reopenPause))
      )
    )
  }
  return device
})
