/**
 * Fetching: brings the encrypted blob of a file here from its owner's device, group by group, each verified before it is
 * kept (spec: files).
 *
 * A transfer goes on by itself through everything that may pass: this device or the owner's being offline, a connection
 * that breaks, a device that has too much to do. It ends when the blob is complete, when the owner says no, when they send
 * other bytes than they offered, or when the disk cannot take more; what arrived stays, and the next fetch asks only for
 * what is missing. Nothing is asked of anybody before the stream is run.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as RcMap from "effect/RcMap"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SealedFile from "../crypto/SealedFile.ts"
import type { Verified } from "../protocol/BlobAnswer.ts"
import { chunkBytes } from "../protocol/Blake3.ts"
import * as ChunkRanges from "../protocol/ChunkRanges.ts"
import * as FileCipher from "../protocol/FileCipher.ts"
import { Problem } from "../protocol/Problem.ts"
import { BlobStore, BlobStoreError, type PartialBlob, partialKeptMillis } from "../services/BlobStore.ts"
import { type Addresses as Where, BlobTransportError } from "../services/BlobTransport.ts"
import { Crypto } from "../services/Crypto.ts"
import type { Addresses } from "./Addresses.ts"
import type { Device } from "./Device.ts"
import type { FetchProgress, KezChat } from "./KezChat.ts"
import { ContactUnknown, FetchBlocked, type KezChatError } from "./KezChatError.ts"
import type { Ledger } from "./Ledger.ts"
import type { Link } from "./Link.ts"
import * as Patience from "./Patience.ts"
import * as Rows from "./Rows.ts"
import type { Session } from "./Session.ts"
import type { Source, Sources } from "./Sources.ts"
import * as Trust from "./Trust.ts"

const { key } = Rows

/** Progress is told about so often at most. */
const progressMillis = 100

/** Sealed chunks read and decrypted at a time: about a mebibyte. */
const chunksRead = 16

/** How often an owner who was just asked for the addresses of their device may refuse before that is an answer. */
const refusalsBelieved = 2

/** See the members of `KezChat` with these names. */
export type Downloads = Pick<KezChat["Service"], "fetch" | "read" | "discard">

export interface Parts {
  readonly session: Session
  readonly device: Device
  readonly ledger: Ledger
  readonly link: Link
  readonly addresses: Addresses
  readonly sources: Sources
  /** No network may be used. */
  readonly isOffline: boolean
}

type Told = Exit.Exit<FetchProgress, KezChatError>

/** One blob on its way from one owner, shared by all who fetch it. */
interface Transfer {
  readonly told: PubSub.PubSub<Told>
}

const bytesIn = ({ boundaries }: ChunkRanges.ChunkRanges, size: number): number => {
  let bytes = 0
  for (let i = 0; i < boundaries.length; i += 2) {
    const end = Math.min((boundaries[i + 1] ?? Infinity) * chunkBytes, size)
    bytes += Math.max(0, end - (boundaries[i] as number) * chunkBytes)
  }
  return bytes
}

const missingOf = (partial: PartialBlob, size: number): ChunkRanges.ChunkRanges =>
  ChunkRanges.difference(ChunkRanges.range(0, ChunkRanges.chunkCount(size)), partial.have)

const reasonNotToFetch = ({ handle, state, warning }: Rows.ContactRow): FetchBlocked | undefined => {
  switch (state) {
    case "accepted":
      return undefined
    case "requested":
      return new FetchBlocked({ who: handle, reason: state, detail: "they are a stranger so far: accept them first" })
    case "blocked":
      return new FetchBlocked({ who: handle, reason: state, detail: "you blocked them" })
    case "changed":
      return new FetchBlocked({ who: handle, reason: state, detail: warning ?? "their key changed" })
  }
}

/** Makes the downloads of a session, for as long as the scope is open. */
export const make = Effect.gen(function* () {
  const blobs = yield* BlobStore
  const crypto = yield* Crypto
  return (parts: Parts): Effect.Effect<Downloads, never, Scope.Scope> => downloadsOf(blobs, crypto, parts)
})

