/** Errors that crossed the owner's socket, made into what they were. */
import {
  AccountExists,
  AccountUnfinished,
  ContactUnknown,
  FetchBlocked,
  KeyRefused,
  type KezChatError,
  NoAccount,
  SendBlocked
} from "@kez-chat/sdk"
import { Problem } from "@kez-chat/sdk/protocol"
import {
  BlobStoreError,
  BlobTransportError,
  BrokerRefused,
  BrokerUnavailable,
  FileError,
  ServerUnreachable,
  StoreConflict,
  StoreError,
  VaultError
} from "@kez-chat/sdk/services"
import type { WireError } from "./Wire.ts"

const text = (value: unknown): string => (typeof value === "string" ? value : "")

const oneOf = <const A extends string>(choices: ReadonlyArray<A>, value: unknown, otherwise: A): A =>
  choices.find((choice) => choice === value) ?? otherwise

const isCode = (value: string): value is Problem.Code => Object.hasOwn(Problem.codes, value)

/** The owner's error, or a store error that names what could not be understood. */
export const decodeError = (error: WireError): KezChatError => {
  const detail = text(error["detail"])
  switch (error.tag) {
    case "NoAccount":
      return new NoAccount()
    case "AccountUnfinished":
      return new AccountUnfinished({
        handle: text(error["handle"]),
        step: oneOf(["created", "registered"], error["step"], "created")
      })
    case "AccountExists":
      return new AccountExists({ handle: text(error["handle"]) })
    case "ContactUnknown":
      return new ContactUnknown({ who: text(error["who"]) })
    case "SendBlocked":
      return new SendBlocked({
        who: text(error["who"]),
        reason: oneOf(["changed", "blocked", "requested"], error["reason"], "changed"),
        detail
      })
    case "FetchBlocked":
      return new FetchBlocked({
        who: text(error["who"]),
        reason: oneOf(["changed", "blocked", "requested"], error["reason"], "changed"),
        detail
      })
    case "KeyRefused":
      return new KeyRefused({
        who: text(error["who"]),
        primary: text(error["primary"]),
        reason: oneOf(["not_offered", "not_accepted"], error["reason"], "not_offered"),
        detail
      })
    case "Problem": {
      const code = text(error["code"])
      return new Problem.Problem({ code: isCode(code) ? code : "internal", detail })
    }
    case "ServerUnreachable":
      return new ServerUnreachable({ url: text(error["url"]), detail })
    case "BrokerRefused":
      return new BrokerRefused({
        code: oneOf(["full", "slow", "unknown", "bad", "size", "retry"], error["code"], "retry"),
        retryable: error["retryable"] === true,
        ...(typeof error["untilMillis"] === "number" ? { untilMillis: error["untilMillis"] } : {})
      })
    case "BrokerUnavailable":
      return new BrokerUnavailable({
        reason: oneOf(
          ["unreachable", "unknown_name", "unauthorized", "forbidden", "evicted", "closed", "timeout"],
          error["reason"],
          "unreachable"
        ),
        detail
      })
    case "StoreError":
      return new StoreError({
        reason: oneOf(["full", "damaged", "locked", "newer", "foreign", "io"], error["reason"], "io"),
        detail
      })
    case "StoreConflict":
      return new StoreConflict({ key: text(error["key"]) })
    case "VaultError":
      return new VaultError({
        reason: oneOf(["locked", "wrong_passphrase", "damaged", "unavailable", "io"], error["reason"], "io"),
        detail
      })
    case "BlobStoreError":
      return new BlobStoreError({
        reason: oneOf(["missing", "busy", "full", "read_only", "damaged", "io"], error["reason"], "io"),
        detail
      })
    case "BlobTransportError":
      return new BlobTransportError({
        reason: oneOf(["unavailable", "unreachable", "refused", "busy", "closed"], error["reason"], "unreachable"),
        detail
      })
    case "FileError":
      return new FileError({
        reason: oneOf(
          ["missing", "exists", "denied", "read_only", "full", "changed", "not_a_file", "io"],
          error["reason"],
          "io"
        ),
        path: text(error["path"]),
        detail
      })
    default:
      return new StoreError({ reason: "io", detail: `the owner process answered with an error of kind ${error.tag}` })
  }
}

/** The owner went away before it answered. What it had acknowledged is safe; whether it did the rest is not known. */
export const ownerLost = (): StoreError =>
  new StoreError({
    reason: "locked",
    detail:
      "the kez-chat process that held this account ended in the middle; try again, and look at `history` before sending twice"
  })
