/**
 * Sharing files, unsharing them, and the list of shares. A share is an encrypted blob here, a row, an entry of the
 * manifest unless it is unlisted, and an offer to each reader. Row, entry and offers are written in one transaction
 * after the blob, and removed before it: a crash leaves at most a blob without a row, which the next start removes.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { FastBlake3, SealedFile, SealedManifest, WrappedKey } from "../../../crypto/index.ts"
import type { Identity } from "../../../crypto/Identity.ts"
import { Blank, Bytes, Hash, Limits, Manifest, PrimaryKey, Ticket } from "../../../protocol/index.ts"
import type { AdmittedKey } from "../../../protocol/identity/KeyAdmission.ts"
import { Problem } from "../../../protocol/Problem.ts"
import { BlobStore } from "../../../services/BlobStore.ts"
import { ContactBook, Trust } from "../../contacts/index.ts"
import { CurrentAccount } from "../../internal/CurrentAccount.ts"
import { SendQueue } from "../../internal/SendQueue.ts"
import { Events } from "../../internal/Events.ts"
import { contentOf } from "./FileContent.ts"
import type { FileSource, Share, ShareOptions } from "../../model/index.ts"
import { ContactUnknown } from "../../model/index.ts"
import { Ledger } from "../../internal/Ledger.ts"
import { Manifests } from "./Manifests.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"
import { fileOf, rowsOf, toShare } from "./ShareRows.ts"
import * as Versions from "./Versions.ts"

const { key } = Rows

const refused = (detail: string) => new Problem({ code: "request_malformed", detail })

/** Whether all who may fetch `older` may fetch `newer` too. Readers of other devices' shares are unknown. */
const replaces = (newer: Share, older: Share): boolean => {
  if (newer.listed === "unlisted" && older.listed !== "unlisted") return false
  if (older.listed === "public" || newer.listed === "public") return newer.listed === "public"
  const readers = new Set(newer.readers.map(({ primary }) => primary))
  return older.readers.length > 0 && older.readers.every(({ primary }) => readers.has(primary))
}

