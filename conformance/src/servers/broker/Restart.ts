/**
 * What outlives the end of the home server's processes, without warning. The operator says how they are ended and
 * started again; everything is set up before, and looked at after, one restart.
 */
import { group } from "../Check.ts"
import { equals, fits, hasStatus } from "../Expect.ts"
import { NotChecked, Violation } from "../Outcome.ts"
import type { Account } from "../home/HomeVisit.ts"
import { type BrokerVisit, demand } from "./BrokerVisit.ts"
import { type Frame, type Page } from "./Page.ts"
import { holdsFrames, isOk, kezId, refusalOf, sealed, type User } from "./User.ts"

/** Time until the server answers again, and between two tries, in milliseconds. */
const backWithin = 120_000
const pause = 250
/** Quotas lag by some seconds. */
const lagMillis = 3_000
const littleBytes = 600_000

interface Restarted {
  readonly person: User
  /** Registered right before the restart, with its record then. */
  readonly account: Account
  readonly record: unknown
  readonly before: Page
  /** Every frame that was answered with ok, in the order of their sends. */
  readonly acknowledged: ReadonlyArray<{ readonly frame: Buffer; readonly id: string }>
  readonly friend: User
  readonly blocked: User
  /** A stranger whose share of the day is used up, where that takes little. */
  readonly spent: User | undefined
}

const restarts = new WeakMap<BrokerVisit, Promise<Restarted>>()

/** The one restart of a run. */
const restarted = (visit: BrokerVisit): Promise<Restarted> => {
  const known = restarts.get(visit)
  if (known !== undefined) return known
  const made = restart(visit)
  restarts.set(visit, made)
  return made
}

const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** Tries until it succeeds, or the server is not back in time. */
const comesBack = async <A>(ask: () => Promise<A>): Promise<A> => {
  const until = Date.now() + backWithin
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (Date.now() > until)
        throw new Violation(
          `the server does not serve ${backWithin / 1_000} s after the restart: ${(error as Error).message}`
        )
      await sleep(pause)
    }
  }
}

const useUp = async (visit: BrokerVisit, person: User): Promise<User | undefined> => {
  const limit = visit.limits["inbox_stranger_bytes_per_day"] ?? littleBytes
  if (limit >= littleBytes) return undefined
  const stranger = await visit.newUser()
  for (let i = 0; i < 6; i++)
    if ((await stranger.send(person.hex, sealed(Math.ceil(limit / 4)))) !== '{"ok":1}') return stranger
  return undefined
}

const restart = async (visit: BrokerVisit): Promise<Restarted> => {
  if (visit.restart === undefined)
    throw new NotChecked("not-applicable", "--restart-command says how to restart the server")
  const [friend, blocked, person] = [await visit.newUser(), await visit.newUser(), await visit.newUser()]
  await visit.befriend(person, friend)
  await person.block("add", blocked.hex)
  const spent = await useUp(visit, person)
  if (spent !== undefined) await sleep(lagMillis)
  const before = await person.fetch(0)
  const acknowledged: Array<{ frame: Buffer; id: string }> = []
  const over = new AbortController()
  // One after the other, until the connection breaks: what was answered with ok until then must be there afterwards.
  const load = (async () => {
    for (let i = 0; i < 100 && !over.signal.aborted; i++) {
      const [frame, id] = [sealed(), kezId()]
      const answer = await friend.send(person.hex, frame, id).catch(() => undefined)
      if (answer === '{"ok":1}') acknowledged.push({ frame, id })
      else if (friend.client.isClosed) return
      await sleep(5)
    }
  })()
  await sleep(100)
  const account = await visit.home.newAccount()
  const record = fits(await visit.home.record(account), "record")
  await visit.restart()
  over.abort()
  await load
  return comesBack(async () => ({
    person: await again(visit, person),
    friend: await again(visit, friend),
    blocked: await again(visit, blocked),
    spent: spent === undefined ? undefined : await again(visit, spent),
    account,
    record,
    before,
    acknowledged
  }))
}

