/**
 * Seals the values of a LocalStore under a key of the account's seed; the keys of the entries stay readable.
 *
 * A value is sealed by AES-256-GCM with the key of its entry as associated data, so that it opens nowhere else. An
 * older value of the same entry cannot be told from the current one.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import { LocalStore, StoreError, type Write } from "../../services/LocalStore.ts"
import * as AesGcm from "./AesGcm.ts"

const info = "kez-chat/web-store/1"

const failed = (cause: unknown): StoreError =>
  new StoreError({ reason: "io", detail: "values cannot be sealed here: WebCrypto needs a page over https", cause })

const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, StoreError> =>
  Effect.tryPromise({ try: run, catch: (cause) => (cause instanceof StoreError ? cause : failed(cause)) })

/** `inner` with sealed values. A value that the seed does not open is `damaged`. */
export const make = Effect.fnUntraced(function* (
  inner: LocalStore["Service"],
  seed: Redacted.Redacted<Uint8Array>
): Effect.fn.Return<LocalStore["Service"], StoreError> {
  const key = yield* attempt(() => AesGcm.deriveKey(Redacted.value(seed), info))

  const seal = async (write: Write): Promise<Write> =>
    write.op === "put" ? { ...write, value: await AesGcm.seal(key, Bytes.utf8(write.key), write.value) } : write

  const open = async (name: string, sealed: Uint8Array): Promise<Uint8Array> => {
    const value = await AesGcm.open(key, Bytes.utf8(name), sealed)
    if (value === undefined) {
      throw new StoreError({
        reason: "damaged",
        detail: `the sealed value of ${name} does not open with this account's key`
      })
    }
    return value
  }

  return LocalStore.of({
    get: (name) =>
      Effect.flatMap(
        inner.get(name),
        Option.match({
          onNone: () => Effect.succeedNone,
          onSome: (sealed) => Effect.asSome(attempt(() => open(name, sealed)))
        })
      ),
    scan: (range) =>
      Effect.flatMap(inner.scan(range), (entries) =>
        attempt(() => Promise.all(entries.map(async ({ key, value }) => ({ key, value: await open(key, value) }))))
      ),
    // Sealed before the inner store begins its transaction, which must not wait for anything else.
    commit: (writes) =>
      Effect.flatMap(
        attempt(() => Promise.all(writes.map(seal))),
        (sealed) => inner.commit(sealed)
      ),
    sync: inner.sync
  })
})

/** Seals the values of the `LocalStore` below it under a key of this 32-byte seed. */
export const layer = (seed: Redacted.Redacted<Uint8Array>): Layer.Layer<LocalStore, StoreError, LocalStore> =>
  Layer.effect(
    LocalStore,
    Effect.flatMap(LocalStore, (inner) => make(inner, seed))
  )
