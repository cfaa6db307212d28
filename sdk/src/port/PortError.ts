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

export const clientClosed = (): Error & PortError => tagged("ClientClosed", "this client was closed")
