/**
 * The steps by which the own manifest comes to its readers, each kept before the next begins, so that publishing goes on
 * from wherever it was cut off.
 *
 * A body is signed under the next revision, naming the chain's anchor, and kept; stored at the home, which publishes it
 * (KEZ-MAN-012); and now and then named by the sigchain as the next anchor, as `Anchoring` says.
 *
 * Another device of the account may be faster. The home takes no revision twice, so what it has then is taken over first: its
 * entries stand, ours that it does not know yet are added, and its revision is surpassed. A device that stores looks at the
 * chain afterwards, and one that anchors looks at the home afterwards: of two that do it at once, one sees the other.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as FastBlake3 from "../../../crypto/FastBlake3.ts"
import * as SealedManifest from "../../../crypto/SealedManifest.ts"
import * as Manifest from "../../../protocol/files/Manifest.ts"
import { type Code, Problem } from "../../../protocol/Problem.ts"
import type { SharedFiles } from "../../../protocol/sigchain/Sigchain.ts"
import { BlobStore } from "../../../services/BlobStore.ts"
import type { Crypto } from "../../../services/Crypto.ts"
import type { StoreError } from "../../../services/LocalStore.ts"
import { ManifestStore } from "../../../services/ManifestStore.ts"
import * as Anchoring from "./Anchoring.ts"
import { Events } from "../../internal/Events.ts"
import { type Chain, OwnSigchain } from "../../internal/OwnSigchain.ts"
import type { KezChatError } from "../../model/index.ts"
import { Ledger, type Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"
import { rowsOf, toShare } from "./ShareRows.ts"
import * as ManifestMerge from "./ManifestMerge.ts"

const { key, prefix } = Rows

/** Rounds of one attempt; more than a few mean that other devices publish all the time. */
const rounds = 8

export class Publication extends Context.Service<
  Publication,
  {
    /** Whether something is to be published, or on its way. */
    readonly isDue: Effect.Effect<boolean, StoreError>
    /** Stages that entries were changed; `withdraws`: something published was taken back, so an anchor should follow. */
    changed(transaction: Transaction, options?: { readonly withdraws: boolean }): Effect.Effect<void, StoreError>
    /** Has the next `publish` look at chain and home even where nothing is due. */
    look(): void
    /**
     * Publishes what is due, once chain and home were looked at for what other devices published, and anchors it. Answers
     * whether the home was given a manifest.
     */
    publish(session: Session): Effect.Effect<boolean, KezChatError, Crypto>
  }
>()("@kez-chat/sdk/Publication") {}

/** Problems that no waiting solves. */
const permanent: ReadonlySet<Code> = new Set([
  "too_large",
  "chain_full",
  "chain_terminated",
  "manifest_not_found",
  "handle_deleted",
  "handle_not_found",
  "unauthorized"
])

const chainFull = new Problem({
  code: "chain_full",
  detail:
    "your sigchain names no further list of what you share: the newest is published, and older ones can still be shown to " +
    "who has not seen it"
})

/** For how long a list that the home does not show is waited for, in milliseconds (spec KEZ-MAN-034). */
const withheldMillis = 7 * 24 * 60 * 60 * 1_000

const withheld = (untilMillis: number) =>
  new Problem({
    code: "manifest_not_found",
    detail:
      "the home server does not show the list that your sigchain names, which another device of this account published: " +
      "changes wait until it does, or until that device is online; after " +
      `${new Date(untilMillis).toISOString().slice(0, 16)}Z a new list begins without what that device shares`
  })

const nothing: Rows.ManifestRow = { revision: 0, changes: 0, included: 0 }

const without = <K extends keyof Rows.ManifestRow>(row: Rows.ManifestRow, name: K): Omit<Rows.ManifestRow, K> => {
  const { [name]: _, ...rest } = row
  return rest
}

const isMissing = (error: unknown) => error instanceof Problem && error.code === "manifest_not_found"

