/** What every Directory must do. Applied to each adapter; `make` gives one whose registry is empty but for other tests' accounts. */
import { randomBytes } from "node:crypto"
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Identity, VerifiedRecord } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Problem } from "@kez-chat/sdk/protocol"
import { Directory } from "@kez-chat/sdk/services"

export interface DirectoryUnderTest {
  readonly directory: Directory["Service"]
  /** The name of the server behind it. */
  readonly server: string
}

const newIdentity = Effect.suspend(() => Identity.fromSeed(Redacted.make(new Uint8Array(randomBytes(32)))))
const newHandle = () => `kit-${randomBytes(8).toString("hex")}`

const codeOf = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(Effect.flip(effect), (error) => (error instanceof Problem.Problem ? error.code : String(error)))

export const directoryKit = (name: string, make: () => DirectoryUnderTest): void => {
  const registered = Effect.gen(function* () {
    const { directory, server } = make()
    const identity = yield* newIdentity
    const handle = newHandle()
    const statement = yield* identity.signRegistration({ handle, server, createdAt: Date.now() })
    const record = yield* directory.register(statement)
    return { directory, server, identity, handle, statement, record }
  })

  layer(NodeCrypto.layer, { excludeTestServices: true })(`Directory: ${name}`, (it) => {
    it.effect("registers a handle, and the record it gives verifies and is found by handle and by primary", () =>
      Effect.gen(function* () {
        const { directory, handle, identity, record, server, statement } = yield* registered
        assert.strictEqual(record.handle, `${handle}@${server}`)
        assert.strictEqual(record.primary, identity.primary)
        assert.deepStrictEqual(record.registration, statement)
        yield* VerifiedRecord.verify(record, { server, handle, primary: identity.primary })
        assert.deepStrictEqual(yield* directory.lookup(handle), record)
        assert.deepStrictEqual(yield* directory.byPrimary(identity.primary), record)
      })
    )

    it.effect("succeeds on the repeat of one's own registration, whatever the clock", () =>
      Effect.gen(function* () {
        const { directory, handle, identity, record, server, statement } = yield* registered
        assert.deepStrictEqual(yield* directory.register(statement), record)
        const old = yield* identity.signRegistration({ handle, server, createdAt: Date.now() - 86_400_000 })
        assert.deepStrictEqual(yield* directory.register(old), record)
      })
    )

    it.effect("gives the server's reason for every refusal", () =>
      Effect.gen(function* () {
        const { directory, handle, identity, server } = yield* registered
        const other = yield* newIdentity
        const now = Date.now()
        const taken = yield* other.signRegistration({ handle, server, createdAt: now })
        assert.strictEqual(yield* codeOf(directory.register(taken)), "handle_taken")
        const second = yield* identity.signRegistration({ handle: newHandle(), server, createdAt: now })
        assert.strictEqual(yield* codeOf(directory.register(second)), "primary_taken")
        const elsewhere = yield* other.signRegistration({
          handle: newHandle(),
          server: "elsewhere.example",
          createdAt: now
        })
        assert.strictEqual(yield* codeOf(directory.register(elsewhere)), "wrong_server")
        const late = yield* other.signRegistration({ handle: newHandle(), server, createdAt: now - 600_000 })
        assert.strictEqual(yield* codeOf(directory.register(late)), "clock_skew")
        const forged = { ...taken, payload: { ...taken.payload, handle: newHandle() } }
        assert.strictEqual(yield* codeOf(directory.register(forged)), "signature_invalid")
        assert.strictEqual(yield* codeOf(directory.lookup(newHandle())), "handle_not_found")
        assert.strictEqual(yield* codeOf(directory.lookup("admin")), "handle_reserved")
        assert.strictEqual(yield* codeOf(directory.lookup("Not a handle/../x")), "handle_malformed")
        assert.strictEqual(yield* codeOf(directory.byPrimary(other.primary)), "handle_not_found")
        assert.strictEqual(yield* codeOf(directory.byPrimary("ed25519:00")), "key_malformed")
        const deletion = yield* other.signDeletion({ handle, server, createdAt: now })
        assert.strictEqual(yield* codeOf(directory.delete(deletion)), "unauthorized")
      })
    )

    it.effect("deletes for good, and again", () =>
      Effect.gen(function* () {
        const { directory, handle, identity, server, statement } = yield* registered
        const deletion = yield* identity.signDeletion({ handle, server, createdAt: Date.now() })
        yield* directory.delete(deletion)
        yield* directory.delete(deletion)
        assert.strictEqual(yield* codeOf(directory.lookup(handle)), "handle_deleted")
        assert.strictEqual(yield* codeOf(directory.byPrimary(identity.primary)), "handle_deleted")
        assert.strictEqual(yield* codeOf(directory.register(statement)), "handle_deleted")
      })
    )

    it.effect("describes its server and tells its clock", () =>
      Effect.gen(function* () {
        const { directory, server } = make()
        const description = yield* directory.wellKnown
        assert.strictEqual(description.server, server)
        assert.match(description.sig_server, /^https?:\/\//)
        // Whole seconds and a busy machine: a minute would be a wrong clock.
        assert.isBelow(Math.abs(yield* directory.clockSkewMillis), 60_000)
      })
    )
  })
}
