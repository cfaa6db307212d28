/**
 * The stored manifests, which let owners be browsed while they are away (spec: manifest). A body is stored only with
 * its owner's signature and a rising revision; readers still verify it against the owner's sigchain.
 */
import { FastBlake3, SealedManifest } from "@kez-chat/sdk/crypto"
import { Hash, type KeyAdmission, Limits, Manifest, Problem } from "@kez-chat/sdk/protocol"
import type { Crypto } from "@kez-chat/sdk/services"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Database, type Sql } from "./Database.ts"

/** A stored manifest without its body. */
export interface Stored {
  readonly id: number
  readonly revision: number
  /** 64 hex digits. */
  readonly hash: string
  readonly bytes: number
}

export interface Totals {
  readonly manifests: number
  readonly bytes: number
}

export class Manifests extends Context.Service<Manifests, Effect.Success<ReturnType<typeof make>>>()(
  "@kez-chat/server/Manifests"
) {
  /** `storeBytes` is the room for all bodies together. */
  static layer(storeBytes: number): Layer.Layer<Manifests, never, Database | Crypto> {
    return Layer.effect(Manifests, make(storeBytes))
  }
}

/** Memory that a slow reader holds: one piece, not a manifest. */
const pieceBytes = 65_536

const make = Effect.fnUntraced(function* (storeBytes: number) {
  const { sql, transaction } = yield* Database
  const context = yield* Effect.context<Crypto>()
  const hasher = yield* FastBlake3.load

  const newest = (owner: string, within: Sql = sql) =>
    Effect.map(
      within<Stored>`SELECT id, revision, hash, octet_length(body) AS bytes FROM manifests
        WHERE primary_hex = ${owner} ORDER BY revision DESC LIMIT 1`,
      first
    )
  const byHash = (owner: string, hash: string) =>
    Effect.map(
      sql<Stored>`SELECT id, revision, hash, octet_length(body) AS bytes FROM manifests
        WHERE primary_hex = ${owner} AND hash = ${hash}`,
      first
    )
  const totals = (within: Sql = sql) =>
    Effect.map(within<Totals>`SELECT manifests, bytes FROM manifest_totals`, (found) => found[0] as Totals)

  return {
    /**
     * Stores a body that its owner signed, on disk when it returns; `created` is false for the newest one again. Fails
     * with `manifest_conflict` unless the revision rises, `handle_deleted` where the account is not active (any more),
     * `store_full` when there is no room, and with the problems of a malformed body.
     */
    put: Effect.fnUntraced(function* (owner: KeyAdmission.AdmittedKey, body: Uint8Array) {
      const hash = Hash.hexOf(Manifest.hashOf(body, hasher))
      const repeated = (stored: Stored | undefined) =>
        stored?.hash === hash ? { created: false, revision: stored.revision, hash } : undefined
      const early = repeated(yield* newest(owner.hex))
      if (early !== undefined) return early
      const verifying = SealedManifest.verifySignature(body, owner)
      const { anchored, revision } = yield* Effect.provideContext(verifying, context)
      return yield* transaction(
        { lock },
        Effect.fnUntraced(function* (within) {
          // The account may have ended and another manifest may have come while this one was read and checked.
          const [active] = yield* within`SELECT 1 AS active FROM accounts
            WHERE primary_hex = ${owner.hex} AND state = 'active' AND suspended_at IS NULL`
          if (active === undefined) {
            return yield* new Problem.Problem({
              code: "handle_deleted",
              detail: "this key holds no handle here any more"
            })
          }
          const last = yield* newest(owner.hex, within)
          const late = repeated(last)
          if (late !== undefined) return late
          if (last !== undefined && last.revision >= revision) {
            const detail = `revision ${revision} does not follow on revision ${last.revision}, ${Hash.format("blake3", last.hash)}`
            return yield* new Problem.Problem({ code: "manifest_conflict", detail })
          }
          const before = yield* totals(within)
          yield* within`INSERT INTO manifests (primary_hex, revision, hash, body)
            VALUES (${owner.hex}, ${revision}, ${hash}, ${body})`
          // What the newest one calls anchored stays as well, so an owner has at most one body more here, whatever they
          // claim.
          yield* within`DELETE FROM manifests
            WHERE primary_hex = ${owner.hex} AND hash <> ${anchored === undefined ? "" : Hash.hexOf(anchored)}
              AND revision <= (SELECT revision FROM manifests WHERE primary_hex = ${owner.hex}
                ORDER BY revision DESC LIMIT 1 OFFSET ${Limits.manifestsKept})`
          const after = yield* totals(within)
          if (after.bytes > storeBytes && after.bytes > before.bytes) {
            return yield* new Problem.Problem({
              code: "store_full",
              detail: "the server's room for manifests is used up"
            })
          }
          return { created: true, revision, hash }
        })
      )
    }),
    /**
     * The newest one of an owner, or the one with this hash (64 hex digits); undefined where there is none. The four
     * newest are kept, and the one that the newest calls anchored.
     */
    find: (primaryHex: string, hash?: string) => (hash === undefined ? newest(primaryHex) : byHash(primaryHex, hash)),
    /** The body in pieces, each read on demand; ends early, as a defect, when it was removed meanwhile. */
    pieces: ({ bytes, id }: Stored): Stream.Stream<Uint8Array, Problem.Problem> =>
      Stream.fromIterable(
        Array.from({ length: Math.ceil(bytes / pieceBytes) }, (_, piece) => piece),
        { chunkSize: 1 }
      ).pipe(
        Stream.mapEffect((piece) =>
          // SQL counts from one.
          Effect.flatMap(
            sql<{ part: Uint8Array }>`SELECT substr(body, ${piece * pieceBytes + 1}, ${pieceBytes}) AS part
              FROM manifests WHERE id = ${id}`,
            ([found]) =>
              found === undefined
                ? Effect.die(new Error("the manifest was removed while it was read"))
                : Effect.succeed(found.part)
          )
        )
      ),
    totals: totals()
  }
})

/** Of accounts too, whose end takes their manifests along. */
const lock = "accounts"

const first = <A>(found: ReadonlyArray<A>): A | undefined => found[0]