/** A manifest of this account with its bytes. */
interface Found {
  readonly body: Uint8Array
  readonly manifest: Manifest.Manifest
  readonly hash: string
}

const anchoredOf = ({ anchored }: Pick<Manifest.Manifest, "anchored">) => (anchored === undefined ? {} : { anchored })

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const ownSigchain = yield* OwnSigchain
  const store = yield* ManifestStore
  const blobs = yield* BlobStore
  /** Whether chain and home were looked at, and whether nothing is left of the last attempt. */
  let looked = false
  let finished = false

  const read = Effect.map(ledger.get(key.manifest, Rows.Manifest), (row) => row ?? nothing)

  const change = (transaction: Transaction, how: (row: Rows.ManifestRow) => Rows.ManifestRow) =>
    Effect.map(transaction.get(key.manifest, Rows.Manifest), (row) =>
      transaction.put(key.manifest, Rows.Manifest, how(row ?? nothing))
    )

  const isDue = (row: Rows.ManifestRow) => row.changes !== row.included || row.body?.state === "signed"
  const baseRevision = (row: Rows.ManifestRow) => row.baseRevision ?? row.revision

  const keep = (transaction: Transaction, me: string, { body, hash, manifest }: Found) => {
    const { createdAt, revision } = manifest
    transaction.put(key.browsed(me), Rows.Browsed, { revision, hash, ...anchoredOf(manifest), createdAt })
    transaction.putBytes(key.browsedBody(me), body)
  }

  /** Signs the entries as they are now under the next revision. From here on this revision belongs to these bytes. */
  const build = Effect.fnUntraced(function* ({ identity }: Session) {
    const { before, entries } = yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const before = (yield* transaction.get(key.manifest, Rows.Manifest)) ?? nothing
        return { before, entries: yield* transaction.scan({ prefix: prefix.entries }) }
      })
    )
    const revision = before.revision + 1
    const follows = before.anchor === undefined ? {} : { anchored: before.anchor }
    const manifest = {
      revision,
      ...follows,
      createdAt: yield* Clock.currentTimeMillis,
      entries: yield* Effect.forEach(entries, ({ value }) =>
        Effect.fromResult(Manifest.decodeEntry(value, identity.key))
      )
    }
    const signing = SealedManifest.sign(identity, manifest, yield* FastBlake3.load)
    const { anchor, body } = yield* signing.pipe(
      Effect.mapError((problem) =>
        problem.code === "too_large"
          ? new Problem({ code: "too_large", detail: `${problem.detail}: take back what nobody needs any more` })
          : problem
      )
    )
    yield* ledger.transact((transaction) => {
      transaction.putBytes(key.manifestBody, body)
      return change(transaction, (row) => ({
        ...row,
        revision,
        included: before.changes,
        body: { ...anchor, ...follows, state: "signed" }
      }))
    })
  })

  /** Readers find our body: what was shared is published, and what was taken back is promised no more. */
  const published = Effect.fnUntraced(function* ({ identity }: Session, hash: string, body: Uint8Array) {
    const { manifest } = yield* Effect.fromResult(Manifest.parseBody(body))
    const listed = new Set(manifest.entries.map(({ id }) => id))
    yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        for (const row of yield* rowsOf(transaction)) {
          if (row.removed === true && !listed.has(row.id)) {
            transaction.delete(key.share(row.id))
            const share = yield* toShare(transaction, row)
            transaction.onCommit(() => events.publish({ _tag: "Unshared", share: { ...share, manifest: "none" } }))
          } else if (row.removed === undefined && !row.anchored && listed.has(row.id)) {
            const now: Rows.ShareRow = { ...row, anchored: true }
            transaction.put(key.share(row.id), Rows.Share, now)
            const share = yield* toShare(transaction, now)
            transaction.onCommit(() => events.publish({ _tag: "Shared", share }))
          }
        }
        keep(transaction, identity.key.hex, { body, manifest, hash })
        yield* change(transaction, (row) =>
          row.body?.manifest === hash
            ? { ...row, base: hash, baseRevision: manifest.revision, body: { ...row.body, state: "stored" } }
            : row
        )
      })
    )
  })

  /** Stores the signed body at the home. Where that has a later one, ours is given up for one of a higher revision. */
  const put = Effect.fnUntraced(function* (session: Session, hash: string) {
    const body = yield* ledger.getBytes(key.manifestBody)
    const stored = body === undefined ? Result.void : yield* Effect.result(store.put(session.identity.primary, body))
    if (body !== undefined && Result.isSuccess(stored)) return yield* published(session, hash, body)
    if (Result.isFailure(stored)) {
      const { failure } = stored
      if (!(failure instanceof Problem) || failure.code !== "manifest_conflict") return yield* failure
    }
    yield* ledger.transact((transaction) =>
      change(transaction, (row) => ({ ...without(row, "body"), changes: row.changes + 1 }))
    )
    looked = false
  })

  /**
   * The home does not show the manifest that the chain names. A list without what it held would end the other device's
   * shares, so it is waited for; only when it is gone for long does one that is due begin anew, above every honest revision.
   */
  const awaitAnchor = Effect.fnUntraced(function* (anchor: SharedFiles) {
    const now = yield* Clock.currentTimeMillis
    const until = yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const row = (yield* transaction.get(key.manifest, Rows.Manifest)) ?? nothing
        const since = row.withheld?.manifest === anchor.manifest ? row.withheld.since : now
        if (now < since + withheldMillis || !isDue(row)) {
          yield* change(transaction, (row) => ({ ...row, withheld: { manifest: anchor.manifest, since } }))
          return since + withheldMillis
        }
        yield* change(transaction, (row) => {
          const revision = Math.max(row.revision, anchor.revision ?? 0, Math.floor(now / 1_000))
          const anew = { revision, changes: row.changes + 1, base: anchor.manifest, baseRevision: revision }
          return { ...without(row, "body"), ...anew }
        })
        return undefined
      })
    )
    if (until !== undefined) return yield* withheld(until)
  })

  /** Another device published since ours; see `ManifestMerge`. */
  const takeOver = Effect.fnUntraced(function* (
    { identity }: Session,
    { body, hash, manifest }: Found,
    { follows, named }: { readonly follows: boolean; readonly named: string | undefined }
  ) {
    const { hex } = identity.key
    const opened = yield* SealedManifest.open(identity, manifest)
    const files = new Map(opened.files.map((file) => [file.id, file]))
    const gone = yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const { differs, gone } = yield* ManifestMerge.join(transaction, manifest, files, follows, events.publish)
        const { revision } = manifest
        const seen = yield* transaction.get(key.browsed(hex), Rows.Browsed)
        if (seen === undefined || seen.revision < revision) keep(transaction, hex, { body, hash, manifest })
        transaction.putBytes(key.manifestBody, body)
        const isAnchor = hash === named
        yield* change(transaction, (row) => ({
          ...row,
          revision: Math.max(row.revision, revision),
          changes: row.changes + (differs ? 1 : 0),
          included: differs ? row.included : row.changes,
          ...(isAnchor && !differs ? { settled: row.changes } : {}),
          base: hash,
          baseRevision: revision,
          body: {
            manifest: hash,
            size: body.length,
            revision,
            ...anchoredOf(manifest),
            state: isAnchor ? "anchored" : "stored"
          }
        }))
        return gone
      })
    )
    // Cut off here, they are found without a share at the next start.
    for (const row of gone) if (row.here) yield* Effect.ignore(blobs.remove(row.hash))
  })

  /** Takes over what the home has newer than what is known here. Only our signature makes it ours, not the chain. */
  const lookAtHome = Effect.fnUntraced(function* (session: Session, chain: Chain) {
    const { identity } = session
    const row = yield* read
    const found = yield* Effect.result(store.current(identity.primary, row.base))
    if (Result.isFailure(found) && !isMissing(found.failure)) return yield* found.failure
    const body = Result.isSuccess(found) ? found.success : undefined
    if (Result.isSuccess(found) && body === undefined) return
    const verifying =
      body === undefined ? undefined : yield* Effect.result(SealedManifest.verifySignature(body, identity.key))
    if (body !== undefined && verifying !== undefined && Result.isSuccess(verifying)) {
      const manifest = verifying.success
      const hash = Manifest.hashOf(body, yield* FastBlake3.load)
      // Our own, its answer lost, counts once it is stored again.
      if (hash === row.body?.manifest && row.body.state === "signed") return
      if (row.base === undefined || manifest.revision >= baseRevision(row)) {
        const { anchored, revision } = manifest
        const named = chain.state.sharedFiles?.manifest
        const anchors = yield* Anchoring.anchorsOf(chain.envelopes)
        const isKnown =
          hash === named ||
          (anchored === undefined ? named === undefined : anchors.some((one) => one.manifest === anchored))
        const follows = isKnown && (row.base === undefined || revision > baseRevision(row))
        return yield* takeOver(session, { body, hash, manifest }, { follows, named })
      }
    }
    // It has none, or an older one than it took from us.
    if (row.body === undefined || row.body.manifest !== row.base) return
    yield* ledger.transact((transaction) =>
      change(transaction, (row) => (row.body === undefined ? row : { ...row, body: { ...row.body, state: "signed" } }))
    )
  })

  /** Takes over what the chain names, where that is newer than what is known here. */
  const lookAtChain = Effect.fnUntraced(function* (session: Session, anchor: SharedFiles) {
    const { identity } = session
    const row = yield* read
    if (anchor.manifest === row.base || anchor.manifest === row.anchor) return
    if (row.base !== undefined && anchor.revision !== undefined && anchor.revision < baseRevision(row)) return
    const seen = yield* ledger.get(key.browsed(identity.key.hex), Rows.Browsed)
    const kept = seen?.hash === anchor.manifest ? yield* ledger.getBytes(key.browsedBody(identity.key.hex)) : undefined
    const found = yield* Effect.result(
      kept === undefined ? store.byHash(identity.primary, anchor.manifest) : Effect.succeed(kept)
    )
    if (Result.isFailure(found)) {
      if (!isMissing(found.failure)) return yield* found.failure
      return yield* awaitAnchor(anchor)
    }
    const body = found.success
    const verifying = SealedManifest.verifyAnchored(body, { owner: identity.key, anchor }, yield* FastBlake3.load)
    const {
      manifest,
      seen: { hash }
    } = yield* verifying
    if (row.base !== undefined && manifest.revision < baseRevision(row)) return
    const follows = row.base === undefined || manifest.revision > baseRevision(row)
    yield* takeOver(session, { body, hash, manifest }, { follows, named: hash })
  })

  /** Notes what the chain names. A body that follows another anchor is signed anew: readers would not take it. */
  const note = (anchor: SharedFiles | undefined) =>
    ledger.transact((transaction) =>
      change(transaction, (row) => {
        const named = anchor?.manifest
        const shown = without(row, "withheld")
        const noted: Rows.ManifestRow = named === undefined ? without(shown, "anchor") : { ...shown, anchor: named }
        const { body } = row
        if (body === undefined) return noted
        if (body.manifest === named) {
          return body.state === "signed"
            ? noted
            : { ...noted, body: { ...body, state: "anchored" }, settled: row.included }
        }
        const isStale = body.state !== "signed" && body.anchored !== named && row.changes === row.included
        return isStale ? { ...noted, changes: row.changes + 1 } : noted
      })
    )

  const lookAround = Effect.fnUntraced(function* (session: Session) {
    const chain = yield* ownSigchain.append(session.identity, () => Effect.succeed(undefined))
    const anchor = chain.state.sharedFiles
    yield* lookAtHome(session, chain)
    if (anchor !== undefined) yield* lookAtChain(session, anchor)
    yield* note(anchor)
  })

  /** The chain as it is now, with our stored body as its next anchor where that is time. */
  const settle = Effect.fnUntraced(function* (session: Session) {
    const chain = yield* ownSigchain
      .append(session.identity, (chain) =>
        Effect.gen(function* () {
          const { body, settled = 0, withdrawn = 0 } = yield* read
          const named = chain.state.sharedFiles?.manifest
          if (body?.state !== "stored" || named === body.manifest || named !== body.anchored) return undefined
          const anchors = yield* Anchoring.anchorsOf(chain.envelopes)
          if (!Anchoring.isAllowed(anchors, yield* Clock.currentTimeMillis, withdrawn > settled)) return undefined
          const { manifest, revision, size } = body
          const payload = { manifest, size, ...(revision === undefined ? {} : { revision }) }
          return { op: "set_shared_files" as const, payload }
        })
      )
      .pipe(Effect.mapError((error) => (error instanceof Problem && error.code === "chain_full" ? chainFull : error)))
    const anchor = chain.state.sharedFiles
    const { body } = yield* read
    if (anchor?.manifest === body?.manifest) {
      if (anchor === undefined || body?.state !== "stored") return
      yield* note(anchor)
      const newer = yield* Effect.result(store.current(session.identity.primary, anchor.manifest))
      if (Result.isFailure(newer) || newer.success !== undefined) looked = false
    } else if (anchor?.manifest !== body?.anchored) {
      yield* ledger.transact((transaction) => change(transaction, (row) => ({ ...row, changes: row.changes + 1 })))
      looked = false
    }
  })

  const attempt = Effect.fnUntraced(function* (session: Session) {
    let isStored = false
    for (let round = 1; round <= rounds; round++) {
      if (looked && finished && !isDue(yield* read)) return isStored
      finished = false
      if (!looked) {
        yield* lookAround(session)
        looked = true
      }
      const row = yield* read
      if (row.body?.state !== "signed" && row.changes !== row.included) yield* build(session)
      const { body } = yield* read
      if (body?.state === "signed") yield* put(session, body.manifest)
      if (!looked) continue
      isStored ||= body?.state === "signed"
      // An anchor that was signed may come true at any time: nothing is published beyond its manifest until that is known.
      yield* Effect.onError(settle(session), () =>
        Effect.sync(() => {
          looked = false
        })
      )
      finished = looked
    }
    return yield* new Problem({
      code: "manifest_conflict",
      detail: "another device of this account keeps publishing: it is tried again later"
    })
  })

  /** Keeps what ended an attempt where that will not pass, and says so once. */
  const explain = (problem: { readonly code: string; readonly detail: string } | undefined) =>
    ledger.transact((transaction) =>
      Effect.gen(function* () {
        const row = (yield* transaction.get(key.manifest, Rows.Manifest)) ?? nothing
        if (row.problem?.code === problem?.code) return
        yield* change(transaction, (row) => (problem === undefined ? without(row, "problem") : { ...row, problem }))
        if (problem === undefined) return
        transaction.onCommit(() => events.publish({ _tag: "PublishingFailed", ...problem }))
      })
    )

  return Publication.of({
    isDue: Effect.map(read, (row) => isDue(row) || !finished),
    changed: (transaction, { withdraws } = { withdraws: false }) =>
      change(transaction, (row) => {
        const changes = row.changes + 1
        return { ...row, changes, ...(withdraws ? { withdrawn: changes } : {}) }
      }),
    look: () => {
      looked = false
    },
    publish: (session) =>
      attempt(session).pipe(
        Effect.tapError((error) => {
          if (!(error instanceof Problem) || !permanent.has(error.code)) return Effect.void
          const { code, detail } = error
          return explain({ code, detail })
        }),
        Effect.tap(() => explain(undefined))
      )
  })
})

export const layer: Layer.Layer<Publication, never, Ledger | Events | OwnSigchain | ManifestStore | BlobStore> =
  Layer.effect(Publication, make)
