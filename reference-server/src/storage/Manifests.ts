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
import { Database, type Migration } from "./Database.ts"

/** To follow the registry's: an account that ends takes its manifests along in the same transaction. */
export const migrations: ReadonlyArray<Migration> = [
  {
    id: "manifests-001-bodies",
    sql: `
      CREATE TABLE manifests (
        -- Never reused, so reading in pieces gives one body or fails.
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        primary_hex TEXT NOT NULL,
        revision INTEGER NOT NULL,
        -- BLAKE3 of the body, 64 hex digits.
        hash TEXT NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (primary_hex, revision)
      ) STRICT;
      CREATE TABLE manifest_totals (manifests INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
      INSERT INTO manifest_totals VALUES (0, 0);
      CREATE TRIGGER manifests_added AFTER INSERT ON manifests BEGIN
        UPDATE manifest_totals SET manifests = manifests + 1, bytes = bytes + octet_length(NEW.body);
      END;
      CREATE TRIGGER manifests_removed AFTER DELETE ON manifests BEGIN
        UPDATE manifest_totals SET manifests = manifests - 1, bytes = bytes - octet_length(OLD.body);
      END;
      CREATE TRIGGER manifests_of_ended AFTER UPDATE OF state ON accounts WHEN NEW.state <> 'active' BEGIN
        DELETE FROM manifests WHERE primary_hex = NEW.primary_hex;
      END;`
  }
]

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
  const { sqlite, write } = yield* Database
  const context = yield* Effect.context<Crypto>()
  const hasher = yield* FastBlake3.load

  const columns = "id, revision, hash, octet_length(body) AS bytes"
  const newest = sqlite.prepare<[string], Stored>(
    `SELECT ${columns} FROM manifests WHERE primary_hex = ? ORDER BY revision DESC LIMIT 1`
  )
  const byHash = sqlite.prepare<[string, string], Stored>(
    `SELECT ${columns} FROM manifests WHERE primary_hex = ? AND hash = ?`
  )
  const piece = sqlite
    .prepare<[number, number, number], Uint8Array>("SELECT substr(body, ?, ?) FROM manifests WHERE id = ?")
    .pluck()
  const isActive = sqlite
    .prepare<[string], 1>("SELECT 1 FROM accounts WHERE primary_hex = ? AND state = 'active'")
    .pluck()
  const insert = sqlite.prepare<[string, number, string, Uint8Array]>(
    "INSERT INTO manifests (primary_hex, revision, hash, body) VALUES (?, ?, ?, ?)"
  )
  // What the newest one calls anchored stays as well, so an owner has at most one body more here, whatever they claim.
  const dropOld = sqlite.prepare<[string, string, string, number]>(
    `DELETE FROM manifests WHERE primary_hex = ? AND hash <> ? AND revision <=
       (SELECT revision FROM manifests WHERE primary_hex = ? ORDER BY revision DESC LIMIT 1 OFFSET ?)`
  )
  const totalsOf = sqlite.prepare<[], Totals>("SELECT manifests, bytes FROM manifest_totals")
  const totals = () => totalsOf.get() as Totals

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
      const early = repeated(newest.get(owner.hex))
      if (early !== undefined) return early
      const verifying = SealedManifest.verifySignature(body, owner)
      const { anchored, revision } = yield* Effect.provideContext(verifying, context)
      return yield* write(() => {
        // The account may have ended and another manifest may have come while this one was read and checked.
        if (isActive.get(owner.hex) === undefined) {
          throw new Problem.Problem({ code: "handle_deleted", detail: "this key holds no handle here any more" })
        }
        const last = newest.get(owner.hex)
        const late = repeated(last)
        if (late !== undefined) return late
        if (last !== undefined && last.revision >= revision) {
          const detail = `revision ${revision} does not follow on revision ${last.revision}, ${Hash.format("blake3", last.hash)}`
          throw new Problem.Problem({ code: "manifest_conflict", detail })
        }
        const before = totals().bytes
        insert.run(owner.hex, revision, hash, body)
        dropOld.run(owner.hex, anchored === undefined ? "" : Hash.hexOf(anchored), owner.hex, Limits.manifestsKept)
        const after = totals().bytes
        if (after > storeBytes && after > before) {
          throw new Problem.Problem({ code: "store_full", detail: "the server's room for manifests is used up" })
        }
        return { created: true, revision, hash }
      })
    }),
    /**
     * The newest one of an owner, or the one with this hash (64 hex digits); undefined where there is none. The four
     * newest are kept, and the one that the newest calls anchored.
     */
    find: (primaryHex: string, hash?: string) =>
      Effect.sync(() => (hash === undefined ? newest.get(primaryHex) : byHash.get(primaryHex, hash))),
    /** The body in pieces, each read on demand; throws when it was removed meanwhile. */
    pieces: ({ bytes, id }: Stored): Iterable<Uint8Array> => ({
      *[Symbol.iterator]() {
        for (let at = 0; at < bytes; at += pieceBytes) {
          // SQLite counts from one.
          const part = piece.get(at + 1, pieceBytes, id)
          if (part === undefined) throw new Error("the manifest was removed while it was read")
          yield part
        }
      }
    }),
    totals
  }
})
