/**
 * What accounts share with this one: the manifest that a verified sigchain anchors or a later one that follows it, wherever
 * its bytes come from (spec: manifest, KEZ-MAN-010, 011, 024 and 025). The newest one seen of each account is kept: for times
 * when nobody answers, and so that nobody can show an older one.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as FastBlake3 from "../../../crypto/FastBlake3.ts"
import * as SealedManifest from "../../../crypto/SealedManifest.ts"
import * as Manifest from "../../../protocol/files/Manifest.ts"
import { admitHex } from "../../../protocol/identity/KeyAdmission.ts"
import { Problem } from "../../../protocol/Problem.ts"
import type { SharedFiles } from "../../../protocol/sigchain/Sigchain.ts"
import type { Crypto } from "../../../services/Crypto.ts"
import { ServerUnreachable } from "../../../services/Directory.ts"
import { ManifestStore } from "../../../services/ManifestStore.ts"
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
export interface Found extends Pick<Listing, "revision" | "createdAt" | "source"> {
  readonly files: ReadonlyArray<SealedManifest.Readable>
}

export class Browsing extends Context.Service<
  Browsing,
  {
    /** See `KezChat.browse`. */
    browse(session: Session, who: string): Effect.Effect<Listing, KezChatError, Crypto>
    /** The current manifest of a contact or of this account; the newest one kept here where nobody answers. */
    opened(session: Session, owner: Rows.ContactRow): Effect.Effect<Found, KezChatError, Crypto>
    /** The newest one kept here, without asking anybody; revision 0 for none. */
    kept(session: Session, hex: string): Effect.Effect<Found, KezChatError, Crypto>
  }
>()("@kez-chat/sdk/Browsing") {}

/** Answers that say nothing about the manifest: the home cannot be used at present, or does not have what it should. */
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

/** Owners whose manifests stay open in memory, the latest ones. */
const manifestsRemembered = 8

/** A manifest that was opened, by the hash of its body. */
interface Remembered extends Omit<Found, "source"> {
  readonly hash: string
  /** The key that opened it. */
  readonly reader: string
}

const toFound = ({ createdAt, files, revision }: Remembered, source: Found["source"]): Found => ({
  revision,
  ...(createdAt === undefined ? {} : { createdAt }),
  source,
  files
})

