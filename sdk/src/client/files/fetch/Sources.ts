/**
 * The one way from a reference to a file that this account can read: its owner, its blob and its content key.
 * References are resolved by offers, own shares, manifests and earlier downloads; a bare hash or a stolen ticket leads
 * to no key.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ContentKey } from "../../../crypto/SealedFile.ts"
import type { Readable } from "../../../crypto/SealedManifest.ts"
import * as WrappedKey from "../../../crypto/WrappedKey.ts"
import { Bytes, Hash, PrimaryKey } from "../../../protocol/index.ts"
import type { AdmittedKey } from "../../../protocol/identity/KeyAdmission.ts"
import { Problem } from "../../../protocol/Problem.ts"
import { ContactBook } from "../../contacts/index.ts"
import { ClientOptions } from "../../internal/ClientOptions.ts"
import { Ledger } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"
import type { FetchProgress } from "../../model/index.ts"
import { ContactUnknown, type KezChatError } from "../../model/index.ts"
import { Versions } from "../share/index.ts"
import { Browsing } from "./Browsing.ts"
import * as FileRef from "./FileRef.ts"
import * as Offers from "./Offers.ts"

const { key, prefix } = Rows

/** A file that this account can read, and whose device has it. */
export interface Source {
  /** 64 hexadecimal digits. */
  readonly hash: string
  readonly owner: Rows.ContactRow
  readonly ownerKey: AdmittedKey
  /** Whether this account is the owner. */
  readonly isOwn: boolean
  readonly file: FetchProgress["file"]
  readonly contentKey: ContentKey
  /** The id of the entry by which it was found. */
  readonly entry?: string
}

/** What the kept rows and the entries of manifests say of a file. */
interface Described {
  readonly name: string
  readonly folder?: string
  readonly mediaType: string
  readonly size: number
}

const fileOf = ({ folder, mediaType, name, size }: Described, hash: string): Source["file"] => ({
  name,
  ...(folder === undefined ? {} : { folder }),
  mediaType,
  size,
  blobHash: Hash.format("blake3", hash)
})

