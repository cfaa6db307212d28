/** The command line, or something that it names, is wrong: one sentence, exit code 3. */
export class UsageError extends Error {
  override readonly name = "UsageError"
}
