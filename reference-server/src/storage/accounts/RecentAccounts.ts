import type { ActiveAccount } from "./Accounts.ts"

/** Accounts that are remembered; each takes a kilobyte or two. */
const mostRecent = 4_096

/** Active accounts by handle, those looked up last. */
export const recentAccounts = () => {
  const byHandle = new Map<string, ActiveAccount>()
  return {
    get: (handle: string) => byHandle.get(handle),
    set: (account: ActiveAccount) => {
      // In order of insertion; the oldest goes.
      byHandle.delete(account.handle)
      byHandle.set(account.handle, account)
      if (byHandle.size > mostRecent) byHandle.delete(byHandle.keys().next().value as string)
    }
  }
}
