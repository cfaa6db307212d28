import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/**
 * The `cause` of an error: what a library beneath threw. It can hold anything, paths and handles included, so it stays in
 * the process that caught it: encoding an error leaves it out, and an encoded error that has one does not decode.
 */
export const LocalCause = Schema.optionalKey(Schema.Unknown).pipe(
  Schema.encodeTo(Schema.optionalKey(Schema.Never), { decode: SchemaGetter.omit(), encode: SchemaGetter.omit() })
)
