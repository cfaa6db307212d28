/** The JSON of `--json`: a published interface (docs/commands.md), to which members are only ever added. */
import type {
  Admission,
  Claim,
  Contact,
  Event,
  FetchProgress,
  HeldRequest,
  HistoryCheck,
  InboxUsage,
  Introduction,
  ListedFile,
  Listing,
  Message,
  NumberedKey,
  OfferedFile,
  ProofEvidence,
  Proving,
  Settings,
  Share,
  Verification
} from "@kez-chat/sdk"
import type { EvidenceCheck } from "@kez-chat/sdk/crypto"
import type { ConnectionState } from "@kez-chat/sdk/services"
import { describe, type Description } from "../../Failure.ts"
import { type FetchPart, type SharePart, unreadableError } from "../../owner/Files.ts"
import type { Profile } from "../../profile/Profile.ts"
import * as KeyChange from "./KeyChange.ts"

/** RFC 3339 in UTC with milliseconds. */
export const time = (millis: number): string => new Date(millis).toISOString()

const given = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V })

const timeIfKnown = <K extends string>(key: K, millis: number | undefined) =>
  given(key, millis === undefined ? undefined : time(millis))

export const error = ({ code, exit, message }: Description) => ({ error: { code, exit, message } })

export const account = (profile: string, { handle, primary, home, device, step, vault }: Profile) => ({
  ...given("handle", handle),
  primary,
  home,
  ...given("device", device),
  step,
  profile,
  vault: vault.kind
})

export const contact = (value: Contact) => ({
  handle: value.handle,
  ...given("home", value.home),
  primary: value.primary,
  state: value.state,
  verified: value.verified,
  ...timeIfKnown("verified_at", value.verifiedAt),
  added_at: time(value.addedAt),
  ...given("changed_to", value.offered?.primary),
  ...given("offered", value.offered),
  ...given("kept", value.kept),
  ...given("warning", value.warning),
  ...given("cause", value.cause),
  ...given("head", value.head),
  ...given("admission", value.admission && admission(value.admission))
})

const admission = (value: Admission) =>
  value.by === "proof"
    ? { by: value.by, subject: value.subject, checked_at: time(value.checkedAt) }
    : { by: value.by, who: value.who, primary: value.primary, at: time(value.at) }

const proofEvidence = ({ digest, dnssec, fetchedAt, proof, recipe, url }: ProofEvidence) => ({
  url,
  fetched_at: time(fetchedAt),
  digest,
  recipe,
  ...given("dnssec", dnssec),
  proof
})

export const claim = (value: Claim) => ({
  subject: value.subject,
  system: value.system,
  seq: value.seq,
  state: value.state,
  revoked: value.revoked,
  sentence: value.sentence,
  ...timeIfKnown("checked_at", value.checkedAt),
  ...timeIfKnown("last_good_at", value.lastGoodAt),
  ...timeIfKnown("next_check_at", value.nextCheckAt),
  ...timeIfKnown("retry_at", value.retryAt),
  ...given("evidence", value.evidence && proofEvidence(value.evidence))
})

export const proving = (value: Proving) => ({
  subject: value.subject,
  step: value.step,
  publication: value.publication,
  ...given("sentence", value.sentence),
  ...timeIfKnown("checked_at", value.checkedAt),
  ...timeIfKnown("next_check_at", value.nextCheckAt)
})

export const heldRequest = (value: HeldRequest) => ({
  handle: value.handle,
  primary: value.primary,
  messages: value.messages,
  dropped: value.dropped,
  first_at: time(value.firstAt),
  last_at: time(value.lastAt),
  sentence: value.sentence,
  claims: value.claims.map(claim)
})

export const introduction = (value: Introduction) => ({
  direction: value.direction,
  peer: value.peer,
  newcomer: value.newcomer,
  ...given("handle", value.handle),
  at: time(value.at),
  expires_at: time(value.expiresAt)
})

/** For a request from a key that is offered for a contact: the contact's handle. */
export const offeredFor = (value: Contact | undefined) => given("offered_for", value?.handle)

/** Names are as their owner wrote them: not safe to print or to save under. */
export const file = (value: OfferedFile) => ({
  name: value.name,
  media_type: value.mediaType,
  size: value.size,
  blob_hash: value.blobHash
})

