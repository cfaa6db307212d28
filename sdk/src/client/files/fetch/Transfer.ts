/**
 * One blob on its way from its owner's device: asks for the device's address, dials it, and keeps what arrives, again and
 * again until all of it is here.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Verified } from "../../../protocol/files/BlobAnswer.ts"
import * as ChunkRanges from "../../../protocol/files/ChunkRanges.ts"
import * as FileCipher from "../../../protocol/files/FileCipher.ts"
import { Problem } from "../../../protocol/Problem.ts"
import type { Crypto } from "../../../services/Crypto.ts"
import { BlobStore, type PartialBlob } from "../../../services/BlobStore.ts"
import { type Addresses as Where, BlobTransportError } from "../../../services/BlobTransport.ts"
import { Addresses } from "./Addresses.ts"
import { uptimeMillis } from "../../internal/BrokerClock.ts"
import type { Device } from "./Device.ts"
import type { FetchProgress } from "../../model/index.ts"
import { ContactUnknown, FetchBlocked, type KezChatError } from "../../model/index.ts"
import { Ledger } from "../../internal/Ledger.ts"
import { BrokerLink } from "../../internal/BrokerLink.ts"
import * as PeerAddresses from "./PeerAddresses.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"
import type { Source } from "./Sources.ts"
import { Trust } from "../../contacts/index.ts"

const { key } = Rows

/** Progress is told about so often at most. */
const progressMillis = 100

/**
 * When nothing has arrived for so long in the middle of an answer, the owner's device is asked whether it is somewhere
 * else.
 */
const quietMillis = 5_000

/** How often an owner who was just asked for the addresses of their device may refuse before that is an answer. */
const refusalsBelieved = 2

const isSamePlace = (a: Where, b: Where): boolean =>
  a.relayUrl === b.relayUrl && a.direct.toSorted().join() === b.direct.toSorted().join()

const missingOf = (partial: PartialBlob, size: number): ChunkRanges.ChunkRanges =>
  ChunkRanges.difference(ChunkRanges.range(0, ChunkRanges.chunkCount(size)), partial.have)

/** Why nothing is fetched from a contact; undefined where it may be. */
export const reasonNotToFetch = (row: Rows.ContactRow): FetchBlocked | undefined => {
  const { handle, state } = row
  switch (state) {
    case "accepted":
      return undefined
    case "requested":
      return new FetchBlocked({ who: handle, reason: state, detail: "they are a stranger so far: accept them first" })
    case "blocked":
      return new FetchBlocked({ who: handle, reason: state, detail: "you blocked them" })
    case "changed":
      return new FetchBlocked({ who: handle, reason: state, detail: Trust.warningOf(row) ?? "their key changed" })
  }
}

