/** What an error of the client says: its fields survive the way from the worker, its class may not. */

const fieldOf = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

/** `_tag` of the error, such as `ContactUnknown`; empty for others. */
export const tagOf = (error: unknown): string => textOf(fieldOf(error, "_tag"))

/** `code` of a problem, such as `handle_not_found`; empty for others. */
export const codeOf = (error: unknown): string => textOf(fieldOf(error, "code"))

/** Whether the server named a time after which the call may be repeated. */
export const isLimited = (error: unknown): boolean =>
  codeOf(error) === "rate_limited" || fieldOf(error, "retryAfterMillis") !== undefined

/** The reason, as a part of a sentence. */
export const detailOf = (error: unknown): string => {
  const detail = textOf(fieldOf(error, "detail")) || textOf(fieldOf(error, "message")) || String(error)
  return detail.replace(/\.$/, "")
}