/** Logged in and answered: logins come back before sends do. */
const again = async (visit: BrokerVisit, { account }: User): Promise<User> => {
  const user = await visit.login(account)
  await user.sendOk(user.hex)
  await user.fetch(0)
  return user
}

const without = (frames: ReadonlyArray<Frame>, before: Page): ReadonlyArray<Frame> =>
  frames.filter(({ seq }) => seq > (before.frames.at(-1)?.seq ?? 0))

/** The frames of others: the account's own copy that proved the server to be back is none. */
const mailOf = async (person: User, before: Page, sent: ReadonlyArray<Buffer>): Promise<ReadonlyArray<Frame>> =>
  without(await person.framesAfter(0), before).filter(({ frame }) => sent.some((one) => one.equals(frame)))

export const restarting = group<BrokerVisit>("broker/restart", [
  {
    id: "accounts",
    requirements: ["KEZ-REG-017", "KEZ-NAT-012"],
    why: "who was told to be registered is after a restart, and logs in",
    last: true,
    run: async (visit) => {
      const { account, record } = await restarted(visit)
      const answer = await visit.home.record(account)
      hasStatus(answer, 200)
      equals(answer, fits(answer, "record"), record, "the record")
      await visit.login(account)
    }
  },
  {
    id: "mail",
    requirements: ["KEZ-NAT-019"],
    why: "what was answered with ok before the end is in the inbox after it, once, and in the order in which it was sent",
    last: true,
    run: async (visit) => {
      const { acknowledged, before, person } = await restarted(visit)
      const frames = acknowledged.map(({ frame }) => frame)
      demand(frames.length > 0, "nothing was stored before the restart")
      holdsFrames(await mailOf(person, before, frames), frames, "acknowledged frames are lost or doubled")
    }
  },
  {
    id: "positions",
    requirements: ["KEZ-NAT-019", "KEZ-NAT-030"],
    why: "the stream is the one that it was: its epoch, and the numbers of its frames, which clients remember",
    last: true,
    run: async (visit) => {
      const { before, person } = await restarted(visit)
      const after = await person.fetch(0)
      demand(after.epoch === before.epoch, "the stream has another epoch after a restart", after.epoch)
      for (const [i, { frame, seq }] of before.frames.entries())
        demand(
          after.frames[i]?.seq === seq && after.frames[i].frame.equals(frame),
          "a frame has another number after a restart, or is gone",
          seq
        )
    }
  },
  {
    id: "repeat",
    requirements: ["KEZ-NAT-021"],
    why: "a send whose answer was lost in the restart is repeated, and stored once",
    last: true,
    run: async (visit) => {
      const { acknowledged, before, friend, person } = await restarted(visit)
      const { frame, id } = acknowledged.at(-1) ?? { frame: sealed(), id: kezId() }
      isOk(await friend.send(person.hex, frame, id), "a send that is repeated after a restart")
      holdsFrames(
        await mailOf(person, before, [frame]),
        [frame],
        "a send that is repeated after a restart is stored again"
      )
    }
  },
  {
    id: "blocks",
    requirements: ["KEZ-NAT-062"],
    why: "a block lasts until it is undone",
    last: true,
    run: async (visit) => {
      const { before, blocked, person } = await restarted(visit)
      const frame = sealed()
      await blocked.sendOk(person.hex, frame)
      holdsFrames(await mailOf(person, before, [frame]), [], "a sender who was blocked is not any more after a restart")
    }
  },
  {
    id: "quotas",
    requirements: ["KEZ-LIM-005"],
    why: "a restart gives nobody a new share of the day",
    last: true,
    run: async (visit) => {
      const { person, spent } = await restarted(visit)
      if (spent === undefined)
        throw new NotChecked("not-applicable", "inbox_stranger_bytes_per_day is not published, or too much to use up")
      const answer = await spent.send(person.hex, sealed(littleBytes / 20))
      if (refusalOf(answer)?.code !== "slow")
        throw new Violation("a share of the day that was used up is free again after a restart", { e: "slow" }, answer)
    }
  }
])
