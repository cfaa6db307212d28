import { Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { MessageEvidence, SignedEnvelope } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Report } from "@kez-chat/sdk/protocol"
import { codeOf, makeWorld, newWords, twoFriends } from "../kit/People.ts"
import { acceptKey, identityOf, rotated } from "../kit/Rotating.ts"

const parsed = (envelope: Parameters<typeof Report.parse>[0]) => Effect.fromResult(Report.parse(envelope))

describe("reporting", () => {
  it.live(
    "KEZ-RPT-001 is about the key that wrote, and leaves out what came to a key that the account had before",
    () =>
      Effect.gen(function* () {
        const { alice, bob, world } = yield* Effect.flatMap(Effect.succeed(makeWorld()), (world) =>
          Effect.map(twoFriends(world), (people) => ({ ...people, world }))
        )
        const bad = yield* bob.chat.send("alice", "buy gold")
        yield* alice.program.event("Message", ({ message }) => message.id === bad.id)
        const [his, hers] = [newWords(), newWords()]
        yield* rotated(bob.chat, his)
        yield* acceptKey(alice.chat, "bob", (yield* identityOf(his)).primary)
        const reported = { who: "bob", reason: "spam", messages: [bad.id] } as const
        assert.deepStrictEqual((yield* alice.chat.report(reported)).proven, [bad.id])
        assert.strictEqual((yield* parsed(world.home.reports[0]!)).reported.hex, bob.account.primary.slice(8))
        yield* rotated(alice.chat, hers)
        const outcome = yield* alice.chat.report(reported)
        assert.deepStrictEqual([outcome.proven, outcome.unprovable], [[], [bad.id]])
      }).pipe(Effect.provide(NodeCrypto.layer))
  )

  it.live("KEZ-RPT-001 KEZ-RPT-003 gives the operator the chosen messages, proven, and no others", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const bad = yield* bob.chat.send("alice", "buy gold")
      yield* bob.chat.send("alice", "a secret")
      const mine = yield* alice.chat.send("bob", "no")
      yield* alice.program.event("Message", ({ message }) => message.text === "a secret")
      const outcome = yield* alice.chat.report({
        who: "bob",
        reason: "spam",
        note: "again",
        messages: [bad.id, mine.id, "AAAAAAAAAAAAAAAAAAAAAA"]
      })
      assert.deepStrictEqual(outcome.proven, [bad.id])
      assert.deepStrictEqual(outcome.unprovable, [mine.id, "AAAAAAAAAAAAAAAAAAAAAA"])
      const [statement] = world.home.reports
      assert.isDefined(statement)
      yield* SignedEnvelope.verify(statement)
      const report = yield* parsed(statement)
      assert.strictEqual(report.reporter.hex, alice.account.primary.slice(8))
      assert.strictEqual(report.reported.hex, bob.account.primary.slice(8))
      assert.deepStrictEqual([report.reason, report.note, report.messages.length], ["spam", "again", 1])
      const { body, message } = yield* MessageEvidence.reveal(report.messages[0]!)
      assert.deepStrictEqual([message.id, body["text"]], [bad.id, "buy gold"])
      assert.notInclude(JSON.stringify(statement), "gold")

      // Neither another secret nor another text passes for what bob wrote.
      const [evidence] = report.messages
      const opens = Uint8Array.from(evidence!.opens, (byte, i) => (i === 0 ? byte ^ 1 : byte))
      assert.strictEqual(
        codeOf(yield* Effect.flip(MessageEvidence.reveal({ ...evidence!, opens }))),
        "message_undecryptable"
      )
      const other = {
        ...evidence!.message,
        payload: { ...evidence!.message.payload, created_at: "2026-01-01T00:00:00Z" }
      }
      const altered = MessageEvidence.reveal({ ...evidence!, message: other })
      assert.strictEqual(codeOf(yield* Effect.flip(altered)), "signature_invalid")
      const swapped = { ...statement.payload, reported: alice.account.primary }
      assert.strictEqual(codeOf(yield* Effect.flip(parsed({ ...statement, payload: swapped }))), "message_misdirected")
    }).pipe(Effect.provide(NodeCrypto.layer))
  )
})