const ticketOf = (owner: AdmittedKey, hash: Uint8Array): string =>
  Ticket.encode({ endpoint: owner, addresses: [], format: "raw", hash })

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const account = yield* CurrentAccount
  const book = yield* ContactBook
  const sendQueue = yield* SendQueue
  const manifests = yield* Manifests
  const blobs = yield* BlobStore

  // Once only: later it would find blobs whose rows are about to be written. What it fails to remove, the next start
  // does.
  const tidied = yield* Effect.cached(
    Effect.gen(function* () {
      for (const { complete, hash } of yield* blobs.list) {
        if (!complete || (yield* ledger.getBytes(key.download(hash))) !== undefined) continue
        if ((yield* ledger.getBytes(key.shareOf(hash))) === undefined) yield* Effect.ignore(blobs.remove(hash))
      }
    }).pipe(Effect.ignore, Effect.uninterruptible)
  )

  /** The keys of the accounts that a file is for. Fails if nothing may be sent to one of them. */
  const readersOf = Effect.fnUntraced(function* (who: ReadonlyArray<string>, mine: Rows.AccountRow) {
    const readers = new Map<string, AdmittedKey>()
    for (const name of who) {
      const row = yield* book.find(name, mine)
      if (row.primary === mine.primary) {
        return yield* refused("a file cannot be shared with yourself: your devices cannot fetch from one another")
      }
      const blocked = Trust.reasonNotToSend(row)
      if (blocked !== undefined) return yield* blocked
      readers.set(row.primary, yield* Effect.fromResult(PrimaryKey.parseEd25519(row.primary)))
    }
    if (readers.size >= Limits.entryReaders) {
      return yield* refused(`a file has at most ${Limits.entryReaders - 1} readers: share it publicly, or in parts`)
    }
    return [...readers.values()]
  })

  const describe = (file: FileSource, sharedAt: number) => ({
    name: file.name,
    ...(file.folder === undefined ? {} : { folder: file.folder }),
    mediaType: file.mediaType ?? "application/octet-stream",
    sharedAt,
    ...(file.thumbnail === undefined ? {} : { thumbnail: file.thumbnail })
  })

  /**
   * Checks, before any of the file is read, that readers would accept its description and that the manifest has room
   * for it. The size is not known yet and is assumed to be small.
   */
  const checkBefore = Effect.fnUntraced(function* (
    owner: AdmittedKey,
    options: ShareOptions,
    readers: ReadonlyArray<AdmittedKey>,
    now: number
  ) {
    const file: Manifest.SharedFile = {
      ...describe(options.file, now),
      size: 0,
      blobHash: Hash.blank("blake3"),
      ticket: ticketOf(owner, new Uint8Array(Limits.keyBytes)),
      contentKey: yield* SealedFile.makeKey
    }
    const padded = yield* Effect.mapError(Effect.fromResult(Manifest.encodeFile(file, owner)), (problem) =>
      refused(`${JSON.stringify(options.file.name)} cannot be shared: ${problem.detail.replace(/^entry: /, "")}`)
    )
    if (options.unlisted === true) return
    const id = "A".repeat(Limits.idCharacters)
    const length =
      options.public === true
        ? Manifest.encodeEntry(yield* Effect.fromResult(Manifest.publicEntry(id, file, owner))).length
        : Manifest.sealedEntryLength(readers.length + 1, padded.length)
    yield* manifests.room(ledger, length)
  })

  const wrapKeys = Effect.fnUntraced(function* (
    identity: Identity,
    contentKey: SealedFile.ContentKey,
    blobHash: Uint8Array,
    readers: ReadonlyArray<AdmittedKey>
  ) {
    const binding = { blobHash, owner: identity.key }
    const own = yield* WrappedKey.wrap(contentKey, binding, identity.key)
    const wrapped = yield* Effect.forEach(readers, (reader) =>
      Effect.map(WrappedKey.wrap(contentKey, binding, reader), (key) => ({ reader, key }))
    )
    return { own, wrapped }
  })

  /** Writes everything of a share but its blob, in one transaction. */
  const offer = Effect.fnUntraced(function* (
    running: Session,
    options: ShareOptions,
    readers: ReadonlyArray<AdmittedKey>,
    contentKey: SealedFile.ContentKey,
    { size, tree }: SealedFile.EncryptedFile,
    sharedAt: number
  ) {
    const { identity } = running
    const listed = options.unlisted === true ? "unlisted" : options.public === true ? "public" : "readers"
    const hash = Bytes.toHex(tree.hash)
    const file: Manifest.SharedFile = {
      ...describe(options.file, sharedAt),
      size,
      blobHash: Hash.format("blake3", hash),
      ticket: ticketOf(identity.key, tree.hash),
      contentKey
    }
    const id = yield* SealedManifest.makeId
    const { own, wrapped } = yield* wrapKeys(identity, contentKey, tree.hash, readers)
    const entry =
      listed === "unlisted"
        ? undefined
        : listed === "public"
          ? Manifest.encodeEntry(yield* Effect.fromResult(Manifest.publicEntry(id, file, identity.key)))
          : Manifest.encodeEntry(yield* SealedManifest.sealEntry(identity, id, file, readers))
    const row: Rows.ShareRow = {
      id,
      ...fileOf(file),
      listed,
      readers: readers.map(({ hex }) => ({ hex, sent: [] })),
      here: true,
      selfKey: Bytes.toBase64Url(own),
      anchored: false
    }
    return yield* ledger.transact(
      Effect.fnUntraced(function* (transaction) {
        for (const { key: wrappedKey, reader } of wrapped) {
          const contact = yield* transaction.get(key.contact(reader.hex), Rows.Contact)
          if (contact === undefined) return yield* new ContactUnknown({ who: PrimaryKey.format(reader) })
          const blocked = Trust.reasonNotToSend(contact)
          if (blocked !== undefined) return yield* blocked
          const message = yield* sendQueue.enqueue(transaction, running, reader, {
            type: "file_share",
            filename: file.name,
            media_type: file.mediaType,
            size,
            blob_hash: file.blobHash,
            ticket: file.ticket,
            wrapped_content_key: wrappedKey,
            self_wrapped_content_key: own,
            ...(file.thumbnail === undefined ? {} : { thumbnail: file.thumbnail })
          })
          if (message === undefined) return yield* Effect.die("an offer leaves a message")
          transaction.onCommit(() => events.publish({ _tag: "Message", message, contact: Trust.toContact(contact) }))
        }
        if (entry !== undefined) {
          yield* manifests.room(transaction, entry.length)
          transaction.putBytes(key.entry(id), entry)
          yield* manifests.changed(transaction)
        }
        transaction.putNew(key.share(id), Rows.Share, row)
        transaction.put(key.shareOf(hash), Rows.ShareOf, { id })
        const share = yield* toShare(transaction, row)
        transaction.onCommit(() => events.publish({ _tag: "Shared", share }))
        return share
      })
    )
  })

  /** Now, or a second after the newest share of the same path: readers tell versions apart by whole seconds. */
  const timeOf = Effect.fnUntraced(function* (file: FileSource) {
    const path = Versions.pathOf(file)
    const earlier = (yield* rowsOf(ledger)).filter((row) => Versions.pathOf(row) === path)
    const now = yield* Clock.currentTimeMillis
    const after = Math.max(0, ...earlier.map(({ sharedAt }) => (Math.floor(sharedAt / 1000) + 1) * 1000))
    return Math.max(now, after)
  })

  const share = Effect.fn("share")(function* (running: Session, options: ShareOptions) {
    const { identity } = running
    if (Blank.isBlank(options.file.name)) return yield* refused("the file has an empty name: give it one")
    const readers = yield* readersOf(options.with ?? [], running.account())
    const isPublic = options.public === true
    if (readers.length === 0 && !isPublic) return yield* refused("name a contact to share with, or share it publicly")
    if (isPublic && options.unlisted === true) {
      return yield* refused("a public file is found by its entry in the manifest: it cannot be unlisted")
    }
    const sharedAt = yield* timeOf(options.file)
    yield* checkBefore(identity.key, options, readers, sharedAt)
    yield* tidied
    const contentKey = yield* SealedFile.makeKey
    const hasher = yield* FastBlake3.load
    let done = 0
    const content = contentOf(options.file.name, options.file.bytes).pipe(
      Stream.tap((bytes) =>
        Effect.sync(() => {
          done += bytes.length
          options.onProgress?.(done)
        })
      )
    )
    const encrypted = blobs.put((write) => SealedFile.encrypt(contentKey, content, hasher, write))
    // Once the blob is complete, every outcome leaves it with a row or removes it.
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const made = yield* restore(encrypted)
        const hash = Bytes.toHex(made.tree.hash)
        return yield* Effect.onExit(restore(offer(running, options, readers, contentKey, made, sharedAt)), (exit) =>
          Exit.isSuccess(exit) ? Effect.void : Effect.ignore(removeOrphan(hash))
        )
      })
    )
  })

  /** Removes a blob that belongs to no share: a transaction that failed at the disk may have been kept all the same. */
  const removeOrphan = Effect.fnUntraced(function* (hash: string) {
    if ((yield* ledger.getBytes(key.shareOf(hash))) === undefined) yield* blobs.remove(hash)
  })

  const unshare = Effect.fn("unshare")(function* (id: string) {
    yield* account.get
    const { row, share } = yield* ledger.transact(
      Effect.fnUntraced(function* (transaction) {
        const row = yield* transaction.get(key.share(id), Rows.Share)
        if (row === undefined || row.removed === true) {
          const detail = Blank.isBlank(id) ? "an empty id stands for no share" : `you share nothing under the id ${id}`
          return yield* new Problem({ code: "file_not_found", detail })
        }
        const removed: Rows.ShareRow = { ...row, removed: true }
        transaction.delete(key.shareOf(row.hash))
        if (row.listed === "unlisted") transaction.delete(key.share(id))
        else {
          transaction.put(key.share(id), Rows.Share, removed)
          transaction.delete(key.entry(id))
          yield* manifests.changed(transaction, { withdraws: row.anchored })
        }
        const share = yield* toShare(transaction, removed)
        transaction.onCommit(() => events.publish({ _tag: "Unshared", share }))
        return { row, share }
      })
    )
    // A blob that cannot be removed now is an orphan that nobody may fetch.
    if (row.here) yield* Effect.ignore(blobs.remove(row.hash))
    return share
  })

  const shared = Effect.gen(function* () {
    yield* account.get
    const rows = yield* rowsOf(ledger)
    const complete = new Set((yield* blobs.list).flatMap(({ complete, hash }) => (complete ? [hash] : [])))
    const live = rows.filter(({ removed }) => removed === undefined)
    live.sort((a, b) => b.sharedAt - a.sharedAt || (a.id < b.id ? -1 : 1))
    const all = yield* Effect.forEach(live, (row) =>
      toShare(ledger, { ...row, here: row.here && complete.has(row.hash) })
    )
    return Versions.withReplacements(all, replaces)
  })

  return {
    /** See `KezChat.share`. */
    share,
    shared,
    unshare,
    /** Removes blobs without a row, which a crash leaves between writing the two. Runs once, before the first share. */
    tidied
  }
})

export class Shares extends Context.Service<Shares>()("@kez-chat/sdk/Shares", { make }) {}

export const layer = Layer.effect(Shares, make)
