import { WebVault } from "@kez-chat/sdk/indexeddb"
import { StoreError, VaultError } from "@kez-chat/sdk/services"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted, Result, type Scope } from "effect"
import { decode, encode, type VaultRecord } from "../../../src/adapters/indexeddb/VaultRecord.ts"
import { vaultKit } from "../../kits/VaultKit.ts"
import * as Raw from "./RawDatabase.ts"

const account = { handle: "chris@kez.lat", primary: `ed25519:${"0a".repeat(32)}` }
const passphrase = Redacted.make("correct horse battery")
const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill)
const seed = Redacted.make(bytes(32, 0xa7))
const passkey = { credentialId: bytes(20, 1), prfSalt: bytes(32, 2) }
const secret = Redacted.make(bytes(32, 3))

const begun = (name: string) =>
  Effect.gen(function* () {
    const vault = yield* WebVault.make({ name })
    const unlocked = yield* vault.begin({ ...account, passphrase })
    yield* unlocked.vault.save(seed)
    return { vault, unlocked }
  })

/** A vault that was written and closed. */
const written = Effect.suspend(() => {
  const name = Raw.newName()
  return Effect.as(Effect.scoped(begun(name)), name)
})

const loaded = ({ vault }: WebVault.Unlocked) =>
  Effect.map(vault.load, (seed) => Redacted.value(Option.getOrThrow(seed)))

const opens = (name: string, opener: WebVault.Opener) =>
  Effect.scoped(Effect.flatMap(WebVault.make({ name }), (vault) => Effect.flatMap(vault.unlock(opener), loaded)))

const reasonOf = <A>(effect: Effect.Effect<A, VaultError, Scope.Scope>) =>
  Effect.map(Effect.flip(Effect.scoped(effect)), (error) => {
    // Neither the passphrase nor the seed nor the secret of the passkey.
    assert.notMatch(
      `${String(error)} ${JSON.stringify(error)} ${String(error.cause)}`,
      /correct horse|a7a7|167,167|3,3,3/
    )
    return error.reason
  })

const edit = Effect.fnUntraced(function* (name: string, change: (record: VaultRecord) => VaultRecord) {
  const record = Result.getOrThrow(decode(yield* Raw.read(name, "vault")))
  yield* Raw.put(name, "vault", encode(change(record)))
})

vaultKit("this browser", {
  place: Effect.sync(() => {
    const name = Raw.newName()
    const open = Effect.gen(function* () {
      const vault = yield* WebVault.make({ name })
      const found = yield* vault.read
      const unlocked = Option.isSome(found) ? vault.unlock({ passphrase }) : vault.begin({ ...account, passphrase })
      return (yield* unlocked).vault
    })
    return { open, durable: true }
  })
})