export const message = (value: Message) => ({
  id: value.id,
  peer: value.peer,
  direction: value.direction,
  type: value.type,
  text: value.text,
  ...given("file", value.file && file(value.file)),
  created_at: time(value.createdAt),
  arrived_at: time(value.arrivedAt),
  order: value.order,
  ...given("state", value.state),
  ...given("failure", value.failure),
  ...given("waiting", value.waiting && { reason: value.waiting.reason, ...timeIfKnown("until", value.waiting.until) }),
  ...timeIfKnown("accepted_at", value.acceptedAt),
  ...given("suspicious", value.suspicious),
  ...given("gap", value.gap),
  ...given("equivocation", value.equivocation),
  ...given("fork", value.fork),
  ...given("retired", value.retired)
})

export const historyCheck = ({ gaps, linked, messages, missing }: HistoryCheck) => ({
  messages,
  linked,
  missing: missing.map(({ before, prev }) => ({ before: message(before), prev })),
  gaps
})

/** `named`: whether the home names the key; null where it was not asked. */
export const evidence = (value: EvidenceCheck.Shown, named: boolean | undefined) => ({
  from: value.from,
  to: value.to,
  id: value.id,
  created_at: time(value.createdAt),
  body: value.body,
  ...given(
    "acceptance",
    value.acceptance && {
      server: value.acceptance.server,
      key: value.acceptance.key,
      at: time(value.acceptance.at),
      named: named ?? null
    }
  ),
  receipts: value.receipts.map(({ createdAt, status }) => ({ status, created_at: time(createdAt) })),
  heads: value.heads
})

export const settings = ({ autoTrim, inbox, introductions, provenBy, readReceipts }: Settings) => ({
  read_receipts: readReceipts,
  inbox,
  proven_by: provenBy,
  introductions,
  auto_trim: autoTrim
})

const box = ({ limit, oldest, used }: InboxUsage["sent"]) => ({
  used_bytes: used,
  limit_bytes: limit,
  ...timeIfKnown("oldest", oldest)
})

export const inboxUsage = ({ mail, sent }: InboxUsage) => ({
  mail: {
    ...box(mail),
    strangers: { used_bytes: mail.strangers.used, limit_bytes: mail.strangers.limit }
  },
  sent: box(sent)
})

const numbered = ({ primary, qr, safetyNumber }: Partial<NumberedKey>) => ({
  primary,
  safety_number: safetyNumber,
  qr
})

/** `safety_number` and `qr` are those to compare: the offered key's while there is something to decide. */
export const verification = (value: Verification) => ({
  contact: contact(value.contact),
  state: value.contact.state,
  ...comparable(value),
  pinned: numbered(value.pinned),
  ...given("offered", value.offered && { ...numbered(value.offered), origin: value.offered.origin }),
  head: value.head,
  endpoints: value.endpoints,
  claims: value.claims.map(claim),
  events: value.events
})

const comparable = ({ contact, offered, pinned }: Verification) => {
  const isOffered = KeyChange.isOpen(contact) && offered?.safetyNumber !== undefined
  const { qr, safety_number } = numbered(isOffered ? offered : pinned)
  return { safety_number, qr, safety_number_of: isOffered ? "offered" : "pinned" }
}

export const share = (value: Share) => ({
  id: value.id,
  name: value.name,
  ...given("folder", value.folder),
  media_type: value.mediaType,
  size: value.size,
  blob_hash: value.blobHash,
  shared_at: time(value.sharedAt),
  listed: value.listed,
  manifest: value.manifest,
  ...given("problem", value.problem),
  here: value.here,
  readers: value.readers.map(({ primary, handle, sentBytes, fetchedAt }) => ({
    primary,
    handle,
    sent_bytes: sentBytes,
    ...timeIfKnown("fetched_at", fetchedAt)
  })),
  ...given("replaced_by", value.replacedBy)
})

export const listedFile = (value: ListedFile) => ({
  id: value.id,
  ...file(value),
  ...given("folder", value.folder),
  shared_at: time(value.sharedAt),
  public: value.public,
  ...given("replaced_by", value.replacedBy)
})

