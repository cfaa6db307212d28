/** An account that shares very much: its chain does not fill, and whoever looks sees the newest list. */
import { Effect, Layer } from "effect"
import { assert, it } from "@effect/vitest"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Envelope, Limits } from "@kez-chat/sdk/protocol"
import { Crypto } from "@kez-chat/sdk/services"
import { createHash } from "node:crypto"
import { makeWorld, twoFriends } from "../client/kit/People.ts"
import { file } from "../client/kit/Publishing.ts"
import { live } from "../client/kit/SteeredClock.ts"

const publications = 20_000
const aDay = 1_000
const day = 24 * 60 * 60 * 1_000

/**
 * A chain is verified again for each publication, hundreds of times the same events: each signature is checked once
 * here.
 */
const remembering = Layer.effect(
  Crypto,
  Effect.map(Crypto, (inner) => {
    const known = new Set<string>()
    return Crypto.of({
      ...inner,
      verify: (key, message, signature) => {
        const name = createHash("sha256").update(key.ed25519).update(signature).update(message).digest("base64")
        if (known.has(name)) return Effect.succeed(true)
        return Effect.tap(inner.verify(key, message, signature), (isValid) =>
          Effect.sync(() => {
            if (isValid) known.add(name)
          })
        )
      }
    })
  })
).pipe(Layer.provide(NodeCrypto.layer))

it.live(
  "KEZ-MAN-026 20,000 publications leave room in the chain, and no reader is a revision behind",
  () =>
    live(
      Date.UTC(2026, 0, 1, 1),
      Effect.fnUntraced(function* (clock) {
        const world = makeWorld({ crypto: remembering })
        const { alice, bob } = yield* twoFriends(world)
        let seen = 0
        for (let n = 1; n <= publications; n++) {
          const [newest] = yield* alice.chat.shared
          if (newest !== undefined && n % 2 === 0) yield* alice.chat.unshare(newest.id)
          else yield* alice.chat.share({ file: file(`f${n}`), public: true })
          yield* alice.chat.flush
          if (n % 37 === 0 || n % aDay === 0) {
            const { revision, source } = yield* bob.chat.browse("alice")
            assert.isAbove(revision, seen)
            assert.strictEqual(source, "home")
            seen = revision
          }
          if (n % aDay === 0) clock.advance(day)
        }
        assert.isAtLeast(seen, publications)
        const chain = world.home.chains.get(alice.account.primary)!
        const days = new Map<string, number>()
        for (const { payload } of chain) {
          if (payload["op"] !== "set_shared_files") continue
          const date = String(payload["created_at"]).slice(0, 10)
          days.set(date, (days.get(date) ?? 0) + 1)
        }
        assert.strictEqual(days.size, publications / aDay)
        for (const [date, count] of days) assert.isAtMost(count, Limits.anchorsPerDay, date)
        const bytes = chain.reduce((sum, event) => sum + Envelope.encode(event).length + 1, 0)
        assert.isBelow(bytes, 80_000)
      })
    ),
  600_000
)
