/** How long a transfer waits before it tries again, and what a person is told meanwhile. */
import type { ConnectionState } from "../../../services/Broker.ts"
import type { BlobTransportError } from "../../../services/BlobTransport.ts"

/** Why nothing arrives: nobody answers, the connection broke in the middle, or what the transport said. */
export type Why = "silent" | "broken" | Exclude<BlobTransportError["reason"], "unavailable">

const second = 1_000
const minute = 60 * second

const sentences: Record<Why, string> = {
  silent: "their device does not answer: it is off, offline or not serving files",
  broken: "the connection broke",
  unreachable: "their device is online, but cannot be reached from here",
  refused: "their device does not give this file now",
  busy: "their device has too much to do",
  closed: "the network of this device was closed"
}

/** One after another, the last one again and again; in milliseconds. */
const pauses: Record<Why, ReadonlyArray<number>> = {
  // Asking again costs the owner a message each time, and the first request is answered on their return anyway.
  silent: [1, 5, 15, 30].map((minutes) => minutes * minute),
  broken: [0.5, 2, 10, 30].map((seconds) => seconds * second),
  unreachable: [2, 10, 60, 5 * 60, 15 * 60, 30 * 60].map((seconds) => seconds * second),
  refused: [2 * second],
  busy: [2, 5, 15, 30].map((seconds) => seconds * second),
  closed: [1, 5, 30].map((seconds) => seconds * second)
}

export interface Patience {
  /** The next pause for this reason, longer each time. */
  next(why: Why): { readonly millis: number; readonly reason: string }
  /** Something arrived: what comes next is a new trouble. */
  reset(): void
}

const inWords = (millis: number): string => {
  if (millis < minute) return `${Math.max(1, Math.round(millis / second))} s`
  return `${Math.round(millis / minute)} min`
}

export const make = (): Patience => {
  const counts = new Map<Why, number>()
  return {
    next: (why) => {
      const count = counts.get(why) ?? 0
      counts.set(why, count + 1)
      const millis = pauses[why][Math.min(count, pauses[why].length - 1)] as number
      return { millis, reason: `${sentences[why]}; tried again in ${inWords(millis)}` }
    },
    reset: () => counts.clear()
  }
}

/** What is said when an answer that had begun stands still. */
export const quiet = "nothing arrives any more; their device is asked again"

/** Why this device cannot even ask, in words. */
export const offline = (state: ConnectionState): string =>
  state._tag === "Offline" ? `you are offline: ${state.error.message}` : "you are not connected yet"
