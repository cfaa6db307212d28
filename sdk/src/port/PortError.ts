/** Errors as they cross a port: `_tag`, `message`, `name` and the other fields of a tagged error, without its cause. */

export interface PortError {
  readonly _tag: string
  readonly message: string
  readonly [field: string]: unknown
}

/** An error with a tag and fields, for code without Effect. */
export const tagged = (
  tag: string,
  message: string,
  fields: Readonly<Record<string, unknown>> = {}
): Error & PortError => Object.assign(new Error(message), { name: tag }, fields, { _tag: tag, message })

/** Causes and stacks stay: they can hold anything. An error without a tag crosses as `Unexpected` with its name only. */
export const fromError = (error: unknown): PortError => {
  if (error instanceof Error && "_tag" in error && typeof error._tag === "string") {
    const fields = Object.fromEntries(Object.entries(error).filter(([key]) => key !== "cause" && key !== "stack"))
    return { ...fields, name: error.name, _tag: error._tag, message: error.message }
  }
  return unexpected(error instanceof Error ? error.name : typeof error)
}

export const unexpected = (name: string): PortError => ({
  _tag: "Unexpected",
  name: "Unexpected",
  message: `the call failed unexpectedly (${name})`
})

/** The error that crossed, as an `Error` again. */
export const toError = ({ _tag, message, ...fields }: PortError): Error & PortError => tagged(_tag, message, fields)

const errorIn = (item: unknown): object | undefined =>
  typeof item === "object" && item !== null && "error" in item && typeof item.error === "object"
    ? (item.error ?? undefined)
    : undefined

/**
 * An item of a stream as it crosses: an error that it names as its `error`, as a connection's state does, crosses like one
 * that a call rejects with. Cloned as it is, it would lose its fields and keep its cause.
 */
export const fromItem = (item: unknown): unknown => {
  const error = errorIn(item)
  return error instanceof Error ? { ...(item as object), error: fromError(error) } : item
}

/** The item that crossed, with its error as an `Error` again. */
export const toItem = (item: unknown): unknown => {
  const error = errorIn(item)
  return error !== undefined && "_tag" in error ? { ...(item as object), error: toError(error as PortError) } : item
}

export const clientClosed = (): Error & PortError => tagged("ClientClosed", "this client was closed")
