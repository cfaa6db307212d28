/**
 * Which accounts flood, and what is done about it (spec KEZ-NAT-050): their connections are closed and their logins
 * refused for a while.
 *
 * NATS has no publish rate for a connection, so this is measured where requests arrive. What counts is refused work
 * alone: requests that meet a limit, are malformed, or repeat a frame; and logins, which are costly. An honest client
 * waits for answers and pauses after a refusal, so it comes nowhere near the budget, however fast its frames are
 * stored.
 */

export interface FloodGuardOptions {
  /** Refusals that an account may cause at once, and how many come back each second. */
  readonly burst: number
  readonly perSecond: number
  /** For how long an account that floods is shut out, in milliseconds. */
  readonly shutOutMillis: number
  /** Closes the account's connections; called for an account at most twice a second while it floods. */
  onFlood(hex: string): void
}

export interface FloodGuard {
  /** Counts a refused request of `bytes`, headers included, against its account. */
  refused(hex: string, bytes: number): void
  /** Counts a login. Only one whose signature verified, or strangers could shut an account out. */
  loggedIn(hex: string): void
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
const settleMillis = 500
/** A large refused frame has cost more to carry than a small one: one more refusal for so many bytes. */
const bytesPerRefusal = 8_192
/** What a login costs, in refusals. */
const refusalsPerLogin = 10

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

  const charge = (hex: string, refusals: number): void => {
    const now = performance.now()
    let account = accounts.get(hex)
    if (account === undefined) {
      account = { left: options.burst, at: now, shutUntil: 0, closedAt: Number.NEGATIVE_INFINITY }
      accounts.set(hex, account)
    }
    refill(account, now)
    account.left = Math.max(0, account.left - refusals)
    if (account.left === 0 || account.shutUntil > now) shutOut(hex, account, now)
  }

  return {
    refused: (hex, bytes) => charge(hex, 1 + bytes / bytesPerRefusal),
    loggedIn: (hex) => charge(hex, refusalsPerLogin),
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
