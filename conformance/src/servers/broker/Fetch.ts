/** Pages of the own inbox (spec: broker, Fetch). */
import { randomBytes } from "node:crypto"
import { group } from "../Check.ts"
import { Violation } from "../Outcome.ts"
import { type BrokerVisit, demand } from "./BrokerVisit.ts"
import { maxPageFrames, readPage } from "./Page.ts"
import { holdsFrames, isOk, isRefused, refusalOf, sealed, type User } from "./User.ts"

const n = randomBytes(16).toString("base64url")

/** What is no fetch request, with what is wrong. */
const malformed: ReadonlyArray<readonly [request: string | Uint8Array, what: string]> = [
  ["", "nothing"],
  ["null", "null"],
  ["[]", "an array"],
  ["{", "half an object"],
  ["{}", "an empty object"],
  ['{"after":0}', "a request without n"],
  [`{"n":"${n}"}`, "a request without after"],
  [`{"after":-1,"n":"${n}"}`, "a negative after"],
  [`{"after":1.5,"n":"${n}"}`, "an after with a fraction"],
  [`{"after":"0","n":"${n}"}`, "after as a string"],
  [`{"after":9007199254740992,"n":"${n}"}`, "an after of 2^53"],
  [`{"after":0,"n":"${n.slice(1)}"}`, "an n of 21 characters"],
  [`{"after":0,"n":"${n}","epoch":"x"}`, "an epoch that is none"],
  [`{"after":0,"n":"${n}","epoch":null}`, "an epoch of null"],
  [`{"after":0,"after":1,"n":"${n}"}`, "after twice"],
  [`{"after":0,"n":"${n}","x":"${"x".repeat(513)}"}`, "more than 512 bytes"],
  [Buffer.alloc(100, 0xff), "bytes that are no UTF-8"]
]

/** Stores frames for oneself, some at a time. */
const fill = async (user: User, count: number, bytes: number): Promise<ReadonlyArray<Buffer>> => {
  const frames = Array.from({ length: count }, () => sealed(bytes))
  const atOnce = bytes > 10_000 ? 4 : 60
  for (let i = 0; i < count; i += atOnce)
    for (const answer of await Promise.all(frames.slice(i, i + atOnce).map((frame) => user.send(user.hex, frame))))
      isOk(answer, "an own copy")
  return frames
}

/** Enough requests at once that some must be refused. */
const burst = 200

