import * as Schema from "effect/Schema"

/** What the user decides for the account on this device. */
export class Settings extends Schema.Opaque<Settings>()(
  Schema.Struct({
    /** Tell others when their messages were read. */
    readReceipts: Schema.Boolean,
    /** Who may write without being asked for: `everyone` arrives as requests, `contacts` drops strangers unseen. */
    inbox: Schema.Literals(["everyone", "contacts"]),
    /**
     * Once a day, have the home remove mail that every device of the account holds (off at first). What is removed does
     * not come back with the words.
     */
    autoTrim: Schema.Boolean
  })
) {}
