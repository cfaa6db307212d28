import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/**
 * The `cause` of an error: the underlying library's error. It can hold anything, including paths and handles, so it
 * stays in its process: encoding drops it, and an encoded error with a cause does not decode.
 */
export const LocalCause = Schema.optionalKey(Schema.Unknown).pipe(
  Schema.encodeTo(Schema.optionalKey(Schema.Never), { decode: SchemaGetter.omit(), encode: SchemaGetter.omit() })
)
