/** How full the own inbox is, and removing from it (spec: broker, Trim). */
import { randomBytes } from "node:crypto"
import { group } from "../Check.ts"
import { NotChecked } from "../Outcome.ts"
import { type BrokerVisit, demand } from "./BrokerVisit.ts"
import { valuesOf } from "./Connection.ts"
import { holdsFrames, isRefused, kezId, refusalOf, sealed, type User } from "./User.ts"

/** Requests that a server which bounds them must have refused one of. */
const manyTrims = 30

/** What is no trim request, or one of another stream. */
const malformed = (epoch: string, last: number): ReadonlyArray<readonly [request: unknown, what: string]> => {
  const [n, box, upTo] = [kezId(), "inbox", last]
  return [
    ["", "nothing"],
    ["null", "null"],
    [[{ box, n }], "an array"],
    [{ n }, "a request without box"],
    [{ box: "*", n, upTo, epoch }, "a box of *"],
    [{ box: "", n, upTo, epoch }, "a box without name"],
    [{ box, upTo, epoch }, "a request without n"],
    [{ box, n, upTo }, "upTo without epoch"],
    [{ box, n, upTo: `${upTo}`, epoch }, "upTo as a string"],
    [{ box, n, upTo: null, epoch }, "upTo of null"],
    [{ box, n, upTo: 1.5, epoch }, "upTo with a fraction"],
    [{ box, n, upTo, epoch: epoch.slice(1) }, "an epoch of 21 characters"],
    [{ box, n, x: "x".repeat(513) }, "more than 512 bytes"]
  ]
}

/** A new account with mail of a friend and own copies, in turn. */
const withMail = async (visit: BrokerVisit) => {
  const [alice] = await visit.friends()
  const user = await visit.newUser()
  await visit.befriend(user, alice)
  const before = await user.lastSeq()
  const [mail, copies] = [
    [sealed(), sealed(), sealed()],
    [sealed(), sealed(), sealed()]
  ] as const
  for (const i of [0, 1, 2]) {
    await alice.sendOk(user.hex, mail[i])
    await user.sendOk(user.hex, copies[i])
  }
  return { alice, user, mail, copies, before, frames: await user.framesAfter(before) }
}

const usedBy = async (user: User, box: "inbox" | "self"): Promise<number> => (await user.trim(box)).used

