/** Describes every error of the SDK and of this program: a stable code, an exit code and one sentence. */
import type { KezChatError } from "@kez-chat/sdk"
import type { Problem } from "@kez-chat/sdk/protocol"
import type { AdapterUnavailable, BlobStoreError, BlobTransportError, FileError } from "@kez-chat/sdk/services"
import * as Data from "effect/Data"
import { ExitCode } from "./ExitCode.ts"

/** An error of this program itself. `code` is stable; `message` is one sentence that ends in what to do. */
export class CliFailure extends Data.TaggedError("CliFailure")<{
  readonly code: string
  readonly exit: ExitCode
  readonly message: string
}> {}

export const fail = (code: string, exit: ExitCode, message: string): CliFailure =>
  new CliFailure({ code, exit, message })
export const usage = (message: string): CliFailure => fail("usage", ExitCode.usage, message)

/** Every error that a command may end with. */
export type Failure = CliFailure | KezChatError | AdapterUnavailable

export interface Description {
  readonly code: string
  readonly exit: ExitCode
  readonly message: string
}

// Codes about the input, about something not found, and about a server that may answer later. All others are refusals.
const exits: Partial<Record<Problem.Code, ExitCode>> = {
  handle_malformed: ExitCode.usage,
  identifier_malformed: ExitCode.usage,
  key_malformed: ExitCode.usage,
  key_rejected: ExitCode.usage,
  mnemonic_invalid: ExitCode.usage,
  message_malformed: ExitCode.usage,
  message_too_large: ExitCode.usage,
  ticket_malformed: ExitCode.usage,
  handle_not_found: ExitCode.notFound,
  not_local: ExitCode.notFound,
  chain_not_found: ExitCode.notFound,
  not_found: ExitCode.notFound,
  no_content_key: ExitCode.notFound,
  file_not_found: ExitCode.notFound,
  manifest_not_found: ExitCode.notFound,
  blob_incomplete: ExitCode.unreachable,
  rate_limited: ExitCode.unreachable,
  unavailable: ExitCode.unreachable,
  store_full: ExitCode.unreachable,
  internal: ExitCode.failed
}

const blobStoreExits: Partial<Record<BlobStoreError["reason"], ExitCode>> = {
  missing: ExitCode.notFound,
  busy: ExitCode.busy
}

const transportExits: Record<BlobTransportError["reason"], ExitCode> = {
  unavailable: ExitCode.failed,
  unreachable: ExitCode.unreachable,
  refused: ExitCode.refused,
  busy: ExitCode.unreachable,
  closed: ExitCode.unreachable
}

// A wrong path is a usage error; everything else is a failure of the disk.
const fileExits: Partial<Record<FileError["reason"], ExitCode>> = {
  missing: ExitCode.usage,
  not_a_file: ExitCode.usage
}

const stopped = (reason: "changed" | "blocked" | "requested", who: string, message: string) =>
  reason === "changed"
    ? { exit: ExitCode.keyChanged, message: `${message}; look at it with \`kez-chat verify ${who}\`` }
    : { exit: ExitCode.refused, message }

/** The code, exit code and sentence for an error. */
export const describe = (error: Failure): Description => {
  const { message } = error
  switch (error._tag) {
    case "CliFailure":
      return { code: error.code, exit: error.exit, message }
    case "NoAccount":
      return { code: "no_account", exit: ExitCode.noAccount, message }
    case "AccountUnfinished":
      return { code: "account_unfinished", exit: ExitCode.unreachable, message }
    case "AccountExists":
      return {
        code: "account_exists",
        exit: ExitCode.refused,
        message: `${message}; use --profile for another account`
      }
    case "ContactUnknown":
      return { code: "contact_unknown", exit: ExitCode.notFound, message }
    case "SendBlocked":
      return { code: `send_blocked_${error.reason}`, ...stopped(error.reason, error.who, message) }
    case "FetchBlocked":
      return { code: `fetch_blocked_${error.reason}`, ...stopped(error.reason, error.who, message) }
    case "KeyRefused":
      return { code: `key_${error.reason}`, exit: ExitCode.refused, message }
    case "Problem":
      return { code: error.code, exit: exits[error.code] ?? ExitCode.refused, message }
    case "ServerUnreachable":
      return { code: "server_unreachable", exit: ExitCode.unreachable, message }
    case "BrokerRefused":
      return {
        code: `broker_${error.code}`,
        exit: error.retryable ? ExitCode.unreachable : ExitCode.refused,
        message
      }
    case "BrokerUnavailable":
      return {
        code: `broker_${error.reason}`,
        exit: error.reason === "unauthorized" || error.reason === "forbidden" ? ExitCode.refused : ExitCode.unreachable,
        message
      }
    case "StoreError":
      return {
        code: `store_${error.reason}`,
        exit: error.reason === "locked" ? ExitCode.busy : ExitCode.failed,
        message
      }
    case "StoreConflict":
      return { code: "store_conflict", exit: ExitCode.busy, message }
    case "VaultError":
      return {
        code: `vault_${error.reason}`,
        exit: error.reason === "damaged" || error.reason === "io" ? ExitCode.failed : ExitCode.locked,
        message: error.detail
      }
    case "BlobStoreError":
      return { code: `blobs_${error.reason}`, exit: blobStoreExits[error.reason] ?? ExitCode.failed, message }
    case "BlobTransportError":
      return { code: `transport_${error.reason}`, exit: transportExits[error.reason], message }
    case "FileError":
      if (error.reason === "exists") {
        const ways = "--overwrite replaces it, --name gives another name, --to another folder"
        return {
          code: "file_exists",
          exit: ExitCode.failed,
          message: `${error.path}: a file of this name exists: ${ways}`
        }
      }
      return { code: `file_${error.reason}`, exit: fileExits[error.reason] ?? ExitCode.failed, message }
    case "AdapterUnavailable":
      return { code: "adapter_unavailable", exit: ExitCode.failed, message }
  }
}
