/** Creating the account of this browser, or resuming where it was cut off. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { type Account, AccountExists } from "../../client/model/index.ts"
import * as Handle from "../../protocol/identity/Handle.ts"
import type { CreateStep, NewAccount } from "../AccountPort.ts"
import { remove } from "./Databases.ts"
import type { HeldAccount } from "./HeldAccount.ts"
import { primaryOf } from "./HomeServer.ts"
import { readVault } from "./OpenedAccount.ts"
import { seedOf } from "./Words.ts"

export const steps: ReadonlyArray<CreateStep> = ["sealed", "registered", "published"]

/** The step of `Account` at which each of these is done; the last one is reported once the account is open. */
const stepsOfAccount = ["created", "registered"]

/** The seed is in the vault before the handle is registered. `tell` gets the number of steps that are done, except all. */
export const create = async (
  account: HeldAccount,
  { handle, invite, passphrase, words }: NewAccount,
  tell: (done: number) => void
): Promise<void> => {
  const seed = seedOf(words)
  const primary = await primaryOf(seed)
  const server = await account.home.name()
  const { text } = Result.getOrThrowWith(Handle.parseMention(handle, server), (problem) => problem)
  if (account.held !== undefined && account.held.primary !== primary) {
    throw new AccountExists({ handle: account.held.handle })
  }
  // Another handle after one that could not be registered.
  if (account.held !== undefined && account.held.handle !== text) await account.undo()
  if (account.held === undefined) {
    const release = await account.acquire()
    await account.guarded(release, async () => {
      const state = await account.closedState()
      if (state._tag === "locked") throw new AccountExists({ handle: state.handle })
      if (state._tag !== "empty") throw account.notOpen()
      account.set({ _tag: "opening", handle: text })
      // A store without its vault belongs to an account that this browser has lost.
      await remove(account.databases.store)
      await account.open({
        handle: text,
        primary,
        seed,
        release,
        vault: ({ begin }) => begin({ handle: text, primary, passphrase: Redacted.make(passphrase) })
      })
    })
  }
  const { client } = account.held!
  const tellStep = ({ step }: Account) => tell(stepsOfAccount.indexOf(step) + 1)
  const look = () => client.account().then(tellStep, () => {})
  const watching = new AbortController()
  const watch = async () => {
    for await (const event of client.events({ signal: watching.signal })) {
      if (event._tag === "Account") tellStep(event.account)
    }
  }
  watch().catch(() => {})
  account.creating = new AbortController()
  try {
    // A creation that is resumed has steps behind it.
    await look()
    await client.create({ handle: text, words, invite }, { signal: account.creating.signal })
    await account.opened()
  } catch (error) {
    await look()
    // A refused registration clears the vault.
    if ((await readVault(account.databases.vault)) === undefined) await account.undo()
    throw error
  } finally {
    watching.abort()
  }
}
