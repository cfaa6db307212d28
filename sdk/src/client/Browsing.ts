/**
 * What accounts share with this one: the manifest that a verified sigchain names, wherever its bytes come from
 * (spec: manifest, KEZ-MAN-010 and 011). The newest one seen of each account is kept, for times when nobody answers.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as FastBlake3 from "../crypto/FastBlake3.ts"
import type { Identity } from "../crypto/Identity.ts"
import * as SealedManifest from "../crypto/SealedManifest.ts"
import * as Manifest from "../protocol/Manifest.ts"
import { admitHex } from "../protocol/KeyAdmission.ts"
import { Problem } from "../protocol/Problem.ts"
import type { SharedFiles } from "../protocol/Sigchain.ts"
import { Crypto } from "../services/Crypto.ts"
import { ServerUnreachable } from "../services/Directory.ts"
import { ManifestStore } from "../services/ManifestStore.ts"
import type { Checks } from "./Checks.ts"
import type { ContactBook } from "./ContactBook.ts"
import { hexOf } from "./Conversations.ts"
import type { Introductions } from "./Introductions.ts"
import type { KezChat, ListedFile, Listing } from "./KezChat.ts"
import { FetchBlocked, type KezChatError } from "./KezChatError.ts"
import type { Ledger } from "./Ledger.ts"
import * as Rows from "./Rows.ts"
import * as Trust from "./Trust.ts"
import * as Versions from "./Versions.ts"

const { key } = Rows

/** A manifest as far as this account can read it, content keys included. */
export interface Found extends Pick<Listing, "revision" | "createdAt" | "source"> {
  readonly files: ReadonlyArray<SealedManifest.Readable>
}

export interface Browsing extends Pick<KezChat["Service"], "browse"> {
  /** The current manifest of a contact or of this account; the newest one kept here where nobody answers. */
  opened(owner: Rows.ContactRow): Effect.Effect<Found, KezChatError>
  /** The newest one kept here, without asking anybody; revision 0 for none. */
  kept(hex: string): Effect.Effect<Found, KezChatError>
}

export interface Parts {
  readonly ledger: Ledger
  readonly book: ContactBook
  readonly checks: Checks
  readonly introductions: Introductions
  readonly account: Effect.Effect<Rows.AccountRow, KezChatError>
  readonly identity: Effect.Effect<Identity, KezChatError>
  /** No network is to be used where it can be done without. */
  readonly isOffline: boolean
}

/** Answers that say nothing about the manifest: the home cannot be used at present, or does not have what it should. */
const outages = new Set<Problem["code"]>([
  "unavailable",
  "internal",
  "rate_limited",
  "request_timeout",
  "manifest_not_found"
])

const isOutage = (error: KezChatError): boolean =>
  error instanceof ServerUnreachable || (error instanceof Problem && outages.has(error.code))

/** Owners whose manifests stay open in memory, the latest ones. */
const manifestsRemembered = 8

