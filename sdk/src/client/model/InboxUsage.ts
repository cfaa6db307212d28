import * as Schema from "effect/Schema"
import { Millis } from "./Protocol.ts"

/** Bytes of the account's frames at its home, and how many there may be. */
export class BoxUsage extends Schema.Opaque<BoxUsage>()(
  Schema.Struct({
    used: Schema.Natural,
    limit: Schema.Natural,
    /** When the oldest frame there was stored, milliseconds since the epoch; absent where there is none. */
    oldest: Schema.optionalKey(Millis)
  })
) {}

/** How full an account's inbox at its home is. Frames stay there, for new and restored devices, until retention ends. */
export class InboxUsage extends Schema.Opaque<InboxUsage>()(
  Schema.Struct({
    /** Mail from others. */
    mail: Schema.Struct({
      ...BoxUsage.fields,
      /** The part of it that strangers use, and may use. */
      strangers: Schema.Struct({ used: Schema.Natural, limit: Schema.Natural })
    }),
    /** Copies of what was sent. */
    sent: BoxUsage
  })
) {}
