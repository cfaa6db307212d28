/** How a check ends that does not pass. */

/** The server does otherwise than it must. */
export class Violation extends Error {
  override readonly name = "Violation"
  readonly expected: unknown
  readonly actual: unknown
  constructor(message: string, expected?: unknown, actual?: unknown) {
    super(message)
    this.expected = expected
    this.actual = actual
  }
}

/** The check cannot be made: `not-applicable` where the target has nothing to check, otherwise `untestable`. */
export class NotChecked extends Error {
  override readonly name = "NotChecked"
  readonly verdict: "not-applicable" | "untestable"
  constructor(verdict: NotChecked["verdict"], message: string) {
    super(message)
    this.verdict = verdict
  }
}
