/** Senders that the home server keeps from an inbox (spec: broker, Block). */
import { group } from "../Check.ts"
import { type BrokerVisit, demand } from "./BrokerVisit.ts"
import { holdsFrames, isOk, isRefused, kezId, sealed, type User } from "./User.ts"

/** Sends of each kind that are timed. */
const timed = 21

const malformed = (own: string, who: string): ReadonlyArray<readonly [request: unknown, what: string]> => {
  const n = kezId()
  return [
    ["", "nothing"],
    [[], "an array"],
    [{ who, n }, "a request without op"],
    [{ op: "clear", who, n }, "another op"],
    [{ op: "add", n }, "a request without who"],
    [{ op: "add", who: who.toUpperCase(), n }, "a key in upper case"],
    [{ op: "add", who: `ed25519:${who}`, n }, "a primary instead of its key"],
    [{ op: "add", who: "*", n }, "everybody"],
    [{ op: "add", who: [who], n }, "a list"],
    [{ op: "add", who }, "a request without n"],
    [{ op: "add", who: own, n }, "the account itself"],
    [`{"op":"add","op":"remove","who":"${who}","n":"${n}"}`, "op twice"],
    [{ op: "add", who, n, x: "x".repeat(513) }, "more than 512 bytes"]
  ]
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const millisOf = async (ask: () => Promise<void>): Promise<number> => {
  const began = performance.now()
  await ask()
  return performance.now() - began
}

/** A new account that blocks one that it has never written to, and another that it does not block. */
const blocking = async (visit: BrokerVisit): Promise<readonly [blocker: User, other: User, sender: User]> => {
  const [blocker, other] = [await visit.user("blocker"), await visit.user("carol")]
  const sender = await visit.newUser()
  await blocker.block("add", sender.hex)
  return [blocker, other, sender]
}

export const block = group<BrokerVisit>("broker/block", [
  {
    id: "blocked",
    requirements: ["KEZ-NAT-019", "KEZ-NAT-063"],
    why: "a blocked sender's frame takes no room and is not delivered, and everybody else's is",
    run: async (visit) => {
      const [blocker, other, sender] = await blocking(visit)
      const [before, others, { used }] = [await blocker.lastSeq(), await other.lastSeq(), await blocker.trim("inbox")]
      const [unseen, seen, after] = [sealed(), sealed(), sealed()]
      await sender.sendOk(blocker.hex, unseen)
      await sender.sendOk(other.hex, seen)
      await other.sendOk(blocker.hex, after)
      await blocker.delivery(after)
      holdsFrames(await blocker.framesAfter(before), [after], "a frame of a blocked sender is stored")
      holdsFrames(await other.framesAfter(others), [seen], "a block concerns other accounts than its own")
      demand(
        !blocker.client.messages.some(({ payload }) => payload.equals(unseen)),
        "a blocked frame is delivered live"
      )
      const report = await blocker.trim("inbox")
      demand(report.used - used <= 512, "a frame of a blocked sender takes room", { before: used, after: report.used })
    }
  },
  {
    id: "answers",
    requirements: ["KEZ-NAT-063"],
    why: "nothing that a sender is answered tells whether it is blocked",
    run: async (visit) => {
      const [blocker, , sender] = await blocking(visit)
      // Never written to either, and as little used today.
      const other = await visit.newUser()
      const ids = [kezId(), kezId()]
      const ask = async (to: User) => [
        await sender.send(to.hex, sealed(), ids[0]),
        await sender.send(to.hex, sealed(), ids[0]),
        await sender.send(to.hex, sealed(65_537), ids[1]),
        await sender.send(to.hex, Buffer.alloc(0), ids[1]),
        await sender.send(to.hex, sealed(), "kezct"),
        await sender.send(to.hex, sealed(60_000)),
        await sender.send(to.hex, sealed(60_000))
      ]
      const [blocked, shown] = [await ask(blocker), await ask(other)]
      for (const [i, answer] of blocked.entries())
        demand(answer === shown[i], "a blocked sender is answered otherwise than one that is not", { blocked, shown })
    }
  },
  {
    id: "time",
    requirements: ["KEZ-NAT-063"],
    why: "an answer that comes much sooner or later than that of a store tells as much as another answer",
    run: async (visit) => {
      const [blocker, other, sender] = await blocking(visit)
      const [blocked, stored]: [Array<number>, Array<number>] = [[], []]
      for (let i = 0; i < timed; i++) {
        blocked.push(await millisOf(() => sender.sendOk(blocker.hex, sealed(60))))
        stored.push(await millisOf(() => sender.sendOk(other.hex, sealed(60))))
      }
      const [one, two] = [median(blocked), median(stored)]
      demand(one < 5 * two + 50 && two < 5 * one + 50, "a blocked sender waits much longer or shorter for its answer", {
        blockedMillis: Math.round(one),
        storedMillis: Math.round(two)
      })
    }
  },
  {
    id: "undone",
    requirements: ["KEZ-NAT-062"],
    why: "adding and removing can be repeated, and what is removed comes through again",
    run: async (visit) => {
      const [blocker, , sender] = await blocking(visit)
      await blocker.block("add", sender.hex)
      const before = await blocker.lastSeq()
      await sender.sendOk(blocker.hex)
      await blocker.block("remove", sender.hex)
      await blocker.block("remove", sender.hex)
      const frame = sealed()
      isOk(await sender.send(blocker.hex, frame), "a send of somebody who is not blocked any more")
      holdsFrames(await blocker.framesAfter(before), [frame], "what is not blocked any more does not come through")
    }
  },
  {
    id: "malformed",
    requirements: ["KEZ-NAT-062"],
    why: "what is no request is answered with bad, and blocks nobody",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      for (const [request, what] of malformed(alice.hex, bob.hex))
        isRefused(await alice.blockRaw(request), `a block request: ${what}`, "bad")
      const [before, frame] = [await alice.lastSeq(), sealed()]
      await bob.sendOk(alice.hex, frame)
      holdsFrames(await alice.framesAfter(before), [frame], "a malformed request blocks somebody")
    }
  }
])
