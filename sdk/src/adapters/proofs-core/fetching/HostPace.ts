/** Keeps to what hosts bear: requests to one host begin at intervals, and none before the time that it named. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Limits from "../../../protocol/Limits.ts"
import { Unreachable } from "../Channel.ts"

interface Host {
  /** When the next request may begin. */
  free: number
  /** Before this, the host answers none. */
  retryAt: number
}

/** Hosts that are remembered before idle ones are dropped. */
const most = 1_000

export interface HostPace {
  /** Waits for the host's turn; fails at once while the host has asked to be left alone. */
  turn(host: string): Effect.Effect<void, Unreachable>
  /** Remembers until when the host is not asked. */
  postpone(host: string, retryAt: number): void
}

const limited = (host: string, retryAt: number) =>
  new Unreachable({
    reason: "rate_limited",
    detail: `${host} answers no more requests from here until ${new Date(retryAt).toISOString()}`,
    retryAt
  })

export const make = (spacingMillis = Limits.proofSpacingMillis): HostPace => {
  const hosts = new Map<string, Host>()
  const hostOf = (name: string, now: number): Host => {
    const known = hosts.get(name)
    if (known !== undefined) return known
    if (hosts.size >= most) {
      for (const [other, { free, retryAt }] of hosts) if (free <= now && retryAt <= now) hosts.delete(other)
    }
    const host = { free: now, retryAt: 0 }
    hosts.set(name, host)
    return host
  }
  return {
    turn: Effect.fnUntraced(function* (name) {
      const now = yield* Clock.currentTimeMillis
      const host = hostOf(name, now)
      if (host.retryAt > now) return yield* limited(name, host.retryAt)
      const wait = Math.max(0, host.free - now)
      host.free = now + wait + spacingMillis
      if (wait > 0) {
        yield* Effect.sleep(wait)
        if (host.retryAt > (yield* Clock.currentTimeMillis)) return yield* limited(name, host.retryAt)
      }
    }),
    postpone: (name, retryAt) => {
      // Drops no other host: the time is not known here.
      const host = hostOf(name, 0)
      host.retryAt = Math.max(host.retryAt, retryAt)
    }
  }
}
