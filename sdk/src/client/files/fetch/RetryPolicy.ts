/** How long a transfer waits before it tries again, and the reason that people see meanwhile. */
import type { BlobTransportError, ConnectionState } from "../../../services/index.ts"

/** Why nothing arrives: no answer, a connection that broke in the middle, or the failure of the transport. */
export type Cause = "silent" | "broken" | Exclude<BlobTransportError["reason"], "unavailable">

const second = 1_000
const minute = 60 * second

const sentences: Record<Cause, string> = {
  silent: "their device does not answer: it is off, offline or not serving files",
  broken: "the connection broke",
  unreachable: "their device is online, but cannot be reached from here",
  refused: "their device refuses this file now",
  busy: "their device is busy with other transfers",
  closed: "the network of this device was closed"
}

/** Successive pauses, the last one repeated; in milliseconds. */
const pauses: Record<Cause, ReadonlyArray<number>> = {
  // Each request costs the owner a message, and the first one is answered on their return anyway.
  silent: [1, 5, 15, 30].map((minutes) => minutes * minute),
  broken: [0.5, 2, 10, 30].map((seconds) => seconds * second),
  unreachable: [2, 10, 60, 5 * 60, 15 * 60, 30 * 60].map((seconds) => seconds * second),
  refused: [2 * second],
  busy: [2, 5, 15, 30].map((seconds) => seconds * second),
  closed: [1, 5, 30].map((seconds) => seconds * second)
}

export interface RetryPolicy {
  /** The next pause for a cause, longer each time; `detail` is what the transport says of it. */
  next(cause: Cause, detail?: string): { readonly millis: number; readonly reason: string }
  /** Something arrived: pauses start anew. */
  reset(): void
}

const inWords = (millis: number): string => {
  if (millis < minute) return `${Math.max(1, Math.round(millis / second))} s`
  return `${Math.round(millis / minute)} min`
}

export const make = (): RetryPolicy => {
  const counts = new Map<Cause, number>()
  return {
    next: (cause, detail) => {
      const count = counts.get(cause) ?? 0
      counts.set(cause, count + 1)
      const millis = pauses[cause][Math.min(count, pauses[cause].length - 1)] as number
      const sentence =
        cause === "unreachable" && detail !== undefined ? `${sentences[cause]} (${detail})` : sentences[cause]
      return { millis, reason: `${sentence}; next attempt in ${inWords(millis)}` }
    },
    reset: () => counts.clear()
  }
}

/** The reason while an answer that had begun stalls. */
export const stalled = "nothing arrives any more; asking their device again"

/** The reason while this device is offline. */
export const offline = (state: ConnectionState): string =>
  state._tag === "Offline" ? `you are offline: ${state.error.message}` : "you are not connected yet"
