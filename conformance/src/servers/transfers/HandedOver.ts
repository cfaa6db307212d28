/** What a key can still do that handed its handle over, and what others can send to it (spec: broker, Keys that handed over). */
import { randomBytes } from "node:crypto"
import { group } from "../Check.ts"
import { handedOver } from "./Transfers.ts"
import { type BrokerVisit, demand } from "../broker/BrokerVisit.ts"
import { deniesAll } from "../broker/Subjects.ts"
import { holdsFrames, isRefused, kezId, sealed, type User } from "../broker/User.ts"

/** A new account with a frame of bob's, whose handle then went to another key. */
const moved = async (visit: BrokerVisit) => {
  const [, bob] = await visit.friends()
  const before = await visit.newUser()
  const frame = sealed()
  await bob.sendOk(before.hex, frame)
  const { account: next } = await handedOver(visit.home, before.account)
  return { bob, before, next, frame }
}

/** Logs in with the old key once the server closed what it had open: what comes in earlier may be closed with it. */
const comesBack = async (visit: BrokerVisit, before: User, url?: string): Promise<User> => {
  await before.client.closed("a connection of a key that handed over stays open")
  return visit.login(before.account, url)
}

const fetchAfter = async (user: User, after: number): Promise<string> =>
  (await user.fetchRaw(JSON.stringify({ after, n: randomBytes(16).toString("base64url") }))).toString("latin1")

/** What is answered over a connection that the server may end instead. */
const answered = (user: User, ask: Promise<string>): Promise<string | undefined> =>
  ask.catch((error: unknown) => {
    if (user.client.isClosed) return undefined
    throw error
  })

export const handedOverKeys = group<BrokerVisit>("broker/handed-over", [
  {
    id: "closed",
    requirements: ["KEZ-REG-128"],
    why: "what the old key has open is closed when the handle goes to another one",
    run: async (visit) => {
      const account = await visit.home.newAccount()
      const users = []
      for (const url of visit.urls) users.push(await visit.login(account, url))
      await handedOver(visit.home, account)
      for (const { client } of users) await client.closed("a connection of a key that handed over stays open")
    }
  },
  {
    id: "send",
    requirements: ["KEZ-NAT-120"],
    why: "what is sent to the old key is answered with moved and not stored; the new key gets its own mail",
    run: async (visit) => {
      const { before, bob, frame, next } = await moved(visit)
      isRefused(await bob.send(before.hex), "a send to a key that handed over", "moved")
      const user = await visit.login(next)
      const sent = sealed()
      await bob.sendOk(next.signer.hex, sent)
      await user.delivery(sent)
      holdsFrames(await user.framesAfter(0), [sent], "the new key has other mail than was sent to it")
      const old = await comesBack(visit, before)
      holdsFrames(await old.framesAfter(0), [frame], "the old key has other mail than from before")
    }
  },
  {
    id: "fetch",
    requirements: ["KEZ-NAT-121", "KEZ-NAT-122"],
    why: "the old key comes in and fetches what only it can open, up to the end, which is called moved",
    run: async (visit) => {
      const { before, frame } = await moved(visit)
      await visit.onEveryPort(async (url) => {
        const old = await comesBack(visit, before, url)
        demand(old.client.errors.length === 0, "the old key may not hear its own deliveries", old.client.errors)
        const frames = await old.framesAfter(0)
        holdsFrames(frames, [frame], "the old key does not get the mail that it had")
        isRefused(await fetchAfter(old, frames[0]!.seq), "a fetch by the old key beyond its mail", "moved")
      })
    }
  },
  {
    id: "rights",
    requirements: ["KEZ-NAT-122"],
    why: "who has the old words sends nothing, removes nothing, blocks nobody, and reads nothing of the new key",
    run: async (visit) => {
      const { before, bob, next } = await moved(visit)
      const { hex } = next.signer
      await visit.onEveryPort(async (url) => {
        const old = await comesBack(visit, before, url)
        await deniesAll(old, "publish to", [
          ...[bob.hex, before.hex, hex].map((to) => `kez.inbox.${to}`),
          ...[before.hex, hex].flatMap((own) => [`kez.trim.${own}`, `kez.block.${own}`]),
          `kez.fetch.${hex}`
        ])
        await deniesAll(old, "subscribe to", [`kez.dlv.${hex}`, `_INBOX_${hex}.>`, "kez.dlv.*"])
      })
    }
  },
  {
    id: "from-before",
    requirements: ["KEZ-NAT-123"],
    why: "a connection from before the handover does nothing any more until it is closed",
    run: async (visit) => {
      const { before, bob } = await moved(visit)
      const [last, frame, n] = [await bob.lastSeq(), sealed(), kezId()]
      const [sent, trimmed, blocked] = await Promise.all(
        [
          before.send(bob.hex, frame),
          before.trimRaw({ box: "inbox", n }),
          before.blockRaw({ op: "add", who: bob.hex, n })
        ].map((ask) => answered(before, ask))
      )
      const by = "over a connection of a key that handed over"
      if (sent !== undefined) isRefused(sent, `a send ${by}`, "retry")
      if (trimmed !== undefined) isRefused(trimmed, `a trim ${by}`, "bad")
      if (blocked !== undefined) isRefused(blocked, `a block ${by}`, "bad")
      holdsFrames(await bob.framesAfter(last), [], "a key that handed over still sends")
    }
  },
  {
    id: "block",
    requirements: ["KEZ-NAT-124"],
    why: "who is blocked does not come through with the key that follows",
    run: async (visit) => {
      const blocker = await visit.user("blocker")
      const before = await visit.newUser()
      await blocker.block("add", before.hex)
      const { account } = await handedOver(visit.home, before.account)
      const [next, last] = [await visit.login(account), await blocker.lastSeq()]
      await next.sendOk(blocker.hex)
      holdsFrames(await blocker.framesAfter(last), [], "a frame of the key that a blocked one handed over to is stored")
    }
  }
])
