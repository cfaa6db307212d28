/**
 * The steps by which the own manifest reaches its readers. Each is durable before the next begins, so that publishing
 * resumes wherever it was interrupted.
 *
 * A body is signed under the next revision, naming the chain's anchor, and kept; it is stored at the home, which
 * publishes it (KEZ-MAN-012); and at times the sigchain names it as the next anchor, as `Anchoring` decides.
 *
 * Another device of the account may publish at the same time; see `OtherDevices`. After storing, a device looks at the
 * chain, and after anchoring at the home: of two that do so at once, at least one sees the other.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { FastBlake3, SealedManifest } from "../../../crypto/index.ts"
import * as Manifest from "../../../protocol/files/Manifest.ts"
import { type Code, Problem } from "../../../protocol/Problem.ts"
import { ManifestStore } from "../../../services/index.ts"
import { Events } from "../../internal/Events.ts"
import { Ledger, type Transaction } from "../../internal/Ledger.ts"
import { OwnSigchain } from "../../internal/OwnSigchain.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"
import * as Anchoring from "./Anchoring.ts"
import { keepAsSeen, OtherDevices } from "./OtherDevices.ts"
import * as PublicationState from "./PublicationState.ts"
import { rowsOf, toShare } from "./ShareRows.ts"

const { key, prefix } = Rows

/** Rounds of one attempt. More than a few mean that other devices publish all the time. */
const roundsMax = 8

