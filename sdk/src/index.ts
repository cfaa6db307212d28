/** Chat accounts on KEZ: the client, what it answers, and its errors. Everything else has a subpath of its own. */
export * from "./client/KezChat.ts"
export * from "./client/model/index.ts"

/** The tables of spec/messages.md, spec/broker.md and spec/proofs.md as pure functions, for tests and for clients of one's own. */
export * as ClaimState from "./client/claims/ClaimState.ts"
export * as InboxPolicy from "./client/messaging/requests/InboxPolicy.ts"
export * as ContactState from "./client/contacts/ContactState.ts"
export * as Position from "./client/messaging/Position.ts"
