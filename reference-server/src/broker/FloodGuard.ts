/**
 * Which accounts flood, and what is done about it (spec KEZ-NAT-050): their connections are closed and their logins
 * refused for a while.
 *
 * NATS has no publish rate for a connection, so this is measured where requests arrive. What counts is refused work
 * alone: requests that meet a limit, are malformed, or repeat a frame. An honest client waits for answers and pauses after a
 * refusal, so it comes nowhere near the budget, however fast its frames are stored.
 */

export interface FloodGuardOptions {
  /** Refusals an account may cause at once, and how many come back each second. */
  readonly burst: number
  readonly perSecond: number
  /** For how long an account that floods is shut out, in milliseconds. */
  readonly shutOutMillis: number
  /** Closes the account's connections; called at most once a second and account while it floods. */
  onFlood(hex: string): void
}

export interface FloodGuard {
  /** Counts a refused request of `bytes` payload against its account. */
  refused(hex: string, bytes: number): void
  /** Whether the account is shut out now: its requests are dropped and its logins refused. */
  isShutOut(hex: string): boolean
  /** Forgets accounts that have their whole budget; to be called now and then. */
  prune(): void
  /** How often accounts were shut out. */
  readonly floods: () => number
}

interface Account {
  left: number
  at: number
  shutUntil: number
  closedAt: number
}

/** How long after closing an account's connections what arrives from it still is what was under way. */
const settleMillis = 1_000
/** A large refused frame has cost more to carry than a small one: one more refusal for so many bytes. */
const bytesPerRefusal = 8_192

export const make = (options: FloodGuardOptions): FloodGuard => {
  const accounts = new Map<string, Account>()
  let floods = 0

  const refill = (account: Account, now: number): void => {
    account.left = Math.min(options.burst, account.left + ((now - account.at) / 1000) * options.perSecond)
    account.at = now
  }

  const shutOut = (hex: string, account: Account, now: number): void => {
    if (now - account.closedAt < settleMillis) return
    if (account.shutUntil <= now) floods += 1
    account.closedAt = now
    account.shutUntil = now + options.shutOutMillis
    options.onFlood(hex)
  }

  return {
    refused: (hex, bytes) => {
      const now = performance.now()
      let account = accounts.get(hex)
      if (account === undefined) {
        account = { left: options.burst, at: now, shutUntil: 0, closedAt: Number.NEGATIVE_INFINITY }
        accounts.set(hex, account)
      }
      refill(account, now)
      account.left = Math.max(0, account.left - 1 - bytes / bytesPerRefusal)
      if (account.left === 0 || account.shutUntil > now) shutOut(hex, account, now)
    },
    isShutOut: (hex) => {
      const account = accounts.get(hex)
      return account !== undefined && account.shutUntil > performance.now()
    },
    prune: () => {
      const now = performance.now()
      for (const [hex, account] of accounts) {
        refill(account, now)
        if (account.left >= options.burst && account.shutUntil <= now) accounts.delete(hex)
      }
    },
    floods: () => floods
  }
}
