/** Runs the checks of a server, one after the other: they share its limits, and some of them race against themselves. */
import { shuffled } from "../suite/Checks.ts"
import { about, type CheckResult } from "../suite/Verdict.ts"
import type { ServerCheck } from "./Check.ts"
import { NotChecked, Violation } from "./Outcome.ts"

const verdictOf = async <V>(check: ServerCheck<V>, visit: V): Promise<CheckResult> => {
  try {
    await check.run(visit)
    return { ...about(check), verdict: "pass" }
  } catch (error) {
    if (error instanceof NotChecked) return { ...about(check), verdict: error.verdict, message: error.message }
    const { message } = error as Error
    const { actual, expected } = error instanceof Violation ? error : {}
    return {
      ...about(check),
      verdict: "fail",
      message,
      ...(expected === undefined ? {} : { expected }),
      ...(actual === undefined ? {} : { actual })
    }
  }
}

/** The results in the order of the checks; they run in that of the seed. */
export const runServer = async <V>(
  checks: ReadonlyArray<ServerCheck<V>>,
  visit: V,
  options: { readonly seed: number; readonly onResult?: (result: CheckResult) => void }
): Promise<ReadonlyArray<CheckResult>> => {
  const results = new Map<string, CheckResult>()
  const order = shuffled(checks, options.seed)
  for (const check of [...order.filter(({ last }) => !last), ...order.filter(({ last }) => last)]) {
    const result = await verdictOf(check, visit)
    results.set(check.id, result)
    options.onResult?.(result)
  }
  return checks.map(({ id }) => results.get(id)!)
}
