/**
 * What other devices of this account published: found at the home and in the chain, and adopted here.
 *
 * The home accepts no revision twice, so a device that comes second adopts what is there first: those entries stand,
 * ours that it lacks are added, and its revision is surpassed (see `ManifestMerge`).
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { FastBlake3, SealedManifest } from "../../../crypto/index.ts"
import * as Manifest from "../../../protocol/files/Manifest.ts"
import { Problem } from "../../../protocol/Problem.ts"
import type { SharedFiles } from "../../../protocol/sigchain/Sigchain.ts"
import { BlobStore, ManifestStore } from "../../../services/index.ts"
import { Events } from "../../internal/Events.ts"
import { Ledger, type Transaction } from "../../internal/Ledger.ts"
import type { Chain } from "../../internal/OwnSigchain.ts"
import * as Rows from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"
import * as Anchoring from "./Anchoring.ts"
import * as ManifestMerge from "./ManifestMerge.ts"
import * as PublicationState from "./PublicationState.ts"

const { key } = Rows

/** A manifest of this account with its bytes. */
export interface OwnManifest {
  readonly body: Uint8Array
  readonly manifest: Manifest.Manifest
  /** `blake3:<hex>`. */
  readonly hash: string
}

const anchoredOf = ({ anchored }: Manifest.Manifest) => (anchored === undefined ? {} : { anchored })

/** Stages an own manifest as the newest one seen of this account, which browsing starts from. */
export const keepAsSeen = (transaction: Transaction, hex: string, { body, hash, manifest }: OwnManifest): void => {
  const { createdAt, revision } = manifest
  transaction.put(key.browsed(hex), Rows.Browsed, { revision, hash, ...anchoredOf(manifest), createdAt })
  transaction.putBytes(key.browsedBody(hex), body)
}

const withheld = (untilMillis: number) =>
  new Problem({
    code: "manifest_not_found",
    detail:
      "the home server does not serve the list that your sigchain names, which another device of this account published: " +
      "changes wait until it does, or until that device is online; after " +
      `${new Date(untilMillis).toISOString().slice(0, 16)}Z a new list begins without what that device shares`
  })

