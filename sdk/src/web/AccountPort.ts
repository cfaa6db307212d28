/** What a page and the account's worker say to each other. */
import type { Account, Rotation } from "../promise/index.ts"
import type { Calls } from "../port/Calls.ts"
import type { AccountState } from "./AccountState.ts"

/** The first message of a page. It holds the lock `page`, so that the worker learns when it is gone. */
export interface Hello {
  readonly page: string
  /** Number of the page's build. */
  readonly build: string
  /** See {@link Update}. */
  readonly ticket: string | undefined
  /** Whether the account stays open when the last page is gone. */
  readonly keep: boolean
  readonly account: MessagePort
  readonly client: MessagePort
}

export interface Update {
  readonly state: AccountState
  /** Lock that the worker holds, so that the page learns when it is gone. */
  readonly worker: string
  readonly home: Home
  /** Opens the vault without a secret until the account is locked. Null: nothing does; undefined: a page keeps its own. */
  readonly ticket: string | null | undefined
  /** The account was logged out or deleted here, so it is not lost. */
  readonly forgotten: boolean
}

export interface Home {
  /** The part of handles after the `@`. */
  readonly name: string
  readonly url: string
}

/** Steps of creating an account; each is durable. */
export type CreateStep = "sealed" | "registered" | "published"

export interface NewAccount {
  /** The local part, or the whole handle. */
  readonly handle: string
  /** Plain text: keep it out of logs. */
  readonly words: string
  readonly passphrase: string
  /** For a home that asks for one. */
  readonly invite?: string
}

export interface RestoredAccount extends Omit<NewAccount, "handle" | "invite"> {
  /** Words of keys that the account had before, whose mail comes back too. */
  readonly former?: ReadonlyArray<string> | undefined
}

/** The secret of a passkey is its WebAuthn PRF output, 32 bytes. */
export type Secret =
  | { readonly passphrase: string }
  | { readonly credentialId: Uint8Array; readonly secret: Uint8Array }

export type WordsCheck =
  /** `words`: as `create` and `restore` take them. */
  | { readonly ok: true; readonly words: string }
  /** `index`: of the first unknown word, from 0, with the words of the list that are most like it. */
  | {
      readonly ok: false
      readonly reason: "count" | "word" | "checksum"
      readonly count: number
      readonly index?: number
      readonly suggestions?: ReadonlyArray<string>
    }

/** `limitedUntil`: milliseconds since the epoch. */
export type HandleStatus = "free" | "taken" | "invalid" | "reserved" | "unreachable" | { readonly limitedUntil: number }

export interface StorageUse {
  /** Whether the browser promises not to clear it by itself. */
  readonly persisted: boolean
  /** Bytes of this origin, where the browser says. */
  readonly usage?: number
  readonly quota?: number
  readonly messages: number
}

/** The worker's calls. */
export interface AccountHost {
  updates(): AsyncIterable<Update>
  keep(whether: boolean): Promise<void>
  newWords(): Promise<string>
  checkWords(text: string): Promise<WordsCheck>
  handleStatus(local: string): Promise<HandleStatus>
  create(account: NewAccount): AsyncIterable<CreateStep>
  /**
   * Also for an open account that another device rotated: `words` of its new key, and the passphrase of this browser.
   * Rejects with `AccountExists` for words of another account.
   */
  restore(account: RestoredAccount): Promise<Account>
  unlock(secret: Secret): Promise<void>
  lock(): Promise<void>
  takeOver(): Promise<void>
  changePassphrase(change: { readonly passphrase: string; readonly next: string }): Promise<void>
  addPasskey(passkey: {
    readonly credentialId: Uint8Array
    readonly prfSalt: Uint8Array
    readonly secret: Uint8Array
  }): Promise<void>
  removePasskey(credentialId: Uint8Array): Promise<void>
  /**
   * The 24 words as plain text, for who opens the vault again: pages of the origin share the client, so its `words`
   * rejects with `PassphraseNeeded`. Rejects with a `VaultError`, `wrong_passphrase`.
   */
  revealWords(secret: Secret): Promise<string>
  /**
   * Rotates to a new key, or resumes, for who opens the vault again; see `rotate` of the client, which rejects with
   * `PassphraseNeeded`. What opens the vault stays the same.
   */
  rotate(options: Secret & { readonly words?: string }): AsyncIterable<Rotation>
  logOut(): Promise<void>
  storage(): Promise<StorageUse>
}

export const accountCalls: Calls<AccountHost> = {
  updates: "stream",
  keep: "call",
  newWords: "call",
  checkWords: "call",
  handleStatus: "call",
  create: "stream",
  restore: "call",
  unlock: "call",
  lock: "call",
  takeOver: "call",
  changePassphrase: "call",
  addPasskey: "call",
  removePasskey: "call",
  revealWords: "call",
  rotate: "stream",
  logOut: "call",
  storage: "call"
}
