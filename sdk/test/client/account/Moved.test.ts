/** An account whose handle another key has now, and the keys that it had before. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { ghost } from "../kit/Ghost.ts"
import { codeOf, join, keyOf, makeWorld, newDevice, newWords, twoFriends, type World } from "../kit/People.ts"
import { identityOf, rotated } from "../kit/Rotating.ts"

describe("a handle that somebody with the words took away", () => {
  /** Hands the handle over as the home takes it, without a word in the old key's chain. */
  const taken = (world: World, account: { readonly primary: string }, to: string) => {
    const record = world.home.records.get("alice")!
    world.home.records.set("alice", { ...record, primary: to })
    world.home.moved.set(account.primary, to)
    world.home.onMoved(account.primary)
  }

  it.live("KEZ-SIG-205 is told of with the key that the home names, or without one where nobody says which", () =>
    Effect.forEach([true, false], (isNamed) =>
      Effect.gen(function* () {
        const world = makeWorld()
        const { account, chat, program } = yield* join(world, "alice")
        const thief = yield* join(world, "thief")
        const { registration } = world.home.records.get("thief")!
        taken(world, account, thief.account.primary)
        // A record is believed as far as its key has signed it.
        if (isNamed) {
          const statement = { handle: "alice", server: "home.test", createdAt: Date.now() }
          const signed = yield* (yield* identityOf(thief.words)).signRegistration(statement)
          world.home.records.set("alice", { ...world.home.records.get("alice")!, registration: signed })
        } else world.home.records.set("alice", { ...world.home.records.get("alice")!, registration })
        const to = isNamed ? thief.account.primary : "unknown"
        const { account: moved } = yield* program.event("HandedOver")
        assert.deepInclude(moved, { primary: account.primary, movedTo: to })
        const refused = yield* Effect.flip(chat.send("alice", "note"))
        assert.deepInclude(refused, { _tag: "AccountMoved", to })
        assert.deepInclude(yield* Effect.flip(rotated(chat, newWords())), { _tag: "AccountMoved", to })
        // Nothing is left to give up, and what is here can go.
        yield* chat.deleteAccount
        assert.strictEqual(codeOf(yield* Effect.flip(chat.account)), "NoAccount")
        assert.isTrue(world.home.records.has("alice"))
      }).pipe(Effect.provide(NodeCrypto.layer))
    )
  )

  it.live("KEZ-REG-126 is not given up by the old key, which says so", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const device = newDevice()
      const { account, program } = yield* join(world, "alice", device)
      yield* program.close
      world.home.moved.set(account.primary, "ed25519:0")
      const offline = yield* world.start(device, { offline: true })
      assert.deepInclude(yield* Effect.flip(offline.chat.deleteAccount), { _tag: "AccountMoved", to: "unknown" })
      assert.strictEqual((yield* offline.chat.account).movedTo, "unknown")
      yield* offline.chat.deleteAccount
      assert.strictEqual(codeOf(yield* Effect.flip(offline.chat.account)), "NoAccount")
    })
  )
})

describe("former keys", () => {
  it.live("KEZ-NAT-125 are looked at again at the next start, and one that is stuck holds up no other", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const device = newDevice()
      const { alice, bob } = yield* twoFriends(world, { alice: device })
      yield* bob.chat.send("alice", "first")
      yield* alice.chat.sync
      const [second, third] = [newWords(), newWords()]
      yield* rotated(alice.chat, second)
      yield* rotated(alice.chat, third)
      yield* alice.chat.sync
      yield* alice.program.close
      // What was on its way: the home takes it for the first key a moment later.
      const late = yield* ghost(61)
      const first = keyOf(alice.account.primary)
      world.broker.store(first, yield* late.frame({ to: first, seq: 0 }))
      world.broker.setOnline(false, (yield* identityOf(second)).key)
      const again = yield* world.start(device)
      yield* again.event("Request")
    })
  )
})
