import * as Schema from "effect/Schema"

/** The user's settings for the account on this device. */
export class Settings extends Schema.Opaque<Settings>()(
  Schema.Struct({
    /** Send read receipts. Default false. */
    readReceipts: Schema.Boolean,
    /** Whether strangers may write: `everyone` (default) shows their messages as requests, `contacts` drops them. */
    inbox: Schema.Literals(["everyone", "contacts"]),
    /**
     * Once a day, have the home server delete mail that every device of the account holds. Deleted mail does not come
     * back when the account is restored from its words. Default false.
     */
    autoTrim: Schema.Boolean
  })
) {}
