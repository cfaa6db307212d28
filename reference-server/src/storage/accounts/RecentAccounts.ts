import type { ActiveAccount } from "./Accounts.ts"

/** Most accounts remembered; each takes 2 to 4 KiB with its answer. */
const mostRecent = 4_096

/**
 * Active accounts by handle, those looked up last. `commitsOfOthers` is the database's: when it changes, all are
 * forgotten. Without it, an account is as current as is known of its key (ActiveKeys).
 */
export const recentAccounts = (commitsOfOthers: () => number = () => 0) => {
  const byHandle = new Map<string, ActiveAccount>()
  let version = Number.NaN
  let isChecked = false
  let changes = 0

  const check = () => {
    const current = commitsOfOthers()
    if (current !== version) {
      byHandle.clear()
      changes++
    }
    version = current
    isChecked = true
    setImmediate(() => (isChecked = false))
  }

  return {
    /**
     * Asks the database once in a turn of the event loop, so a commit of another process is missed for one turn at most.
     * Asking each time would take as long as the rest of the answer.
     */
    get: (handle: string) => {
      if (!isChecked) check()
      return byHandle.get(handle)
    },
    /** To be called before an account is read; what it gives is for `set`. */
    reading: () => changes,
    /** Remembers an account, unless one may have changed since `reading`. */
    set: (account: ActiveAccount, readAt: number) => {
      if (readAt !== changes) return
      // In order of insertion; the oldest goes.
      byHandle.delete(account.handle)
      byHandle.set(account.handle, account)
      if (byHandle.size > mostRecent) byHandle.delete(byHandle.keys().next().value as string)
    },
    /** To be called when this server changed an account, before it says so. */
    changed: (handle: string) => {
      changes++
      byHandle.delete(handle)
    }
  }
}