/** An entry by id or path. Ids take precedence; of several files with one path the newest is meant. */
const pick = (files: ReadonlyArray<Readable>, entry: string): Readable | undefined =>
  files.find(({ id }) => id === entry) ??
  files
    .filter(({ file }) => Versions.pathOf(file) === entry)
    .sort((a, b) => Versions.newestFirst({ id: a.id, ...a.file }, { id: b.id, ...b.file }))[0]

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const book = yield* ContactBook
  const browsing = yield* Browsing
  const isOffline = (yield* ClientOptions).offline === true

  const ownerOf = (session: Session, hex: string): Effect.Effect<Rows.ContactRow, KezChatError> =>
    book.find(PrimaryKey.ofHex(hex), session.account())

  const bindingOf = (hash: string, owner: AdmittedKey): Effect.Effect<WrappedKey.Binding, Problem> =>
    Effect.map(Effect.fromResult(Bytes.fromHex(hash)), (blobHash) => ({ blobHash, owner }))

  /** Keys are wrapped by and for the keys of the time: the owner and this account may both have others now. */
  const unwrap = Effect.fnUntraced(function* (
    session: Session,
    owner: Rows.ContactRow,
    hash: string,
    wrapped: Uint8Array
  ) {
    const owners = [owner.primary, ...owner.former.map(PrimaryKey.ofHex)]
    const readers = [session.identity, ...(session.former ?? [])]
    let failure: Problem | undefined
    for (const primary of owners) {
      const binding = yield* bindingOf(hash, yield* Effect.fromResult(PrimaryKey.parseEd25519(primary)))
      for (const reader of readers) {
        const opened = yield* Effect.result(WrappedKey.unwrap(reader, binding, wrapped))
        if (Result.isSuccess(opened)) return opened.success
        failure ??= opened.failure
      }
    }
    return yield* failure ?? FileRef.notFound(hash, "nobody owns it")
  })

  /** The source of a file whose content key is known, or wrapped for this account. */
  const sourceOf = Effect.fnUntraced(function* (
    session: Session,
    owner: Rows.ContactRow,
    file: Source["file"],
    contentKey: ContentKey | Uint8Array,
    entry?: string
  ) {
    const hash = Hash.hexOf(file.blobHash)
    const ownerKey = yield* Effect.fromResult(PrimaryKey.parseEd25519(owner.primary))
    const opened = contentKey instanceof Uint8Array ? yield* unwrap(session, owner, hash, contentKey) : contentKey
    const isOwn = owner.primary === session.identity.primary
    return { hash, owner, ownerKey, isOwn, file, contentKey: opened, ...(entry === undefined ? {} : { entry }) }
  })

  const ofOffer = Effect.fnUntraced(function* (
    session: Session,
    { author, file, selfWrappedKey, wrappedKey }: Offers.Offer
  ) {
    const own = [session.identity, ...(session.former ?? [])].map(({ key: { hex } }) => hex)
    const wrapped = own.includes(author) ? selfWrappedKey : wrappedKey
    return yield* sourceOf(session, yield* ownerOf(session, author), file, wrapped)
  })

  const ofEntry = (session: Session, owner: Rows.ContactRow, { file, id }: Readable) => {
    const thumbnail = file.thumbnail === undefined ? {} : { thumbnail: file.thumbnail }
    const shown = { ...fileOf(file, Hash.hexOf(file.blobHash)), ...thumbnail }
    return sourceOf(session, owner, shown, file.contentKey, id)
  }

  const ofDownload = Effect.fnUntraced(function* (session: Session, hash: string, row: Rows.DownloadRow) {
    const wrapped = yield* Effect.fromResult(Bytes.fromBase64Url(row.key))
    const owner = yield* ownerOf(session, PrimaryKey.hexOf(row.owner))
    return yield* sourceOf(session, owner, fileOf(row, hash), wrapped, row.entry)
  })

  /** A share that this device made, whether or not a manifest with it is published. */
  const ownShare = Effect.fnUntraced(function* (session: Session, owner: Rows.ContactRow, entry: string) {
    if (owner.primary !== session.identity.primary) return undefined
    const named = yield* ledger.get(key.share(entry), Rows.Share)
    const rows = named === undefined ? yield* ledger.scan({ prefix: prefix.shares }) : []
    const shares = yield* Effect.forEach(rows, (row) => Effect.fromResult(Rows.Share.decode(row.key, row.value)))
    const [share] = [...(named === undefined ? [] : [named]), ...shares.filter((row) => Versions.pathOf(row) === entry)]
      .filter((row) => row.removed === undefined && row.selfKey !== undefined)
      .sort(Versions.newestFirst)
    if (share?.selfKey === undefined) return undefined
    const wrapped = yield* Effect.fromResult(Bytes.fromBase64Url(share.selfKey))
    return yield* sourceOf(session, owner, fileOf(share, share.hash), wrapped, share.id)
  })

  /** A download by an entry that its owner may have removed since. */
  const earlierDownload = Effect.fnUntraced(function* (session: Session, owner: Rows.ContactRow, entry: string) {
    for (const { key: rowKey, value } of yield* ledger.scan({ prefix: prefix.downloads })) {
      const row = yield* Effect.fromResult(Rows.Download.decode(rowKey, value))
      if (row.owner !== owner.primary || (row.entry !== entry && Versions.pathOf(row) !== entry)) continue
      return yield* ofDownload(session, rowKey.slice(prefix.downloads.length), row)
    }
    return undefined
  })

  const listed = (session: Session, owner: Rows.ContactRow, isHere: boolean) =>
    Effect.map(
      isHere ? browsing.kept(session, PrimaryKey.hexOf(owner.primary)) : browsing.current(session, owner),
      ({ files }) => files
    )

  const byEntry = Effect.fnUntraced(function* (
    session: Session,
    { entry, text, who }: Extract<FileRef.FileRef, { _tag: "Entry" }>,
    isHere: boolean
  ) {
    const owner = yield* book.find(who, session.account())
    const offer = FileRef.isId(entry)
      ? yield* Offers.byAuthor(ledger, entry, PrimaryKey.hexOf(owner.primary))
      : undefined
    if (offer !== undefined) return yield* ofOffer(session, offer)
    const own = yield* ownShare(session, owner, entry)
    if (own !== undefined) return own
    const found = pick(yield* listed(session, owner, isHere), entry)
    if (found !== undefined) return yield* ofEntry(session, owner, found)
    const earlier = yield* earlierDownload(session, owner, entry)
    if (earlier !== undefined) return earlier
    return yield* FileRef.notFound(text, `${owner.handle} shares nothing of this name or id with you`)
  })

  const byTicket = Effect.fnUntraced(function* (
    session: Session,
    { ticket: { endpoint, hash: blobHash } }: Extract<FileRef.FileRef, { _tag: "Ticket" }>,
    isHere: boolean
  ) {
    const hash = Bytes.toHex(blobHash)
    const offer = yield* Offers.ofBlob(ledger, hash, endpoint.hex)
    if (offer !== undefined) return yield* ofOffer(session, offer)
    const row = yield* ledger.get(key.download(hash), Rows.Download)
    if (row?.owner === PrimaryKey.format(endpoint)) return yield* ofDownload(session, hash, row)
    const owner = yield* Effect.result(ownerOf(session, endpoint.hex))
    if (Result.isFailure(owner)) {
      if (!(owner.failure instanceof ContactUnknown)) return yield* owner.failure
    } else {
      // The hash names one content for ever, so a kept manifest serves as well as a newer one.
      for (const isKept of isHere ? [true] : [true, false]) {
        const files = yield* listed(session, owner.success, isKept)
        const entry = files.find(({ file }) => file.blobHash === Hash.format("blake3", hash))
        if (entry !== undefined) return yield* ofEntry(session, owner.success, entry)
      }
    }
    const detail = "a ticket says where a file is, not how to read it: ask its owner to offer it to you"
    return yield* new Problem({ code: "no_content_key", detail })
  })

  const byOffer = Effect.fnUntraced(function* (session: Session, { id }: Extract<FileRef.FileRef, { _tag: "Offer" }>) {
    const offers = yield* Offers.byId(ledger, id, session.identity.key.hex)
    const [first] = offers
    if (first === undefined) return yield* FileRef.notFound(id, "no offer has this id")
    const accepted: Array<Offers.Offer> = []
    for (const offer of offers) {
      const author = yield* Effect.result(ownerOf(session, offer.author))
      if (Result.isSuccess(author) && author.success.state === "accepted") accepted.push(offer)
    }
    // A stranger may reuse the id of somebody else's offer, but never takes its place.
    const [only = first, ...others] = accepted.length > 0 ? accepted : offers
    if (others.length > 0) {
      return yield* FileRef.notFound(id, "several people sent an offer with this id: name one as @user/id")
    }
    return yield* ofOffer(session, only)
  })

  const find = Effect.fnUntraced(function* (session: Session, fileRef: string, isHere: boolean) {
    const parsed = yield* Effect.fromResult(FileRef.parse(fileRef))
    switch (parsed._tag) {
      case "Entry":
        return yield* byEntry(session, parsed, isHere)
      case "Offer":
        return yield* byOffer(session, parsed)
      case "Ticket":
        return yield* byTicket(session, parsed, isHere)
    }
  })

  return {
    /**
     * Resolves a reference; the owner's home is asked for the current manifest, unless the client is to stay offline.
     * Fails with `file_not_found`, `no_content_key`, `content_key_invalid` or `ContactUnknown`.
     */
    find: (session: Session, fileRef: string) => find(session, fileRef, isOffline),
    /** As `find`, by what is on this device alone. */
    findHere: (session: Session, fileRef: string) => find(session, fileRef, true),
    /** Remembers a source while its blob is here, so that the file can be read when its entry is gone. */
    keep: Effect.fnUntraced(function* (session: Session, { contentKey, entry, file, hash, owner, ownerKey }: Source) {
      const { folder, mediaType, name, size } = file
      const wrapped = yield* WrappedKey.wrap(contentKey, yield* bindingOf(hash, ownerKey), session.identity.key)
      const startedAt = yield* Clock.currentTimeMillis
      yield* ledger.transact(
        Effect.fnUntraced(function* (transaction) {
          const before = yield* transaction.get(key.download(hash), Rows.Download)
          if (before !== undefined && before.owner === owner.primary && before.size === size) return
          transaction.put(key.download(hash), Rows.Download, {
            owner: owner.primary,
            ...(entry === undefined ? {} : { entry }),
            name,
            ...(folder === undefined ? {} : { folder }),
            mediaType,
            size,
            key: Bytes.toBase64Url(wrapped),
            startedAt
          })
        })
      )
    })
  }
})

export class Sources extends Context.Service<Sources>()("@kez-chat/sdk/Sources", { make }) {}

export const layer = Layer.effect(Sources, make)
