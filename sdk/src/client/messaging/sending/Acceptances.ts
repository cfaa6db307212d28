/**
 * Verifies the home's signatures that it accepted messages (spec/broker.md, Acceptance), under the keys of its
 * description. A signature that does not hold is dropped: the message was stored all the same.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import * as SignedAcceptance from "../../../crypto/evidence/SignedAcceptance.ts"
import { Bytes, PrimaryKey } from "../../../protocol/index.ts"
import type { Signed } from "../../../protocol/broker/BrokerAnswer.ts"
import type { AdmittedKey } from "../../../protocol/identity/KeyAdmission.ts"
import { Directory } from "../../../services/index.ts"
import { CurrentAccount } from "../../internal/CurrentAccount.ts"
import type * as Rows from "../../internal/rows/index.ts"

/** Least time between two readings of the description, in milliseconds: a home can change its keys. */
const readingMillis = 10 * 60 * 1_000

const make = Effect.gen(function* () {
  const directory = yield* Directory
  const account = yield* CurrentAccount
  const reading = yield* Semaphore.make(1)
  let known: ReadonlyArray<AdmittedKey> = []
  let readAt = Number.NEGATIVE_INFINITY

  // A description that does not come must not hold up the messages behind this one for long.
  const read = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (now - readAt < readingMillis) return
    readAt = now
    const { acceptance_keys = [] } = yield* directory.wellKnown
    known = acceptance_keys.flatMap((key) =>
      Result.match(PrimaryKey.parseEd25519(key), { onFailure: () => [], onSuccess: (admitted) => [admitted] })
    )
  }).pipe(Effect.timeoutOption("3 seconds"), Effect.ignore, Semaphore.withPermit(reading))

  const find = Effect.fnUntraced(function* (recipient: AdmittedKey, frame: Uint8Array, signed: Signed) {
    const { server } = yield* account.get
    for (const key of known) {
      if (yield* SignedAcceptance.holds({ server, key, recipient, frame }, signed)) return key
    }
    return undefined
  })

  return {
    /** What is kept of a signature that holds; undefined for any other. */
    verify: Effect.fnUntraced(function* (recipient: AdmittedKey, frame: Uint8Array, signed: Signed) {
      const before = known
      let key = yield* find(recipient, frame, signed)
      if (key === undefined) yield* read
      if (key === undefined && known !== before) key = yield* find(recipient, frame, signed)
      if (key === undefined) return undefined
      const kept: NonNullable<Rows.MessageRow["acceptance"]> = {
        at: signed.atMillis,
        key: PrimaryKey.format(key),
        sig: Bytes.toBase64Url(signed.sig)
      }
      return kept
    })
  }
})

export class Acceptances extends Context.Service<Acceptances>()("@kez-chat/sdk/Acceptances", { make }) {}

export const layer = Layer.effect(Acceptances, make)
