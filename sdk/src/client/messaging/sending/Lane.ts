/**
 * The frames that wait for one recipient, and those in flight to it: in order, in a sliding window. The window is one
 * frame at first and after a failure, so that a refusal finds nothing behind it in flight.
 */
import * as Latch from "effect/Latch"
import type { AdmittedKey } from "../../../protocol/identity/KeyAdmission.ts"

/** Most frames in flight to one recipient. */
const windowMax = 16

/** How many frames are sent before the list of those that wait is cut. */
const cutAfter = 1_024

export interface Job {
  readonly order: number
  readonly to: AdmittedKey
  readonly kezId: string
  /** False for the sender's own copy, which does not decide the message's state. */
  readonly main: boolean
  /** Ask the home to sign that it accepted it: a message that the history shows, to somebody else. */
  readonly isSigned: boolean
}

export interface Lane<Answer> {
  /** The home server has no room for this at present. It is tried again, and `drained` does not wait for it. */
  refused: boolean
  /** Opened when there is something to do: a job was added, or an answer came. */
  readonly changed: Latch.Latch
  add(job: Job): void
  /** Takes the next frame into flight; undefined if none waits or the window is full. */
  next(): Job | undefined
  /** Whether a frame is in flight: it is not any more once it was given up. */
  isFlying(job: Job): boolean
  /** An answer to a frame in flight, which stays there until `settle`. */
  answer(job: Job, answer: Answer): void
  /** The answers since the last call. */
  answers(): ReadonlyArray<readonly [Job, Answer]>
  /** Ends the flight of a frame: for good, and the window opens; or it is the first of those that wait, and it closes. */
  settle(job: Job, isDone: boolean): void
  /** Puts whatever is in flight in front of those that wait. */
  recall(): void
  /** Drops everything that waits or is in flight. */
  clear(): void
  readonly inFlight: number
  readonly isEmpty: boolean
}

export const make = <Answer>(): Lane<Answer> => {
  let window = 1
  let waiting: Array<Job> = []
  // What waits begins here: taking from the front of a long array would move all of it.
  let first = 0
  const flying = new Set<Job>()
  let failed: Array<Job> = []
  let answered: Array<readonly [Job, Answer]> = []
  const changed = Latch.makeUnsafe(false)

  const requeue = (jobs: ReadonlyArray<Job>) => {
    if (jobs.length > 0) waiting = [...jobs, ...waiting.slice(first)]
    if (jobs.length > 0) first = 0
  }

  return {
    refused: false,
    changed,
    add: (job) => {
      waiting.push(job)
      Latch.openUnsafe(changed)
    },
    next: () => {
      const job = flying.size < window && failed.length === 0 ? waiting[first] : undefined
      if (job === undefined) return undefined
      first += 1
      // A lane that is never empty must not keep what it sent.
      if (first === waiting.length || first >= cutAfter) {
        waiting = waiting.slice(first)
        first = 0
      }
      flying.add(job)
      return job
    },
    isFlying: (job) => flying.has(job),
    answer: (job, answer) => {
      answered.push([job, answer])
      Latch.openUnsafe(changed)
    },
    answers: () => {
      const taken = answered
      answered = []
      return taken
    },
    settle: (job, isDone) => {
      if (!flying.delete(job)) return
      if (isDone) window = failed.length === 0 ? windowMax : 1
      else {
        failed.push(job)
        window = 1
      }
    },
    recall: () => {
      const again = [...failed, ...flying].sort((a, b) => a.order - b.order)
      // Their answers could not be recorded: not all of them are sent again at once.
      if (flying.size > 0) window = 1
      failed = []
      answered = []
      flying.clear()
      requeue(again)
    },
    clear: () => {
      waiting = []
      first = 0
      failed = []
      answered = []
      flying.clear()
      Latch.openUnsafe(changed)
    },
    get inFlight() {
      return flying.size
    },
    get isEmpty() {
      return first === waiting.length && failed.length === 0 && flying.size === 0
    }
  }
}
