/** Rotating to a new key: order, resumption, other devices, restoring, and what nobody can undo. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted, Stream } from "effect"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { Vault, VaultError } from "@kez-chat/sdk/services"
import { type Death, mortal } from "../kit/Mortal.ts"
import {
  codeOf,
  type Device,
  eventually,
  join,
  makeWorld,
  newDevice,
  newWords,
  textsOf,
  twoFriends
} from "../kit/People.ts"
import { acceptKey, identityOf, rotated } from "../kit/Rotating.ts"

describe("rotating", () => {
  it.live("KEZ-SIG-200 takes the steps in their order, and the conversation goes on once the contact confirms", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* bob.chat.send("alice", "one")
      yield* alice.program.hasShown(["one"])
      const words = newWords()
      const next = yield* identityOf(words)
      const before = alice.account
      assert.deepStrictEqual(yield* rotated(alice.chat, words), [
        "saved",
        "published",
        "rotated",
        "transferred",
        "finished"
      ])
      const after = yield* alice.chat.account
      assert.deepInclude(after, { handle: before.handle, primary: next.primary, step: "published" })
      assert.notStrictEqual(after.device, before.device)
      assert.strictEqual(Redacted.value(yield* alice.chat.words), Redacted.value(words))
      assert.isUndefined(yield* alice.chat.rotation)
      assert.strictEqual(world.home.records.get("alice")!.primary, next.primary)
      assert.deepStrictEqual(textsOf(yield* alice.chat.history("bob")), ["one"])

      // Bob writes to the old key, is told, and waits for what he decides about the new one.
      yield* bob.chat.send("alice", "two")
      yield* bob.program.event("State", ({ message }) => message.waiting?.reason === "moved")
      const { contact } = yield* bob.program.event(
        "KeyChanged",
        ({ contact }) => contact.offered?.origin === "handed_over"
      )
      assert.deepStrictEqual(contact.offered, { primary: next.primary, origin: "handed_over" })
      assert.strictEqual(codeOf(yield* Effect.flip(bob.chat.send("alice", "three"))), "SendBlocked")
      yield* bob.chat.acceptKey("alice", next.primary)
      yield* bob.chat.send("alice", "three")
      yield* bob.chat.flush
      yield* eventually(() => alice.program.shown().length === 3)
      assert.deepStrictEqual(textsOf(yield* alice.chat.history("bob")), ["one", "two", "three"])
      assert.deepStrictEqual(textsOf(yield* bob.chat.history("alice")), ["one", "two", "three"])
      yield* alice.chat.send("bob", "four")
      yield* alice.chat.flush
      yield* eventually(() => bob.program.shown().some(({ text }) => text === "four"))
      const received = (yield* bob.chat.history("alice")).at(-1)!
      assert.deepInclude(received, { text: "four", peer: next.primary })
      assert.isUndefined(received.gap)
      // The old key can do nothing more for the handle.
      assert.strictEqual(world.home.moved.get(before.primary), next.primary)
    })
  )

  it.live("KEZ-SIG-200 finds out what the home has against it before anything is given up", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { chat, account, words } = yield* join(world, "alice")
      const other = yield* join(world, "other")
      const chain = [...world.home.chains.get(account.primary)!]
      assert.strictEqual(codeOf(yield* Effect.flip(rotated(chat, other.words))), "primary_taken")
      assert.strictEqual(codeOf(yield* Effect.flip(rotated(chat, words))), "RotationRefused")
      assert.strictEqual(codeOf(yield* Effect.flip(rotated(chat))), "RotationRefused")
      world.home.unreachable.add("transfer")
      assert.strictEqual(codeOf(yield* Effect.flip(rotated(chat, newWords()))), "ServerUnreachable")
      assert.isUndefined(yield* chat.rotation)
      assert.deepStrictEqual(world.home.chains.get(account.primary), chain)
      assert.strictEqual(world.home.records.get("alice")!.primary, account.primary)
    })
  )

  it.live("KEZ-SIG-201 goes on after a home that is down or whose answer was lost, and only with the same words", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { chat, account } = yield* join(world, "alice")
      const [first, words] = [newWords(), newWords()]
      world.home.unreachable.add("append")
      assert.strictEqual(codeOf(yield* Effect.flip(rotated(chat, first))), "ServerUnreachable")
      assert.strictEqual((yield* chat.rotation)?.step, "saved")
      // Nothing is given up yet, so other words can take their place.
      world.home.unreachable.delete("append")
      world.home.loseAnswer.set("transfer", 0)
      const next = yield* identityOf(words)
      const steps: Array<string> = []
      yield* chat.rotate(words).pipe(
        Stream.tap(({ step }) =>
          Effect.sync(() => {
            steps.push(step)
            if (step === "rotated") world.home.unreachable.add("transfer")
          })
        ),
        Stream.runDrain,
        Effect.flip
      )
      assert.deepStrictEqual(steps, ["saved", "published", "rotated"])
      assert.strictEqual(codeOf(yield* Effect.flip(rotated(chat, newWords()))), "RotationRefused")
      world.home.unreachable.delete("transfer")
      world.home.loseAnswer.set("transfer", 1)
      assert.strictEqual(codeOf(yield* Effect.flip(rotated(chat))), "ServerUnreachable")
      assert.strictEqual(world.home.moved.get(account.primary), next.primary)
      // The device learns from its inbox that the handover was made, and completes it by itself; asking does so too.
      yield* Effect.ignore(rotated(chat, words))
      yield* Effect.repeat(chat.account, { until: ({ primary }) => primary === next.primary })
    })
  )

  const deaths: ReadonlyArray<Death> = [
    ...[1, 2, 3].flatMap((at) => [false, true].map((after): Death => ({ step: "append", at, after }))),
    ...Array.from({ length: 9 }, (_, n) =>
      [false, true].map((after): Death => ({ step: "commit", at: n + 1, after }))
    ).flat()
  ]
  it.live("KEZ-SIG-201 KEZ-SIG-203 goes on after a death at any step, with the words of the first call or none", () =>
    Effect.forEach(
      deaths,
      Effect.fnUntraced(function* (death) {
        const world = makeWorld()
        const device = newDevice()
        const { program, account } = yield* join(world, "alice", device)
        const bob = yield* join(world, "bob")
        yield* program.chat.addContact("bob")
        yield* bob.chat.addContact("alice")
        yield* bob.chat.send("alice", "before")
        yield* bob.chat.flush
        yield* program.chat.sync
        yield* program.close
        const words = newWords()
        const next = yield* identityOf(words)
        let starts = 0
        const alice = mortal(world, device, [death])
        yield* alice.live(({ chat }) =>
          Effect.gen(function* () {
            starts += 1
            // With the same words, or none where a rotation is known to be under way.
            const isUnderWay = starts > 1 && (yield* chat.rotation) !== undefined
            yield* rotated(chat, isUnderWay && death.after ? undefined : words).pipe(
              Effect.catchIf(
                (error) => (error as { _tag: string })._tag === "RotationRefused",
                // It was completed by the start, a moment after it was asked.
                () => Effect.repeat(chat.account, { until: ({ primary }) => primary === next.primary })
              )
            )
          })
        )
        yield* alice.live(({ chat }) =>
          Effect.gen(function* () {
            yield* Effect.repeat(chat.account, {
              until: (now) => now.primary === next.primary && now.step === "published"
            })
            yield* chat.sync
            assert.deepStrictEqual(textsOf(yield* chat.history("bob")), ["before"])
            yield* chat.send("bob", "after")
            yield* chat.flush
          })
        )
        assert.strictEqual(world.home.records.get("alice")!.primary, next.primary)
        const chain = world.home.chains.get(account.primary)!
        assert.deepStrictEqual(
          chain.map(({ payload }) => payload["op"]),
          ["add_endpoint", "add_endpoint", "rotate"]
        )
        const seed = Option.getOrThrow(yield* device.vault.load)
        assert.strictEqual(Mnemonic.fromSeed(Redacted.value(seed)), Redacted.value(words))
      }, Effect.scoped),
      { concurrency: 4, discard: true }
    )
  )

  it.live("KEZ-SIG-201 goes on when it dies between vault and store", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const device = newDevice()
      const { program } = yield* join(world, "alice", device)
      yield* program.close
      const words = newWords()
      const next = yield* identityOf(words)
      // The vault takes the new seed, and the program hears no more of it.
      const vault = Vault.of({
        ...device.vault,
        save: (seed) =>
          Effect.andThen(
            device.vault.save(seed),
            Effect.fail(new VaultError({ reason: "io", detail: "power is gone" }))
          )
      })
      const dying = yield* world.start({ ...device, vault } satisfies Device)
      assert.strictEqual(codeOf(yield* Effect.flip(rotated(dying.chat, words))), "VaultError")
      yield* dying.close
      const again = yield* world.start(device, { primary: next.primary })
      yield* Effect.repeat(again.chat.account, { until: ({ primary }) => primary === next.primary })
      assert.isUndefined(yield* again.chat.rotation)
    })
  )

  it.live("KEZ-SIG-202 says so when somebody else with the words was first, and gives up nothing more", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { account, chat, program, words } = yield* join(world, "alice")
      const thief = yield* world.start(newDevice())
      yield* thief.chat.restore({ words })
      const stolen = newWords()
      yield* rotated(thief.chat, stolen)
      const { primary } = yield* identityOf(stolen)
      const { account: moved } = yield* program.event("HandedOver")
      assert.deepInclude(moved, { primary: account.primary, movedTo: primary })
      const refused = yield* Effect.flip(rotated(chat, newWords()))
      assert.deepInclude(refused, { _tag: "AccountMoved", to: primary })
      assert.strictEqual(codeOf(yield* Effect.flip(chat.send("alice", "note"))), "AccountMoved")
    })
  )
})

describe("the account's other devices", () => {
  it.live("KEZ-SIG-205 go on with the newest words after two rotations", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const device = newDevice()
      const laptop = yield* world.start(device)
      yield* laptop.chat.restore({ words: alice.words })
      yield* laptop.close
      const [second, third] = [newWords(), newWords()]
      yield* rotated(alice.chat, second)
      yield* rotated(alice.chat, third)
      const back = yield* world.start(device)
      yield* back.event("HandedOver")
      // A home that says that the last key has another handle.
      const record = world.home.records.get("alice")!
      const statement = { handle: "other", server: "home.test", createdAt: Date.now() }
      const registration = yield* (yield* identityOf(third)).signRegistration(statement)
      world.home.records.set("alice", { ...record, handle: "other@home.test", registration })
      assert.strictEqual(codeOf(yield* Effect.flip(back.chat.restore({ words: third }))), "AccountExists")
      world.home.records.set("alice", record)
      const { movedTo, primary } = yield* back.chat.restore({ words: third, former: [second] })
      assert.deepStrictEqual([movedTo, primary], [undefined, (yield* identityOf(third)).primary])
    })
  )

  it.live("KEZ-SIG-205 stop sending, keep what waits, and go on with the new words", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const laptop = yield* world.start(newDevice())
      yield* laptop.chat.restore({ words: alice.words })
      yield* bob.chat.send("alice", "to both")
      yield* laptop.chat.sync
      yield* laptop.chat.accept("bob")
      // What the laptop wrote and could not send.
      world.broker.setOnline(false)
      yield* laptop.chat.send("bob", "from the laptop")
      yield* alice.chat.block("bob").pipe(Effect.andThen(alice.chat.unblock("bob")))
      world.broker.setOnline(true)
      const words = newWords()
      yield* rotated(alice.chat, words)
      const { primary } = yield* identityOf(words)
      yield* laptop.event("HandedOver", ({ account }) => account.movedTo === primary)
      assert.strictEqual(codeOf(yield* Effect.flip(laptop.chat.send("bob", "x"))), "AccountMoved")
      assert.strictEqual(codeOf(yield* Effect.flip(laptop.chat.restore({ words: newWords() }))), "AccountExists")
      const back = yield* laptop.chat.restore({ words })
      assert.deepInclude(back, { primary, step: "published" })
      assert.isUndefined(back.movedTo)
      yield* acceptKey(bob.chat, "alice", primary)
      yield* laptop.chat.flush
      yield* bob.chat.sync
      assert.include(textsOf(yield* bob.chat.history("alice")), "from the laptop")
      assert.include(textsOf(yield* laptop.chat.history("bob")), "to both")
      // Both devices have the account again.
      yield* bob.chat.send("alice", "to both again")
      yield* bob.chat.flush
      yield* laptop.chat.sync
      yield* alice.chat.sync
      for (const chat of [laptop.chat, alice.chat]) {
        assert.include(textsOf(yield* chat.history("bob")), "to both again")
      }
    })
  )

  it.live("KEZ-SIG-204 KEZ-NAT-125 restores old mail with both word lists, and takes no words of others", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* bob.chat.send("alice", "to the first key")
      yield* alice.chat.sync
      yield* alice.chat.send("bob", "from the first key")
      yield* alice.chat.send("alice", "note to self")
      yield* alice.chat.flush
      const [second, third] = [newWords(), newWords()]
      yield* rotated(alice.chat, second)
      yield* acceptKey(bob.chat, "alice", (yield* identityOf(second)).primary)
      yield* bob.chat.send("alice", "to the second key")
      yield* bob.chat.flush
      yield* alice.chat.sync
      yield* rotated(alice.chat, third)

      const fresh = yield* world.start(newDevice())
      assert.strictEqual(codeOf(yield* Effect.flip(fresh.chat.restore({ words: alice.words }))), "primary_moved")
      const stray = yield* Effect.flip(fresh.chat.restore({ words: third, former: [newWords()] }))
      assert.deepInclude(stray, { _tag: "RotationRefused", reason: "not_former" })
      yield* fresh.chat.restore({ words: third, former: [alice.words, second] })
      yield* Effect.repeat(
        Effect.orElseSucceed(fresh.chat.history("bob"), () => []),
        {
          until: (found) => found.length === 3
        }
      )
      assert.sameMembers(textsOf(yield* fresh.chat.history("bob")), [
        "to the first key",
        "from the first key",
        "to the second key"
      ])
      yield* Effect.repeat(fresh.chat.history("alice"), { until: (found) => found.length === 1 })
      // The old seeds are in the export, sealed; nothing in it is a seed.
      const items = yield* Stream.runCollect(fresh.chat.export)
      const former = items.filter(({ kind }) => kind === "former")
      assert.strictEqual(former.length, 2)
      const text = JSON.stringify(items)
      for (const words of [alice.words, second, third]) {
        const seed = yield* Effect.fromResult(Mnemonic.toSeed(Redacted.value(words)))
        assert.notInclude(text, Buffer.from(seed).toString("base64url"))
        assert.notInclude(text, Buffer.from(seed).toString("hex"))
      }
    })
  )
})