/** A manifest that was opened, by the hash of its body. */
interface Remembered extends Omit<Found, "source"> {
  readonly hash: string
  /** Bytes of the body. */
  readonly size: number
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

export const make = Effect.fnUntraced(function* (parts: Parts) {
  const { account, book, checks, identity, introductions, isOffline, ledger } = parts
  const crypto = yield* Crypto
  const store = yield* ManifestStore

  // Opening one takes an agreement for each of its entries, and who fetches a folder needs the same one for every file.
  const remembered = new Map<string, Remembered>()

  /** What was read of the manifest that is kept of an owner, as long as it is the one of this hash. */
  const recall = Effect.fnUntraced(function* (hex: string, hash: string) {
    const found = remembered.get(hex)
    if (found?.hash !== hash || found.reader !== (yield* identity).key.hex) return undefined
    return found
  })

  const read = Effect.fnUntraced(function* (hash: string, size: number, manifest: Manifest.Manifest) {
    const reader = yield* identity
    const { files } = yield* Effect.provideService(SealedManifest.open(reader, manifest), Crypto, crypto)
    const { createdAt, owner, revision } = manifest
    const found: Remembered = { hash, size, reader: reader.key.hex, revision, createdAt, files }
    remembered.delete(owner.hex)
    remembered.set(owner.hex, found)
    for (const oldest of [...remembered.keys()].slice(0, -manifestsRemembered)) remembered.delete(oldest)
    return found
  })

  const kept: Browsing["kept"] = Effect.fnUntraced(function* (hex) {
    const known = yield* ledger.get(key.browsed(hex), Rows.Browsed)
    const recalled = known === undefined ? undefined : yield* recall(hex, known.hash)
    if (recalled !== undefined) return toFound(recalled, "kept")
    const body = yield* ledger.getBytes(key.browsedBody(hex))
    if (known === undefined || body === undefined) return { ...empty, source: "kept" as const }
    const { manifest } = yield* Effect.fromResult(Manifest.parseBody(body))
    return toFound(yield* read(known.hash, body.length, manifest), "kept")
  })

  /** What the owner's chain names now; a chain that cannot be relied on names nothing. */
  const anchorOf = Effect.fnUntraced(function* (
    owner: Rows.ContactRow
  ): Effect.fn.Return<SharedFiles | undefined, KezChatError> {
    if (owner.primary === (yield* account).primary) {
      return (yield* introductions.chain(owner.primary)).state.sharedFiles
    }
    const { chain, contact } = yield* checks.chain(owner.primary)
    if (contact.warning !== undefined) {
      return yield* new FetchBlocked({ who: contact.handle, reason: "changed", detail: contact.warning })
    }
    return chain.state.sharedFiles
  })

  const bodyOf = Effect.fnUntraced(function* (owner: Rows.ContactRow, hash: string) {
    const hex = hexOf(owner.primary)
    const known = yield* ledger.get(key.browsed(hex), Rows.Browsed)
    const body = known?.hash === hash ? yield* ledger.getBytes(key.browsedBody(hex)) : undefined
    return body ?? (yield* store.byHash(owner.primary, hash))
  })

  /** Verifies a body and keeps it, unless a newer one came in meanwhile. */
  const accept = Effect.fnUntraced(function* (owner: Rows.ContactRow, anchor: SharedFiles, body: Uint8Array) {
    const hex = hexOf(owner.primary)
    const verifying = SealedManifest.verify(
      body,
      { owner: yield* Effect.fromResult(admitHex(hex)), anchor },
      yield* FastBlake3.load
    )
    const { manifest, seen } = yield* Effect.provideService(verifying, Crypto, crypto)
    yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const known = yield* transaction.get(key.browsed(hex), Rows.Browsed)
        yield* Effect.fromResult(Manifest.checkRevision(known, seen))
        if (known?.hash === seen.hash) return
        transaction.put(key.browsed(hex), Rows.Browsed, { ...seen, createdAt: manifest.createdAt })
        transaction.putBytes(key.browsedBody(hex), body)
      })
    )
    return manifest
  })

  const current = Effect.fnUntraced(function* (owner: Rows.ContactRow): Effect.fn.Return<Found, KezChatError> {
    const hex = hexOf(owner.primary)
    const anchor = yield* anchorOf(owner)
    const known = yield* ledger.get(key.browsed(hex), Rows.Browsed)
    if (anchor === undefined) {
      if (known === undefined) return empty
      const detail = `${owner.handle}: their sigchain names none any more, known is revision ${known.revision}`
      return yield* new Problem({ code: "manifest_rollback", detail })
    }
    // What is kept under this hash was verified when it came.
    const recalled = known?.hash === anchor.manifest ? yield* recall(hex, known.hash) : undefined
    if (recalled?.size === anchor.size) return toFound(recalled, "home")
    const manifest = yield* accept(owner, anchor, yield* bodyOf(owner, anchor.manifest))
    return toFound(yield* read(anchor.manifest, anchor.size, manifest), "home")
  })

  const opened: Browsing["opened"] = Effect.fnUntraced(function* (owner) {
    const hex = hexOf(owner.primary)
    const isKnown = (yield* ledger.get(key.browsed(hex), Rows.Browsed)) !== undefined
    if (isOffline && isKnown) return yield* kept(hex)
    // An owner who publishes while we ask can be ahead of the chain that we saw, by more than the home keeps.
    const isGone = (error: KezChatError) => error instanceof Problem && error.code === "manifest_not_found"
    const found = yield* Effect.result(Effect.retry(current(owner), { while: isGone, times: 1 }))
    if (Result.isSuccess(found)) return found.success
    return isKnown && isOutage(found.failure) ? yield* kept(hex) : yield* found.failure
  })

  const browsing: Browsing = {
    opened,
    kept,
    browse: Effect.fnUntraced(function* (who): Effect.fn.Return<Listing, KezChatError> {
      const mine = yield* account
      const { primary } = yield* book.find(who, mine)
      const { files, ...found } = yield* opened(yield* book.find(primary, mine))
      // The chain that was looked at may have told something new of them.
      const owner = yield* book.find(primary, mine)
      const listed = Versions.withReplacements(files.map(toListed)).toSorted(byPath)
      return { owner: Trust.toContact(owner), ...found, files: listed }
    })
  }
  return browsing
})

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
