/** Messages: sending them, receiving them, their receipts, and the inbox at the home server. */
import * as Layer from "effect/Layer"
import * as Acceptances from "./sending/Acceptances.ts"
import * as DevicePositions from "./DevicePositions.ts"
import * as Housekeeping from "./Housekeeping.ts"
import * as Inbox from "./Inbox.ts"
import * as InboxSync from "./InboxSync.ts"
import * as Mailbox from "./Mailbox.ts"
import * as Outbox from "./Outbox.ts"
import * as Receipts from "./Receipts.ts"
import * as Admissions from "./requests/Admissions.ts"
import * as HeldMail from "./requests/HeldMail.ts"
import * as Introductions from "./requests/Introductions.ts"

export * as MessageLog from "./MessageLog.ts"
export { Housekeeping } from "./Housekeeping.ts"
export { Inbox } from "./Inbox.ts"
export { InboxSync, isMoved } from "./InboxSync.ts"
export * as Position from "./Position.ts"
export { Mailbox } from "./Mailbox.ts"
export { chainOf, Outbox } from "./Outbox.ts"
export { Receipts } from "./Receipts.ts"
export { Admissions } from "./requests/Admissions.ts"
export { HeldMail } from "./requests/HeldMail.ts"
export * as InboxPolicy from "./requests/InboxPolicy.ts"
export { Introductions } from "./requests/Introductions.ts"
export { send } from "./Send.ts"
export * as SendableText from "./SendableText.ts"

/** The outbox by itself, because contacts and files send through it too. */
export const outboxLayer = Layer.provide(Outbox.layer, Acceptances.layer)

export const layer = Layer.mergeAll(InboxSync.layer, Housekeeping.layer, Admissions.layer).pipe(
  Layer.provideMerge(Layer.mergeAll(Inbox.layer, Mailbox.layer)),
  Layer.provideMerge(Layer.mergeAll(Receipts.layer, DevicePositions.layer, HeldMail.layer, Introductions.layer))
)
