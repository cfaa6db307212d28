/** Making a proof: what is published is signed once, and whatever interrupts the steps, a later call goes on. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { makeMemoryProofs } from "../../doubles/MemoryProofs.ts"
import { codeOf, makeWorld, twoFriends } from "../kit/People.ts"

const met = Effect.gen(function* () {
  const proofs = makeMemoryProofs()
  const world = makeWorld({ proofs: proofs.layer })
  return { proofs, world, ...(yield* twoFriends(world)) }
})

const operations = (world: Effect.Success<typeof met>["world"], primary: string) =>
  (world.home.chains.get(primary) ?? []).flatMap((envelope) => {
    const { op, payload } = envelope.payload as { op: string; payload: { subject?: string } }
    return payload.subject === undefined ? [] : [`${op} ${payload.subject}`]
  })

describe("making a proof", () => {
  it.live("says what to publish, waits until it is seen, verifies it as others do, and records it (KEZ-PRF-156)", () =>
    Effect.gen(function* () {
      const { alice, bob, proofs, world } = yield* met
      const looks = yield* Stream.runCollect(Stream.take(bob.chat.prove("github:@Bob"), 2))
      assert.deepInclude(looks[0], { subject: "github:bob", step: "publish" })
      assert.include(looks[1]?.sentence, "there is no proof")
      assert.deepStrictEqual(operations(world, bob.account.primary), [])
      proofs.published.set("github:bob", [`it is me: ${looks[0]!.publication.text}.`])
      const steps = yield* Stream.runCollect(bob.chat.prove("github:bob"))
      assert.deepStrictEqual(
        steps.map(({ step }) => step),
        ["publish", "visible", "recorded"]
      )
      assert.strictEqual(steps[0]?.publication.text, looks[0]?.publication.text)
      assert.deepStrictEqual(operations(world, bob.account.primary), ["add github:bob"])
      assert.deepStrictEqual(yield* bob.chat.provings, [])
      assert.deepInclude((yield* bob.chat.proofs())[0], { subject: "github:bob", state: "valid" })
      assert.deepInclude((yield* alice.chat.checkProofs("bob"))[0], { subject: "github:bob", state: "valid" })
    })
  )

  it.live("goes on after the process ended, and after the sig-server could not be reached", () =>
    Effect.gen(function* () {
      const { bob, proofs, world } = yield* met
      const [told] = yield* Stream.runCollect(Stream.take(bob.chat.prove("github:bob"), 1))
      yield* bob.program.close
      proofs.published.set("github:bob", [told!.publication.text])
      const second = yield* world.start(bob.device)
      world.home.unreachable.add("append")
      const failed = yield* Effect.flip(Stream.runCollect(second.chat.prove("github:bob")))
      assert.strictEqual(codeOf(failed), "ServerUnreachable")
      assert.deepStrictEqual(
        (yield* second.chat.provings).map(({ step }) => step),
        ["visible"]
      )
      yield* second.close
      world.home.unreachable.clear()
      // The event is stored by the server, and the answer is lost.
      world.home.loseAnswer.set("append", 1)
      const third = yield* world.start(bob.device)
      yield* Effect.exit(Stream.runCollect(third.chat.prove("github:bob")))
      yield* third.close
      const fourth = yield* world.start(bob.device)
      if ((yield* fourth.chat.provings).length > 0) {
        const steps = yield* Stream.runCollect(fourth.chat.prove("github:bob"))
        assert.strictEqual(steps.at(-1)?.step, "recorded")
      }
      assert.deepStrictEqual(operations(world, bob.account.primary), ["add github:bob"])
      assert.deepStrictEqual(yield* fourth.chat.provings, [])
    })
  )

  it.live("that was taken back while another call waits for it is not recorded after all", () =>
    Effect.gen(function* () {
      const { bob, proofs, world } = yield* met
      const looked = yield* Deferred.make<void>()
      const waiting = yield* bob.chat.prove("github:bob").pipe(
        Stream.tap(({ checkedAt }) =>
          checkedAt === undefined
            ? Effect.void
            : Effect.andThen(bob.chat.revokeProof("github:bob"), Deferred.succeed(looked, undefined))
        ),
        Stream.tap(({ publication }) => Effect.sync(() => void proofs.published.set("github:bob", [publication.text]))),
        Stream.runDrain,
        Effect.flip,
        Effect.forkChild
      )
      yield* Deferred.await(looked)
      assert.deepInclude(yield* Fiber.join(waiting), { _tag: "ProofRefused", reason: "unknown" })
      assert.deepStrictEqual(operations(world, bob.account.primary), [])
      assert.deepStrictEqual(yield* bob.chat.provings, [])
    })
  )

  it.live("looks again for a proof that an earlier call saw, before it is recorded (KEZ-PRF-156)", () =>
    Effect.gen(function* () {
      const { bob, proofs, world } = yield* met
      const [told] = yield* Stream.runCollect(Stream.take(bob.chat.prove("github:bob"), 1))
      proofs.published.set("github:bob", [told!.publication.text])
      yield* Stream.runDrain(Stream.take(bob.chat.prove("github:bob"), 2))
      assert.deepInclude((yield* bob.chat.provings)[0], { step: "visible" })
      proofs.published.delete("github:bob")
      const steps = yield* Stream.runCollect(Stream.take(bob.chat.prove("github:bob"), 2))
      assert.strictEqual(steps.at(-1)?.step, "publish")
      assert.deepStrictEqual(operations(world, bob.account.primary), [])
    })
  )

  it.live("takes a claim back, also one that was never published", () =>
    Effect.gen(function* () {
      const { alice, bob, proofs, world } = yield* met
      yield* Stream.runDrain(Stream.take(bob.chat.prove("dns:bob.example"), 1))
      yield* bob.chat.revokeProof("dns:bob.example")
      assert.deepStrictEqual(yield* bob.chat.provings, [])
      const [told] = yield* Stream.runCollect(Stream.take(bob.chat.prove("github:bob"), 1))
      proofs.published.set("github:bob", [told!.publication.text])
      yield* Stream.runDrain(bob.chat.prove("github:bob"))
      yield* bob.chat.revokeProof("github:Bob")
      assert.deepStrictEqual(operations(world, bob.account.primary), ["add github:bob", "revoke github:bob"])
      assert.deepInclude((yield* alice.chat.checkProofs("bob"))[0], { revoked: true })
      assert.deepInclude(yield* Effect.flip(bob.chat.revokeProof("github:bob")), {
        _tag: "ProofRefused",
        reason: "unknown"
      })
      assert.deepInclude(yield* Effect.flip(Stream.runDrain(bob.chat.prove("keybase:bob"))), {
        _tag: "ProofRefused",
        reason: "unsupported"
      })
      assert.strictEqual(
        codeOf(yield* Effect.flip(Stream.runDrain(bob.chat.prove("no system")))),
        "identifier_malformed"
      )
    })
  )
})