export const trim = group<BrokerVisit>("broker/trim", [
  {
    id: "asks",
    requirements: ["KEZ-NAT-059"],
    why: "a request without upTo tells how full a box is, and removes nothing",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      const before = await bob.lastSeq()
      const frame = sealed(2_000)
      await alice.sendOk(bob.hex, frame)
      const report = await bob.trim("inbox")
      demand(report.used >= 2_000 && report.used <= report.limit, "used is not what the box takes", report)
      demand(report.epoch === (await bob.fetch(before)).epoch, "the epoch is another than that of pages", report)
      demand(report.oldest !== undefined && Date.parse(report.oldest) > 0, "oldest is missing", report)
      await bob.trim("self")
      holdsFrames(await bob.framesAfter(before), [frame], "asking how full a box is removed something")
    }
  },
  {
    id: "removes",
    requirements: ["KEZ-NAT-058", "KEZ-LIM-014"],
    why: "the frames of one box up to a number are removed, no others, and their room is free at once",
    run: async (visit) => {
      const { alice, before, copies, frames, mail, user } = await withMail(visit)
      const alices = await alice.framesAfter(before)
      const second = frames.find(({ frame }) => frame.equals(mail[1]))!
      const { epoch, used } = await user.trim("inbox")
      await user.trim("inbox", { upTo: second.seq, epoch })
      const left = await user.framesAfter(before)
      holdsFrames(left, [copies[0], copies[1], mail[2], copies[2]], "a trim removes other frames than it must")
      for (const { frame, seq } of left)
        demand(
          frames.find((one) => one.seq === seq)!.frame.equals(frame),
          "a frame that is left has another number",
          seq
        )
      holdsFrames(
        await alice.framesAfter(before),
        alices.map(({ frame }) => frame),
        "a trim removes frames of another account"
      )
      const report = await user.trim("inbox")
      demand(report.used <= used, "a trim takes room", { before: used, after: report.used })
    }
  },
  {
    id: "all",
    requirements: ["KEZ-NAT-058", "KEZ-LIM-014"],
    why: "an emptied box has all its room again; numbers go on, and the next frame names no predecessor",
    run: async (visit) => {
      const { alice, before, copies, frames, user } = await withMail(visit)
      const [id, repeated] = [kezId(), sealed()]
      await alice.sendOk(user.hex, repeated, id)
      const { epoch } = await user.trim("inbox")
      const upTo = await user.lastSeq()
      const report = await user.trim("inbox", { upTo, epoch })
      demand(report.used === 0, "an emptied box still takes room", report)
      demand(report.oldest === undefined, "an emptied box has an oldest frame", report)
      await alice.sendOk(user.hex, repeated, id)
      holdsFrames(await user.framesAfter(before), copies, "a trim forgets what was sent, so that it is stored again")
      const frame = sealed()
      await alice.sendOk(user.hex, frame)
      const [found] = await user.framesAfter(upTo)
      demand(
        found !== undefined && found.seq > frames.at(-1)!.seq,
        "sequence numbers begin anew after a trim",
        found?.seq
      )
      const [predecessor] = valuesOf(await user.delivery(frame), "Nats-Last-Sequence")
      demand(predecessor === "0", "the frame after a trim names one that was removed", predecessor)
    }
  },
  {
    id: "own-copies",
    requirements: ["KEZ-NAT-058"],
    why: "own copies are a box of their own",
    run: async (visit) => {
      const { before, mail, user } = await withMail(visit)
      const [inbox, { epoch }] = [await usedBy(user, "inbox"), await user.trim("self")]
      const report = await user.trim("self", { upTo: await user.lastSeq(), epoch })
      demand(report.used === 0, "an emptied box still takes room", report)
      holdsFrames(await user.framesAfter(before), mail, "a trim of own copies removes other frames than it must")
      demand((await usedBy(user, "inbox")) === inbox, "a trim of own copies changes what mail takes")
    }
  },
  {
    id: "wrong-stream",
    requirements: ["KEZ-NAT-057"],
    why: "numbers of another stream, or that there are not, would remove what nobody holds",
    run: async (visit) => {
      const { before, frames, user } = await withMail(visit)
      const { epoch } = await user.trim("inbox")
      const upTo = await user.lastSeq()
      for (const [other, what] of [
        [{ upTo, epoch: randomBytes(16).toString("base64url") }, "another epoch"],
        [{ upTo: upTo + 1_000_000_000, epoch }, "a number beyond the stream's last"],
        [{ upTo: 0, epoch }, "upTo of 0"],
        [{ upTo: -1, epoch }, "a negative upTo"]
      ] as const)
        isRefused(await user.trimRaw({ box: "inbox", n: kezId(), ...other }), `a trim: ${what}`, "bad")
      holdsFrames(
        await user.framesAfter(before),
        frames.map(({ frame }) => frame),
        "a trim that was refused removed something"
      )
    }
  },
  {
    id: "malformed",
    requirements: ["KEZ-NAT-057"],
    why: "what is no request is answered with bad, and removes nothing",
    run: async (visit) => {
      const { before, frames, user } = await withMail(visit)
      const { epoch } = await user.trim("inbox")
      for (const [request, what] of malformed(epoch, frames.at(-1)!.seq))
        isRefused(await user.trimRaw(request), `a trim: ${what}`, "bad")
      holdsFrames(
        await user.framesAfter(before),
        frames.map(({ frame }) => frame),
        "a trim that was refused removed something"
      )
    }
  },
  {
    id: "often",
    requirements: ["KEZ-NAT-060"],
    why: "who trims all the time keeps the server from its work",
    run: async (visit) => {
      const user = await visit.newUser()
      await user.sendOk(user.hex)
      const { epoch } = await user.trim("self")
      const upTo = await user.lastSeq()
      const codes: Array<string | undefined> = []
      for (let i = 0; i < manyTrims && !codes.includes("slow"); i++)
        codes.push(refusalOf(await user.trimRaw({ box: "self", n: kezId(), upTo, epoch }))?.code)
      demand(codes.includes("slow"), `${manyTrims} trims one after the other are all carried out`, codes)
    }
  },
  {
    id: "classes",
    requirements: ["KEZ-LIM-012"],
    why: "what a stranger sent stays in the strangers' share, and what it sends when it is known does not go there",
    run: async (visit) => {
      const [alice] = await visit.friends()
      const user = await visit.newUser()
      const before = await user.trim("inbox")
      if (before.strangers === undefined)
        throw new NotChecked("not-applicable", "the server does not say how much of an inbox is the strangers'")
      await alice.sendOk(user.hex, sealed(2_000))
      const asStranger = await user.trim("inbox")
      await user.sendOk(alice.hex)
      await alice.sendOk(user.hex, sealed(3_000))
      const asKnown = await user.trim("inbox")
      demand(asStranger.strangers?.used === 2_000, "a stranger's frame is not in the strangers' share", asStranger)
      demand(asKnown.used === 5_000, "used is not the sum of the frames", asKnown)
      demand(asKnown.strangers?.used === 2_000, "the strangers' share changes with a known sender's frame", asKnown)
    }
  }
])
