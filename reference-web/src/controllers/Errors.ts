/** Errors as they come over the port: `_tag`, `message` and their fields. */
const field = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined

/** Its sentence for a person. */
export const errorText = (error: unknown): string => {
  const message = field(error, "message")
  return typeof message === "string" && message !== "" ? message : String(error)
}

/** The code of a refusal by a server, such as `handle_taken`. */
export const problemCode = (error: unknown): string | undefined => {
  const code = field(error, "code")
  return field(error, "_tag") === "Problem" && typeof code === "string" ? code : undefined
}

/** Why the vault did not open. */
export const vaultReason = (error: unknown): string | undefined => {
  const reason = field(error, "reason")
  return field(error, "_tag") === "VaultError" && typeof reason === "string" ? reason : undefined
}

/** `_tag` of an error, such as `ContactUnknown`. */
export const tagOf = (error: unknown): unknown => field(error, "_tag")

/** Whether a server refuses a call for now and says, or implies, that it may be repeated. */
export const isLimited = (error: unknown): boolean =>
  problemCode(error) === "rate_limited" || field(error, "retryAfterMillis") !== undefined

/** The reason in an error, to be put into a sentence. */
export const detailOf = (error: unknown): string => {
  const detail = field(error, "detail")
  return (typeof detail === "string" && detail !== "" ? detail : errorText(error)).replace(/\.$/, "")
}
