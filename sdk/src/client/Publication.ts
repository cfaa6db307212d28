/**
 * The steps by which the own manifest comes to its readers, each kept before the next begins, so that publishing goes on
 * from wherever it was cut off.
 *
 * A body is signed under the next revision and kept, stored at the home, and only then named by the sigchain
 * (KEZ-MAN-012), so that readers always find what the chain names. The next body waits until this one is named: the home
 * keeps the last four, and one of them must be the one that readers look for.
 *
 * Another device of the account may be faster. What the chain names is then taken over: its entries stand, ours that
 * it does not know yet are added, and its revision is surpassed.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as FastBlake3 from "../crypto/FastBlake3.ts"
import * as SealedManifest from "../crypto/SealedManifest.ts"
import * as Manifest from "../protocol/Manifest.ts"
import * as Limits from "../protocol/Limits.ts"
import { Problem } from "../protocol/Problem.ts"
import type { SharedFiles } from "../protocol/Sigchain.ts"
import { BlobStore } from "../services/BlobStore.ts"
import { Crypto } from "../services/Crypto.ts"
import type { StoreError } from "../services/LocalStore.ts"
import { ManifestStore } from "../services/ManifestStore.ts"
import type { Next } from "./Accounts.ts"
import type { Events } from "./Events.ts"
import type { Chain } from "./Introductions.ts"
import type { KezChatError } from "./KezChatError.ts"
import type { Ledger, Transaction } from "./Ledger.ts"
import * as Rows from "./Rows.ts"
import type { Session } from "./Session.ts"
import { rowsOf, toShare } from "./Sharing.ts"
import * as Takeover from "./Takeover.ts"

const { key, prefix } = Rows

/** Rounds of one attempt; more than a few mean that other devices publish all the time. */
const rounds = 8

export interface Publication {
  /** Whether something is to be published, or on its way. */
  readonly isDue: Effect.Effect<boolean, StoreError>
  /** Stages that entries were changed. */
  changed(transaction: Transaction): Effect.Effect<void, StoreError>
  /** Has the next `publish` look at the chain even where nothing is due. */
  look(): void
  /** Publishes what is due, once the chain was looked at for what other devices published. */
  publish(session: Session): Effect.Effect<void, KezChatError>
}

export interface Parts {
  readonly ledger: Ledger
  readonly events: Events
  /** See `Accounts.append`; the session's account is up to date afterwards. */
  append(session: Session, next: Next): Effect.Effect<Chain, KezChatError>
}

/** Bytes of a sigchain that manifests leave free: endpoints, claims and the rotation to another key need room for ever. */
const chainReserve = 256 * 1024

const nothing: Rows.ManifestRow = { revision: 0, changes: 0, included: 0 }

const withoutBody = (row: Rows.ManifestRow): Rows.ManifestRow => {
  const { body: _, ...rest } = row
  return rest
}

const isMissing = (error: unknown) => error instanceof Problem && error.code === "manifest_not_found"

