/**
 * What one account may take of another's inbox (spec: broker, Quotas). Limits that would take long to use up are left
 * alone: a server that is run with small ones for the checks has them checked.
 */
import { group } from "../Check.ts"
import { Violation } from "../Outcome.ts"
import { type BrokerVisit, demand } from "./BrokerVisit.ts"
import { holdsFrames, isOk, kezId, refusalOf, sealed, type User } from "./User.ts"

/** Bytes that a check may send. */
const little = 600_000
/** Bytes of an inbox that is filled. */
const littleInbox = 2_097_152
const frameBytes = 65_536

/** The next midnight, UTC, by the server's clock. */
const midnight = (visit: BrokerVisit): string => {
  const day = Date.parse(visit.home.time().slice(0, 10))
  return `${new Date(day + 86_400_000).toISOString().slice(0, 19)}Z`
}

/** An answer that names the next UTC day. */
const isSlow = (visit: BrokerVisit, answer: string, what: string): void => {
  const { at, code } = refusalOf(answer) ?? {}
  if (code !== "slow") throw new Violation(`${what} must be refused with slow`, { e: "slow" }, answer)
  // A day can begin between the answer and this.
  if (at !== midnight(visit) && at !== `${visit.home.time().slice(0, 10)}T00:00:00Z`)
    throw new Violation(`${what}: at is not the time at which the next UTC day begins`, midnight(visit), at)
}

interface Stored {
  readonly bytes: number
  readonly refusal: string
}

/** Sends frames until one is refused; fails where that takes more than `most` bytes. */
const sendUntilRefused = async (from: User, to: User, size: number, most: number): Promise<Stored> => {
  for (let bytes = 0; bytes <= most; bytes += size) {
    const answer = await from.send(to.hex, sealed(size))
    if (answer !== '{"ok":1}') return { bytes, refusal: answer }
  }
  throw new Violation(`more than ${most} bytes are stored`, `at most ${most} bytes`, "all are answered with ok")
}

/** Accounts that checks use as senders to a new account each. */
const senders = async (visit: BrokerVisit, count: number): Promise<ReadonlyArray<User>> => {
  const found: Array<User> = []
  for (let i = 0; i < count; i++) found.push(await visit.user(`sender-${i}`))
  return found
}

