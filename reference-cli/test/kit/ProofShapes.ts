/** The JSON about proofs and held requests, and the forms that it shares with the rest. */
import { Schema } from "effect"

export const Time = Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/))
export const Primary = Schema.String.check(Schema.isPattern(/^ed25519:[0-9a-f]{64}$/))

export const Claim = Schema.Struct({
  subject: Schema.String,
  system: Schema.String,
  seq: Schema.Natural,
  state: Schema.Literals(["unchecked", "valid", "unreachable", "broken"]),
  revoked: Schema.Boolean,
  sentence: Schema.String,
  checked_at: Schema.optionalKey(Time),
  last_good_at: Schema.optionalKey(Time),
  next_check_at: Schema.optionalKey(Time),
  retry_at: Schema.optionalKey(Time),
  evidence: Schema.optionalKey(
    Schema.Struct({
      url: Schema.String,
      fetched_at: Time,
      digest: Schema.String.check(Schema.isPattern(/^sha256:[0-9a-f]{64}$/)),
      recipe: Schema.String,
      dnssec: Schema.optionalKey(Schema.Literals(["secure", "insecure"])),
      proof: Schema.String
    })
  )
})
export const proving = Schema.Struct({
  subject: Schema.String,
  step: Schema.Literals(["publish", "visible", "recorded"]),
  publication: Schema.Struct({ steps: Schema.Array(Schema.String), text: Schema.String, where: Schema.String }),
  sentence: Schema.optionalKey(Schema.String),
  checked_at: Schema.optionalKey(Time),
  next_check_at: Schema.optionalKey(Time)
})
export const Prove = Schema.Struct({ proving })
export const Revoked = Schema.Struct({ revoked: Schema.String })
export const Introductions = Schema.Struct({
  introductions: Schema.Array(
    Schema.Struct({
      direction: Schema.Literals(["given", "received"]),
      peer: Primary,
      newcomer: Primary,
      handle: Schema.optionalKey(Schema.String),
      at: Time,
      expires_at: Time
    })
  )
})
export const Proofs = Schema.Struct({
  who: Schema.String,
  claims: Schema.Array(Claim),
  unfinished: Schema.optionalKey(Schema.Array(proving))
})
export const heldRequest = Schema.Struct({
  handle: Schema.String,
  primary: Primary,
  messages: Schema.Natural,
  dropped: Schema.Natural,
  first_at: Time,
  last_at: Time,
  sentence: Schema.String,
  claims: Schema.Array(Claim)
})
export const Held = Schema.Struct({ held: Schema.Array(heldRequest) })
export const Admission = Schema.Union([
  Schema.Struct({ by: Schema.Literal("proof"), subject: Schema.String, checked_at: Time }),
  Schema.Struct({ by: Schema.Literal("introduction"), who: Schema.String, primary: Primary, at: Time })
])
