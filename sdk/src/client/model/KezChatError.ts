/** The errors of {@link KezChat}, closed. Each says what happened, to what, and what can be done. */
import * as Schema from "effect/Schema"
import * as Blank from "../../protocol/encoding/Blank.ts"
import { BlobStoreError } from "../../services/BlobStore.ts"
import { BlobTransportError } from "../../services/BlobTransport.ts"
import { BrokerRefused, BrokerUnavailable } from "../../services/Broker.ts"
import { ServerUnreachable } from "../../services/Directory.ts"
import { FileError } from "../../services/FileError.ts"
import { StoreConflict, StoreError } from "../../services/LocalStore.ts"
import { VaultError } from "../../services/Vault.ts"
import { Problem } from "./Protocol.ts"

/** There is no account on this device yet. */
export class NoAccount extends Schema.TaggedError<NoAccount>()("NoAccount", {}) {
  override get message(): string {
    return "there is no account here yet: register or restore one"
  }
}

/** Creation of the account has not come far enough to send: the home or its sig-server could not be reached so far. */
export class AccountUnfinished extends Schema.TaggedError<AccountUnfinished>()("AccountUnfinished", {
  handle: Schema.String,
  step: Schema.Literals(["created", "registered"])
}) {
  override get message(): string {
    const missing = this.step === "created" ? "its handle is not registered" : "its sigchain is not published"
    return `${this.handle} is not finished, ${missing}: create or restore it again to carry on`
  }
}

/** An account of another key or handle is already on this device. */
export class AccountExists extends Schema.TaggedError<AccountExists>()("AccountExists", { handle: Schema.String }) {
  override get message(): string {
    return `this device already holds ${this.handle}`
  }
}

/** The name stands for nobody we know. */
export class ContactUnknown extends Schema.TaggedError<ContactUnknown>()("ContactUnknown", { who: Schema.String }) {
  override get message(): string {
    return Blank.isBlank(this.who)
      ? "an empty name stands for nobody: say who"
      : `${this.who} is not among your contacts: add them first`
  }
}

/** Sending is stopped because the contact's key or chain changed, or because the contact is blocked or unaccepted. */
export class SendBlocked extends Schema.TaggedError<SendBlocked>()("SendBlocked", {
  who: Schema.String,
  reason: Schema.Literals(["changed", "blocked", "requested"]),
  detail: Schema.String
}) {
  override get message(): string {
    return `not sent to ${this.who}: ${this.detail}`
  }
}

/**
 * The user's word about a key named another one than there is by now. `not_offered`: the key to accept is not the one
 * offered for this contact. `not_accepted`: the key whose number was compared is not that of an accepted contact.
 */
export class KeyRefused extends Schema.TaggedError<KeyRefused>()("KeyRefused", {
  who: Schema.String,
  primary: Schema.String,
  reason: Schema.Literals(["not_offered", "not_accepted"]),
  detail: Schema.String
}) {
  override get message(): string {
    const what = this.reason === "not_offered" ? "no key was accepted for" : "no key was confirmed for"
    return `${what} ${this.who}: ${this.detail}`
  }
}

/** Nothing is fetched from somebody whose request waits for a decision, who is blocked, or whose key or chain changed. */
export class FetchBlocked extends Schema.TaggedError<FetchBlocked>()("FetchBlocked", {
  who: Schema.String,
  reason: Schema.Literals(["changed", "blocked", "requested"]),
  detail: Schema.String
}) {
  override get message(): string {
    return `nothing is fetched from ${this.who}: ${this.detail}`
  }
}

/** Whatever a call of {@link KezChat} can fail with. Encoded, an error has its `_tag` and its fields, and no cause. */
export const KezChatError = Schema.Union([
  NoAccount,
  AccountUnfinished,
  AccountExists,
  ContactUnknown,
  SendBlocked,
  FetchBlocked,
  KeyRefused,
  Problem,
  ServerUnreachable,
  BrokerRefused,
  BrokerUnavailable,
  StoreError,
  StoreConflict,
  VaultError,
  BlobStoreError,
  BlobTransportError,
  FileError
])
export type KezChatError = typeof KezChatError.Type
