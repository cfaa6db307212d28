/**
 * What accounts share with this one: the manifest that a verified sigchain anchors or a later one that follows it,
 * whoever serves its bytes (spec: manifest, KEZ-MAN-010, 011, 024 and 025). The newest one seen of each account is
 * kept, for outages and so that no server can show an older one.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { FastBlake3, SealedManifest } from "../../../crypto/index.ts"
import * as Manifest from "../../../protocol/files/Manifest.ts"
import { admitHex } from "../../../protocol/identity/KeyAdmission.ts"
import { Problem } from "../../../protocol/Problem.ts"
import type { SharedFiles } from "../../../protocol/sigchain/Sigchain.ts"
import { type Crypto, ManifestStore, ServerUnreachable } from "../../../services/index.ts"
import { ContactBook, ContactRefresh, IdentityLookup, Trust } from "../../contacts/index.ts"
import { hexOf } from "../../../protocol/identity/PrimaryKey.ts"
import type { ListedFile, Listing } from "../../model/index.ts"
import { FetchBlocked, type KezChatError } from "../../model/index.ts"
import { ClientOptions } from "../../internal/ClientOptions.ts"
import type { Session } from "../../internal/Session.ts"
import { Ledger } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"
import { Versions } from "../share/index.ts"

const { key } = Rows

/** A manifest as far as this account can read it, content keys included. */
export interface OpenedManifest extends Pick<Listing, "revision" | "createdAt" | "source"> {
  readonly files: ReadonlyArray<SealedManifest.Readable>
}

/** Problems that say nothing about the manifest: the home is unusable for now, or lacks what it should have. */
const outages = new Set<Problem["code"]>([
  "unavailable",
  "internal",
  "rate_limited",
  "request_timeout",
  "manifest_not_found"
])

const hasCode = (error: KezChatError, code: Problem["code"]): boolean => error instanceof Problem && error.code === code

const isOutage = (error: KezChatError): boolean =>
  error instanceof ServerUnreachable || (error instanceof Problem && outages.has(error.code))

/** The number of opened manifests that stay in memory, the latest of each owner. */
const manifestsCached = 8

/** An opened manifest, by the hash of its body. */
interface Cached extends Omit<OpenedManifest, "source"> {
  readonly hash: string
  /** The key that opened it. */
  readonly reader: string
}

const toOpened = ({ createdAt, files, revision }: Cached, source: OpenedManifest["source"]): OpenedManifest => ({
  revision,
  ...(createdAt === undefined ? {} : { createdAt }),
  source,
  files
})