const empty: Found = { revision: 0, source: "home", files: [] }

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const book = yield* ContactBook
  const refresh = yield* ContactRefresh
  const lookup = yield* IdentityLookup
  const options = yield* ClientOptions
  const store = yield* ManifestStore

  // Opening one takes an agreement for each of its entries, and who fetches a folder needs the same one for every file.
  const remembered = new Map<string, Remembered>()

  /** What was read of the manifest that is kept of an owner, as long as it is the one of this hash. */
  const recall = ({ identity }: Session, hex: string, hash: string) => {
    const found = remembered.get(hex)
    return found?.hash === hash && found.reader === identity.key.hex ? found : undefined
  }

  const read = Effect.fnUntraced(function* (session: Session, hash: string, manifest: Manifest.Manifest) {
    const recalled = recall(session, manifest.owner.hex, hash)
    if (recalled !== undefined) return recalled
    const reader = session.identity
    const { files } = yield* SealedManifest.open(reader, manifest)
    const { createdAt, owner, revision } = manifest
    const found: Remembered = { hash, reader: reader.key.hex, revision, createdAt, files }
    remembered.delete(owner.hex)
    remembered.set(owner.hex, found)
    for (const oldest of [...remembered.keys()].slice(0, -manifestsRemembered)) remembered.delete(oldest)
    return found
  })

  const kept: Browsing["Service"]["kept"] = Effect.fnUntraced(function* (session, hex) {
    const known = yield* ledger.get(key.browsed(hex), Rows.Browsed)
    const recalled = known === undefined ? undefined : recall(session, hex, known.hash)
    if (recalled !== undefined) return toFound(recalled, "kept")
    const body = yield* ledger.getBytes(key.browsedBody(hex))
    if (known === undefined || body === undefined) return { ...empty, source: "kept" as const }
    const { manifest } = yield* Effect.fromResult(Manifest.parseBody(body))
    return toFound(yield* read(session, known.hash, manifest), "kept")
  })

  /** What the owner's chain names now; a chain that cannot be relied on names nothing. */
  const anchorOf = Effect.fnUntraced(function* (
    session: Session,
    owner: Rows.ContactRow
  ): Effect.fn.Return<SharedFiles | undefined, KezChatError, Crypto> {
    if (owner.primary === session.identity.primary) {
      return (yield* lookup.chain(owner.primary)).state.sharedFiles
    }
    const { chain, contact } = yield* refresh.chain(owner.primary)
    if (contact.warning !== undefined && contact.kept !== true) {
      return yield* new FetchBlocked({ who: contact.handle, reason: "changed", detail: contact.warning })
    }
    return chain.state.sharedFiles
  })

  /** Keeps a verified manifest, unless a newer one came in meanwhile. */
  const keep = (hex: string, { manifest, seen }: SealedManifest.Verified, body: Uint8Array) =>
    ledger.transact((transaction) =>
      Effect.gen(function* () {
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
    return toFound(yield* read(session, verified.seen.hash, verified.manifest), "home")
  })

  /** The newest manifest of an owner by the rules of the specification (manifest.md, "Anchor"). */
  const current = Effect.fnUntraced(function* (
    session: Session,
    owner: Rows.ContactRow
  ): Effect.fn.Return<Found, KezChatError, Crypto> {
    const hex = hexOf(owner.primary)
    const admitted = yield* Effect.fromResult(admitHex(hex))
    const hasher = yield* FastBlake3.load
    const known = yield* ledger.get(key.browsed(hex), Rows.Browsed)
    const stands = (anchor: SharedFiles | undefined) =>
      known !== undefined && Result.isSuccess(Manifest.checkAnchor(known, anchor))
    let anchor = yield* anchorOf(session, owner)
    const newest = yield* Effect.result(store.current(owner.primary, known?.hash))

    /** What the home calls the newest, if the anchor admits it. */
    const take = Effect.gen(function* () {
      const body = yield* Effect.fromResult(newest)
      if (body !== undefined) {
        const expected = { owner: admitted, anchor, ...(known === undefined ? {} : { known }) }
        return yield* accept(session, owner, body, SealedManifest.verify(body, expected, hasher))
      }
      if (known !== undefined) yield* Effect.fromResult(Manifest.checkAnchor(known, anchor))
      return { ...(yield* kept(session, hex)), source: "home" as const }
    })
    let taken = yield* Effect.result(take)
    if (Result.isFailure(taken) && hasCode(taken.failure, "manifest_mismatch")) {
      // An owner who anchored between our two questions is ahead of the chain that we saw.
      const again = yield* anchorOf(session, owner)
      if (again?.manifest !== anchor?.manifest) {
        anchor = again
        taken = yield* Effect.result(take)
      }
    }
    if (Result.isSuccess(taken)) return taken.success
    const { failure } = taken
    // The home has nothing newer for us than what we have, and the chain still admits that.
    if (stands(anchor)) {
      const isAnchor = known?.hash === anchor?.manifest && Result.isSuccess(newest)
      return { ...(yield* kept(session, hex)), source: isAnchor ? ("home" as const) : ("kept" as const) }
    }
    if (anchor !== undefined) {
      const body = yield* store.byHash(owner.primary, anchor.manifest)
      const expected = { owner: admitted, anchor, ...(known === undefined ? {} : { known }) }
      return yield* accept(session, owner, body, SealedManifest.verifyAnchored(body, expected, hasher))
    }
    if (known !== undefined) {
      const detail = `${owner.handle}: their sigchain names none any more, known is revision ${known.revision}`
      return yield* new Problem({ code: "manifest_rollback", detail })
    }
    return hasCode(failure, "manifest_not_found") ? empty : yield* failure
  })

  const opened: Browsing["Service"]["opened"] = Effect.fnUntraced(function* (session, owner) {
    const hex = hexOf(owner.primary)
    const isKnown = (yield* ledger.get(key.browsed(hex), Rows.Browsed)) !== undefined
    if (options.offline === true && isKnown) return yield* kept(session, hex)
    // An owner who publishes while we ask can be ahead of the chain that we saw, by more than the home keeps.
    const isGone = (error: KezChatError) => hasCode(error, "manifest_not_found")
    const found = yield* Effect.result(Effect.retry(current(session, owner), { while: isGone, times: 1 }))
    if (Result.isSuccess(found)) return found.success
    return isKnown && isOutage(found.failure) ? yield* kept(session, hex) : yield* found.failure
  })

  return Browsing.of({
    opened,
    kept,
    browse: Effect.fn("browse")(function* (session, who) {
      const mine = session.account()
      const { primary } = yield* book.find(who, mine)
      const { files, ...found } = yield* opened(session, yield* book.find(primary, mine))
      // The chain that was looked at may have told something new of them.
      const owner = yield* book.find(primary, mine)
      const listed = Versions.withReplacements(files.map(toListed)).toSorted(byPath)
      return { owner: Trust.toContact(owner), ...found, files: listed }
    })
  })
})

export const layer: Layer.Layer<
  Browsing,
  never,
  Ledger | ContactBook | ContactRefresh | IdentityLookup | ClientOptions | ManifestStore
> = Layer.effect(Browsing, make)

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
