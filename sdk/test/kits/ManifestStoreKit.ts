/** What every ManifestStore must do. Applied to each adapter. */
import { randomBytes } from "node:crypto"
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Identity, SealedManifest } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Blake3, Bytes, Limits, Manifest, Problem } from "@kez-chat/sdk/protocol"
import type { Directory, ManifestStore } from "@kez-chat/sdk/services"

export interface ManifestStoreUnderTest {
  readonly store: ManifestStore["Service"]
  /** The registry of the same home: only who holds a handle may store. */
  readonly directory: Directory["Service"]
  /** The name of the server behind both. */
  readonly server: string
}

const newIdentity = Effect.suspend(() => Identity.fromSeed(Redacted.make(new Uint8Array(randomBytes(32)))))

/** An entry of about `bytes` bytes that nobody can open. */
const sealed = (bytes: number): Manifest.SealedEntry => ({
  id: randomBytes(16).toString("base64url"),
  keys: [{ hint: randomBytes(2), enc: randomBytes(32), ct: randomBytes(48) }],
  sealed: randomBytes(Math.floor(bytes * 0.75))
})

/** A signed manifest with its hash. */
export const manifestOf = (
  identity: Identity.Identity,
  revision: number,
  entries: ReadonlyArray<Manifest.Entry> = [sealed(400)],
  anchored?: string
) =>
  Effect.map(
    SealedManifest.sign(
      identity,
      { revision, ...(anchored === undefined ? {} : { anchored }), createdAt: Date.now(), entries },
      Blake3.subtree
    ),
    ({ anchor, body }) => ({ body, hash: anchor.manifest })
  )

/** One of the largest size, or a few bytes less where no entry meets it. */
export const largestManifest = Effect.fnUntraced(function* (identity: Identity.Identity, revision: number) {
  const most = 40_000
  const entries: Array<Manifest.Entry> = []
  const sizeOf = (more: ReadonlyArray<Manifest.Entry>) =>
    Effect.map(manifestOf(identity, revision, [...entries, ...more]), ({ body }) => body.length)
  while ((yield* sizeOf([])) < Limits.manifestBytes - 2 * most) entries.push(sealed(most))
  // Base64url grows in steps of four characters to three bytes, with steps of 2 and 3 between: most sizes can be met.
  const one = sealed(most / 2)
  const left = Limits.manifestBytes - (yield* sizeOf([one]))
  const last = (bytes: number) => ({ ...one, sealed: randomBytes(one.sealed.length + bytes) })
  for (let bytes = Math.floor(left * 0.75) + 2; ; bytes--) {
    const found = yield* Effect.result(manifestOf(identity, revision, [...entries, last(bytes)]))
    if (found._tag === "Success") return found.success
  }
})

const codeOf = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(Effect.flip(effect), (error) => (error instanceof Problem.Problem ? error.code : String(error)))

