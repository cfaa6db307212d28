/**
 * What a person names when a file is to be fetched: the id of an offer, `@user/entry` by the entry's id or path, or a
 * ticket. Each leads to an owner and to a content key that this account holds; a bare hash or a stolen ticket leads to none.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ContentKey } from "../../../crypto/SealedFile.ts"
import type { Readable } from "../../../crypto/SealedManifest.ts"
import * as WrappedKey from "../../../crypto/WrappedKey.ts"
import * as Blank from "../../../protocol/encoding/Blank.ts"
import * as Bytes from "../../../protocol/encoding/Bytes.ts"
import type { AdmittedKey } from "../../../protocol/identity/KeyAdmission.ts"
import * as PrimaryKey from "../../../protocol/identity/PrimaryKey.ts"
import { Problem } from "../../../protocol/Problem.ts"
import * as Ticket from "../../../protocol/files/Ticket.ts"
import type { Crypto } from "../../../services/Crypto.ts"
import { ContactBook } from "../../contacts/index.ts"
import * as Hash from "../../../protocol/encoding/Hash.ts"
import type { FetchProgress } from "../../model/index.ts"
import { ContactUnknown, type KezChatError } from "../../model/index.ts"
import { Ledger } from "../../internal/Ledger.ts"
import * as Offers from "./Offers.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"
import { Versions } from "../share/index.ts"
import { Browsing } from "./Browsing.ts"

const { key } = Rows

/** A file that this account can read, and whose device has it. */
export interface Source {
  /** 64 hexadecimal digits. */
  readonly hash: string
  readonly owner: Rows.ContactRow
  readonly ownerKey: AdmittedKey
  readonly file: FetchProgress["file"]
  readonly contentKey: ContentKey
  /** The entry by which it was found. */
  readonly entry?: string
}

export class Sources extends Context.Service<
  Sources,
  {
    /**
     * What `what` stands for; with `network`, the owner's manifest is asked for where an entry is wanted. Fails with
     * `file_not_found`, `no_content_key`, `content_key_invalid` or `ContactUnknown`.
     */
    find(session: Session, what: string, network: boolean): Effect.Effect<Source, KezChatError, Crypto>
    /** Remembers a source for as long as its blob is here, so that it can be read when its entry is gone. */
    keep(session: Session, source: Source): Effect.Effect<void, KezChatError, Crypto>
  }
>()("@kez-chat/sdk/Sources") {}

const notFound = (what: string, detail: string) =>
  new Problem({ code: "file_not_found", detail: `${what.length > 80 ? `${what.slice(0, 79)}…` : what}: ${detail}` })

