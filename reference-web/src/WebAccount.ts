import type { Account, KezChatClient } from "@kez-chat/sdk/promise"

export type Slot =
  | { readonly kind: "passphrase" }
  | { readonly kind: "passkey"; readonly credentialId: Uint8Array; readonly prfSalt: Uint8Array }

export type AccountState =
  | { readonly _tag: "starting" }
  | { readonly _tag: "empty"; readonly lost?: string }
  | {
      readonly _tag: "locked"
      readonly handle: string
      readonly primary: string
      readonly slots: ReadonlyArray<Slot>
    }
  | { readonly _tag: "opening"; readonly handle: string }
  | {
      readonly _tag: "open"
      readonly handle: string
      readonly primary: string
      readonly slots: ReadonlyArray<Slot>
    }
  | { readonly _tag: "elsewhere" }
  | { readonly _tag: "superseded" }
  | {
      readonly _tag: "broken"
      readonly reason: "no_storage" | "insecure" | "damaged" | "newer" | "full" | "too_old" | "not_started"
      readonly detail: string
    }

export type WordsCheck =
  | { readonly ok: true; readonly words: string }
  | {
      readonly ok: false
      readonly reason: "count" | "word" | "checksum"
      readonly count: number
      readonly index?: number
      readonly suggestions?: ReadonlyArray<string>
    }

export type HandleStatus = "free" | "taken" | "invalid" | "reserved" | "unreachable" | { readonly limitedUntil: number }

export interface WebAccount {
  readonly state: AccountState
  states(): AsyncIterable<AccountState>
  readonly client: KezChatClient
  readonly home: { readonly name: string; readonly url: string }
  /** Whether a reload asks for the secret again. Default false; kept by this browser. */
  askOnReload: boolean
  newWords(): Promise<string>
  checkWords(text: string): Promise<WordsCheck>
  handleStatus(local: string): Promise<HandleStatus>
  create(options: {
    readonly handle: string
    readonly words: string
    readonly passphrase: string
  }): AsyncIterable<"sealed" | "registered" | "published">
  restore(options: { readonly words: string; readonly passphrase: string }): Promise<Account>
  unlock(
    key: { readonly passphrase: string } | { readonly credentialId: Uint8Array; readonly secret: Uint8Array }
  ): Promise<void>
  lock(): Promise<void>
  takeOver(): Promise<void>
  changePassphrase(change: { readonly passphrase: string; readonly next: string }): Promise<void>
  addPasskey(passkey: {
    readonly credentialId: Uint8Array
    readonly prfSalt: Uint8Array
    readonly secret: Uint8Array
  }): Promise<void>
  removePasskey(credentialId: Uint8Array): Promise<void>
  logOut(): Promise<void>
  storage(): Promise<{
    readonly persisted: boolean
    readonly usage?: number
    readonly quota?: number
    readonly messages: number
  }>
  close(): void
}
