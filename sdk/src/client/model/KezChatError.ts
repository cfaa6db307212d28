/** The errors of {@link KezChat}, a closed list. Each message says what happened, to what, and what to do. */
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

/** There is no account on this device. */
export class NoAccount extends Schema.TaggedError<NoAccount>()("NoAccount", {}) {
  override get message(): string {
    return "there is no account here yet: register or restore one"
  }
}

/** The account cannot send yet: its creation is incomplete, as after the home server or sig-server was unreachable. */
export class AccountUnfinished extends Schema.TaggedError<AccountUnfinished>()("AccountUnfinished", {
  handle: Schema.String,
  step: Schema.Literals(["created", "registered"])
}) {
  override get message(): string {
    const missing = this.step === "created" ? "its handle is not registered" : "its sigchain is not published"
    return `${this.handle} is incomplete, ${missing}: create or restore it again to resume`
  }
}

/** This device already holds an account of another key or handle. */
export class AccountExists extends Schema.TaggedError<AccountExists>()("AccountExists", { handle: Schema.String }) {
  override get message(): string {
    return `this device already holds ${this.handle}`
  }
}

/**
 * The key of this account was handed over to another one, not by this device. What was written stays; `restore` with the
 * words of that key brings the account back.
 */
export class AccountMoved extends Schema.TaggedError<AccountMoved>()("AccountMoved", {
  handle: Schema.String,
  /** The key that has the handle now, as the sigchain says, else the home server; `unknown` where neither does. */
  to: Schema.String
}) {
  override get message(): string {
    return (
      `the key of ${this.handle} was handed over to ${this.to === "unknown" ? "another key" : this.to}: restore with the words of that key to go on. ` +
      "If it was not you, somebody else has your words: tell your contacts, and begin a new account"
    )
  }
}

/**
 * No rotation begins or goes on. `none`: none is under way, so it needs words. `other_words`: one to another key has
 * already ended the old key's sigchain. `same_key`: these are the account's own words. `not_former`: these words are not
 * of a key that led to this account's.
 */
export class RotationRefused extends Schema.TaggedError<RotationRefused>()("RotationRefused", {
  reason: Schema.Literals(["none", "other_words", "same_key", "not_former"]),
  detail: Schema.String
}) {
  override get message(): string {
    return this.detail
  }
}

/** No contact has this name or key. */
export class ContactUnknown extends Schema.TaggedError<ContactUnknown>()("ContactUnknown", { who: Schema.String }) {
  override get message(): string {
    return Blank.isBlank(this.who)
      ? "an empty name is no contact: give a handle or a key"
      : `${this.who} is not among your contacts: add them first`
  }
}

/** Nothing is sent to a contact whose key or sigchain changed, who is blocked, or whose request is not accepted. */
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
 * The key that the user decided about is not the current one. `not_offered`: the key to accept is not the one offered
 * for this contact. `not_accepted`: the key whose safety number was compared is not that of an accepted contact.
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

/** Nothing is fetched from a contact that is blocked or not accepted, or whose key or sigchain changed. */
export class FetchBlocked extends Schema.TaggedError<FetchBlocked>()("FetchBlocked", {
  who: Schema.String,
  reason: Schema.Literals(["changed", "blocked", "requested"]),
  detail: Schema.String
}) {
  override get message(): string {
    return `nothing is fetched from ${this.who}: ${this.detail}`
  }
}

/**
 * A proof cannot be made or taken back. `unsupported`: this client checks no proofs of that system. `unknown`: this
 * account has not claimed the subject.
 */
export class ProofRefused extends Schema.TaggedError<ProofRefused>()("ProofRefused", {
  subject: Schema.String,
  reason: Schema.Literals(["unsupported", "unknown"]),
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.subject}: ${this.detail}`
  }
}

/**
 * An introduction cannot be given or withdrawn. `not_accepted`: one of the two is no accepted contact. `too_many`: five
 * are open to this contact. `unknown`: there is none to withdraw.
 */
export class IntroductionRefused extends Schema.TaggedError<IntroductionRefused>()("IntroductionRefused", {
  who: Schema.String,
  reason: Schema.Literals(["not_accepted", "too_many", "unknown"]),
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.who} was not introduced: ${this.detail}`
  }
}

/** Every error of {@link KezChat}. Its encoded form has `_tag` and the fields, but no cause. */
export const KezChatError = Schema.Union([
  NoAccount,
  AccountUnfinished,
  AccountExists,
  AccountMoved,
  RotationRefused,
  ContactUnknown,
  SendBlocked,
  FetchBlocked,
  KeyRefused,
  ProofRefused,
  IntroductionRefused,
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
