/** Restoring the account of this browser from its words, also where only its passphrase is forgotten. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Account, AccountExists } from "../../client/model/index.ts"
import { StoreError } from "../../services/LocalStore.ts"
import type { RestoredAccount } from "../AccountPort.ts"
import { remove } from "./Databases.ts"
import type { HeldAccount } from "./HeldAccount.ts"
import { primaryOf } from "./HomeServer.ts"
import { checkOpener } from "./OpenedAccount.ts"
import { seedOf } from "./Words.ts"

export const restore = async (
  account: HeldAccount,
  { former, passphrase, words }: RestoredAccount
): Promise<Account> => {
  const seed = seedOf(words)
  const primary = await primaryOf(seed)
  if (account.held !== undefined && account.held.primary !== primary) {
    const { client, handle } = account.held
    if ((await client.account()).movedTo === undefined) throw new AccountExists({ handle })
    await checkOpener(account.databases.vault, { passphrase: Redacted.make(passphrase) })
  }
  if (account.held === undefined) {
    const release = await account.acquire()
    await account.guarded(release, async () => {
      const before = await account.closedState()
      if (before._tag === "locked" && before.primary !== primary) throw new AccountExists({ handle: before.handle })
      const handle = before._tag === "locked" ? before.handle : await account.home.handleOf(primary)
      account.set({ _tag: "opening", handle })
      const open = () =>
        account.open({
          handle,
          primary,
          seed,
          release,
          vault: ({ begin }) =>
            Effect.tap(begin({ handle, primary, passphrase: Redacted.make(passphrase) }), ({ vault }) =>
              vault.save(seed)
            )
        })
      const opened = await open()
      const found = await opened.client.account().catch((error: unknown) => error)
      if (found instanceof StoreError && (found.reason === "damaged" || found.reason === "foreign")) {
        // Another account's store, whose vault is lost.
        await opened.close()
        await remove(account.databases.store)
        await open()
      }
    })
  }
  // An account that is open takes the words of its own key, and those of a key that it was handed over to.
  await account.held!.client.restore({ words, former })
  return account.opened()
}