/** Makes a transfer: it ends when the blob is complete, or with what waiting would not help against. */
export const make = Effect.fnUntraced(function* (session: Session, device: Device) {
  const ledger = yield* Ledger
  const link = yield* BrokerLink
  const addresses = yield* Addresses
  const blobs = yield* BlobStore

  /** Waits, but not longer than until the owner's device is heard of. */
  const pause = (peerHex: string, millis: number) => Effect.raceFirst(Effect.sleep(millis), addresses.arrival(peerHex))

  /** Opens the partial blob; waits while it is being written for somebody else. */
  const resume = Effect.fnUntraced(function* (
    hash: string,
    size: number,
    waiting: (reason: string) => Effect.Effect<void, KezChatError>
  ): Effect.fn.Return<PartialBlob, KezChatError, Scope.Scope> {
    let isTold = false
    while (true) {
      const scope = yield* Scope.fork(yield* Effect.scope)
      const opened = yield* Effect.result(Scope.provide(blobs.resume(hash, size), scope))
      if (Result.isSuccess(opened)) return opened.success
      yield* Scope.close(scope, Exit.void)
      if (opened.failure.reason !== "busy") return yield* opened.failure
      if (!isTold) yield* waiting("the same file is being fetched from somebody else")
      isTold = true
      yield* Effect.sleep(1_000)
    }
  })

  return Effect.fnUntraced(function* (
    source: Source,
    tell: (progress: FetchProgress) => Effect.Effect<void>
  ): Effect.fn.Return<void, KezChatError, Scope.Scope | Crypto> {
    const { file, hash, ownerKey } = source
    const totalBytes = FileCipher.blobLength(file.size)
    const say = Effect.fnUntraced(function* (state: FetchProgress["state"], haveBytes: number, reason?: string) {
      const row = (yield* ledger.get(key.contact(ownerKey.hex), Rows.Contact)) ?? source.owner
      const about = { file, owner: Trust.toContact(row), totalBytes }
      yield* tell({ ...about, state, haveBytes, ...(reason === undefined ? {} : { reason }) })
    })

    const partial = yield* resume(hash, totalBytes, (reason) => say("waiting", 0, reason))
    const have = () => ChunkRanges.bytesIn(partial.have, totalBytes)
    const patience = RetryPolicy.make()
    const wait = Effect.fnUntraced(function* (why: RetryPolicy.Why) {
      const { millis, reason } = patience.next(why)
      yield* say("waiting", have(), reason)
      yield* pause(ownerKey.hex, millis)
    })

    /** One connection: asks for what is missing and keeps what arrives; `arrived` is called whenever something did. */
    const attempt = Effect.fnUntraced(function* (where: Where, arrived: () => void) {
      const endpoint = yield* device.endpoint
      let toldAt = -Infinity
      let arrivedAt: number | undefined
      const keep = Effect.fnUntraced(function* (items: ReadonlyArray<Verified>) {
        yield* partial.write(items)
        if (!items.some(({ kind }) => kind === "leaf")) return
        arrived()
        const now = yield* uptimeMillis
        arrivedAt = now
        if (now < toldAt + progressMillis) return
        toldAt = now
        yield* say("receiving", have())
      })
      const ranges = missingOf(partial, totalBytes)
      const usable = PeerAddresses.isDoubtful(where) ? PeerAddresses.usable(yield* endpoint.addresses, where) : where
      const answer = endpoint.fetch({ peer: ownerKey, addresses: usable, hash, size: totalBytes, ranges })
      // A device that was switched off in the middle says nothing for long; started anew, it can be asked where it is.
      const moved = Effect.gen(function* () {
        while (true) {
          yield* Effect.sleep(quietMillis)
          const now = yield* uptimeMillis
          if (arrivedAt === undefined || now < arrivedAt + quietMillis) continue
          yield* say("waiting", have(), RetryPolicy.quiet)
          const found = yield* addresses.ask(session, ownerKey)
          if (found === undefined || isSamePlace(found, where)) continue
          return yield* new BlobTransportError({ reason: "unreachable", detail: "the device is somewhere else now" })
        }
      })
      yield* Effect.raceFirst(Stream.runForEach(answer, keep), moved)
    }, Effect.scoped)

    let refusals = 0
    while (!ChunkRanges.isEmpty(missingOf(partial, totalBytes))) {
      // Whom one may fetch from can change while a transfer waits.
      const row = yield* ledger.get(key.contact(ownerKey.hex), Rows.Contact)
      if (row === undefined) return yield* new ContactUnknown({ who: source.owner.handle })
      const blocked = reasonNotToFetch(row)
      if (blocked !== undefined) return yield* blocked
      yield* say("connecting", have())
      let where = yield* addresses.known(ownerKey.hex)
      const isFresh = where === undefined
      if (where === undefined) {
        const now = yield* link.now
        if (now._tag !== "Online") {
          yield* say("waiting", have(), RetryPolicy.offline(now))
          yield* link.online
          yield* say("connecting", have())
        }
        where = yield* addresses.ask(session, ownerKey)
      }
      if (where === undefined) {
        // Where this device was cut off meanwhile, nothing was learned about the other one.
        if ((yield* link.now)._tag === "Online") yield* wait("silent")
        continue
      }
      let hasArrived = false
      const outcome = yield* Effect.result(
        attempt(where, () => {
          if (!hasArrived) patience.reset()
          hasArrived = true
          refusals = 0
        })
      )
      if (Result.isSuccess(outcome)) continue
      const error = outcome.failure
      // Whatever ends an answer that had begun, a device that is switched off above all.
      const isCut = error instanceof BlobTransportError && ["unreachable", "busy"].includes(error.reason) && hasArrived
      if (isCut || (error instanceof Problem && error.code === "blob_incomplete")) {
        // Where it can be asked, a device that was started anew says where it is now; the old place would be tried in vain.
        const latest = yield* addresses.known(ownerKey.hex)
        if (latest !== undefined && !isSamePlace(latest, where)) continue
        if ((yield* link.now)._tag === "Online") addresses.forget(ownerKey.hex)
        yield* wait("broken")
        continue
      }
      if (error instanceof Problem && error.code === "blob_mismatch") {
        const detail = `the device of ${source.owner.handle} sent something else than the file it offered (${error.detail})`
        return yield* new Problem({ code: error.code, detail })
      }
      if (!(error instanceof BlobTransportError) || error.reason === "unavailable") return yield* error
      // What was known of the device's place may be out of date; it is asked for again.
      addresses.forget(ownerKey.hex)
      if (error.reason === "closed") yield* device.renew
      if (error.reason === "refused") {
        // A device that no longer serves refuses too, but then it does not tell where it is either.
        if (isFresh) refusals += 1
        if (refusals >= refusalsBelieved) {
          const { handle } = source.owner
          const detail = `the device of ${handle} does not give this file to you: it was taken back, or lies on another device`
          return yield* new BlobTransportError({ reason: "refused", detail })
        }
      }
      // An address that was learned before this attempt deserves no pause, only a new one.
      if (isFresh) yield* wait(error.reason)
    }
    yield* partial.complete
    yield* say("complete", totalBytes)
  })
})