export const manifestStoreKit = (name: string, make: () => ManifestStoreUnderTest): void => {
  const owner = Effect.gen(function* () {
    const { directory, server, store } = make()
    const identity = yield* newIdentity
    const handle = `kit-${randomBytes(8).toString("hex")}`
    yield* directory.register(yield* identity.signRegistration({ handle, server, createdAt: Date.now() }))
    const remove = Effect.flatMap(identity.signDeletion({ handle, server, createdAt: Date.now() }), directory.delete)
    return { store, identity, primary: identity.primary, remove }
  })

  layer(NodeCrypto.layer, { excludeTestServices: true })(`ManifestStore: ${name}`, (it) => {
    it.effect("KEZ-MAN-018 gives back the exact bytes that were stored, as the newest and by hash", () =>
      Effect.gen(function* () {
        const { identity, primary, store } = yield* owner
        const first = yield* manifestOf(identity, 0, [])
        yield* store.put(primary, first.body)
        assert.deepStrictEqual(yield* store.current(primary), first.body)
        const second = yield* manifestOf(identity, 7)
        yield* store.put(primary, second.body)
        assert.deepStrictEqual(yield* store.current(primary), second.body)
        assert.deepStrictEqual(yield* store.byHash(primary, first.hash), first.body)
        assert.deepStrictEqual(yield* store.byHash(primary, second.hash), second.body)
      })
    )

    it.effect(
      "KEZ-MAN-020 answers nothing for the newest where its hash is held, and the body for every other hash",
      () =>
        Effect.gen(function* () {
          const { identity, primary, store } = yield* owner
          const first = yield* manifestOf(identity, 1)
          assert.strictEqual(yield* codeOf(store.current(primary, first.hash)), "manifest_not_found")
          yield* store.put(primary, first.body)
          assert.isUndefined(yield* store.current(primary, first.hash))
          const second = yield* manifestOf(identity, 2)
          yield* store.put(primary, second.body)
          assert.deepStrictEqual(yield* store.current(primary, first.hash), second.body)
          assert.isUndefined(yield* store.current(primary, second.hash))
        })
    )

    it.effect("KEZ-MAN-016 succeeds when the newest comes again, and refuses whatever else does not rise", () =>
      Effect.gen(function* () {
        const { identity, primary, store } = yield* owner
        const older = yield* manifestOf(identity, 4)
        const newest = yield* manifestOf(identity, 5)
        yield* store.put(primary, older.body)
        yield* store.put(primary, newest.body)
        yield* store.put(primary, newest.body)
        for (const late of [older, yield* manifestOf(identity, 5), yield* manifestOf(identity, 0)]) {
          assert.strictEqual(yield* codeOf(store.put(primary, late.body)), "manifest_conflict")
        }
        assert.deepStrictEqual(yield* store.current(primary), newest.body)
      })
    )

    it.effect("KEZ-MAN-018 keeps the last four", () =>
      Effect.gen(function* () {
        const { identity, primary, store } = yield* owner
        const all = yield* Effect.forEach([1, 2, 30, 31, 32, 99], (revision) => manifestOf(identity, revision))
        for (const { body } of all) yield* store.put(primary, body)
        for (const { hash } of all.slice(0, 2)) {
          assert.strictEqual(yield* codeOf(store.byHash(primary, hash)), "manifest_not_found")
        }
        for (const { body, hash } of all.slice(2)) {
          assert.deepStrictEqual(yield* store.byHash(primary, hash), body)
        }
      })
    )

    it.effect("KEZ-MAN-028 keeps what the newest calls anchored besides the last four, and nothing else", () =>
      Effect.gen(function* () {
        const { identity, primary, store } = yield* owner
        const [first, anchor] = [yield* manifestOf(identity, 1), yield* manifestOf(identity, 2)]
        yield* store.put(primary, first.body)
        yield* store.put(primary, anchor.body)
        const later = yield* Effect.forEach([3, 4, 5, 6, 7, 8], (revision) =>
          manifestOf(identity, revision, [], anchor.hash)
        )
        for (const { body } of later) yield* store.put(primary, body)
        assert.deepStrictEqual(yield* store.byHash(primary, anchor.hash), anchor.body)
        for (const { hash } of [first, ...later.slice(0, 2)]) {
          assert.strictEqual(yield* codeOf(store.byHash(primary, hash)), "manifest_not_found")
        }
        for (const { body, hash } of later.slice(2)) assert.deepStrictEqual(yield* store.byHash(primary, hash), body)
        // The next anchor takes its place, and one that nobody stored keeps none.
        const next = yield* Effect.forEach([9, 10, 11, 12, 13], (revision) =>
          manifestOf(identity, revision, [], later[5]!.hash)
        )
        for (const { body } of next) yield* store.put(primary, body)
        assert.deepStrictEqual(yield* store.byHash(primary, later[5]!.hash), later[5]!.body)
        assert.strictEqual(yield* codeOf(store.byHash(primary, anchor.hash)), "manifest_not_found")
        yield* store.put(primary, (yield* manifestOf(identity, 14, [], `blake3:${"00".repeat(32)}`)).body)
        assert.strictEqual(yield* codeOf(store.byHash(primary, later[5]!.hash)), "manifest_not_found")
      })
    )

    it.effect("KEZ-MAN-003 KEZ-MAN-014 takes the largest manifest there is", () =>
      Effect.gen(function* () {
        const { identity, primary, store } = yield* owner
        const { body, hash } = yield* largestManifest(identity, 1)
        assert.isAbove(body.length, Limits.manifestBytes - 8)
        assert.isAtMost(body.length, Limits.manifestBytes)
        yield* store.put(primary, body)
        assert.deepStrictEqual(yield* store.current(primary), body)
        assert.deepStrictEqual(yield* store.byHash(primary, hash), body)
        const tooLarge = Bytes.concat(body, new Uint8Array(Limits.manifestBytes + 1 - body.length))
        assert.strictEqual(yield* codeOf(store.put(primary, tooLarge)), "too_large")
      })
    )

    it.effect("KEZ-MAN-014 KEZ-MAN-015 refuses what its owner did not sign, and what is not exactly a manifest", () =>
      Effect.gen(function* () {
        const { identity, primary, store } = yield* owner
        const other = yield* owner
        const { body } = yield* manifestOf(identity, 1)
        const foreign = yield* manifestOf(other.identity, 1)
        assert.strictEqual(yield* codeOf(store.put(primary, foreign.body)), "unauthorized")
        const text = new TextDecoder().decode(body)
        const forged = Bytes.utf8(text.replace('"revision":1', '"revision":2'))
        assert.strictEqual(yield* codeOf(store.put(primary, forged)), "signature_invalid")
        for (const bytes of [
          new Uint8Array(0),
          Bytes.utf8("{}"),
          Bytes.utf8(`${text}\n`),
          Bytes.utf8(text.replace(",", ", ")),
          body.subarray(0, body.length - 1)
        ]) {
          assert.strictEqual(yield* codeOf(store.put(primary, bytes)), "manifest_malformed")
        }
        assert.strictEqual(yield* codeOf(store.current(primary)), "manifest_not_found")
      })
    )

    it.effect("KEZ-MAN-013 stores for nobody who holds no handle, and tells keys and hashes that are none", () =>
      Effect.gen(function* () {
        const { store } = make()
        const stranger = yield* newIdentity
        const { body, hash } = yield* manifestOf(stranger, 1)
        assert.strictEqual(yield* codeOf(store.put(stranger.primary, body)), "handle_not_found")
        assert.strictEqual(yield* codeOf(store.current(stranger.primary)), "manifest_not_found")
        assert.strictEqual(yield* codeOf(store.byHash(stranger.primary, hash)), "manifest_not_found")
        assert.strictEqual(yield* codeOf(store.put("ed25519:00", body)), "key_malformed")
        assert.strictEqual(yield* codeOf(store.current("../../etc/passwd")), "key_malformed")
        for (const bad of ["", "blake3:00", hash.slice(7), hash.toUpperCase(), `${hash}/..`]) {
          assert.strictEqual(yield* codeOf(store.byHash(stranger.primary, bad)), "encoding_malformed")
        }
      })
    )

    it.effect("KEZ-MAN-019 keeps nothing of an account that was deleted, and takes nothing more of it", () =>
      Effect.gen(function* () {
        const { identity, primary, remove, store } = yield* owner
        const { body, hash } = yield* manifestOf(identity, 1)
        yield* store.put(primary, body)
        yield* remove
        assert.strictEqual(yield* codeOf(store.current(primary)), "manifest_not_found")
        assert.strictEqual(yield* codeOf(store.byHash(primary, hash)), "manifest_not_found")
        assert.strictEqual(yield* codeOf(store.put(primary, body)), "handle_deleted")
      })
    )

    it.effect("KEZ-MAN-016 keeps one of several manifests that race for a revision, and tells the others", () =>
      Effect.gen(function* () {
        const { identity, primary, store } = yield* owner
        const racers = yield* Effect.forEach([0, 1, 2, 3], () => manifestOf(identity, 6))
        const outcomes = yield* Effect.forEach(racers, ({ body }) => Effect.result(store.put(primary, body)), {
          concurrency: 4
        })
        const won = racers.filter((_, n) => outcomes[n]!._tag === "Success")
        assert.strictEqual(won.length, 1)
        assert.deepStrictEqual(yield* store.current(primary), won[0]!.body)
        for (const outcome of outcomes) {
          if (outcome._tag === "Failure")
            assert.strictEqual((outcome.failure as Problem.Problem).code, "manifest_conflict")
        }
      })
    )
  })
}
