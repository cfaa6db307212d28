/** Shims that are wrong about the broker, messages and contacts. */
import { ed25519 } from "@noble/curves/ed25519.js"
import { accepts, answers, confuses, forgets, reads, refuses, type ShimMutant } from "./ShimMutant.ts"

interface Login {
  readonly seed: string
  readonly nonce: string
}

interface Positions {
  readonly inbox: number
  readonly self: number
}

interface Step {
  readonly action: string
  readonly positions: Positions
  readonly fetch_after: number
}

interface Page {
  readonly epoch: string
  readonly last_seq: number
}

interface Live {
  readonly seq: number
  readonly last_seq_of_subject: number
}

interface Seen {
  readonly steps: ReadonlyArray<{ readonly page?: Page; readonly live?: Live }>
}

/** Changes what is done at some of the steps. */
const steps = (
  name: string,
  kills: string,
  change: (step: Step, seen: Seen["steps"][number], before: Step | undefined) => Partial<Step>
): ShimMutant =>
  answers<ReadonlyArray<Step>, Seen>(name, `positions.trace: ${kills}`, (right, input) =>
    right.map((step, index) => ({ ...step, ...change(step, input.steps[index] ?? {}, right[index - 1]) }))
  )

const bytesOf = (base64: string) => Buffer.from(base64, "base64url")

