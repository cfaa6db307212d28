/** What a hostile client can flood with. */
export const kinds = [
  "tiny sends",
  "full frames",
  "oversize messages",
  "fetches",
  "sends without a reply",
  "malformed sends",
  "long headers",
  "subscriptions",
  "denied subjects",
  "pages unread",
  "logins"
] as const
export type Kind = (typeof kinds)[number]
