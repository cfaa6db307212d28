import * as Schema from "effect/Schema"
import { Millis } from "./Protocol.ts"

/** How far this device has caught up with its inbox. */
export class CatchingUp extends Schema.Opaque<CatchingUp>()(
  Schema.Struct({
    /** Frames (messages, receipts and notes between devices) taken in since it last was up to date. */
    taken: Schema.Natural,
    /** Frames known so far to be taken in; equal to `taken` when it is up to date, or has not fetched yet. */
    of: Schema.Natural
  })
) {}

/** Bytes that the account's frames take at its home server, and their limit. */
export class BoxUsage extends Schema.Opaque<BoxUsage>()(
  Schema.Struct({
    used: Schema.Natural,
    limit: Schema.Natural,
    /** When the oldest frame was stored, milliseconds since the epoch; absent if there is none. */
    oldest: Schema.optionalKey(Millis)
  })
) {}

/**
 * How full an account's inbox at its home server is. Frames stay there for new and restored devices until retention
 * ends or they are trimmed.
 */
export class InboxUsage extends Schema.Opaque<InboxUsage>()(
  Schema.Struct({
    /** Mail from others. */
    mail: Schema.Struct({
      ...BoxUsage.fields,
      /** The part used by strangers, and its limit. */
      strangers: Schema.Struct({ used: Schema.Natural, limit: Schema.Natural })
    }),
    /** Copies of sent messages. */
    sent: BoxUsage
  })
) {}
