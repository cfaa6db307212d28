/**
 * One blob on its way from its owner's device: asks for the device's addresses, dials it and keeps what arrives,
 * repeatedly until the blob is complete.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Verified } from "../../../protocol/files/BlobAnswer.ts"
import { ChunkRanges, FileCipher } from "../../../protocol/index.ts"
import { Problem } from "../../../protocol/Problem.ts"
import type { Addresses, PartialBlob } from "../../../services/index.ts"
import { BlobStore, BlobTransportError } from "../../../services/index.ts"
import * as AddressBook from "./Addresses.ts"
import { uptimeMillis } from "../../internal/BrokerClock.ts"
import type { Device } from "./Device.ts"
import type { FetchProgress } from "../../model/index.ts"
import { ContactUnknown, type KezChatError } from "../../model/index.ts"
import { Ledger } from "../../internal/Ledger.ts"
import { BrokerLink } from "../../internal/BrokerLink.ts"
import * as PeerAddresses from "./PeerAddresses.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"
import type { Source } from "./Sources.ts"
import { Trust } from "../../contacts/index.ts"

const { key } = Rows

/** Minimum interval between progress reports. */
const progressMillis = 100

/** An answer in which nothing has arrived for this long has stalled: the device is asked for its addresses again. */
const stallMillis = 5_000

/** Refusals by a device that has just answered with its addresses, after which the refusal is final. */
const refusalsMax = 2

const isSame = (a: Addresses, b: Addresses): boolean =>
  a.relayUrl === b.relayUrl && a.direct.toSorted().join() === b.direct.toSorted().join()

const missingOf = (partial: PartialBlob, size: number): ChunkRanges.ChunkRanges =>
  ChunkRanges.difference(ChunkRanges.range(0, ChunkRanges.chunkCount(size)), partial.have)

