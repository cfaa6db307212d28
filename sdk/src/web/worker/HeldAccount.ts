/**
 * The account that this worker holds, or finds in this browser, and the state that pages show.
 *
 * The Web Lock of the account is held while the store is open. Everything that closes it finishes the commit under way.
 */
import * as Redacted from "effect/Redacted"
import type * as WebVault from "../../adapters/indexeddb/WebVault.ts"
import { type Account, NoAccount } from "../../client/model/index.ts"
import { tagged } from "../../port/PortError.ts"
import { Problem } from "../../protocol/Problem.ts"
import { StoreError } from "../../services/LocalStore.ts"
import { VaultError } from "../../services/Vault.ts"
import type { Update } from "../AccountPort.ts"
import type { AccountState } from "../AccountState.ts"
import { Latest } from "../Latest.ts"
import { hold, type Release } from "../Locks.ts"
import { type Databases, databasesOf, remove } from "./Databases.ts"
import { type HomeServer, homeServer } from "./HomeServer.ts"
import { openAccount, type OpenedAccount, type Opening, readVault } from "./OpenedAccount.ts"
import * as Tickets from "./Tickets.ts"
import { type Turn, Turns } from "./Turns.ts"
import { wordsOf } from "./Words.ts"

/** An open account, and the account's lock. */
export interface Held extends OpenedAccount {
  readonly handle: string
  readonly release: Release
}

export interface ServeOptions {
  /** Base URL of the home server: https, or http on this machine. */
  readonly home: string
  /** Number of this build in decimal digits: of two in one browser, the larger holds the account. */
  readonly build: string
  /** Prefix of the names of databases, locks and channels. Default `kez-chat`. */
  readonly name?: string
}

/** The state in which an error of vault or store leaves the account; undefined if it passes. */
const brokenBy = (error: unknown): AccountState | undefined => {
  if (!(error instanceof StoreError || error instanceof VaultError)) return undefined
  const cause = error.cause instanceof StoreError ? error.cause : error
  const broken = (reason: "newer" | "full" | "damaged" | "no_storage") =>
    ({ _tag: "broken", reason, detail: error.message }) as const
  if (cause.reason === "newer" || cause.reason === "full") return broken(cause.reason)
  if (error.reason === "damaged" || error.reason === "foreign") return broken("damaged")
  return error instanceof VaultError && error.reason !== "wrong_passphrase" ? broken("no_storage") : undefined
}

/** A state as an older build shows it. */
const outdated = (state: AccountState): AccountState => {
  if (state._tag === "empty") return { ...state, superseded: true }
  return state._tag === "locked" || state._tag === "elsewhere" ? { _tag: "superseded" } : state
}

/** A holder that is asked for the account gives it within this time. */
const takeOverMillis = 10_000
/** A worker that ends has told its pages why within this time. */
const toldMillis = 100

export class HeldAccount {
  readonly databases: Databases
  readonly home: HomeServer
  readonly update: Latest<Update>
  /** The lock that pages watch is held; before that, they would take the worker for gone. */
  readonly alive: Promise<unknown>
  held: Held | undefined
  /** A ticket of a page, not tried yet. */
  ticket: string | undefined
  /** Aborts the creation under way. */
  creating = new AbortController()
  readonly #url: string
  readonly #turns: Turns
  #queue: Promise<unknown> = Promise.resolve()
  /** A newer build is open in this browser: this one gives it the account, but finishes what it began without one. */
  #isOld = false