export const fetching = group<BrokerVisit>("broker/fetch", [
  {
    id: "empty",
    requirements: ["KEZ-NAT-030"],
    why: "the page of a new account has no frames, and all that a page has",
    run: async (visit) => {
      const page = await (await visit.newUser()).fetch(0)
      demand(page.frames.length === 0 && page.pending === 0, "the inbox of a new account is not empty", page)
    }
  },
  {
    id: "positions",
    requirements: ["KEZ-NAT-030"],
    why: "a page has the frames of both subjects after the position, oldest first, with the time of storage",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      const before = await bob.lastSeq()
      const frames = [sealed(), sealed(), sealed(), sealed()]
      for (const [i, frame] of frames.entries()) await (i % 2 === 0 ? alice : bob).sendOk(bob.hex, frame)
      const found = await bob.framesAfter(before)
      holdsFrames(found, frames, "a page does not hold the frames of both subjects in order")
      const now = Date.parse(visit.home.time())
      for (const { timeMillis } of found)
        demand(Math.abs(timeMillis - now) < 300_000, "the time of a frame is not that of its storage", timeMillis)
      for (const at of [0, 1, 2])
        holdsFrames(
          await bob.framesAfter(found[at]!.seq),
          frames.slice(at + 1),
          "a page does not begin after the position that was asked for"
        )
    }
  },
  {
    id: "end",
    requirements: ["KEZ-NAT-030"],
    why: "at the end and beyond it a page is empty, and says where the end is",
    run: async (visit) => {
      const [alice] = await visit.friends()
      const frame = sealed()
      await alice.sendOk(alice.hex, frame)
      await alice.delivery(frame)
      const last = await alice.lastSeq()
      for (const after of [last, last + 1_000_000, Number.MAX_SAFE_INTEGER]) {
        const page = await alice.fetch(after)
        demand(page.frames.length === 0 && page.pending === 0, `a page after ${after} is not empty`, page)
        demand(page.lastSeq >= last, "last_seq is smaller than the number of a stored frame", page)
      }
    }
  },
  {
    id: "epoch",
    requirements: ["KEZ-NAT-045"],
    why: "who names the epoch of another stream gets its inbox from the beginning",
    run: async (visit) => {
      const [alice] = await visit.friends()
      await alice.sendOk(alice.hex)
      const first = await alice.fetch(0)
      const last = await alice.lastSeq()
      const same = await alice.fetch(last, { epoch: first.epoch })
      demand(same.frames.length === 0 && same.epoch === first.epoch, "the stream's own epoch is not recognised", same)
      const other = await alice.fetch(last, { epoch: randomBytes(16).toString("base64url") })
      demand(other.epoch === first.epoch, "the epoch of a page is not the stream's", other.epoch)
      holdsFrames(
        other.frames.slice(0, first.frames.length),
        first.frames.map(({ frame }) => frame),
        "a request with another epoch is not answered from the beginning"
      )
    }
  },
  {
    id: "many",
    requirements: ["KEZ-NAT-030", "KEZ-NAT-034"],
    why: "a page has at most 512 frames, and says how many are left",
    run: async (visit) => {
      const user = await visit.user("collector")
      const before = await user.lastSeq()
      const frames = await fill(user, maxPageFrames + 20, 60)
      const page = await user.fetch(before)
      demand(
        page.frames.length + page.pending === frames.length,
        "the frames of a page and those pending are not what is stored",
        { frames: page.frames.length, pending: page.pending, stored: frames.length }
      )
      holdsFrames(await user.framesAfter(before), frames, "the pages do not hold all that is stored")
    }
  },
  {
    id: "large",
    requirements: ["KEZ-NAT-034"],
    why: "a page of large frames stays within 1,048,576 bytes, and the rest comes in the next",
    run: async (visit) => {
      const user = await visit.user("collector")
      const before = await user.lastSeq()
      const frames = await fill(user, 18, 65_536)
      holdsFrames(await user.framesAfter(before), frames, "the pages do not hold all that is stored")
    }
  },
  {
    id: "account",
    requirements: ["KEZ-NAT-032"],
    why: "whose inbox it is says the subject, and not what a request claims",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      await alice.sendOk(bob.hex)
      const bobs = (await bob.fetch(0)).frames.map(({ frame }) => frame)
      const nonce = randomBytes(16)
      const claims = {
        pk: bob.hex,
        account: bob.hex,
        primary: bob.account.signer.primary,
        subject: `kez.fetch.${bob.hex}`
      }
      const request = JSON.stringify({ after: 0, n: nonce.toString("base64url"), ...claims })
      const answer = await alice.fetchRaw(request)
      // What it does not know it may refuse.
      if (refusalOf(answer.toString("latin1"))?.code === "bad") return
      const page = readPage(answer, alice.hex, nonce)
      demand(
        !page.frames.some(({ frame }) => bobs.some((one) => one.equals(frame))),
        "a page has frames of the account that the payload names"
      )
    }
  },
  {
    id: "malformed",
    requirements: ["KEZ-NAT-046"],
    why: "what is no request is answered with bad, so that nobody waits",
    run: async (visit) => {
      const [alice] = await visit.friends()
      for (const [request, what] of malformed)
        isRefused((await alice.fetchRaw(request)).toString("latin1"), `a fetch: ${what}`, "bad")
    }
  },
  {
    id: "burst",
    requirements: ["KEZ-NAT-033", "KEZ-NAT-049"],
    why: "of very many fetches at once some are answered with slow at once, and none is left without an answer",
    run: async (visit) => {
      const user = await visit.user("collector")
      if ((await user.fetch(0)).bytes < 500_000) await fill(user, 9, 65_000)
      const nonce = randomBytes(16)
      const request = JSON.stringify({ after: 0, n: nonce.toString("base64url") })
      const answers = await Promise.all(Array.from({ length: burst }, () => user.fetchRaw(request)))
      const codes = answers.map((answer) =>
        answer[0] === 1 && readPage(answer, user.hex, nonce).bytes > 0
          ? "page"
          : (refusalOf(answer.toString("latin1"))?.code ?? "")
      )
      if (!codes.includes("slow") || codes.some((code) => !/^(?:page|slow|retry)$/.test(code)))
        throw new Violation(
          `${burst} fetches at once are not answered with pages and slow`,
          ["page", "slow"],
          Object.fromEntries([...new Set(codes)].map((code) => [code, codes.filter((one) => one === code).length]))
        )
    }
  }
])