/** The transfers of a session. One ends when its blob is complete, or fails where waiting does not help. */
export const make = Effect.fnUntraced(function* (session: Session, device: Device) {
  const ledger = yield* Ledger
  const link = yield* BrokerLink
  const addresses = yield* AddressBook.Addresses
  const blobs = yield* BlobStore

  /** Waits, at most until the owner's device answers with its addresses. */
  const pause = (peerHex: string, millis: number) => Effect.raceFirst(Effect.sleep(millis), addresses.arrival(peerHex))

  /** Opens the partial blob; waits while another transfer writes it. */
  const resume = Effect.fnUntraced(function* (
    hash: string,
    size: number,
    waiting: (reason: string) => Effect.Effect<void, KezChatError>
  ) {
    let isReported = false
    while (true) {
      const scope = yield* Scope.fork(yield* Effect.scope)
      const opened = yield* Effect.result(Scope.provide(blobs.resume(hash, size), scope))
      if (Result.isSuccess(opened)) return opened.success
      yield* Scope.close(scope, Exit.void)
      if (opened.failure.reason !== "busy") return yield* opened.failure
      if (!isReported) yield* waiting("the same file is being fetched from somebody else")
      isReported = true
      yield* Effect.sleep(1_000)
    }
  })

  return Effect.fnUntraced(function* (source: Source, publish: (progress: FetchProgress) => Effect.Effect<void>) {
    const { file, hash, ownerKey } = source
    const totalBytes = FileCipher.blobLength(file.size)
    let binding: FetchProgress["binding"]
    const report = Effect.fnUntraced(function* (
      state: FetchProgress["state"],
      haveBytes: number,
      more: Pick<FetchProgress, "reason" | "path"> = {}
    ) {
      const row = (yield* ledger.get(key.contact(ownerKey.hex), Rows.Contact)) ?? source.owner
      const about = {
        file,
        owner: Trust.toContact(row),
        totalBytes,
        ...(binding === undefined ? {} : { binding })
      }
      yield* publish({ ...about, state, haveBytes, ...more })
    })

    const partial = yield* resume(hash, totalBytes, (reason) => report("waiting", 0, { reason }))
    const have = () => ChunkRanges.bytesIn(partial.have, totalBytes)
    const retries = RetryPolicy.make()
    const wait = Effect.fnUntraced(function* (cause: RetryPolicy.Cause, detail?: string) {
      const { millis, reason } = retries.next(cause, detail)
      yield* report("waiting", have(), { reason })
      yield* pause(ownerKey.hex, millis)
    })

    /** One connection: asks for what is missing and keeps what arrives; `arrived` is called each time something did. */
    const attempt = Effect.fnUntraced(function* (target: Addresses, arrived: () => void) {
      const endpoint = yield* device.endpoint
      binding = endpoint.binding
      let reportedAt = -Infinity
      let arrivedAt: number | undefined
      const keep = Effect.fnUntraced(function* (items: ReadonlyArray<Verified>) {
        yield* partial.write(items)
        if (!items.some(({ kind }) => kind === "leaf")) return
        arrived()
        const now = yield* uptimeMillis
        arrivedAt = now
        if (now < reportedAt + progressMillis) return
        reportedAt = now
        const path = endpoint.pathTo?.(ownerKey)
        yield* report("receiving", have(), path === undefined ? {} : { path })
      })
      const ranges = missingOf(partial, totalBytes)
      const usable = PeerAddresses.isDoubtful(target) ? PeerAddresses.usable(yield* endpoint.addresses, target) : target
      const answer = endpoint.fetch({ peer: ownerKey, addresses: usable, hash, size: totalBytes, ranges })
      // A device that was switched off keeps the connection silent for long; after its restart it answers with new
      // addresses.
      const moved = Effect.gen(function* () {
        while (true) {
          yield* Effect.sleep(stallMillis)
          const now = yield* uptimeMillis
          if (arrivedAt === undefined || now < arrivedAt + stallMillis) continue
          yield* report("waiting", have(), { reason: RetryPolicy.stalled })
          const latest = yield* addresses.ask(session, ownerKey)
          if (latest === undefined || isSame(latest, target)) continue
          return yield* new BlobTransportError({ reason: "unreachable", detail: "the device has other addresses now" })
        }
      })
      yield* Effect.raceFirst(Stream.runForEach(answer, keep), moved)
    }, Effect.scoped)

    let refusals = 0
    while (!ChunkRanges.isEmpty(missingOf(partial, totalBytes))) {
      // The contact's state may change while a transfer waits.
      const row = yield* ledger.get(key.contact(ownerKey.hex), Rows.Contact)
      if (row === undefined) return yield* new ContactUnknown({ who: source.owner.handle })
      const blocked = Trust.reasonNotToFetch(row)
      if (blocked !== undefined) return yield* blocked
      yield* report("connecting", have())
      let target = yield* addresses.known(ownerKey.hex)
      const isFresh = target === undefined
      if (target === undefined) {
        const now = yield* link.now
        if (now._tag !== "Online") {
          yield* report("waiting", have(), { reason: RetryPolicy.offline(now) })
          yield* link.online
          yield* report("connecting", have())
        }
        target = yield* addresses.ask(session, ownerKey)
      }
      if (target === undefined) {
        // If this device went offline meanwhile, the silence says nothing about the other one.
        if ((yield* link.now)._tag === "Online") yield* wait("silent")
        continue
      }
      let hasArrived = false
      const outcome = yield* Effect.result(
        attempt(target, () => {
          if (!hasArrived) retries.reset()
          hasArrived = true
          refusals = 0
        })
      )
      if (Result.isSuccess(outcome)) continue
      const error = outcome.failure
      // Whatever ends an answer that had begun, mostly a device that is switched off.
      const isCut = error instanceof BlobTransportError && ["unreachable", "busy"].includes(error.reason) && hasArrived
      if (isCut || (error instanceof Problem && error.code === "blob_incomplete")) {
        // A device that was restarted may have answered with new addresses; the old ones would be dialled in vain.
        const latest = yield* addresses.known(ownerKey.hex)
        if (latest !== undefined && !isSame(latest, target)) continue
        if ((yield* link.now)._tag === "Online") addresses.forget(ownerKey.hex)
        yield* wait("broken")
        continue
      }
      if (error instanceof Problem && error.code === "blob_mismatch") {
        const detail = `the device of ${source.owner.handle} sent other bytes than the file it offered (${error.detail})`
        return yield* new Problem({ code: error.code, detail })
      }
      if (!(error instanceof BlobTransportError) || error.reason === "unavailable") return yield* error
      // The addresses may be out of date: the device is asked again.
      addresses.forget(ownerKey.hex)
      if (error.reason === "closed") yield* device.renew
      if (error.reason === "refused") {
        // A device that no longer serves refuses too, but it does not answer with its addresses either.
        if (isFresh) refusals += 1
        if (refusals >= refusalsMax) {
          const { handle } = source.owner
          const detail = `the device of ${handle} does not give this file to you: it is no longer shared, or it is on another device`
          return yield* new BlobTransportError({ reason: "refused", detail })
        }
      }
      // Addresses from before this attempt are asked for again without a pause.
      if (isFresh) yield* wait(error.reason, error.detail)
    }
    yield* partial.complete
    yield* report("complete", totalBytes)
  })
})
