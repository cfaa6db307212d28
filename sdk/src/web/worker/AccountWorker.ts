/** What a worker does for pages: their calls about the account, and the client while it is open. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Account, Rotation } from "../../client/model/index.ts"
import { clientCalls } from "../../port/ClientCalls.ts"
import { forward } from "../../port/Forward.ts"
import { serveCalls } from "../../port/Serve.ts"
import type { KezChatClient } from "../../promise/index.ts"
import type { VaultError } from "../../services/Vault.ts"
import {
  accountCalls,
  type AccountHost,
  type CreateStep,
  type Hello,
  type NewAccount,
  type RestoredAccount,
  type Secret,
  type StorageUse,
  type Update
} from "../AccountPort.ts"
import { tagged } from "../../port/PortError.ts"
import { Latest } from "../Latest.ts"
import { hold } from "../Locks.ts"
import { create, steps } from "./Create.ts"
import { countMessages } from "./Databases.ts"
import { type Held, HeldAccount, type ServeOptions } from "./HeldAccount.ts"
import { checkOpener } from "./OpenedAccount.ts"
import { restore } from "./Restore.ts"
import { checkWords, newWords, wordsOf } from "./Words.ts"

const openerOf = (secret: Secret) =>
  "passphrase" in secret
    ? { passphrase: Redacted.make(secret.passphrase) }
    : { credentialId: secret.credentialId, secret: Redacted.make(secret.secret) }

export class AccountWorker implements AccountHost {
  readonly #account: HeldAccount
  readonly #build: string
  readonly #client: KezChatClient
  /** Ends a dedicated worker. */
  readonly #exit: (() => void) | undefined
  readonly #pages = new Set<string>()
  #started = false
  #keep = true

  constructor(options: ServeOptions, exit?: () => void) {
    this.#account = new HeldAccount(options)
    this.#build = options.build
    this.#exit = exit
    const client = forward(clientCalls, () => this.#open().client)
    this.#client = {
      ...client,
      words: async () => {
        throw tagged(
          "PassphraseNeeded",
          "the words are shown after the passphrase only: ask revealWords of the account"
        )
      },
      rotate: () => {
        throw tagged("PassphraseNeeded", "a new key is given after the passphrase only: ask rotate of the account")
      },
      deleteAccount: async (waiting) => {
        await client.deleteAccount(waiting)
        await this.logOut()
      }
    }
  }

  /** Serves a page until it is gone. */
  admit(hello: Hello): void {
    const stops = [serveCalls(hello.account, accountCalls, this), serveCalls(hello.client, clientCalls, this.#client)]
    this.#pages.add(hello.page)
    this.#keep = hello.keep
    const account = this.#account
    account.ticket = hello.ticket ?? account.ticket
    void this.#until(hello.page, stops)
    if (!this.#started) void account.start()
    else if (account.state._tag === "locked" && hello.ticket !== undefined) void account.look()
    this.#started = true
    if (Number(hello.build) > Number(this.#build)) void account.handOver("superseded")
  }

  async *updates(): AsyncGenerator<Update> {
    await this.#account.alive
    yield* this.#account.update.values()
  }

  async keep(whether: boolean): Promise<void> {
    this.#keep = whether
  }

  async newWords() {
    return newWords()
  }

  async checkWords(text: string) {
    return checkWords(text)
  }

  handleStatus(local: string) {
    return this.#account.home.status(local)
  }

  async *create(account: NewAccount): AsyncGenerator<CreateStep> {
    const progress = new Latest<{ readonly done: number; readonly failure?: { readonly error: unknown } }>({ done: 0 })
    const tell = (done: number) => {
      if (done > progress.value.done) progress.value = { done }
    }
    // Goes on where the loop is left: the page may be closed meanwhile.
    this.#account
      .exclusive(() => create(this.#account, account, tell))
      .then(
        () => tell(steps.length),
        (error: unknown) => (progress.value = { ...progress.value, failure: { error } })
      )
    let given = 0
    for await (const { done, failure } of progress.values()) {
      yield* steps.slice(given, done)
      given = done
      if (failure !== undefined) throw failure.error
      if (done === steps.length) return
    }
  }

  restore(options: RestoredAccount): Promise<Account> {
    return this.#account.exclusive(() => restore(this.#account, options))
  }

  unlock(secret: Secret): Promise<void> {
    const account = this.#account
    return account.exclusive(async () => {
      if (account.held === undefined) await account.unlock(await account.acquire(), openerOf(secret))
    })
  }

  lock(): Promise<void> {
    return this.#account.exclusive(() => this.#account.lock())
  }

  takeOver(): Promise<void> {
    return this.#account.takeOver()
  }

  changePassphrase({ next, passphrase }: { readonly passphrase: string; readonly next: string }): Promise<void> {
    return this.#changeVault(({ unlocked }) =>
      unlocked.changePassphrase({ passphrase: Redacted.make(passphrase), next: Redacted.make(next) })
    )
  }

  addPasskey(passkey: Parameters<AccountHost["addPasskey"]>[0]): Promise<void> {
    return this.#changeVault(({ unlocked }) =>
      unlocked.addPasskey({ ...passkey, secret: Redacted.make(passkey.secret) })
    )
  }

  removePasskey(credentialId: Uint8Array): Promise<void> {
    return this.#changeVault(({ unlocked }) => unlocked.removePasskey(credentialId))
  }

  revealWords(secret: Secret): Promise<string> {
    const account = this.#account
    return account.exclusive(async () => {
      const { seed } = this.#open()
      await checkOpener(account.databases.vault, openerOf(secret))
      return wordsOf(await seed())
    })
  }

  async *rotate({ words, ...secret }: Secret & { readonly words?: string }): AsyncGenerator<Rotation> {
    const account = this.#account
    this.#open()
    await checkOpener(account.databases.vault, openerOf(secret))
    for await (const rotation of this.#open().client.rotate(words)) {
      if (rotation.step === "finished") await account.exclusive(() => account.opened())
      yield rotation
    }
  }

  logOut(): Promise<void> {
    return this.#account.exclusive(() => this.#account.remove())
  }

  async storage(): Promise<StorageUse> {
    const [persisted, { quota, usage } = {}, messages] = await Promise.all([
      navigator.storage?.persisted?.() ?? false,
      navigator.storage?.estimate?.(),
      countMessages(this.#account.databases.store)
    ])
    return {
      persisted,
      messages,
      ...(usage === undefined ? {} : { usage }),
      ...(quota === undefined ? {} : { quota })
    }
  }

  /** Waits until a page is gone, and stops what it called. */
  async #until(page: string, stops: ReadonlyArray<() => void>): Promise<void> {
    const release = await hold(page)
    release?.()
    for (const stop of stops) stop()
    this.#pages.delete(page)
    if (this.#pages.size === 0) await this.#alone()
  }

  #open(): Held {
    const { held, state } = this.#account
    if (held !== undefined && state._tag === "open") return held
    throw this.#account.notOpen()
  }

  #changeVault(change: (held: Held) => Effect.Effect<void, VaultError>): Promise<void> {
    return this.#account.exclusive(async () => {
      await Effect.runPromise(change(this.#open()))
      await this.#account.showVault()
    })
  }

  /** The last page is gone. */
  async #alone(): Promise<void> {
    const account = this.#account
    if (this.#exit !== undefined) {
      await account.exclusive(() => account.close())
      if (this.#pages.size === 0) this.#exit()
    } else if (!this.#keep && account.held !== undefined) await this.lock()
  }
}