const isMissing = (error: unknown) => error instanceof Problem && error.code === "manifest_not_found"

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const store = yield* ManifestStore
  const blobs = yield* BlobStore

  /** `anchor`: the hash that the chain names. */
  const adoptOne = Effect.fnUntraced(function* (
    { identity }: Session,
    own: OwnManifest,
    { anchor, follows }: { readonly follows: boolean; readonly anchor: string | undefined }
  ) {
    const { body, hash, manifest } = own
    const { hex } = identity.key
    const opened = yield* SealedManifest.open(identity, manifest)
    const files = new Map(opened.files.map((file) => [file.id, file]))
    const removed = yield* ledger.transact(
      Effect.fnUntraced(function* (transaction) {
        const { differs, removed } = yield* ManifestMerge.merge(transaction, manifest, files, follows, events.publish)
        const seen = yield* transaction.get(key.browsed(hex), Rows.Browsed)
        if (seen === undefined || seen.revision < manifest.revision) keepAsSeen(transaction, hex, own)
        transaction.putBytes(key.manifestBody, body)
        const { revision } = manifest
        const staged = { manifest: hash, size: body.length, revision, ...anchoredOf(manifest) }
        yield* PublicationState.update(transaction, (row) =>
          PublicationState.adopted(row, staged, { differs, isAnchor: hash === anchor })
        )
        return removed
      })
    )
    // Blobs that an interruption leaves here belong to no share and go at the next start.
    for (const row of removed) if (row.here) yield* Effect.ignore(blobs.remove(row.hash))
  })

  /** Adopts what the home has. It is trusted for our signature alone: the chain need not name it. */
  const adoptFromHome = Effect.fnUntraced(function* (session: Session, chain: Chain) {
    const { identity } = session
    const row = yield* PublicationState.read(ledger)
    const answer = yield* Effect.result(store.current(identity.primary, row.base))
    if (Result.isFailure(answer) && !isMissing(answer.failure)) return yield* answer.failure
    const body = Result.isSuccess(answer) ? answer.success : undefined
    if (Result.isSuccess(answer) && body === undefined) return
    const verified =
      body === undefined ? undefined : yield* Effect.result(SealedManifest.verifySignature(body, identity.key))
    if (body !== undefined && verified !== undefined && Result.isSuccess(verified)) {
      const manifest = verified.success
      const hash = Manifest.hashOf(body, yield* FastBlake3.load)
      // Our own body whose answer was lost: it counts once it is stored again.
      if (hash === PublicationState.unstored(row)) return
      if (!PublicationState.isOlder(row, manifest.revision)) {
        const { anchored, revision } = manifest
        const anchor = chain.state.sharedFiles?.manifest
        const anchors = yield* Anchoring.anchorsOf(chain.envelopes)
        const isAnchored =
          hash === anchor ||
          (anchored === undefined ? anchor === undefined : anchors.some(({ manifest }) => manifest === anchored))
        const follows = isAnchored && PublicationState.isNewer(row, revision)
        return yield* adoptOne(session, { body, hash, manifest }, { follows, anchor })
      }
    }
    // The home has none, or an older one than it accepted from us.
    if (!PublicationState.isAtHome(row)) return
    yield* ledger.transact((transaction) => PublicationState.update(transaction, PublicationState.lost))
  })

  /**
   * A list without the entries of the manifest that the home withholds would end the other device's shares, so that
   * manifest is waited for. Only after a long time does a list that is due begin anew.
   */
  const awaitWithheld = Effect.fnUntraced(function* (anchor: SharedFiles) {
    const now = yield* Clock.currentTimeMillis
    const until = yield* ledger.transact(
      Effect.fnUntraced(function* (transaction) {
        const { row, until } = PublicationState.withheld(yield* PublicationState.read(transaction), anchor, now)
        yield* PublicationState.update(transaction, () => row)
        return until
      })
    )
    if (until !== undefined) return yield* withheld(until)
  })

  /** Adopts the manifest that the chain names. */
  const adoptFromChain = Effect.fnUntraced(function* (session: Session, anchor: SharedFiles) {
    const { identity } = session
    const row = yield* PublicationState.read(ledger)
    if (anchor.manifest === row.base || anchor.manifest === row.anchor) return
    if (anchor.revision !== undefined && PublicationState.isOlder(row, anchor.revision)) return
    const seen = yield* ledger.get(key.browsed(identity.key.hex), Rows.Browsed)
    const kept = seen?.hash === anchor.manifest ? yield* ledger.getBytes(key.browsedBody(identity.key.hex)) : undefined
    const answer = yield* Effect.result(
      kept === undefined ? store.byHash(identity.primary, anchor.manifest) : Effect.succeed(kept)
    )
    if (Result.isFailure(answer)) {
      if (!isMissing(answer.failure)) return yield* answer.failure
      return yield* awaitWithheld(anchor)
    }
    const body = answer.success
    const expected = { owner: identity.key, anchor }
    const { manifest, seen: found } = yield* SealedManifest.verifyAnchored(body, expected, yield* FastBlake3.load)
    if (PublicationState.isOlder(row, manifest.revision)) return
    const follows = PublicationState.isNewer(row, manifest.revision)
    yield* adoptOne(session, { body, hash: found.hash, manifest }, { follows, anchor: found.hash })
  })

  return {
    /** Adopts what the home and the chain have that is newer than what is known here. */
    adopt: Effect.fnUntraced(function* (session: Session, chain: Chain) {
      const anchor = chain.state.sharedFiles
      yield* adoptFromHome(session, chain)
      if (anchor !== undefined) yield* adoptFromChain(session, anchor)
    }),
    /** Records which manifest the chain names. */
    recordAnchor: (anchor: SharedFiles | undefined) =>
      ledger.transact((transaction) =>
        PublicationState.update(transaction, (row) => PublicationState.anchorSeen(row, anchor?.manifest))
      )
  }
})

export class OtherDevices extends Context.Service<OtherDevices>()("@kez-chat/sdk/OtherDevices", { make }) {}

export const layer = Layer.effect(OtherDevices, make)