export const listing = (value: Listing) => ({
  owner: contact(value.owner),
  revision: value.revision,
  ...timeIfKnown("created_at", value.createdAt),
  source: value.source,
  files: value.files.map(listedFile)
})

/** One line of `share --json`. */
export const sharePart = (part: SharePart) => {
  switch (part._tag) {
    case "Found":
      return { event: "found", files: part.files, total_bytes: part.totalBytes }
    case "Encrypting":
      return { event: "encrypting", name: part.name, done_bytes: part.doneBytes, total_bytes: part.totalBytes }
    case "Shared":
      return { event: "shared", share: share(part.share) }
    case "Unreadable":
      return { event: "failed", path: part.path, error: describe(unreadableError(part)) }
  }
}

export const fetchProgress = (value: FetchProgress) => ({
  state: value.state,
  ...given("reason", value.reason),
  ...given("binding", value.binding),
  ...given("path", value.path),
  have_bytes: value.haveBytes,
  total_bytes: value.totalBytes,
  file: { ...file(value.file), ...given("folder", value.file.folder) },
  owner: contact(value.owner)
})

/** One line of `fetch --json`. */
export const fetchPart = (part: FetchPart) => {
  switch (part._tag) {
    case "Progress":
      return { event: "progress", ...fetchProgress(part.progress) }
    case "Saving":
      return { event: "saving", done_bytes: part.doneBytes, total_bytes: part.totalBytes }
    case "Saved":
      return { event: "saved", path: part.path, size: part.size, file: file(part.file) }
  }
}

const hidden = ["Account", "Draft", "MessageRemoved", "Read", "Rotating"] as const

/** The events that commands show. What the user does elsewhere on this device is none of them. */
export type ShownEvent = Exclude<Event, { readonly _tag: (typeof hidden)[number] }>

export const isShown = (event: Event): event is ShownEvent => !hidden.some((tag) => tag === event._tag)

/** One line of `listen --json` and of `serve --json`. */
export const event = (value: ShownEvent) => {
  switch (value._tag) {
    case "Message":
      return { event: "message", message: message(value.message), contact: contact(value.contact) }
    case "State":
      return { event: "state", message: message(value.message) }
    case "Request":
      return { event: "request", message: message(value.message), contact: contact(value.contact) }
    case "Contact":
      return { event: "contact", contact: contact(value.contact) }
    case "ContactRemoved":
      return { event: "contact_removed", contact: contact(value.contact) }
    case "KeyChanged":
      return { event: "key_changed", contact: contact(value.contact) }
    case "KeyHealed":
      return { event: "key_healed", contact: contact(value.contact), detail: value.detail }
    case "KeyOffered":
      return { event: "key_offered", contact: contact(value.contact) }
    case "ProofChanged":
      return { event: "proof_changed", contact: contact(value.contact), claim: claim(value.claim) }
    case "Proving":
      return { event: "proving", proving: proving(value.proving) }
    case "Held":
      return { event: "held", request: heldRequest(value.request) }
    case "Served":
      return {
        event: "served",
        share: share(value.share),
        contact: contact(value.contact),
        sent_bytes: value.sentBytes,
        total_bytes: value.totalBytes
      }
    case "Shared":
      return { event: "shared", share: share(value.share) }
    case "Unshared":
      return { event: "unshared", share: share(value.share) }
    case "PublishingFailed":
      return { event: "publishing_failed", code: value.code, detail: value.detail }
    case "Dropped":
      return { event: "dropped", code: value.code, detail: value.detail }
    case "InboxFilling":
      return { event: "inbox_filling", box: value.box, inbox: inboxUsage(value.usage) }
    case "StoreFailing":
      return { event: "store_failing", reason: value.reason, detail: value.detail }
    case "StoreRecovered":
      return { event: "store_recovered" }
    case "HandedOver":
      return { event: "handed_over", handle: value.account.handle, ...given("to", value.account.movedTo) }
    case "Missed":
      return { event: "missed", count: value.count }
  }
}

export const connection = (state: ConnectionState) =>
  state._tag === "Offline"
    ? { state: "offline" as const, reason: state.error.reason, detail: state.error.detail }
    : { state: state._tag.toLowerCase() as "connecting" | "online" | "closed" }
