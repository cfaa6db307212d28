/** The JSON that --json prints: documented in the README, members only ever added. */
import type { Contact, Event, Message, Settings, Verification } from "@kez-chat/sdk"
import type { ConnectionState } from "@kez-chat/sdk/services"
import type { Description } from "./Failure.ts"
import type { Profile } from "./profile/Profile.ts"

/** RFC 3339 in UTC with milliseconds. */
export const time = (millis: number): string => new Date(millis).toISOString()

const given = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V })

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
  primary: value.primary,
  state: value.state,
  verified: value.verified,
  added_at: time(value.addedAt),
  ...given("changed_to", value.changedTo),
  ...given("warning", value.warning),
  ...given("head", value.head)
})

export const message = (value: Message) => ({
  id: value.id,
  peer: value.peer,
  direction: value.direction,
  type: value.type,
  text: value.text,
  created_at: time(value.createdAt),
  arrived_at: time(value.arrivedAt),
  order: value.order,
  ...given("state", value.state),
  ...given("failure", value.failure),
  ...given("suspicious", value.suspicious),
  ...given("gap", value.gap),
  ...given("equivocation", value.equivocation),
  ...given("fork", value.fork)
})

export const settings = ({ readReceipts, inbox }: Settings) => ({ read_receipts: readReceipts, inbox })

export const verification = (value: Verification) => ({
  contact: contact(value.contact),
  safety_number: value.safetyNumber,
  qr: value.qr,
  head: value.head,
  endpoints: value.endpoints,
  claims: value.claims,
  events: value.events
})

/** One line of `listen --json`. */
export const event = (value: Event) => {
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
    case "Dropped":
      return { event: "dropped", code: value.code, detail: value.detail }
    case "Missed":
      return { event: "missed", count: value.count }
  }
}

export const connection = (state: ConnectionState) =>
  state._tag === "Offline"
    ? { state: "offline" as const, reason: state.error.reason, detail: state.error.detail }
    : { state: state._tag.toLowerCase() as "connecting" | "online" | "closed" }
