import * as Schema from "effect/Schema"

/** The user's settings for the account on this device. */
export class Settings extends Schema.Opaque<Settings>()(
  Schema.Struct({
    /** Send read receipts. Default false. */
    readReceipts: Schema.Boolean,
    /**
     * Whose requests are shown: those of `everyone` (default), of nobody but accepted `contacts`, or of strangers with a
     * proof that holds (`proven`; see `provenBy`). With `proven`, mail of other strangers is held back, see
     * {@link HeldRequest}; with `contacts` it is dropped, unless `introductions` is on. Further mail of a stranger whose
     * request is shown already is shown, whatever this says; block or remove them to end it.
     */
    inbox: Schema.Literals(["everyone", "contacts", "proven"]),
    /**
     * Which proofs count with `inbox: "proven"`: those of one of these systems (`dns`, `github`), and those of `dns` and
     * `web` for one of these domains or a name below it, `web` at any port and path. Whoever can get a name below a
     * domain is let in by it, so name none that hands out names, such as `github.io`. If both lists are empty, every proof counts. Default empty.
     */
    provenBy: Schema.Struct({ systems: Schema.Array(Schema.String), domains: Schema.Array(Schema.String) }),
    /** Whether strangers whom an accepted contact introduced are let in, too. Default false. */
    introductions: Schema.Boolean,
    /**
     * Once a day, have the home server delete mail that every device of the account holds. Deleted mail does not come
     * back when the account is restored from its words. Default false.
     */
    autoTrim: Schema.Boolean
  })
) {}