/** Problems that retrying does not solve. */
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
    "your sigchain has no room to name another list of what you share: the newest list is published, but readers who " +
    "have not seen it can still be shown an older one"
})

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const ownSigchain = yield* OwnSigchain
  const store = yield* ManifestStore
  const otherDevices = yield* OtherDevices
  /** Whether chain and home were looked at since the last reason to, and whether the last attempt was completed. */
  let looked = false
  let finished = false

  const read = PublicationState.read(ledger)

  /** Signs the entries as they are now under the next revision. */
  const sign = Effect.fnUntraced(function* ({ identity }: Session) {
    const { before, entries } = yield* ledger.transact((transaction) =>
      Effect.all({ before: PublicationState.read(transaction), entries: transaction.scan({ prefix: prefix.entries }) })
    )
    const revision = before.revision + 1
    const follows = before.anchor === undefined ? {} : { anchored: before.anchor }
    const manifest = {
      revision,
      ...follows,
      createdAt: yield* Clock.currentTimeMillis,
      entries: yield* Effect.forEach(entries, ({ value }) => Effect.fromResult(Manifest.decodeEntry(value)))
    }
    const { anchor, body } = yield* Effect.mapError(
      SealedManifest.sign(identity, manifest, yield* FastBlake3.load),
      (problem) =>
        problem.code === "too_large"
          ? new Problem({ code: "too_large", detail: `${problem.detail}: unshare files that nobody needs any more` })
          : problem
    )
    yield* ledger.transact((transaction) => {
      transaction.putBytes(key.manifestBody, body)
      return PublicationState.update(transaction, (row) =>
        PublicationState.signed(row, { ...anchor, ...follows }, revision, before.changes)
      )
    })
  })

  /** Readers find our body from now on: its shares are published, and those it no longer has are gone for good. */
  const markStored = Effect.fnUntraced(function* ({ identity }: Session, hash: string, body: Uint8Array) {
    const { manifest } = yield* Effect.fromResult(Manifest.parseBody(body))
    const listed = new Set(manifest.entries.map(({ id }) => id))
    yield* ledger.transact(
      Effect.fnUntraced(function* (transaction) {
        for (const row of yield* rowsOf(transaction)) {
          if (row.removed === true && !listed.has(row.id)) {
            transaction.delete(key.share(row.id))
            const share = yield* toShare(transaction, row)
            transaction.onCommit(() => events.publish({ _tag: "Unshared", share: { ...share, manifest: "none" } }))
          } else if (row.removed === undefined && !row.anchored && listed.has(row.id)) {
            const published: Rows.ShareRow = { ...row, anchored: true }
            transaction.put(key.share(row.id), Rows.Share, published)
            const share = yield* toShare(transaction, published)
            transaction.onCommit(() => events.publish({ _tag: "Shared", share }))
          }
        }
        keepAsSeen(transaction, identity.key.hex, { body, manifest, hash })
        yield* PublicationState.update(transaction, (row) => PublicationState.stored(row, hash, manifest.revision))
      })
    )
  })

  /** Stores the signed body at the home. If the home has a later one, ours is given up for one of a higher revision. */
  const put = Effect.fnUntraced(function* (session: Session, hash: string) {
    const body = yield* ledger.getBytes(key.manifestBody)
    const answer = body === undefined ? Result.void : yield* Effect.result(store.put(session.identity.primary, body))
    if (body !== undefined && Result.isSuccess(answer)) return yield* markStored(session, hash, body)
    if (Result.isFailure(answer)) {
      const { failure } = answer
      if (!(failure instanceof Problem) || failure.code !== "manifest_conflict") return yield* failure
    }
    yield* ledger.transact((transaction) => PublicationState.update(transaction, PublicationState.superseded))
    looked = false
  })

  const lookAround = Effect.fnUntraced(function* (session: Session) {
    const chain = yield* ownSigchain.append(session.identity, () => Effect.undefined)
    yield* otherDevices.adopt(session, chain)
    yield* otherDevices.recordAnchor(chain.state.sharedFiles)
  })

  /** Brings the chain up to date, with our stored body as its next anchor if one is due. */
  const anchor = Effect.fnUntraced(function* (session: Session) {
    const appending = ownSigchain.append(
      session.identity,
      Effect.fnUntraced(function* (chain) {
        const named = chain.state.sharedFiles?.manifest
        const anchors = yield* Anchoring.anchorsOf(chain.envelopes)
        const payload = PublicationState.nextAnchor(yield* read, named, anchors, yield* Clock.currentTimeMillis)
        return payload === undefined ? undefined : { op: "set_shared_files" as const, payload }
      })
    )
    const chain = yield* Effect.mapError(appending, (error) =>
      error instanceof Problem && error.code === "chain_full" ? chainFull : error
    )
    const named = chain.state.sharedFiles
    const { body } = yield* read
    if (named?.manifest === body?.manifest) {
      if (named === undefined || body?.state !== "stored") return
      yield* otherDevices.recordAnchor(named)
      const newer = yield* Effect.result(store.current(session.identity.primary, named.manifest))
      if (Result.isFailure(newer) || newer.success !== undefined) looked = false
    } else if (named?.manifest !== body?.anchored) {
      yield* ledger.transact((transaction) => PublicationState.update(transaction, PublicationState.outdated))
      looked = false
    }
  })

  const attempt = Effect.fnUntraced(function* (session: Session) {
    let isStored = false
    for (let round = 1; round <= roundsMax; round++) {
      if (looked && finished && !PublicationState.isDue(yield* read)) return isStored
      finished = false
      if (!looked) {
        yield* lookAround(session)
        looked = true
      }
      if (PublicationState.isUnsigned(yield* read)) yield* sign(session)
      const unstored = PublicationState.unstored(yield* read)
      if (unstored !== undefined) yield* put(session, unstored)
      if (!looked) continue
      isStored ||= unstored !== undefined
      // A signed anchor may reach the chain at any time: until that is known, nothing is published beyond its manifest.
      yield* Effect.onError(anchor(session), () =>
        Effect.sync(() => {
          looked = false
        })
      )
      finished = looked
    }
    return yield* new Problem({
      code: "manifest_conflict",
      detail: "another device of this account keeps publishing: the next attempt follows later"
    })
  })

  /** Keeps the problem that retrying does not solve, or that there is none any more; a new one is announced once. */
  const explain = (problem: { readonly code: string; readonly detail: string } | undefined) =>
    ledger.transact(
      Effect.fnUntraced(function* (transaction) {
        const row = yield* PublicationState.read(transaction)
        if (row.problem?.code === problem?.code) return
        yield* PublicationState.update(transaction, (row) => PublicationState.explained(row, problem))
        if (problem === undefined) return
        transaction.onCommit(() => events.publish({ _tag: "PublishingFailed", ...problem }))
      })
    )

  return {
    /** Whether something is to be published, or on its way. */
    isDue: Effect.map(read, (row) => PublicationState.isDue(row) || !finished),
    /** Stages a change of entries; `withdraws`: a published one was removed, so an anchor should follow. */
    changed: (transaction: Transaction, { withdraws }: { readonly withdraws: boolean } = { withdraws: false }) =>
      PublicationState.update(transaction, (row) => PublicationState.changed(row, withdraws)),
    /** Makes the next `publish` look at chain and home even if nothing is due. */
    look: () => {
      looked = false
    },
    /** Adopts what other devices published, publishes what is due and anchors it. True if the home got a manifest. */
    publish: Effect.fn("publishManifest")(function* (session: Session) {
      const outcome = yield* Effect.result(attempt(session))
      if (Result.isSuccess(outcome)) {
        yield* explain(undefined)
        return outcome.success
      }
      const { failure } = outcome
      if (failure instanceof Problem && permanent.has(failure.code)) {
        yield* explain({ code: failure.code, detail: failure.detail })
      }
      return yield* failure
    })
  }
})

export class Publication extends Context.Service<Publication>()("@kez-chat/sdk/Publication", { make }) {}

export const layer = Layer.effect(Publication, make)
