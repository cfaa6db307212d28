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
import * as Stream from "effect/Stream"
import * as FastBlake3 from "../../../crypto/FastBlake3.ts"
import * as SealedFile from "../../../crypto/SealedFile.ts"
import * as Bytes from "../../../protocol/encoding/Bytes.ts"
import * as FileCipher from "../../../protocol/files/FileCipher.ts"
import { Problem } from "../../../protocol/Problem.ts"
import { BlobStore, BlobStoreError, partialKeptMillis } from "../../../services/BlobStore.ts"
import type { Crypto } from "../../../services/Crypto.ts"
import type { Device } from "./Device.ts"
import { contentOf } from "../share/index.ts"
import type { FetchProgress } from "../../model/index.ts"
import type { KezChatError } from "../../model/index.ts"
import { ClientOptions } from "../../internal/ClientOptions.ts"
import { Ledger } from "../../internal/Ledger.ts"
import { BrokerLink } from "../../internal/BrokerLink.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"
import { type Source, Sources } from "./Sources.ts"
import * as Transfer from "./Transfer.ts"
import { Trust } from "../../contacts/index.ts"

const { key } = Rows

/** Sealed chunks read and decrypted at a time: about a mebibyte. */
const chunksRead = 16

/** What all who fetch one blob from one owner are told. */
type Told = Exit.Exit<FetchProgress, KezChatError>

/** Makes the downloads of a session, for as long as the scope is open. */
export const make = Effect.fnUntraced(function* (session: Session, device: Device) {
  const ledger = yield* Ledger
  const link = yield* BrokerLink
  const blobs = yield* BlobStore
  const sources = yield* Sources
  const isOffline = (yield* ClientOptions).offline === true
  const transfer = yield* Transfer.make(session, device)
  // Set when the map is asked for its key: a lookup knows nothing but that.
  const wanted = new Map<string, Source>()

  const transfers = yield* RcMap.make({
    lookup: (id: string) =>
      Effect.gen(function* () {
        const told = yield* PubSub.unbounded<Told>({ replay: 1 })
        const source = wanted.get(id)!
        const tell = (progress: FetchProgress) => Effect.asVoid(PubSub.publish(told, Exit.succeed(progress)))
        yield* Effect.scoped(transfer(source, tell)).pipe(
          Effect.onError((cause) => PubSub.publish(told, Exit.failCause(cause))),
          Effect.forkScoped
        )
        return told
      })
  })

  /** The progress of a transfer, until it ends. */
  const follow = (source: Source): Stream.Stream<FetchProgress, KezChatError> =>
    Stream.unwrap(
      Effect.suspend(() => {
        const id = `${source.hash}/${source.ownerKey.hex}`
        wanted.set(id, source)
        // Not kept for longer, also where the transfer was there already: it holds a content key.
        const joined = Effect.ensuring(
          RcMap.get(transfers, id),
          Effect.sync(() => wanted.delete(id))
        )
        return Effect.map(joined, (told) =>
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

  const fetch: (what: string) => Stream.Stream<FetchProgress, KezChatError, Crypto> = (what) =>
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
        const blocked = Transfer.reasonNotToFetch(owner)
        if (blocked !== undefined) return yield* blocked
        yield* device.present
        if (isOffline) yield* link.orOffline(Effect.never)
        yield* sources.keep(session, source)
        return follow(source)
      })
    )

  const matches = Effect.fn("matches")(function* (what: string, bytes: AsyncIterable<Uint8Array>) {
    const { contentKey, file, hash } = yield* sources.find(session, what, !isOffline)
    const hasher = yield* FastBlake3.load
    let length = 0
    const content = contentOf(file.name, bytes).pipe(Stream.takeWhile((piece) => (length += piece.length) <= file.size))
    const encrypting = SealedFile.encrypt(contentKey, content, hasher, () => Effect.void)
    const { tree } = yield* encrypting
    return length === file.size && Bytes.toHex(tree.hash) === hash
  })

  const read: (what: string) => Stream.Stream<Uint8Array, KezChatError, Crypto> = (what) =>
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
        return SealedFile.decrypt(contentKey, file.size, bytes)
      })
    )

  const discard = Effect.fn("discard")(function* (what: string) {
    const { hash, owner } = yield* sources.find(session, what, false)
    if (owner.primary === session.account().primary) return
    // Somebody may offer us what is our own: that stays.
    const isOurs = (yield* ledger.getBytes(key.shareOf(hash))) !== undefined
    if (!isOurs) yield* blobs.remove(hash)
    yield* ledger.transact((transaction) => Effect.sync(() => transaction.delete(key.download(hash))))
  })

  return { fetch, matches, read, discard }
})

/** Removes partial blobs that nobody has touched for 30 days, and forgets downloads of which nothing is here. */
export const collect = Effect.gen(function* () {
  const ledger = yield* Ledger
  const blobs = yield* BlobStore
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
