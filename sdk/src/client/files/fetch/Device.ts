/** This device on the network: its endpoint, open from the first use until a minute after the last, and serving. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as RcRef from "effect/RcRef"
import type * as Scope from "effect/Scope"
import { type BlobEndpoint, BlobTransport, type Crypto, Vault } from "../../../services/index.ts"
import { Serving } from "../share/index.ts"
import { Addresses } from "./Addresses.ts"
import { type KezChatError, NoAccount } from "../../model/index.ts"
import type { Session } from "../../internal/Session.ts"

/** How long an unused endpoint stays open. */
const idleTime = "1 minute"

/** The pause between a closed endpoint and the next one. */
const reopenPause = "1 second"

export interface Device {
  /** Fails with `unavailable` and the reason if this client has no transport. */
  readonly present: Effect.Effect<void, KezChatError>
  /** The endpoint, shared by everybody who holds it. */
  readonly endpoint: Effect.Effect<BlobEndpoint, KezChatError, Scope.Scope>
  /** Drops an endpoint that was found closed: the next use opens another. */
  readonly renew: Effect.Effect<void>
  /** Answers other devices until it is interrupted; concurrent callers share one provider. */
  readonly serve: Effect.Effect<never, KezChatError>
}

/** Makes the device of a session, for as long as the scope is open. */
export const make = Effect.fnUntraced(function* (session: Session) {
  const transport = yield* BlobTransport
  const vault = yield* Vault
  const addresses = yield* Addresses
  const provider = yield* Serving
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

  /** Serves until the endpoint turns out to be closed. */
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