/** `@user/entry`, where the user's part may name a home: `@chris@kez.lat/reports/q3.pdf`. */
const splitEntry = (what: string): { readonly who: string; readonly which: string } | undefined => {
  const slash = what.indexOf("/")
  if (!what.startsWith("@") || slash < 2 || slash === what.length - 1) return undefined
  const who = what.startsWith("@ed25519:") ? what.slice(1, slash) : what.slice(0, slash)
  return { who, which: what.slice(slash + 1) }
}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const book = yield* ContactBook
  const browsing = yield* Browsing

  const ownerOf = (session: Session, hex: string): Effect.Effect<Rows.ContactRow, KezChatError> =>
    book.find(PrimaryKey.ofHex(hex), session.account())

  const bindingOf = (hash: string, owner: AdmittedKey): Effect.Effect<WrappedKey.Binding, Problem> =>
    Effect.map(Effect.fromResult(Bytes.fromHex(hash)), (blobHash) => ({ blobHash, owner }))

  const unwrap = Effect.fnUntraced(function* (
    session: Session,
    hash: string,
    owner: AdmittedKey,
    wrapped: Uint8Array
  ): Effect.fn.Return<ContentKey, Problem, Crypto> {
    const opening = WrappedKey.unwrap(session.identity, yield* bindingOf(hash, owner), wrapped)
    return yield* opening
  })

  const ofOffer = Effect.fnUntraced(function* (
    session: Session,
    offer: Offers.Offer
  ): Effect.fn.Return<Source, KezChatError, Crypto> {
    const owner = yield* ownerOf(session, offer.author)
    const ownerKey = yield* Effect.fromResult(PrimaryKey.parseEd25519(owner.primary))
    const hash = Hash.hexOf(offer.file.blobHash)
    const wrapped = offer.author === session.identity.key.hex ? offer.selfWrappedKey : offer.wrappedKey
    return { hash, owner, ownerKey, file: offer.file, contentKey: yield* unwrap(session, hash, ownerKey, wrapped) }
  })

  const ofEntry = (owner: Rows.ContactRow, { file, id }: Readable): Effect.Effect<Source, Problem> =>
    Effect.map(Effect.fromResult(PrimaryKey.parseEd25519(owner.primary)), (ownerKey) => {
      const { blobHash, contentKey, folder, mediaType, name, size, thumbnail } = file
      const place = folder === undefined ? {} : { folder }
      const image = thumbnail === undefined ? {} : { thumbnail }
      return {
        hash: Hash.hexOf(blobHash),
        owner,
        ownerKey,
        file: { name, ...place, mediaType, size, blobHash, ...image },
        contentKey,
        entry: id
      }
    })

  const ofDownload = Effect.fnUntraced(function* (
    session: Session,
    hash: string,
    row: Rows.DownloadRow
  ): Effect.fn.Return<Source, KezChatError, Crypto> {
    const owner = yield* ownerOf(session, PrimaryKey.hexOf(row.owner))
    const ownerKey = yield* Effect.fromResult(PrimaryKey.parseEd25519(row.owner))
    const wrapped = yield* Effect.fromResult(Bytes.fromBase64Url(row.key))
    const contentKey = yield* unwrap(session, hash, ownerKey, wrapped)
    const { folder, mediaType, name, size } = row
    const place = folder === undefined ? {} : { folder }
    const file = { name, ...place, mediaType, size, blobHash: Hash.format("blake3", hash) }
    return { hash, owner, ownerKey, file, contentKey, ...(row.entry === undefined ? {} : { entry: row.entry }) }
  })

  /** An entry by id or path. Ids come first; of several files in one place the newest is meant. */
  const pick = (files: ReadonlyArray<Readable>, which: string): Readable | undefined =>
    files.find(({ id }) => id === which) ??
    files
      .filter(({ file }) => Versions.pathOf(file) === which)
      .sort((a, b) => Versions.newestFirst({ id: a.id, ...a.file }, { id: b.id, ...b.file }))[0]

  /** A share of this account, whether or not its manifest is published yet. */
  const ownShare = Effect.fnUntraced(function* (session: Session, owner: Rows.ContactRow, which: string) {
    if (owner.primary !== session.account().primary) return undefined
    const named = yield* ledger.get(key.share(which), Rows.Share)
    const rows = named === undefined ? yield* ledger.scan({ prefix: Rows.prefix.shares }) : []
    const shares = yield* Effect.forEach(rows, (entry) => Effect.fromResult(Rows.Share.decode(entry.key, entry.value)))
    const found = [...(named === undefined ? [] : [named]), ...shares.filter((row) => Versions.pathOf(row) === which)]
      .filter((row) => row.removed === undefined && row.selfKey !== undefined)
      .sort(Versions.newestFirst)[0]
    if (found?.selfKey === undefined) return undefined
    const { folder, hash, id, mediaType, name, size } = found
    const wrapped = yield* Effect.fromResult(Bytes.fromBase64Url(found.selfKey))
    const contentKey = yield* unwrap(session, hash, session.identity.key, wrapped)
    const file = {
      name,
      ...(folder === undefined ? {} : { folder }),
      mediaType,
      size,
      blobHash: Hash.format("blake3", hash)
    }
    return { hash, owner, ownerKey: session.identity.key, file, contentKey, entry: id }
  })

  const keptFiles = (session: Session, owner: Rows.ContactRow) =>
    Effect.map(browsing.kept(session, PrimaryKey.hexOf(owner.primary)), ({ files }) => files)

  /** A download that was begun by an entry that its owner may have taken back since. */
  const begun = Effect.fnUntraced(function* (session: Session, owner: Rows.ContactRow, which: string) {
    for (const entry of yield* ledger.scan({ prefix: Rows.prefix.downloads })) {
      const row = yield* Effect.fromResult(Rows.Download.decode(entry.key, entry.value))
      if (row.owner !== owner.primary || (row.entry !== which && Versions.pathOf(row) !== which)) continue
      return yield* ofDownload(session, entry.key.slice(Rows.prefix.downloads.length), row)
    }
    return undefined
  })

  const byEntry = Effect.fnUntraced(function* (
    session: Session,
    what: string,
    { which, who }: { readonly who: string; readonly which: string },
    network: boolean
  ): Effect.fn.Return<Source, KezChatError, Crypto> {
    const owner = yield* book.find(who, session.account())
    const offer = Offers.isId(which)
      ? yield* Offers.byAuthor(ledger, which, PrimaryKey.hexOf(owner.primary))
      : undefined
    if (offer !== undefined) return yield* ofOffer(session, offer)
    const own = yield* ownShare(session, owner, which)
    if (own !== undefined) return own
    const entry = network
      ? pick((yield* browsing.opened(session, owner)).files, which)
      : pick(yield* keptFiles(session, owner), which)
    if (entry !== undefined) return yield* ofEntry(owner, entry)
    const earlier = yield* begun(session, owner, which)
    if (earlier !== undefined) return earlier
    return yield* notFound(what, `${owner.handle} shares nothing of this name or id with you`)
  })

  const byTicket = Effect.fnUntraced(function* (
    session: Session,
    ticket: Ticket.Ticket,
    network: boolean
  ): Effect.fn.Return<Source, KezChatError, Crypto> {
    const { endpoint } = ticket
    const hash = Bytes.toHex(ticket.hash)
    const offer = yield* Offers.ofBlob(ledger, hash, endpoint.hex)
    if (offer !== undefined) return yield* ofOffer(session, offer)
    const row = yield* ledger.get(key.download(hash), Rows.Download)
    if (row?.owner === PrimaryKey.format(endpoint)) return yield* ofDownload(session, hash, row)
    const owner = yield* Effect.result(ownerOf(session, endpoint.hex))
    if (Result.isSuccess(owner)) {
      const listed = ({ file }: Readable) => file.blobHash === Hash.format("blake3", hash)
      let entry = (yield* keptFiles(session, owner.success)).find(listed)
      if (entry === undefined && network) entry = (yield* browsing.opened(session, owner.success)).files.find(listed)
      if (entry !== undefined) return yield* ofEntry(owner.success, entry)
    } else if (!(owner.failure instanceof ContactUnknown)) return yield* owner.failure
    const detail = "a ticket says where a file is, not how to read it: its owner has to offer it to you"
    return yield* new Problem({ code: "no_content_key", detail })
  })

  const byId = Effect.fnUntraced(function* (
    session: Session,
    id: string
  ): Effect.fn.Return<Source, KezChatError, Crypto> {
    const offers = yield* Offers.byId(ledger, id, session.identity.key.hex)
    if (offers.length === 0) return yield* notFound(id, "no offer has this id")
    const known: Array<Offers.Offer> = []
    for (const offer of offers) {
      const row = yield* Effect.result(ownerOf(session, offer.author))
      if (Result.isSuccess(row) && row.success.state === "accepted") known.push(offer)
    }
    // A stranger may send an offer under the id of somebody else's; it never takes that one's place.
    const candidates = known.length > 0 ? known : offers
    if (candidates.length > 1) {
      return yield* notFound(id, "several people sent an offer with this id: name one as @user/id")
    }
    return yield* ofOffer(session, candidates[0]!)
  })

  return Sources.of({
    find: (session, what, network) => {
      const name = what.trim()
      if (Blank.isBlank(name)) {
        return Effect.fail(
          new Problem({ code: "file_not_found", detail: "an empty name stands for no file: say which" })
        )
      }
      const entry = splitEntry(name)
      if (entry !== undefined) return byEntry(session, name, entry, network)
      if (Offers.isId(name)) return byId(session, name)
      const ticket = Ticket.decode(name)
      if (Result.isSuccess(ticket)) return byTicket(session, ticket.success, network)
      if (name.startsWith("blob")) return Effect.fail(ticket.failure)
      return Effect.fail(notFound(name, "this is neither the id of an offer, nor @user/entry, nor a ticket"))
    },
    keep: Effect.fnUntraced(function* (session, { contentKey, entry, file, hash, owner, ownerKey }) {
      const { folder, mediaType, name, size } = file
      const wrapping = WrappedKey.wrap(contentKey, yield* bindingOf(hash, ownerKey), session.identity.key)
      const wrapped = yield* wrapping
      const startedAt = yield* Clock.currentTimeMillis
      yield* ledger.transact((transaction) =>
        Effect.map(transaction.get(key.download(hash), Rows.Download), (before) => {
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
  })
})

export const layer: Layer.Layer<Sources, never, Ledger | ContactBook | Browsing> = Layer.effect(Sources, make)