export const quotas = group<BrokerVisit>("broker/quotas", [
  {
    id: "stranger",
    requirements: ["KEZ-LIM-001", "KEZ-LIM-010", "KEZ-LIM-013"],
    why: "one stranger takes little of an inbox in a day, and more once its owner has written back",
    run: async (visit) => {
      const limit = visit.smallLimit("inbox_stranger_bytes_per_day", little)
      const [stranger] = await senders(visit, 1)
      const person = await visit.newUser()
      const { refusal } = await sendUntilRefused(stranger!, person, Math.ceil(limit / 4), limit)
      isSlow(visit, refusal, "what is beyond a stranger's share of the day")
      await person.sendOk(stranger!.hex)
      isOk(await stranger!.send(person.hex, sealed(Math.ceil(limit / 4))), "a frame of a sender who is known now")
    }
  },
  {
    id: "strangers",
    requirements: ["KEZ-LIM-001", "KEZ-LIM-009", "KEZ-LIM-010", "KEZ-LIM-013"],
    why: "strangers, however many, take no more than their share of a day, and friends get through all the same",
    run: async (visit) => {
      const limit = visit.smallLimit("inbox_strangers_bytes_per_day", little)
      const each = visit.smallLimit("inbox_stranger_bytes_per_day", little)
      const [friend, ...strangers] = await senders(visit, 7)
      const person = await visit.newUser()
      await visit.befriend(person, friend!)
      let stored = 0
      const refusals: Array<string> = []
      for (const stranger of strangers) {
        const answer = await stranger.send(person.hex, sealed(Math.min(each, frameBytes)))
        if (answer === '{"ok":1}') stored += Math.min(each, frameBytes)
        else refusals.push(answer)
      }
      demand(stored <= limit, "strangers store more than their share of a day", { stored, limit })
      demand(refusals.length > 0, "no stranger is refused", { stored, limit })
      for (const refusal of refusals) isSlow(visit, refusal, "what is beyond the strangers' share of the day")
      isOk(
        await friend!.send(person.hex, sealed(10_000)),
        "a friend's frame to an inbox whose strangers' share is used up"
      )
    }
  },
  {
    id: "self",
    requirements: ["KEZ-LIM-002"],
    why: "own copies take nothing of what others may fill, nor the other way",
    run: async (visit) => {
      const [alice] = await visit.friends()
      const user = await visit.newUser()
      await user.sendOk(user.hex, sealed(3_000))
      await alice.sendOk(user.hex, sealed(2_000))
      const [inbox, self] = [await user.trim("inbox"), await user.trim("self")]
      demand(inbox.used === 2_000, "own copies are counted as mail", inbox)
      demand(self.used === 3_000, "mail is counted as own copies", self)
    }
  },
  {
    id: "sender",
    requirements: ["KEZ-LIM-001", "KEZ-LIM-009", "KEZ-LIM-011", "KEZ-LIM-013"],
    why: "one known sender fills no inbox in a day, and another one gets through",
    run: async (visit) => {
      const limit = visit.smallLimit("inbox_sender_bytes_per_day", little)
      const [friend, other] = await senders(visit, 2)
      const person = await visit.newUser()
      await visit.befriend(person, friend!)
      await visit.befriend(person, other!)
      const { refusal } = await sendUntilRefused(friend!, person, Math.min(frameBytes, Math.ceil(limit / 4)), limit)
      isSlow(visit, refusal, "what is beyond a sender's share of the day")
      isOk(await other!.send(person.hex, sealed(10_000)), "the frame of another known sender")
    }
  },
  {
    id: "full",
    requirements: ["KEZ-LIM-001", "KEZ-LIM-011", "KEZ-LIM-013", "KEZ-NAT-029"],
    why: "an inbox without room for a sender answers full and keeps what it has; another one still finds room",
    run: async (visit) => {
      const limit = visit.smallLimit("inbox_bytes", littleInbox)
      const friends = await senders(visit, 8)
      const person = await visit.newUser()
      for (const friend of friends) await visit.befriend(person, friend)
      const before = await person.lastSeq()
      const stored: Array<Buffer> = []
      let refusal: string | undefined
      for (const friend of friends)
        for (let more = true; more && refusal === undefined;) {
          const frame = sealed(Math.min(30_000, Math.ceil(limit / 16)))
          const answer = await friend.send(person.hex, frame)
          if (answer === '{"ok":1}') stored.push(frame)
          else more = false
          if (refusalOf(answer)?.code === "full") refusal = answer
        }
      demand(refusal !== undefined, "no sender is answered with full", { limit, frames: stored.length })
      demand(refusalOf(refusal!)?.at === undefined, "full names a time, and stored bytes have none", refusal)
      holdsFrames(await person.framesAfter(before), stored, "an inbox without room does not hold what it held")
      isOk(await friends.at(-1)!.send(person.hex, sealed(600)), "the frame of a sender that stored nothing yet")
    }
  },
  {
    id: "repeated",
    requirements: ["KEZ-LIM-001", "KEZ-NAT-021"],
    why: "a repeated send and a refused one are not charged",
    run: async (visit) => {
      const limit = visit.smallLimit("inbox_stranger_bytes_per_day", little)
      const [stranger] = await senders(visit, 1)
      const person = await visit.newUser()
      const [frame, id] = [sealed(Math.ceil(limit / 3)), kezId()]
      for (let i = 0; i < 6; i++) await stranger!.sendOk(person.hex, frame, id)
      await stranger!.send(person.hex, sealed(65_537))
      isOk(await stranger!.send(person.hex, frame), "a second frame of a stranger, after repetitions of the first")
    }
  }
])