const empty: OpenedManifest = { revision: 0, source: "home", files: [] }

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const book = yield* ContactBook
  const refresh = yield* ContactRefresh
  const lookup = yield* IdentityLookup
  const options = yield* ClientOptions
  const store = yield* ManifestStore

  // Opening a manifest takes a key agreement per entry, and fetching a folder needs the same manifest for every file.
  const cache = new Map<string, Cached>()

  const cached = ({ identity }: Session, hex: string, hash: string) => {
    const manifest = cache.get(hex)
    return manifest?.hash === hash && manifest.reader === identity.key.hex ? manifest : undefined
  }

  const open = Effect.fnUntraced(function* (session: Session, hash: string, manifest: Manifest.Manifest) {
    const known = cached(session, manifest.owner.hex, hash)
    if (known !== undefined) return known
    const reader = session.identity
    const { files } = yield* SealedManifest.open(reader, manifest)
    const { createdAt, owner, revision } = manifest
    const opened: Cached = { hash, reader: reader.key.hex, revision, createdAt, files }
    cache.delete(owner.hex)
    cache.set(owner.hex, opened)
    for (const oldest of [...cache.keys()].slice(0, -manifestsCached)) cache.delete(oldest)
    return opened
  })

  const kept = Effect.fnUntraced(function* (session: Session, hex: string) {
    const known = yield* ledger.get(key.browsed(hex), Rows.Browsed)
    const opened = known === undefined ? undefined : cached(session, hex, known.hash)
    if (opened !== undefined) return toOpened(opened, "kept")
    const body = yield* ledger.getBytes(key.browsedBody(hex))
    if (known === undefined || body === undefined) return { ...empty, source: "kept" as const }
    const { manifest } = yield* Effect.fromResult(Manifest.parseBody(body))
    return toOpened(yield* open(session, known.hash, manifest), "kept")
  })

  /** The manifest that the owner's chain names now. Fails if the chain is not to be trusted. */
  const anchorOf = Effect.fnUntraced(function* (session: Session, owner: Rows.ContactRow) {
    if (owner.primary === session.identity.primary) {
      return (yield* lookup.chain(owner.primary)).state.sharedFiles
    }
    const { chain, contact } = yield* refresh.chain(owner.primary)
    if (contact.warning !== undefined && contact.kept !== true) {
      return yield* new FetchBlocked({ who: contact.handle, reason: "changed", detail: contact.warning })
    }
    return chain.state.sharedFiles
  })

  /** Keeps a verified manifest, unless a newer one was kept meanwhile. */
  const keep = (hex: string, { manifest, seen }: SealedManifest.Verified, body: Uint8Array) =>
    ledger.transact(
      Effect.fnUntraced(function* (transaction) {
        const known = yield* transaction.get(key.browsed(hex), Rows.Browsed)
        yield* Effect.fromResult(Manifest.checkRevision(known, seen))
        if (known?.hash === seen.hash) return
        transaction.put(key.browsed(hex), Rows.Browsed, { ...seen, createdAt: manifest.createdAt })
        transaction.putBytes(key.browsedBody(hex), body)
      })
    )

  const accept = Effect.fnUntraced(function* (
    session: Session,
    owner: Rows.ContactRow,
    body: Uint8Array,
    verifying: Effect.Effect<SealedManifest.Verified, Problem, Crypto>
  ) {
    const verified = yield* verifying
    yield* keep(hexOf(owner.primary), verified, body)
    return toOpened(yield* open(session, verified.seen.hash, verified.manifest), "home")
  })

  /** The newest manifest of an owner by the rules of the specification (manifest.md, "Anchor"). */
  const ask = Effect.fnUntraced(function* (session: Session, owner: Rows.ContactRow) {
    // Lists of other homes are not read, whatever else is wrong with the contact.
    if (owner.home !== undefined) return yield* Trust.atOtherHome(owner)
    const hex = hexOf(owner.primary)
    const admitted = yield* Effect.fromResult(admitHex(hex))
    const hasher = yield* FastBlake3.load
    const known = yield* ledger.get(key.browsed(hex), Rows.Browsed)
    const isAdmitted = (anchor: SharedFiles | undefined) =>
      known !== undefined && Result.isSuccess(Manifest.checkAnchor(known, anchor))
    let anchor = yield* anchorOf(session, owner)
    const newest = yield* Effect.result(store.current(owner.primary, known?.hash))

    /** The manifest that the home calls the newest, if the anchor admits it. */
    const taking = Effect.gen(function* () {
      const body = yield* Effect.fromResult(newest)
      if (body !== undefined) {
        const expected = { owner: admitted, anchor, ...(known === undefined ? {} : { known }) }
        return yield* accept(session, owner, body, SealedManifest.verify(body, expected, hasher))
      }
      if (known !== undefined) yield* Effect.fromResult(Manifest.checkAnchor(known, anchor))
      return { ...(yield* kept(session, hex)), source: "home" as const }
    })
    let taken = yield* Effect.result(taking)
    if (Result.isFailure(taken) && hasCode(taken.failure, "manifest_mismatch")) {
      // The owner may have anchored between our two requests, and be ahead of the chain that we saw.
      const again = yield* anchorOf(session, owner)
      if (again?.manifest !== anchor?.manifest) {
        anchor = again
        taken = yield* Effect.result(taking)
      }
    }
    if (Result.isSuccess(taken)) return taken.success
    const { failure } = taken
    // The home has nothing newer for us than what is kept here, and the chain still admits that.
    if (isAdmitted(anchor)) {
      const isAnchor = known?.hash === anchor?.manifest && Result.isSuccess(newest)
      return { ...(yield* kept(session, hex)), source: isAnchor ? ("home" as const) : ("kept" as const) }
    }
    if (anchor !== undefined) {
      const body = yield* store.byHash(owner.primary, anchor.manifest)
      const expected = { owner: admitted, anchor, ...(known === undefined ? {} : { known }) }
      return yield* accept(session, owner, body, SealedManifest.verifyAnchored(body, expected, hasher))
    }
    if (known !== undefined) {
      const detail = `${owner.handle}: their sigchain names no list any more, although revision ${known.revision} is known`
      return yield* new Problem({ code: "manifest_rollback", detail })
    }
    return hasCode(failure, "manifest_not_found") ? empty : yield* failure
  })

  const current = Effect.fnUntraced(function* (session: Session, owner: Rows.ContactRow) {
    const hex = hexOf(owner.primary)
    const isKnown = (yield* ledger.get(key.browsed(hex), Rows.Browsed)) !== undefined
    if (options.offline === true && isKnown) return yield* kept(session, hex)
    // The owner may publish while we ask, and be ahead of the chain that we saw by more manifests than the home keeps.
    const isGone = (error: KezChatError) => hasCode(error, "manifest_not_found")
    const answer = yield* Effect.result(Effect.retry(ask(session, owner), { while: isGone, times: 1 }))
    if (Result.isSuccess(answer)) return answer.success
    return isKnown && isOutage(answer.failure) ? yield* kept(session, hex) : yield* answer.failure
  })

  return {
    /** The current manifest of a contact or of this account; during an outage, the newest one kept here. */
    current,
    /** The newest one kept here, without asking a server; revision 0 if there is none. */
    kept,
    /** See `KezChat.browse`. */
    browse: Effect.fn("browse")(function* (session: Session, who: string) {
      const mine = session.account()
      const { primary } = yield* book.find(who, mine)
      const { files, ...manifest } = yield* current(session, yield* book.find(primary, mine))
      // Reading their chain may have changed the contact.
      const owner = yield* book.find(primary, mine)
      const listed = Versions.withReplacements(files.map(toListed)).toSorted(byPath)
      return { owner: Trust.toContact(owner), ...manifest, files: listed }
    })
  }
})

export class Browsing extends Context.Service<Browsing>()("@kez-chat/sdk/Browsing", { make }) {}

export const layer = Layer.effect(Browsing, make)

const byPath = (a: ListedFile, b: ListedFile): number => {
  const [first, second] = [Versions.pathOf(a), Versions.pathOf(b)]
  return first === second ? Versions.newestFirst(a, b) : first < second ? -1 : 1
}

const toListed = ({ file, id, isPublic }: SealedManifest.Readable): ListedFile => ({
  id,
  name: file.name,
  ...(file.folder === undefined ? {} : { folder: file.folder }),
  mediaType: file.mediaType,
  size: file.size,
  blobHash: file.blobHash,
  ...(file.thumbnail === undefined ? {} : { thumbnail: file.thumbnail }),
  sharedAt: file.sharedAt,
  public: isPublic
})