const broker: ReadonlyArray<ShimMutant> = [
  accepts("takes anything for the signature of a home", "acceptance.verify: NAT-101 NAT-103", "signature_invalid"),
  refuses("takes no signature of a home", "acceptance.verify: NAT-100 NAT-103", "signature_invalid", () => true),
  answers<object, Login>("signs the nonce alone, as NATS has it", "login.sign: NAT-001", (right, { nonce, seed }) => ({
    ...right,
    signature: Buffer.from(ed25519.sign(Buffer.from(nonce), new Uint8Array(Buffer.from(seed, "hex")))).toString(
      "base64url"
    )
  })),
  accepts<Login>(
    "signs whatever the broker sends",
    "login.sign: NAT-002",
    "login_refused",
    ({ nonce }) => !/^[\w-]{15}$/.test(nonce)
  ),
  answers<string, { url: string }>("logs in for host and port", "login.host: NAT-003", (_, { url }) =>
    url.replace(/^\w+:\/\//, "").toLowerCase()
  ),
  accepts("takes any spelling of a host", "login.sign | login.host: NAT-003", "login_refused"),
  accepts("does not look at prefix and checksum of an nkey", "nkey.parse: NAT-004", "key_malformed"),
  answers<object>("takes replies at NATS's own inbox", "subjects.of: NAT-005", (right) => ({
    ...right,
    reply_prefix: "_INBOX"
  })),
  answers<{ inbox: string }>("writes primaries into subjects", "subjects.of: NAT-017", (right) => ({
    ...right,
    inbox: right.inbox.replace("kez.inbox.", "kez.inbox.ed25519:")
  })),
  accepts("reads a page as far as it goes", "page.decode: NAT-030", "page_malformed"),
  reads<{ page: string }>("does not compare a page with its request", "page.decode: NAT-031", ({ page }) => ({
    page,
    account: bytesOf(page).subarray(17, 49).toString("hex").padEnd(64, "0"),
    n: bytesOf(page).subarray(49, 65).toString("base64url").padEnd(22, "A")
  })),
  ...Object.entries({ fetch: "NAT-046", trim: "NAT-057", block: "NAT-062" }).flatMap(([request, id]) => [
    accepts(`does not look at the members of a ${request} request`, `${request}.parse: ${id}`, "request_malformed"),
    accepts(`does not bound a ${request} request`, `${request}.parse: ${id}`, "too_large")
  ]),
  steps("keeps one position", "SEQ-001", ({ positions: { inbox, self } }) => ({
    positions: { inbox: Math.max(inbox, self), self: Math.max(inbox, self) }
  })),
  steps("takes live frames before it has fetched", "SEQ-003", ({ action }, { live }, before) => ({
    action: live !== undefined && before === undefined ? "take" : action
  })),
  steps("fetches after the greater position", "SEQ-004 SEQ-008", ({ positions: { inbox, self } }) => ({
    fetch_after: Math.max(inbox, self)
  })),
  steps("raises a position to the end of the stream", "SEQ-005", ({ positions }, { page }) => ({
    positions: page === undefined ? positions : { inbox: page.last_seq, self: page.last_seq }
  })),
  steps("takes every live frame", "SEQ-006", ({ action }, { live }) => ({
    action: live === undefined ? action : "take"
  })),
  reads<Seen>("does not look at the epoch", "positions.trace: SEQ-007", ({ steps: all }) => ({
    steps: all.map(({ page, ...rest }) => ({
      ...rest,
      ...(page === undefined ? {} : { page: { ...page, epoch: "A" } })
    }))
  })),
  steps("holds whatever lies before its position", "SEQ-039", ({ action, positions }, { live }) => ({
    action: live !== undefined && live.seq <= Math.max(positions.inbox, positions.self) ? "drop" : action
  }))
]

interface Opened {
  readonly role: string
  readonly from: string
  readonly hash: string
  readonly body: {
    readonly type: string
    readonly entries?: ReadonlyArray<unknown>
    readonly ids?: ReadonlyArray<unknown>
    readonly filename?: string
  }
}

const envelopeOf = (base64: string) =>
  JSON.parse(bytesOf(base64).toString("utf8")) as { readonly payload: { readonly to: string } }
const addresseeOf = (base64: string) => envelopeOf(base64).payload.to

const membersOfText = ["chain", "fallback", "reply_to", "text", "type"]
const knownTypes = ["text", "receipt", "file_share", "address", "address_request", "block_list", "device_position"]

const opened = (name: string, kills: string, code: string, when: (right: Opened) => boolean): ShimMutant =>
  refuses<Opened>(name, `message.open: ${kills}`, code, when)

const messages: ReadonlyArray<ShimMutant> = [
  accepts(
    "does not look at the members of messages",
    "message.open: DM-001 DM-018 DM-019 DM-021 DM-022 FIL-007 SEQ-030 CAN-004",
    "message_malformed | timestamp_malformed | encoding_malformed"
  ),
  confuses(
    "says of everything in a frame that it cannot be read",
    "message.open: DM-013",
    "frame_malformed",
    "frame_unreadable"
  ),
  accepts(
    "takes trailing bits in the members of a message",
    "message.open: CAN-002 ERR-009",
    "encoding_malformed | message_malformed"
  ),
  accepts("tries a suite that it does not know", "message.open: DM-005", "suite_unsupported"),
  answers<object>("uses a nonce of zeros", "message.encrypt: DM-006", (right) => ({
    ...right,
    nonce: "00".repeat(12)
  })),
  answers<object>("encrypts without associated data", "message.encrypt: DM-007", (right) => ({ ...right, aad: "" })),
  accepts("hands out what it could not verify", "message.open: DM-006 DM-007 DM-008", "message_undecryptable"),
  accepts("does not bound bodies", "message.encrypt: DM-009", "message_too_large"),
  refuses<unknown, { body: string }>(
    "counts the bytes of a body as base64url",
    "message.encrypt: DM-009",
    "message_too_large",
    (_, { body }) => body.length > 40_960
  ),
  answers<number>(
    "pads to powers of two",
    "padding.length: DM-010",
    (right) => 4 + 2 ** Math.ceil(Math.log2(right - 4))
  ),
  accepts("does not look at padding", "padding.unpad | message.open: DM-010", "padding_invalid"),
  answers<object>("seals without naming the reader", "message.seal: DM-011", (right) => ({ ...right, aad: "01" })),
  accepts("opens a frame sealed to another account's name", "message.open: DM-011 KEY-012", "frame_unreadable"),
  accepts("seals what makes too long a frame", "message.seal: DM-012", "message_too_large"),
  accepts("does not bound frames", "message.open: DM-013", "frame_malformed"),
  reads<{ envelope: string }>("seals both frames to the addressee", "message.seal: DM-015", (input) => ({
    ...input,
    reader: addresseeOf(input.envelope)
  })),
  reads<{ envelope: string }>("seals an envelope as it was printed", "message.seal: DM-014", (input) => ({
    ...input,
    envelope: Buffer.from(JSON.stringify(envelopeOf(input.envelope), null, 2)).toString("base64url")
  })),
  answers<Opened>("hashes the body and not the envelope", "message.open: DM-014 CAN-013", (right) => ({
    ...right,
    hash: `sha256:${"0".repeat(64)}`
  })),
  opened("keeps no copies of its own", "DM-015", "message_misdirected", ({ role }) => role === "sent"),
  forgets("never names the message before", "message.encrypt: SEQ-012", "prev"),
  answers<Opened>("takes the author for the peer", "message.open: SEQ-013", (right) => ({
    ...right,
    peer: right.from
  })),
  accepts("reads messages between others", "message.open: SEQ-014", "message_misdirected"),
  opened(
    "refuses bodies with members that it does not know",
    "DM-018",
    "message_malformed",
    ({ body }) => body.type === "text" && Object.keys(body).some((name) => !membersOfText.includes(name))
  ),
  opened(
    "refuses types that it does not know",
    "DM-020",
    "message_malformed",
    ({ body }) => !knownTypes.includes(body.type)
  ),
  answers<Opened>("normalises what it reads", "message.open: CAN-011", (right) =>
    JSON.parse(JSON.stringify(right).normalize("NFC"))
  ),
  answers<Opened>(
    "keeps the members of a body that it knows",
    "message.open: SIG-002 DM-018",
    ({ body, ...right }) => ({
      ...right,
      hash: `sha256:${"1".repeat(64)}`,
      body: { type: body.type }
    })
  ),
  opened(
    "takes block lists of 200 accounts",
    "DM-031",
    "message_malformed",
    ({ body }) => (body.entries?.length ?? 0) > 200
  ),
  opened("knows no notes of positions", "DM-034", "message_malformed", ({ body }) => body.type === "device_position"),
  opened("takes receipts of 100 ids", "SEQ-030", "message_malformed", ({ body }) => (body.ids?.length ?? 0) > 100),
  opened(
    "takes a hidden file for a path",
    "FIL-007",
    "message_malformed",
    ({ body }) => body.filename?.startsWith(".") ?? false
  ),
  accepts("does not compare a ticket with its author", "message.open: FIL-008", "ticket_mismatch")
]

interface Contact {
  readonly pinned: string
  readonly name: string
  readonly chain: string
  readonly sends: boolean
  readonly number: string
  readonly verified: boolean
  readonly notice?: string
  readonly refused?: string
  readonly offered?: { readonly primary: string; readonly origin: string }
}

interface Story {
  readonly state: { readonly relation: string; readonly verified: boolean }
  readonly events: ReadonlyArray<{ readonly event: string; readonly primary?: string }>
}

/** Changes what a contact is after some of the events. */
const contact = (
  name: string,
  kills: string,
  change: (after: Contact, event: Story["events"][number], story: Story) => Partial<Record<keyof Contact, unknown>>
): ShimMutant =>
  answers<ReadonlyArray<Contact>, Story>(name, `contact.trace: ${kills}`, (right, story) =>
    right.map((after, index) => ({ ...after, ...change(after, story.events[index] ?? { event: "" }, story) }))
  )

/** Treats contacts of one relation as those of another. */
const takenFor = (name: string, kills: string, relation: string): ShimMutant =>
  reads<Story>(name, `contact.trace: ${kills}`, ({ state, events }) => ({
    events,
    state: state.relation === relation ? { ...state, relation: "accepted" } : state
  }))

const contacts: ReadonlyArray<ShimMutant> = [
  contact("goes on sending whatever happens to a contact", "SEQ-034", () => ({ sends: true })),
  takenFor("blocks the sending of messages and nothing else", "SEQ-036", "blocked"),
  contact("forgets that the user keeps a key", "SEQ-040 SEQ-047", ({ name }) => ({ name: name.replace("_kept", "") })),
  contact("pins the key that the home names", "SEQ-041 SEQ-045", ({ pinned }, { event, primary }) => ({
    pinned: event === "names" ? primary : pinned
  })),
  contact("shows the safety number of the pinned key", "SEQ-042", () => ({ number: "pinned" })),
  contact("accepts whatever key is offered by then", "SEQ-043", ({ refused }, { event }) => ({
    refused: event === "user_accepts" ? undefined : refused
  })),
  contact("takes a confirmation of any key", "SEQ-044", ({ refused, verified }, { event }) => ({
    verified: verified || event === "user_confirms",
    refused: event === "user_confirms" ? undefined : refused
  })),
  contact("warns alike of every key", "SEQ-046", ({ offered }) => ({
    offered: offered === undefined ? undefined : { ...offered, origin: "unexplained" }
  })),
  contact("cannot keep a key", "SEQ-047", ({ name, sends }) => ({ sends: sends && !name.endsWith("_kept") })),
  contact("never reminds of an offered key", "SEQ-049", ({ notice }) => ({
    notice: notice === "offered" ? undefined : notice
  })),
  contact("does not tell that a contact has healed", "SEQ-050", ({ notice }) => ({
    notice: notice === "healed" ? undefined : notice
  })),
  contact("forgets a fork when the chain goes on", "SEQ-051", ({ chain }, { event }) => ({
    chain: event === "extends" ? "whole" : chain
  })),
  contact("shows a changed contact as verified", "SEQ-052", ({ verified }, _, { state }) => ({
    verified: verified || state.verified
  }))
]

interface AddressCase {
  readonly created_at: string
  readonly expires_at: string
  readonly stored: number
  readonly asked: number
}

const addresses: ReadonlyArray<ShimMutant> = [
  reads<AddressCase>("believes an answer to any request it ever made", "address.life: SEQ-061", (input) => ({
    ...input,
    asked: 0
  })),
  answers<number, AddressCase>(
    "has addresses count for as long as their author says",
    "address.life: SEQ-060",
    (_, { created_at, expires_at, stored }) =>
      Math.max(0, (Date.parse(expires_at) - Date.parse(created_at)) / 1_000 - stored)
  ),
  reads<AddressCase>("counts from when it reads them", "address.life: SEQ-060", (input) => ({ ...input, stored: 0 }))
]

export const chatMutants: ReadonlyArray<ShimMutant> = [...broker, ...messages, ...addresses, ...contacts]
