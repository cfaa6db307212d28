/** Properties of a contact's states that hold whatever a home answers (KEZ-SEQ-040 to 052); the cases are the vectors'. */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as ContactState from "../../../src/client/contacts/ContactState.ts"

const keys = ["A", "B", "C"]
const key = fc.constantFrom(...keys)
const servers: fc.Arbitrary<ContactState.Event> = fc.oneof(
  fc.record({ event: fc.constant("names" as const), primary: key }),
  fc.record({ event: fc.constant("names_nobody" as const) }),
  fc.record({ event: fc.constantFrom("extends" as const, "falls_behind" as const, "forks" as const) }),
  fc.record({ event: fc.constant("rotates" as const), primary: fc.constantFrom("B", "C") })
)
const keeps = fc.record({ event: fc.constant("user_keeps" as const) })
const confirms = fc.record({ event: fc.constant("user_confirms" as const), primary: key })
const accepts = fc.record({ event: fc.constant("user_accepts" as const), primary: key })

const fresh: ContactState.ContactState = {
  pinned: "A",
  relation: "accepted",
  name: "named",
  chain: "whole",
  verified: false
}

/** Every state on the way, with the event that led to it. */
const run = (events: ReadonlyArray<ContactState.Event>, start = fresh) => {
  let state = start
  return events.flatMap((event, index) => {
    const before = state
    // A key cannot rotate to itself.
    if (event.event === "rotates" && event.primary === before.pinned) return []
    const transition = ContactState.apply(before, event, index * 60_000)
    state = transition.state
    return [{ before, event, ...transition }]
  })
}

const check = <T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => void) =>
  fc.assert(fc.property(arbitrary, holds), { numRuns: 2_000 })
const events = (...kinds: ReadonlyArray<fc.Arbitrary<ContactState.Event>>) =>
  fc.array(fc.oneof(...kinds), { maxLength: 24 })

describe("a contact's state", () => {
  it("never pins another key without the user's acceptance of that very key", () => {
    check(events(servers, keeps, confirms), (given) => {
      for (const { state } of run(given)) assert.strictEqual(state.pinned, "A")
    })
    check(events(servers, keeps, confirms, accepts), (given) => {
      for (const { before, event, state } of run(given)) {
        if (state.pinned === before.pinned) continue
        assert.deepStrictEqual(event, { event: "user_accepts", primary: state.pinned })
        assert.strictEqual(ContactState.offered(before)?.primary, state.pinned)
      }
    })
  })

  it("never shows as verified what the user did not confirm after it was accepted", () => {
    check(events(servers, keeps, confirms, accepts), (given) => {
      const confirmed = new Set<string>()
      for (const { before, event, refused, state } of run(given)) {
        if (event.event === "user_accepts" && refused === undefined) confirmed.clear()
        if (event.event === "user_confirms" && refused === undefined) {
          assert.isTrue(ContactState.maySend(before))
          confirmed.add(event.primary)
        }
        if (ContactState.isVerified(state)) assert.isTrue(confirmed.has(state.pinned) && ContactState.maySend(state))
      }
    })
  })

  it("never forgets a fork or a rotation by itself", () => {
    check(events(servers, confirms), (given) => {
      let isScarred = false
      for (const { event, notice, state } of run(given)) {
        isScarred ||= event.event === "forks" || event.event === "rotates"
        if (!isScarred) continue
        assert.include(["rotated", "forked"], state.chain)
        assert.isFalse(ContactState.maySend(state))
        assert.notStrictEqual(notice, "healed")
      }
    })
    // The user's keeping resumes sending and erases nothing.
    check(events(servers, keeps), (given) => {
      let isScarred = false
      for (const { event, state } of run(given)) {
        isScarred ||= event.event === "forks" || event.event === "rotates"
        if (isScarred) assert.match(state.chain, /^(rotated|forked)/)
      }
    })
  })

  it("shows the offered key's number whenever sending stopped and a key is offered", () => {
    check(events(servers, keeps, accepts), (given) => {
      for (const { state } of run(given)) {
        const offered = ContactState.offered(state)
        assert.notStrictEqual(offered?.primary, state.pinned)
        assert.strictEqual(
          ContactState.numberOf(state),
          ContactState.isStopped(state) && offered !== undefined ? "offered" : "pinned"
        )
        // Handed over is only what the key itself signed, and nobody contradicts.
        if (offered?.origin === "handed_over") assert.match(state.chain, /^rotated/)
      }
    })
  })

  it("tells of every stop and of every resumption that the user did not ask for", () => {
    check(events(servers, keeps), (given) => {
      for (const { before, event, notice, state } of run(given)) {
        if (event.event === "user_keeps") continue
        if (ContactState.maySend(before) && !ContactState.maySend(state)) assert.strictEqual(notice, "changed")
        if (!ContactState.maySend(before) && ContactState.maySend(state)) assert.strictEqual(notice, "healed")
      }
    })
  })

  it("reminds whoever keeps a key once in 24 hours at most", () => {
    const offers = fc.array(fc.integer({ min: 1, max: 20 * 3_600_000 }), { maxLength: 40 })
    check(offers, (gaps) => {
      let now = 1_800_000_000_000
      let { state } = ContactState.apply(fresh, { event: "names", primary: "B" }, now)
      state = ContactState.apply(state, { event: "user_keeps" }, now).state
      let last = now
      for (const gap of gaps) {
        now += gap
        const next = ContactState.apply(state, { event: "names", primary: "C" }, now)
        state = next.state
        assert.strictEqual(next.notice === "offered", now - last >= ContactState.noticeMillis)
        if (next.notice !== undefined) last = now
      }
    })
  })
})
