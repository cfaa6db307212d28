/**
 * Everything that can be wrong with input, as one closed list of codes, never renamed or reused. Decoders and HTTP
 * routes return it as a `Problem` (over HTTP RFC 9457 `application/problem+json` with the extension member `code`).
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"

/** Every code with its HTTP status and a title that does not vary between occurrences. */
export const codes = {
  // JSON and encodings
  json_malformed: { status: 400, title: "Not well-formed JSON" },
  json_duplicate_name: { status: 400, title: "An object names a member twice" },
  json_number: { status: 400, title: "A number is not an integer in the allowed form and range" },
  json_string: { status: 400, title: "A string holds a lone surrogate or a forbidden name" },
  json_depth: { status: 400, title: "Nested too deeply" },
  encoding_malformed: { status: 400, title: "Not a valid encoding" },
  too_large: { status: 413, title: "Larger than the limit" },
  // names, keys, times
  key_malformed: { status: 400, title: "Not a primary key" },
  key_rejected: { status: 400, title: "The public key is not admissible" },
  mnemonic_invalid: { status: 400, title: "Not a valid mnemonic" },
  handle_malformed: { status: 400, title: "Not a handle" },
  identifier_malformed: { status: 400, title: "Not an identifier" },
  timestamp_malformed: { status: 400, title: "Not an RFC 3339 UTC time in whole seconds" },
  // envelopes
  envelope_malformed: { status: 400, title: "Not a signed envelope" },
  envelope_kind: { status: 400, title: "Kind, payload type, version and signer do not agree" },
  signature_invalid: { status: 401, title: "The signature does not verify" },
  proof_mismatch: { status: 502, title: "Not a proof of this identity" },
  proof_expired: { status: 502, title: "The proof ended" },
  algorithm_unsupported: { status: 400, title: "Unknown signature algorithm" },
  // sigchains
  event_malformed: { status: 400, title: "Not a valid sigchain event" },
  chain_conflict: { status: 409, title: "The event does not extend the head of the chain" },
  chain_full: { status: 413, title: "The chain has reached its largest size" },
  chain_not_found: { status: 404, title: "No such sigchain" },
  chain_terminated: { status: 409, title: "The chain was rotated to another key and has ended" },
  chain_fork: { status: 409, title: "Two chains of one key disagree" },
  chain_rollback: { status: 409, title: "The chain is shorter than it was" },
  // registry
  handle_taken: { status: 409, title: "The handle is taken" },
  primary_taken: { status: 409, title: "The key already has a handle" },
  handle_reserved: { status: 403, title: "The handle is reserved" },
  handle_deleted: { status: 410, title: "The handle was deleted" },
  primary_moved: { status: 410, title: "The key handed its handle over to another key" },
  account_suspended: { status: 403, title: "The account is suspended" },
  invite_required: { status: 403, title: "An invite is needed to register here" },
  invite_invalid: { status: 403, title: "The invite cannot be used" },
  registration_closed: { status: 403, title: "The server takes no registrations" },
  handle_not_found: { status: 404, title: "No such handle" },
  not_local: { status: 404, title: "The handle belongs to another server" },
  wrong_server: { status: 400, title: "The statement was made for another server" },
  clock_skew: { status: 400, title: "The time is outside the accepted window" },
  record_invalid: { status: 502, title: "The server's record does not hold up" },
  address_forbidden: { status: 502, title: "The server names an address that is not its to name" },
  // messages
  frame_malformed: { status: 400, title: "Not a sealed frame" },
  frame_unreadable: { status: 400, title: "The frame was not sealed for this key" },
  message_malformed: { status: 400, title: "Not a chat message" },
  message_misdirected: { status: 400, title: "The message is neither to nor from this account" },
  message_undecryptable: { status: 400, title: "The message does not decrypt" },
  message_too_large: { status: 413, title: "The message is too large" },
  padding_invalid: { status: 400, title: "The padding is wrong" },
  suite_unsupported: { status: 400, title: "Unknown message suite" },
  page_malformed: { status: 400, title: "Not a page of the inbox" },
  // files
  blob_mismatch: { status: 502, title: "The bytes of a file are not those of its hash" },
  blob_incomplete: { status: 502, title: "The bytes of a file ended early" },
  file_undecryptable: { status: 400, title: "The file does not decrypt" },
  no_content_key: { status: 404, title: "No key for this file" },
  file_not_found: { status: 404, title: "No such file" },
  content_key_invalid: { status: 400, title: "The content key does not open" },
  ticket_malformed: { status: 400, title: "Not an Iroh blob ticket" },
  ticket_mismatch: { status: 400, title: "The ticket belongs to another account or file" },
  evidence_invalid: { status: 400, title: "The evidence does not hold" },
  // manifests
  manifest_malformed: { status: 400, title: "Not a shared-files manifest" },
  manifest_mismatch: { status: 502, title: "The manifest is not the one its owner's sigchain names" },
  manifest_rollback: { status: 409, title: "The manifest is older than one seen before" },
  manifest_conflict: { status: 409, title: "Another manifest of the same or a later revision is there" },
  manifest_not_found: { status: 404, title: "No such manifest" },
  // transport and service
  unauthorized: { status: 401, title: "Not authorised" },
  login_refused: { status: 401, title: "The broker login was refused" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  media_type_unsupported: { status: 415, title: "Unsupported media type" },
  request_malformed: { status: 400, title: "Malformed request" },
  request_timeout: { status: 408, title: "The request took too long to arrive" },
  uri_too_long: { status: 414, title: "The request target is too long" },
  rate_limited: { status: 429, title: "Too many requests" },
  unavailable: { status: 503, title: "Temporarily unavailable" },
  store_full: { status: 507, title: "The server's storage is used up" },
  internal: { status: 500, title: "Internal error" },
  // contacts
  contact_unreachable: { status: 409, title: "The contact has no inbox" },
  federation_unsupported: { status: 501, title: "The contact lives on another server" }
} as const satisfies Record<string, { readonly status: number; readonly title: string }>

/** A code from the closed list. */
export type Code = keyof typeof codes

/** Unacceptable input: the broken rule (`code`) and the exact finding (`detail`). */
export class Problem extends Data.TaggedError("Problem")<{
  readonly code: Code
  readonly detail: string
}> {
  override get message(): string {
    return `${codes[this.code].title}: ${this.detail}`
  }
}

/** A failed `Result` carrying a {@link Problem}. */
export const fail = (code: Code, detail: string): Result.Result<never, Problem> =>
  Result.fail(new Problem({ code, detail }))