export const make = Effect.fnUntraced(function* ({ append, events, ledger }: Parts) {
  const crypto = yield* Crypto
  const store = yield* ManifestStore
  const blobs = yield* BlobStore
  /** Whether the chain was looked at. */
  let looked = false

  const read = Effect.map(ledger.get(key.manifest, Rows.Manifest), (row) => row ?? nothing)

  const change = (transaction: Transaction, how: (row: Rows.ManifestRow) => Rows.ManifestRow) =>
    Effect.map(transaction.get(key.manifest, Rows.Manifest), (row) =>
      transaction.put(key.manifest, Rows.Manifest, how(row ?? nothing))
    )

  const isUnderWay = ({ body }: Rows.ManifestRow) => body !== undefined && body.state !== "anchored"
  const isDue = (row: Rows.ManifestRow) => row.changes !== row.included || isUnderWay(row)

  const tell = (transaction: Transaction, tag: "Shared" | "Unshared", row: Rows.ShareRow) =>
    Effect.map(toShare(transaction, row), (share) => {
      transaction.afterwards(() => events.publish({ _tag: tag, share }))
    })

  const bodyOf = (hash: string, me: string): Effect.Effect<Uint8Array | undefined, StoreError> =>
    Effect.gen(function* () {
      const row = yield* read
      if (row.body?.manifest === hash) return yield* ledger.getBytes(key.manifestBody)
      const seen = yield* ledger.get(key.browsed(me), Rows.Browsed)
      return seen?.hash === hash ? yield* ledger.getBytes(key.browsedBody(me)) : undefined
    })

  const parsed = Effect.fnUntraced(function* (body: Uint8Array) {
    return (yield* Effect.fromResult(Manifest.parseBody(body))).manifest
  })

  /** Signs the entries as they are now under the next revision. From here on this revision belongs to these bytes. */
  const build = Effect.fnUntraced(function* ({ identity }: Session) {
    const { before, entries } = yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const before = (yield* transaction.get(key.manifest, Rows.Manifest)) ?? nothing
        return { before, entries: yield* transaction.scan({ prefix: prefix.entries }) }
      })
    )
    const revision = before.revision + 1
    const manifest = {
      revision,
      createdAt: yield* Clock.currentTimeMillis,
      entries: yield* Effect.forEach(entries, ({ value }) =>
        Effect.fromResult(Manifest.decodeEntry(value, identity.key))
      )
    }
    const signing = SealedManifest.sign(identity, manifest, yield* FastBlake3.load)
    const { anchor, body } = yield* Effect.provideService(signing, Crypto, crypto)
    yield* ledger.transact((transaction) => {
      transaction.putBytes(key.manifestBody, body)
      return change(transaction, (row) => ({
        ...row,
        revision,
        included: before.changes,
        body: { ...anchor, state: "signed" }
      }))
    })
  })

  /** Stores the signed body at the home. Where that has a later one, ours is given up for one of a higher revision. */
  const put = Effect.fnUntraced(function* ({ identity }: Session, { manifest }: SharedFiles) {
    const body = yield* ledger.getBytes(key.manifestBody)
    const stored = body === undefined ? Result.void : yield* Effect.result(store.put(identity.primary, body))
    if (body !== undefined && Result.isSuccess(stored)) {
      yield* ledger.transact((transaction) =>
        change(transaction, (row) =>
          row.body?.manifest === manifest ? { ...row, body: { ...row.body, state: "stored" } } : row
        )
      )
      return
    }
    if (Result.isFailure(stored)) {
      const { failure } = stored
      if (!(failure instanceof Problem) || failure.code !== "manifest_conflict") return yield* failure
    }
    const there = yield* store.current(identity.primary)
    const verifying = SealedManifest.verifySignature(there, identity.key)
    const { revision } = yield* Effect.provideService(verifying, Crypto, crypto)
    yield* ledger.transact((transaction) =>
      change(transaction, (row) => ({
        ...withoutBody(row),
        revision: Math.max(row.revision, revision),
        changes: row.changes + 1
      }))
    )
    looked = false
  })

  /** The chain names our body: what was shared is published, and what was taken back is promised no more. */
  const anchored = Effect.fnUntraced(function* ({ identity }: Session, anchor: SharedFiles) {
    const body = yield* ledger.getBytes(key.manifestBody)
    if (body === undefined) return
    const { createdAt, entries, revision } = yield* parsed(body)
    const listed = new Set(entries.map(({ id }) => id))
    yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        for (const row of yield* rowsOf(transaction)) {
          if (row.removed === true && !listed.has(row.id)) {
            transaction.delete(key.share(row.id))
            const share = yield* toShare(transaction, row)
            transaction.afterwards(() => events.publish({ _tag: "Unshared", share: { ...share, manifest: "none" } }))
          } else if (row.removed === undefined && !row.anchored && listed.has(row.id)) {
            const published: Rows.ShareRow = { ...row, anchored: true }
            transaction.put(key.share(row.id), Rows.Share, published)
            yield* tell(transaction, "Shared", published)
          }
        }
        const { hex } = identity.key
        transaction.put(key.browsed(hex), Rows.Browsed, { revision, hash: anchor.manifest, createdAt })
        transaction.putBytes(key.browsedBody(hex), body)
        yield* change(transaction, (row) => ({ ...row, base: anchor.manifest, body: { ...anchor, state: "anchored" } }))
      })
    )
  })

  /** Nobody has the manifest any more that the chain names. One that is due begins anew, above every honest revision. */
  const beginAnew = (anchor: SharedFiles) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      ledger.transact((transaction) =>
        change(transaction, (row) => ({
          ...withoutBody(row),
          revision: Math.max(row.revision, Math.floor(now / 1_000)),
          changes: row.changes + 1,
          base: anchor.manifest
        }))
      )
    )

  /** Another device published since ours; see `Takeover`. */
  const takeOver = Effect.fnUntraced(function* ({ identity }: Session, anchor: SharedFiles) {
    const { hex } = identity.key
    const kept = yield* bodyOf(anchor.manifest, hex)
    const found = yield* Effect.result(
      kept === undefined ? store.byHash(identity.primary, anchor.manifest) : Effect.succeed(kept)
    )
    if (Result.isFailure(found)) {
      if (!isMissing(found.failure) || !isDue(yield* read)) return yield* found.failure
      return yield* beginAnew(anchor)
    }
    const body = found.success
    const expected = { owner: identity.key, anchor }
    const { manifest, opened } = yield* Effect.gen(function* () {
      const { manifest } = yield* SealedManifest.verify(body, expected, yield* FastBlake3.load)
      return { manifest, opened: yield* SealedManifest.open(identity, manifest) }
    }).pipe(Effect.provideService(Crypto, crypto))
    const files = new Map(opened.files.map((file) => [file.id, file]))
    const gone = yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const { differs, gone } = yield* Takeover.join(transaction, manifest, files, events.publish)
        const { createdAt, revision } = manifest
        transaction.put(key.browsed(hex), Rows.Browsed, { revision, hash: anchor.manifest, createdAt })
        transaction.putBytes(key.browsedBody(hex), body)
        transaction.putBytes(key.manifestBody, body)
        yield* change(transaction, (row) => ({
          revision: Math.max(row.revision, revision),
          changes: row.changes + (differs ? 1 : 0),
          included: differs ? row.included : row.changes,
          base: anchor.manifest,
          body: { ...anchor, state: "anchored" }
        }))
        return gone
      })
    )
    // Cut off here, they are found without a share at the next start.
    for (const row of gone) if (row.here) yield* Effect.ignore(blobs.remove(row.hash))
  })

  /** The chain as it is now, with our stored body named by it if nobody came in between. */
  const name = (session: Session) =>
    append(session, (chain) =>
      Effect.gen(function* () {
        const { base, body } = yield* read
        const named = chain.state.sharedFiles?.manifest
        if (body?.state !== "stored" || named === body.manifest || named !== base) return undefined
        if (chain.state.bytes > Limits.chainBytes - chainReserve) {
          return yield* new Problem({
            code: "chain_full",
            detail: "the rest of the sigchain is kept for what an account cannot do without: lists stay as published"
          })
        }
        return { op: "set_shared_files" as const, payload: { manifest: body.manifest, size: body.size } }
      })
    )

  const publish = Effect.fnUntraced(function* (session: Session) {
    for (let round = 1; round <= rounds; round++) {
      if (looked) {
        let row = yield* read
        if (!isDue(row)) return
        if (!isUnderWay(row)) {
          yield* build(session)
          row = yield* read
        }
        if (row.body?.state === "signed") {
          yield* put(session, row.body)
          if (!looked) continue
        }
      }
      const { state } = yield* name(session)
      const named = state.sharedFiles
      const { base, body } = yield* read
      if (named !== undefined && named.manifest === body?.manifest) {
        if (body.state !== "anchored") yield* anchored(session, named)
      } else if (named !== undefined && named.manifest !== base) yield* takeOver(session, named)
      looked = true
    }
    return yield* new Problem({
      code: "manifest_conflict",
      detail: "another device of this account keeps publishing: it is tried again later"
    })
  })

  const publication: Publication = {
    isDue: Effect.map(read, isDue),
    changed: (transaction) => change(transaction, (row) => ({ ...row, changes: row.changes + 1 })),
    look: () => {
      looked = false
    },
    publish
  }
  return publication
})
