/**
 * Fetching: brings the encrypted blob of a file here from its owner's device, in groups that are verified before they
 * are kept (spec: files).
 *
 * A transfer outlasts everything that may pass: either device being offline, a broken connection, a busy device. It
 * ends when the blob is complete, when the owner refuses or sends other bytes than they offered, or when the disk
 * cannot take more. What arrived stays, and the next fetch asks only for what is missing. Nobody is asked before the
 * stream is run.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import * as RcMap from "effect/RcMap"
import * as Stream from "effect/Stream"
import * as FileCipher from "../../../protocol/files/FileCipher.ts"
import { Problem } from "../../../protocol/Problem.ts"
import { BlobStore, BlobStoreError, type Crypto } from "../../../services/index.ts"
import { Trust } from "../../contacts/index.ts"
import { BrokerLink } from "../../internal/BrokerLink.ts"
import { ClientOptions } from "../../internal/ClientOptions.ts"
import type { Session } from "../../internal/Session.ts"
import type { FetchProgress, KezChatError } from "../../model/index.ts"
import type { Device } from "./Device.ts"
import { type Source, Sources } from "./Sources.ts"
import * as Transfer from "./Transfer.ts"

/** Progress of a transfer, for everybody who waits for it. */
type Step = Exit.Exit<FetchProgress, KezChatError>

/** Makes the `fetch` of a session; transfers end with the scope. */
export const make = Effect.fnUntraced(function* (session: Session, device: Device) {
  const link = yield* BrokerLink
  const blobs = yield* BlobStore
  const sources = yield* Sources
  const isOffline = (yield* ClientOptions).offline === true
  const transfer = yield* Transfer.make(session, device)
  // Set while the map is asked for a key, which is all that its lookup gets to know.
  const requested = new Map<string, Source>()

  const transfers = yield* RcMap.make({
    lookup: Effect.fnUntraced(function* (id: string) {
      const steps = yield* PubSub.unbounded<Step>({ replay: 1 })
      const source = requested.get(id)!
      const report = (progress: FetchProgress) => Effect.asVoid(PubSub.publish(steps, Exit.succeed(progress)))
      yield* Effect.scoped(transfer(source, report)).pipe(
        Effect.onError((cause) => PubSub.publish(steps, Exit.failCause(cause))),
        Effect.forkScoped
      )
      return steps
    })
  })

  /** The progress of the one transfer of this blob from this owner, until it ends. */
  const follow = Effect.fnUntraced(function* (source: Source) {
    const id = `${source.hash}/${source.ownerKey.hex}`
    requested.set(id, source)
    // Removed also if the transfer existed already: a source holds a content key.
    const steps = yield* Effect.ensuring(
      RcMap.get(transfers, id),
      Effect.sync(() => requested.delete(id))
    )
    return Stream.fromPubSub(steps).pipe(
      Stream.mapEffect((exit) => exit),
      Stream.takeUntil(({ state }) => state === "complete")
    )
  })

  const isComplete = Effect.fnUntraced(function* ({ file, hash }: Source) {
    const info = yield* blobs.info(hash)
    if (info?.complete !== true) return false
    if (info.size === FileCipher.blobLength(file.size)) return true
    const detail = `it was offered as ${file.size} bytes, and its blob of ${info.size} bytes holds another file`
    return yield* new Problem({ code: "blob_mismatch", detail })
  })

  const start = Effect.fnUntraced(function* (fileRef: string) {
    const source = yield* sources.find(session, fileRef)
    const { file, isOwn, owner } = source
    if (yield* isComplete(source)) {
      const bytes = FileCipher.blobLength(file.size)
      const progress = { file, owner: Trust.toContact(owner), haveBytes: bytes, totalBytes: bytes }
      return Stream.succeed<FetchProgress>({ ...progress, state: "complete" })
    }
    if (isOwn) {
      const detail =
        "this file of yours is on another device of this account, and devices of one account cannot connect"
      return yield* new BlobStoreError({ reason: "missing", detail })
    }
    const blocked = Trust.reasonNotToFetch(owner)
    if (blocked !== undefined) return yield* blocked
    yield* device.present
    if (isOffline) yield* link.orOffline(Effect.never)
    yield* sources.keep(session, source)
    return Stream.unwrap(follow(source))
  })

  /** See `KezChat.fetch`. */
  return (fileRef: string): Stream.Stream<FetchProgress, KezChatError, Crypto> => Stream.unwrap(start(fileRef))
})
