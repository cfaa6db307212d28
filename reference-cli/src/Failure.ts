/** Describes every error of the SDK and of this program: a stable code, an exit code and one sentence. */
import type { KezChatError } from "@kez-chat/sdk"
import type { Problem } from "@kez-chat/sdk/protocol"
import type { AdapterUnavailable, BlobStoreError, BlobTransportError, FileError } from "@kez-chat/sdk/services"
import * as Data from "effect/Data"
import { ExitCode } from "./ExitCode.ts"

export interface Description {
  readonly code: string
  readonly exit: ExitCode
  readonly message: string
}

/** An error of this program itself. `code` is stable; `message` is one sentence that ends in what to do. */
export class CliFailure extends Data.TaggedError("CliFailure")<Description> {}

type ExitName = keyof typeof ExitCode

export const fail = (code: string, exit: ExitName, message: string): CliFailure =>
  new CliFailure({ code, exit: ExitCode[exit], message })
export const usage = (message: string): CliFailure => fail("usage", "usage", message)

/** Every error that a command may end with. */
export type Failure = CliFailure | KezChatError | AdapterUnavailable

// Codes about the input, about something not found, and about a server that may answer later. All others are refusals.
const exits: Partial<Record<Problem.Code, ExitName>> = {
  handle_malformed: "usage",
  identifier_malformed: "usage",
  key_malformed: "usage",
  key_rejected: "usage",
  mnemonic_invalid: "usage",
  message_malformed: "usage",
  message_too_large: "usage",
  ticket_malformed: "usage",
  handle_not_found: "notFound",
  not_local: "notFound",
  chain_not_found: "notFound",
  not_found: "notFound",
  no_content_key: "notFound",
  file_not_found: "notFound",
  manifest_not_found: "notFound",
  blob_incomplete: "unreachable",
  rate_limited: "unreachable",
  unavailable: "unreachable",
  store_full: "unreachable",
  internal: "failed"
}

const blobStoreExits: Partial<Record<BlobStoreError["reason"], ExitName>> = {
  missing: "notFound",
  busy: "busy"
}

const transportExits: Record<BlobTransportError["reason"], ExitName> = {
  unavailable: "failed",
  unreachable: "unreachable",
  refused: "refused",
  busy: "unreachable",
  closed: "unreachable"
}

// A wrong path is a usage error; everything else is a failure of the disk.
const fileExits: Partial<Record<FileError["reason"], ExitName>> = {
  missing: "usage",
  not_a_file: "usage"
}

/** The code, exit code and sentence for an error. */
export const describe = (error: Failure): Description => {
  const described = (code: string, exit: ExitName, message = error.message) => ({ code, exit: ExitCode[exit], message })
  switch (error._tag) {
    case "CliFailure":
      return { code: error.code, exit: error.exit, message: error.message }
    case "NoAccount":
      return described("no_account", "noAccount")
    case "AccountUnfinished":
      return described("account_unfinished", "unreachable")
    case "AccountExists":
      return described("account_exists", "refused", `${error.message}; use --profile for another account`)
    case "AccountMoved":
      return described("account_moved", "refused", `${error.message}; \`kez-chat restore\` takes the words`)
    case "RotationRefused":
      return described(`rotation_${error.reason}`, "refused")
    case "ContactUnknown":
      return described("contact_unknown", "notFound")
    case "SendBlocked":
    case "FetchBlocked": {
      const code = `${error._tag === "SendBlocked" ? "send" : "fetch"}_blocked_${error.reason}`
      return error.reason === "changed"
        ? described(code, "keyChanged", `${error.message}; look at it with \`kez-chat verify ${error.who}\``)
        : described(code, "refused")
    }
    case "KeyRefused":
      return described(`key_${error.reason}`, "refused")
    case "ProofRefused":
      return described(`proof_${error.reason}`, error.reason === "unknown" ? "notFound" : "refused")
    case "IntroductionRefused":
      return described(`introduction_${error.reason}`, error.reason === "unknown" ? "notFound" : "refused")
    case "Problem":
      return described(error.code, exits[error.code] ?? "refused")
    case "ServerUnreachable":
      return described("server_unreachable", "unreachable")
    case "BrokerRefused":
      return described(`broker_${error.code}`, error.retryable ? "unreachable" : "refused")
    case "BrokerUnavailable": {
      const isRefused = ["unauthorized", "suspended", "forbidden"].includes(error.reason)
      return described(`broker_${error.reason}`, isRefused ? "refused" : "unreachable")
    }
    case "StoreError":
      return described(`store_${error.reason}`, error.reason === "locked" ? "busy" : "failed")
    case "StoreConflict":
      return described("store_conflict", "busy")
    case "VaultError": {
      const isBroken = error.reason === "damaged" || error.reason === "io"
      return described(`vault_${error.reason}`, isBroken ? "failed" : "locked", error.detail)
    }
    case "BlobStoreError":
      return described(`blobs_${error.reason}`, blobStoreExits[error.reason] ?? "failed")
    case "BlobTransportError":
      return described(`transport_${error.reason}`, transportExits[error.reason])
    case "FileError": {
      const ways = "--overwrite replaces it, --name gives another name, --to another folder"
      return error.reason === "exists"
        ? described("file_exists", "failed", `${error.path}: a file of this name exists: ${ways}`)
        : described(`file_${error.reason}`, fileExits[error.reason] ?? "failed")
    }
    case "AdapterUnavailable":
      return described("adapter_unavailable", "failed")
  }
}