const downloadsOf = Effect.fnUntraced(function* (blobs: BlobStore["Service"], crypto: Crypto["Service"], parts: Parts) {
  const { addresses, device, isOffline, ledger, link, session, sources } = parts
  // Set when the map is asked for its key: a lookup knows nothing but that.
  const wanted = new Map<string, Source>()

  const transfers = yield* RcMap.make({
    lookup: (id: string) =>
      Effect.gen(function* () {
        const told = yield* PubSub.unbounded<Told>({ replay: 1 })
        const source = wanted.get(id)!
        wanted.delete(id)
        const tell = (progress: FetchProgress) => Effect.asVoid(PubSub.publish(told, Exit.succeed(progress)))
        yield* Effect.scoped(transfer(source, tell)).pipe(
          Effect.onError((cause) => PubSub.publish(told, Exit.failCause(cause))),
          Effect.forkScoped
        )
        const transferring: Transfer = { told }
        return transferring
      })
  })

  /** Waits, but not longer than until the owner's device is heard of. */
  const pause = (peerHex: string, millis: number) => Effect.raceFirst(Effect.sleep(millis), addresses.arrival(peerHex))

  const transfer = Effect.fnUntraced(function* (
    source: Source,
    tell: (progress: FetchProgress) => Effect.Effect<void>
  ): Effect.fn.Return<void, KezChatError, Scope.Scope> {
    const { file, hash, ownerKey } = source
    const totalBytes = FileCipher.blobLength(file.size)
    const say = Effect.fnUntraced(function* (state: FetchProgress["state"], haveBytes: number, reason?: string) {
      const row = (yield* ledger.get(key.contact(ownerKey.hex), Rows.Contact)) ?? source.owner
      const about = { file, owner: Trust.toContact(row), totalBytes }
      yield* tell({ ...about, state, haveBytes, ...(reason === undefined ? {} : { reason }) })
    })

    const partial = yield* resume(hash, totalBytes, (reason) => say("waiting", 0, reason))
    const have = () => bytesIn(partial.have, totalBytes)
    const patience = Patience.make()
    const wait = Effect.fnUntraced(function* (why: Patience.Why) {
      const { millis, reason } = patience.next(why)
      yield* say("waiting", have(), reason)
      yield* pause(ownerKey.hex, millis)
    })

    /** One connection: asks for what is missing and keeps what arrives; `arrived` is called whenever something did. */
    const attempt = Effect.fnUntraced(function* (where: Where, arrived: () => void) {
      const endpoint = yield* device.endpoint
      let toldAt = 0
      const keep = Effect.fnUntraced(function* (items: ReadonlyArray<Verified>) {
        yield* partial.write(items)
        if (!items.some(({ kind }) => kind === "leaf")) return
        arrived()
        const now = yield* Clock.currentTimeMillis
        if (now < toldAt + progressMillis) return
        toldAt = now
        yield* say("receiving", have())
      })
      const ranges = missingOf(partial, totalBytes)
      const answer = endpoint.fetch({ peer: ownerKey, addresses: where, hash, size: totalBytes, ranges })
      yield* Stream.runForEach(answer, keep)
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
          yield* say("waiting", have(), Patience.offline(now))
          yield* link.online
          yield* say("connecting", have())
        }
        where = yield* addresses.ask(session, link, ownerKey)
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

  /** The progress of a transfer, until it ends. */
  const follow = (source: Source): Stream.Stream<FetchProgress, KezChatError> =>
    Stream.unwrap(
      Effect.suspend(() => {
        const id = `${source.hash}/${source.ownerKey.hex}`
        wanted.set(id, source)
        return Effect.map(RcMap.get(transfers, id), ({ told }) =>
          Stream.fromPubSub(told).pipe(
            Stream.mapEffect((exit) => exit),
            Stream.takeUntil(({ state }) => state === "complete")
          )
        )
      })
    )

  const isComplete = Effect.fnUntraced(function* ({ file, hash }: Source) {
    const info = yield* blobs.info(hash)
    if (info?.complete !== true) return false
    const size = FileCipher.blobLength(file.size)
    if (info.size === size) return true
    const detail = `it was offered as ${file.size} bytes, and its blob of ${info.size} bytes holds another file`
    return yield* new Problem({ code: "blob_mismatch", detail })
  })

  const fetch: Downloads["fetch"] = (what) =>
    Stream.unwrap(
      Effect.gen(function* () {
        const source = yield* sources.find(session, what, !isOffline)
        const { file, owner } = source
        const bytes = FileCipher.blobLength(file.size)
        if (yield* isComplete(source)) {
          const about = { file, owner: Trust.toContact(owner), haveBytes: bytes, totalBytes: bytes }
          return Stream.succeed<FetchProgress>({ ...about, state: "complete" })
        }
        if (owner.primary === session.account().primary) {
          const detail =
            "this file of yours lies on another device of this account, and two devices of one cannot connect"
          return yield* new BlobStoreError({ reason: "missing", detail })
        }
        const blocked = reasonNotToFetch(owner)
        if (blocked !== undefined) return yield* blocked
        yield* device.present
        if (isOffline) yield* link.orOffline(Effect.never)
        yield* sources.keep(session, source)
        return follow(source)
      })
    )

  const read: Downloads["read"] = (what) =>
    Stream.unwrap(
      Effect.gen(function* () {
        const { contentKey, file, hash } = yield* sources.find(session, what, false)
        const blob = yield* blobs.open(hash)
        const { size } = blob.tree
        const step = chunksRead * FileCipher.sealedBytes
        const bytes = Stream.paginate(0, (at) =>
          Effect.map(blob.read(at, Math.min(step, size - at)), (piece) => {
            const next = at + piece.length
            return [[piece], next < size ? Option.some(next) : Option.none<number>()] as const
          })
        )
        return SealedFile.decrypt(contentKey, file.size, bytes).pipe(Stream.provideService(Crypto, crypto))
      })
    )

  const discard: Downloads["discard"] = Effect.fnUntraced(function* (what) {
    const { hash, owner } = yield* sources.find(session, what, false)
    if (owner.primary === session.account().primary) return
    // Somebody may offer us what is our own: that stays.
    const isOurs = (yield* ledger.getBytes(key.shareOf(hash))) !== undefined
    if (!isOurs) yield* blobs.remove(hash)
    yield* ledger.transact((transaction) => Effect.sync(() => transaction.delete(key.download(hash))))
  })

  const downloads: Downloads = { fetch, read, discard }
  return downloads
})

/** Removes partial blobs that nobody has touched for 30 days, and forgets downloads of which nothing is here. */
export const collect = Effect.fnUntraced(function* (ledger: Ledger, blobs: BlobStore["Service"]) {
  const now = yield* Clock.currentTimeMillis
  const here = new Set<string>()
  for (const { complete, hash, writtenAt } of yield* blobs.list) {
    if (complete || writtenAt > now - partialKeptMillis) here.add(hash)
    else yield* blobs.remove(hash)
  }
  const rows = yield* ledger.scan({ prefix: Rows.prefix.downloads })
  const gone = rows.filter((entry) => !here.has(entry.key.slice(Rows.prefix.downloads.length)))
  if (gone.length === 0) return
  yield* ledger.transact((transaction) =>
    Effect.sync(() => {
      for (const entry of gone) transaction.delete(entry.key)
    })
  )
})
