/** Ids of messages, entries and devices: 16 random bytes as 22 base64url characters (spec: messages). */
import * as Effect from "effect/Effect"
import * as Bytes from "../protocol/encoding/Bytes.ts"
import * as Limits from "../protocol/Limits.ts"
import { Crypto } from "../services/Crypto.ts"

/** A new id. One that begins with a dash is drawn again, because people type ids on command lines. */
export const make: Effect.Effect<string, never, Crypto> = Crypto.use((crypto) =>
  Effect.map(crypto.randomBytes(Limits.idBytes), Bytes.toBase64Url).pipe(
    Effect.repeat({ while: (id) => id.startsWith("-") })
  )
)
