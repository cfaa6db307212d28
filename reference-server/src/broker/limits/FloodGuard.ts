/**
 * Detects accounts that flood (spec KEZ-NAT-050): their connections are closed and their logins refused for a while.
 *
 * NATS cannot limit the publish rate of a connection, so it is measured where requests arrive. Only refused work
 * counts: requests beyond a limit, malformed ones and repeated frames; and logins, which are costly. An honest client
 * waits for answers and pauses after a refusal, so it stays far below the budget, however fast its frames are stored.
 */

export interface FloodGuardOptions {
  /** Burst and rate of refusals that an account may cause. */
  readonly burst: number
  readonly perSecond: number
  /** How long a flooding account is shut out, in milliseconds. */
  readonly shutOutMillis: number
  /** Closes the account's connections; called for an account at most twice a second while it floods. */
  onFlood(hex: string): void
}

export type FloodGuard = ReturnType<typeof make>

interface Account {
  left: number
  at: number
  shutUntil: number
  closedAt: number
}

/** After its connections are closed, requests of an account that were under way arrive for this long. */
const settleMillis = 500
/** A large refused frame costs more to carry than a small one: one more refusal for this many bytes. */
const bytesPerRefusal = 8_192
/** Cost of a login, in refusals. */
const refusalsPerLogin = 10

export const make = (options: FloodGuardOptions) => {
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
    /** Counts a refused request of `bytes`, headers included, against its account. */
    refused: (hex: string, bytes: number) => charge(hex, 1 + bytes / bytesPerRefusal),
    /** Counts a login. Only one whose signature verified, or strangers could shut an account out. */
    loggedIn: (hex: string) => charge(hex, refusalsPerLogin),
    /** Whether the account is shut out now: its requests are dropped and its logins refused. */
    isShutOut: (hex: string) => {
      const account = accounts.get(hex)
      return account !== undefined && account.shutUntil > performance.now()
    },
    /** Forgets accounts whose budget is full; to be called at intervals. */
    prune: () => {
      const now = performance.now()
      for (const [hex, account] of accounts) {
        refill(account, now)
        if (account.left >= options.burst && account.shutUntil <= now) accounts.delete(hex)
      }
    },
    /** Number of times accounts were shut out. */
    floods: () => floods
  }
}
