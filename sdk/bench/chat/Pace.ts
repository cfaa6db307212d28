/** The three ways in which messages are sent: alone, at an even rate, and as fast as they go. */
import { setTimeout as sleep } from "node:timers/promises"
import { now } from "./Party.ts"

/** Between two messages at rest. */
const restMillis = 20

export interface Pace {
  readonly count: number
  /** `rest` sends one, waits for its end and pauses; a rate is in messages a second; `width` are under way at a time. */
  readonly way: "rest" | { readonly rate: number } | { readonly width: number }
}

/** Resolves when all the work is done. */
export const atPace = async ({ count, way }: Pace, work: () => Promise<unknown>): Promise<void> => {
  if (way === "rest") {
    for (let index = 0; index < count; index++) {
      await work()
      await sleep(restMillis)
    }
  } else if ("width" in way) {
    let next = 0
    const lane = async () => {
      while (next++ < count) await work()
    }
    await Promise.all(Array.from({ length: way.width }, lane))
  } else {
    const start = now()
    const all: Array<Promise<unknown>> = []
    for (let index = 0; index < count; index++) {
      const due = start + (index * 1_000) / way.rate
      while (now() < due) await sleep(Math.max(0, due - now()))
      all.push(work())
    }
    await Promise.all(all)
  }
}
