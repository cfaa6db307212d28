/**
 * Seals the values of a LocalStore under a key of the account's seed; the keys of the entries stay readable.
 *
 * A value is sealed by AES-256-GCM with the key of its entry as associated data, so that it opens nowhere else. An
 * older value of the same entry cannot be told from the current one.
 *
 * The key is derived from the seed that the account had first. An account that rotates keeps it, since sealing all again
 * could not be done at once: `handOver` adds an entry that holds it, sealed under the new seed.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import { LocalStore, type Range, StoreError, type Write } from "../../services/LocalStore.ts"
import * as AesGcm from "./AesGcm.ts"

const info = "kez-chat/web-store/1"

const failed = (cause: unknown): StoreError =>
  new StoreError({ reason: "io", detail: "values cannot be sealed here: WebCrypto needs a page over https", cause })

const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, StoreError> =>
  Effect.tryPromise({ try: run, catch: (cause) => (cause instanceof StoreError ? cause : failed(cause)) })

/** The entry that holds the key of the values, for the seed with this name. Not one of the sealed store's. */
const keyPrefix = "\u0000key/"

/** What a seed is called, and the key under which it keeps the key of the values. */
const holderOf = async (seed: Uint8Array) => ({
  entry: keyPrefix + Bytes.toBase64Url(await AesGcm.deriveBytes(seed, `${info}/name`)),
  key: await AesGcm.deriveKey(seed, `${info}/key`)
})

/** The bytes of the key of the values. */
const valueKey = Effect.fnUntraced(function* (inner: LocalStore["Service"], seed: Redacted.Redacted<Uint8Array>) {
  const secret = Redacted.value(seed)
  const { entry, key } = yield* attempt(() => holderOf(secret))
  const held = yield* inner.get(entry)
  if (Option.isNone(held)) return yield* attempt(() => AesGcm.deriveBytes(secret, info))
  const bytes = yield* attempt(() => AesGcm.open(key, Bytes.utf8(entry), held.value))
  if (bytes !== undefined) return bytes
  return yield* new StoreError({ reason: "damaged", detail: "the key of the sealed values does not open" })
})

/** Lets `to` open what is sealed for `from`, too. Durable when it returns; the store stays open as it is. */
export const handOver = Effect.fnUntraced(function* (
  inner: LocalStore["Service"],
  from: Redacted.Redacted<Uint8Array>,
  to: Redacted.Redacted<Uint8Array>
): Effect.fn.Return<void, StoreError> {
  const bytes = yield* valueKey(inner, from)
  const value = yield* attempt(async () => {
    const { entry, key } = await holderOf(Redacted.value(to))
    return { op: "put" as const, key: entry, value: await AesGcm.seal(key, Bytes.utf8(entry), bytes) }
  })
  yield* Effect.catchTag(inner.commit([value]), "StoreConflict", Effect.die)
  yield* inner.sync
})

/** The entries of a range that are the account's. */
const visible = Effect.fnUntraced(function* (inner: LocalStore["Service"], range: Range) {
  for (let hidden = 0; ;) {
    const limit = range.limit === undefined ? {} : { limit: range.limit + hidden }
    const found = yield* inner.scan({ ...range, ...limit })
    const entries = found.filter(({ key }) => !key.startsWith(keyPrefix))
    if (range.limit === undefined || found.length - entries.length === hidden) return entries
    hidden = found.length - entries.length
  }
})

/** `inner` with sealed values. A value that the seed does not open is `damaged`. */
export const make = Effect.fnUntraced(function* (
  inner: LocalStore["Service"],
  seed: Redacted.Redacted<Uint8Array>
): Effect.fn.Return<LocalStore["Service"], StoreError> {
  const bytes = yield* valueKey(inner, seed)
  const key = yield* attempt(() => AesGcm.importKey(bytes))

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
      Effect.flatMap(visible(inner, range), (entries) =>
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