  constructor({ build, home, name = "kez-chat" }: ServeOptions) {
    this.#url = home
    this.databases = databasesOf(name)
    this.home = homeServer(home)
    this.update = new Latest<Update>({
      state: { _tag: "starting" },
      worker: `${name}/worker/${crypto.randomUUID()}`,
      home: { name: new URL(home).hostname, url: home },
      ticket: undefined,
      forgotten: false
    })
    this.alive = hold(this.update.value.worker)
    this.#turns = new Turns(name, build, {
      wanted: () => void this.handOver("elsewhere"),
      superseded: () => void this.handOver("superseded"),
      changed: (forgotten) => {
        if (this.held !== undefined) return
        if (forgotten) this.set(this.state, { forgotten, ticket: null })
        void this.look()
      }
    })
  }

  get state(): AccountState {
    return this.update.value.state
  }

  set(state: AccountState, change: Partial<Update> = {}): void {
    // A newer build has the account: nothing follows but a reload.
    if (this.state._tag === "superseded") return
    this.update.value = { ...this.update.value, ...change, state: this.#isOld ? outdated(state) : state }
  }

  notOpen() {
    const { _tag: state } = this.state
    return tagged("AccountLocked", `the account is ${state}, not open`, { state })
  }

  /** Ends in a later turn than its last change of the state, so that pages hear of the change before the call's answer. */
  exclusive<A>(run: () => Promise<A>): Promise<A> {
    const result = this.#queue.then(run)
    this.#queue = result.catch(() => {})
    return result.finally(() => new Promise((resolve) => setTimeout(resolve)))
  }

  async start(): Promise<void> {
    try {
      await this.alive
      this.home.name().then(
        (name) => this.set(this.state, { home: { name, url: this.#url } }),
        () => {}
      )
      await this.look()
    } catch (error) {
      this.set({ _tag: "broken", reason: "not_started", detail: String(error) })
    }
  }

  /** Finds out what this browser holds, unless this worker holds it, and opens it with a ticket. */
  look(given?: Turn): Promise<void> {
    return this.exclusive(async () => {
      if (this.held !== undefined || this.state._tag === "superseded") return given?.release()
      const starting = this.state._tag === "starting"
      const turn = given ?? (await (starting ? this.#turns.first() : this.#turns.soon()))
      if (turn === undefined) return this.#wait()
      const tickets = [turn.ticket, this.ticket]
      this.ticket = undefined
      const state = await this.closedState()
      if (state._tag === "locked" && !this.#isOld) {
        for (const ticket of tickets) {
          const key = ticket === undefined ? undefined : await Tickets.open(this.databases.tickets, ticket)
          if (key !== undefined) return this.unlock(turn.release, { key: Redacted.make(key) }).catch(() => {})
        }
      }
      turn.release()
      this.set(state, { ticket: null })
    })
  }

  async #follow(): Promise<void> {
    const turn = await this.#turns.whenFree()
    if (turn !== undefined) await this.look(turn)
  }

  #wait(): void {
    this.set({ _tag: "elsewhere" })
    void this.#follow()
  }

  /** Asks the worker that holds the account for it; resolves when it is here. */
  async takeOver(): Promise<void> {
    if (this.state._tag !== "elsewhere") return
    this.#turns.want()
    for await (const { state } of this.update.values(AbortSignal.timeout(takeOverMillis))) {
      if (state._tag !== "elsewhere" && state._tag !== "opening") return
    }
    throw tagged("AccountElsewhere", "the tab that holds the account does not answer: close it")
  }

  /** The account's lock; rejects and changes the state if another worker has it. */
  async acquire(): Promise<Release> {
    if (this.state._tag === "superseded") throw this.notOpen()
    const release = await this.#turns.now()
    if (release !== undefined) return release
    this.#wait()
    throw tagged("AccountElsewhere", "the account is open in another tab")
  }

  /** What is here while nothing is open. */
  async closedState(): Promise<AccountState> {
    try {
      const vault = await readVault(this.databases.vault)
      return vault === undefined ? { _tag: "empty" } : { _tag: "locked", ...vault }
    } catch (error) {
      return brokenBy(error) ?? { _tag: "broken", reason: "no_storage", detail: String(error) }
    }
  }

  /** Runs with the account's lock; if that fails, closes what it opened and shows what is here. */
  async guarded<A>(release: Release, run: () => Promise<A>): Promise<A> {
    try {
      return await run()
    } catch (error) {
      if (this.held === undefined) release()
      await this.close()
      this.set(brokenBy(error) ?? (await this.closedState()))
      throw error
    }
  }

  unlock(release: Release, opener: WebVault.Opener): Promise<void> {
    return this.guarded(release, async () => {
      const vault = await this.closedState()
      if (vault._tag !== "locked") throw new NoAccount()
      this.set({ _tag: "opening", handle: vault.handle })
      await this.open({ ...vault, release, vault: ({ unlock }) => unlock(opener) })
      await this.#complete()
      await this.opened()
    })
  }

  async open({
    handle,
    release,
    ...opening
  }: Pick<Opening, "primary" | "seed" | "vault"> & Pick<Held, "handle" | "release">): Promise<Held> {
    const onLost = () => void this.#reopen()
    const opened = await openAccount({ home: this.#url, databases: this.databases, onLost, ...opening })
    this.held = { ...opened, handle, release }
    void this.#followKey(opened.client)
    return this.held
  }

  /** Shows the account's new key after a rotation. */
  async #followKey(client: Held["client"]): Promise<void> {
    for await (const event of client.events()) {
      if (event._tag !== "Account" || this.state._tag !== "open") continue
      this.set({ ...this.state, primary: event.account.primary })
    }
  }

  /** Fills a store that lost what the vault remembers: cleared, or never written after the vault. */
  async #complete(): Promise<void> {
    const { client, handle, seed } = this.held!
    const found = await client.account().catch((error: unknown) => error)
    if (!(found instanceof NoAccount)) return
    const words = wordsOf(await seed())
    await client.restore({ words }).catch((error: unknown) => {
      if (error instanceof Problem && error.code === "handle_not_found") return client.create({ handle, words })
      throw error
    })
  }

  async opened(): Promise<Account> {
    const held = this.held!
    const { client, ticket } = held
    // A rotation may have given it another key.
    const account = await client.account()
    const { primary } = account
    this.held = { ...held, primary }
    const vault = await readVault(this.databases.vault)
    this.set({ _tag: "open", handle: account.handle, primary, slots: vault?.slots ?? [] }, { ticket, forgotten: false })
    this.#turns.tellChange()
    if (this.#isOld) void this.handOver("superseded")
    return account
  }

  /** Shows what the vault holds now. */
  async showVault(): Promise<void> {
    const vault = await readVault(this.databases.vault)
    if (this.state._tag === "open") this.set({ ...this.state, slots: vault?.slots ?? [] })
  }

  async lock(): Promise<void> {
    await this.close()
    await remove(this.databases.tickets)
    this.ticket = undefined
    this.set(await this.closedState(), { ticket: null })
    this.#turns.tellChange()
  }

  /** Removes all of the account from this browser. */
  async remove(): Promise<void> {
    const release = this.held?.release ?? (await this.acquire())
    const held = this.held
    this.held = undefined
    await held?.close()
    await this.#forget()
    this.set({ _tag: "empty" }, { ticket: null, forgotten: true })
    release()
    this.#turns.tellChange(true)
  }

  /** Closes what is open and gives the lock back. */
  async close(): Promise<void> {
    const held = this.held
    this.held = undefined
    await held?.close()
    held?.release()
  }

  /** After the store was taken away: opens the account again if the vault is left, and otherwise ends this worker. */
  async #reopen(): Promise<void> {
    await this.exclusive(async () => {
      this.ticket = this.held?.ticket
      await this.close()
    })
    await this.look()
    if (this.state._tag !== "empty") return
    this.set({ _tag: "broken", reason: "cleared", detail: "the data of this page was cleared" })
    // Locks and databases of pages that are loaded from now on are others than this worker has.
    setTimeout(() => globalThis.close(), toldMillis)
  }

  /** Gives the account to another worker. */
  async handOver(state: "elsewhere" | "superseded"): Promise<void> {
    if (state === "superseded") this.#isOld = true
    else this.creating.abort(this.notOpen())
    await this.exclusive(async () => {
      const held = this.held
      if (held !== undefined) {
        if (held.ticket !== undefined) this.#turns.giveTicket(held.ticket)
        await this.close()
        if (state === "superseded") this.set({ _tag: "superseded" })
        else this.#wait()
      } else if (state === "superseded") this.set(this.state)
    })
  }

  /** Takes an account back that was never registered. */
  async undo(): Promise<void> {
    const held = this.held
    this.held = undefined
    await held?.close()
    await this.#forget()
    this.set({ _tag: "empty" })
    held?.release()
  }

  async #forget(): Promise<void> {
    const { store, tickets, vault } = this.databases
    this.ticket = undefined
    for (const name of [vault, store, tickets]) await remove(name)
  }
}
