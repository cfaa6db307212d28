/** Codes that endpoints of both servers have in common. */
import type { Code } from "../protocol/Problem.ts"

/** Refusals that every endpoint can give. */
export const always = ["rate_limited", "unavailable", "internal"] as const satisfies ReadonlyArray<Code>

/** Refusals of a body that is not an envelope. */
export const malformedEnvelope = [
  "json_malformed",
  "json_duplicate_name",
  "json_number",
  "json_string",
  "json_depth",
  "too_large",
  "envelope_malformed",
  "envelope_kind",
  "algorithm_unsupported"
] as const satisfies ReadonlyArray<Code>

/** Refusals of an upload, whatever it contains. */
export const upload = [
  "media_type_unsupported",
  "request_malformed",
  "request_timeout",
  ...always
] as const satisfies ReadonlyArray<Code>