describe("WebVault", () => {
  it.live("shows handle, primary and slots without a secret, and nothing before the seed is saved", () =>
    Effect.gen(function* () {
      const vault = yield* WebVault.make({ name: Raw.newName() })
      assert.isTrue(Option.isNone(yield* vault.read))
      assert.strictEqual(yield* reasonOf(vault.unlock({ passphrase })), "unavailable")
      const unlocked = yield* vault.begin({ ...account, passphrase })
      yield* unlocked.addPasskey({ ...passkey, secret })
      assert.isTrue(Option.isNone(yield* vault.read))
      yield* unlocked.vault.save(seed)
      assert.deepStrictEqual(Option.getOrThrow(yield* vault.read), {
        ...account,
        slots: [{ kind: "passphrase" }, { kind: "passkey", ...passkey }]
      })
      yield* vault.clear
      yield* vault.clear
      assert.isTrue(Option.isNone(yield* vault.read))
    })
  )

  it.live("opens as before when the account gets another key, and another after that", () =>
    Effect.gen(function* () {
      const name = Raw.newName()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { unlocked, vault } = yield* begun(name)
          for (const fill of [0x0b, 0x0c]) {
            const primary = `ed25519:${fill.toString(16).padStart(2, "0").repeat(32)}`
            yield* unlocked.handOver({ primary, seed: Redacted.make(bytes(32, fill)) })
            assert.strictEqual(Option.getOrThrow(yield* vault.read).primary, primary)
            assert.deepStrictEqual(yield* loaded(unlocked), bytes(32, fill))
          }
          yield* unlocked.changePassphrase({ passphrase, next: Redacted.make("another passphrase") })
        })
      )
      const again = Effect.flatMap(WebVault.make({ name }), (vault) =>
        vault.unlock({ passphrase: Redacted.make("another passphrase") })
      )
      const unlocked = yield* again
      assert.deepStrictEqual(yield* loaded(unlocked), bytes(32, 0x0c))
    })
  )

  it.live("tells a wrong passphrase from damage", () =>
    Effect.gen(function* () {
      const name = yield* written
      assert.deepStrictEqual(yield* opens(name, { passphrase }), Redacted.value(seed))
      assert.strictEqual(yield* reasonOf(opens(name, { passphrase: Redacted.make("another") })), "wrong_passphrase")
      const text = String(yield* Raw.read(name, "vault"))
      for (const at of [0, 10, Math.floor(text.length / 2), text.length - 70, text.length - 1]) {
        yield* Raw.put(name, "vault", text.slice(0, at) + (text[at] === "1" ? "2" : "1") + text.slice(at + 1))
        assert.strictEqual(yield* reasonOf(opens(name, { passphrase })), "damaged")
      }
      yield* Raw.put(name, "vault", Uint8Array.of(1))
      assert.strictEqual(yield* reasonOf(opens(name, { passphrase })), "damaged")
      yield* Raw.put(name, "vault", text)
      yield* opens(name, { passphrase })
    })
  )

  it.live("finds damage also where somebody mends the checksum", () =>
    Effect.gen(function* () {
      const name = yield* written
      const flip = (value: Uint8Array) => value.map((byte, i) => (i === 20 ? byte ^ 1 : byte))
      const whole = String(yield* Raw.read(name, "vault"))
      yield* edit(name, (record) => ({ ...record, sealedSeed: flip(record.sealedSeed) }))
      assert.strictEqual(yield* reasonOf(opens(name, { passphrase })), "damaged")
      yield* Raw.put(name, "vault", whole)
      yield* edit(name, (record) => ({ ...record, handle: "mallory@kez.lat" }))
      assert.strictEqual(yield* reasonOf(opens(name, { passphrase })), "damaged")
      yield* Raw.put(name, "vault", whole)
      yield* edit(name, ({ slots: [slot], ...record }) => ({
        ...record,
        slots: [{ ...slot, kdf: { ...slot.kdf, t: 2 } }]
      }))
      assert.strictEqual(yield* reasonOf(opens(name, { passphrase })), "wrong_passphrase")
    })
  )

  it.live("takes a passphrase in either Unicode form, and none that is blank", () =>
    Effect.gen(function* () {
      const name = yield* written
      yield* Effect.scoped(
        Effect.gen(function* () {
          const vault = yield* WebVault.make({ name })
          const blank = Redacted.make(" \u200b")
          assert.strictEqual(yield* reasonOf(vault.begin({ ...account, passphrase: blank })), "locked")
          const unlocked = yield* vault.unlock({ passphrase })
          assert.strictEqual(yield* reasonOf(unlocked.changePassphrase({ passphrase, next: blank })), "locked")
          const next = Redacted.make("caf\u00e9 noir, two")
          yield* unlocked.changePassphrase({ passphrase, next })
        })
      )
      yield* opens(name, { passphrase: Redacted.make("cafe\u0301 noir, two") })
    })
  )

  it.live("changes the passphrase only for somebody who knows it, and keeps seed and passkeys", () =>
    Effect.gen(function* () {
      const name = Raw.newName()
      const next = Redacted.make("four other words here")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { unlocked } = yield* begun(name)
          yield* unlocked.addPasskey({ ...passkey, secret })
          const guessed = unlocked.changePassphrase({ passphrase: next, next })
          assert.strictEqual(yield* reasonOf(guessed), "wrong_passphrase")
          yield* unlocked.changePassphrase({ passphrase, next })
        })
      )
      assert.strictEqual(yield* reasonOf(opens(name, { passphrase })), "wrong_passphrase")
      assert.deepStrictEqual(yield* opens(name, { passphrase: next }), Redacted.value(seed))
      const { credentialId } = passkey
      assert.deepStrictEqual(yield* opens(name, { credentialId, secret }), Redacted.value(seed))
    })
  )

  it.live("opens by the secret of a passkey until that is removed", () =>
    Effect.gen(function* () {
      const name = Raw.newName()
      const { credentialId } = passkey
      const another = { credentialId: bytes(16, 9), prfSalt: bytes(32, 8), secret: Redacted.make(bytes(32, 7)) }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { unlocked, vault } = yield* begun(name)
          yield* unlocked.addPasskey({ ...passkey, secret: another.secret })
          yield* unlocked.addPasskey(another)
          yield* unlocked.addPasskey({ ...passkey, secret })
          assert.lengthOf(Option.getOrThrow(yield* vault.read).slots, 3)
        })
      )
      assert.deepStrictEqual(yield* opens(name, { credentialId, secret }), Redacted.value(seed))
      assert.deepStrictEqual(yield* opens(name, another), Redacted.value(seed))
      const swapped = opens(name, { credentialId, secret: another.secret })
      assert.strictEqual(yield* reasonOf(swapped), "wrong_passphrase")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const unlocked = yield* (yield* WebVault.make({ name })).unlock({ passphrase })
          yield* unlocked.removePasskey(credentialId)
          yield* unlocked.removePasskey(credentialId)
        })
      )
      assert.strictEqual(yield* reasonOf(opens(name, { credentialId, secret })), "wrong_passphrase")
      yield* opens(name, another)
    })
  )

  it.live("opens by its key, which is zero after the scope", () =>
    Effect.gen(function* () {
      const name = Raw.newName()
      const key = yield* Effect.scoped(
        Effect.gen(function* () {
          const { unlocked } = yield* begun(name)
          const copy = Redacted.make(Redacted.value(unlocked.key).slice())
          assert.deepStrictEqual(yield* opens(name, { key: copy }), Redacted.value(seed))
          assert.notMatch(String(unlocked.key) + JSON.stringify(unlocked), /\d+,\d+/)
          return unlocked.key
        })
      )
      assert.deepStrictEqual(Redacted.value(key), new Uint8Array(32))
      assert.strictEqual(yield* reasonOf(opens(name, { key })), "wrong_passphrase")
    })
  )

  it.live("replaces the vault of another account, as a whole", () =>
    Effect.gen(function* () {
      const name = yield* written
      const other = { handle: "dana@kez.lat", primary: `ed25519:${"0b".repeat(32)}` }
      const next = Redacted.make("the passphrase of dana")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const vault = yield* WebVault.make({ name })
          const unlocked = yield* vault.begin({ ...other, passphrase: next })
          assert.strictEqual(Option.getOrThrow(yield* vault.read).handle, account.handle)
          yield* unlocked.vault.save(Redacted.make(bytes(32, 5)))
        })
      )
      assert.deepStrictEqual(yield* opens(name, { passphrase: next }), bytes(32, 5))
      assert.strictEqual(yield* reasonOf(opens(name, { passphrase })), "wrong_passphrase")
    })
  )

  it.live("names the reason of the database: a later version, no room, no database at all", () =>
    Effect.gen(function* () {
      const name = yield* written
      const causeOf = <A>(effect: Effect.Effect<A, VaultError, Scope.Scope>) =>
        Effect.map(Effect.flip(Effect.scoped(effect)), ({ reason, cause }) => [
          reason,
          cause instanceof StoreError ? cause.reason : cause
        ])
      yield* Effect.scoped(
        Effect.gen(function* () {
          const unlocked = yield* (yield* WebVault.make({ name })).unlock({ passphrase })
          const { put } = IDBObjectStore.prototype
          yield* Effect.addFinalizer(() => Effect.sync(() => (IDBObjectStore.prototype.put = put)))
          IDBObjectStore.prototype.put = () => {
            throw new DOMException("no room", "QuotaExceededError")
          }
          assert.deepStrictEqual(yield* causeOf(unlocked.addPasskey({ ...passkey, secret })), ["io", "full"])
        })
      )
      yield* opens(name, { passphrase })
      yield* Effect.scoped(Raw.connect(name, 2))
      assert.deepStrictEqual(yield* causeOf(WebVault.make({ name })), ["unavailable", "newer"])
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { open } = IDBFactory.prototype
          yield* Effect.addFinalizer(() => Effect.sync(() => (IDBFactory.prototype.open = open)))
          IDBFactory.prototype.open = () => {
            throw new DOMException("denied", "SecurityError")
          }
          assert.deepStrictEqual(yield* causeOf(WebVault.make({ name })), ["unavailable", "io"])
        })
      )
    })
  )
})
