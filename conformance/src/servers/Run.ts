/** Runs the checks of a server, one after the other: they share its limits, and some of them race against themselves. */
import { shuffled } from "../suite/Checks.ts"
import { about, type CheckResult } from "../suite/Verdict.ts"
import type { Mark } from "../probe/Facts.ts"
import type { ServerCheck } from "./Check.ts"
import { NotChecked, Violation } from "./Outcome.ts"

type Marks<Fact extends string> = Readonly<Record<Fact, { readonly mark: Mark }>>

const verdictOf = async <V, Fact extends string>(
  check: ServerCheck<V, Fact>,
  visit: V,
  facts: Marks<Fact> | undefined
): Promise<CheckResult> => {
  const seen = new Map<Fact, boolean>()
  let current: Fact | undefined
  const note = (holds: boolean) => {
    if (current !== undefined) seen.set(current, holds && seen.get(current) !== false)
  }
  const common = () => ({
    ...about(check),
    ...(facts === undefined ? {} : { facts: [...seen].map(([fact, holds]) => ({ fact, holds })) })
  })
  try {
    await check.run(visit, (fact) => {
      note(true)
      current = fact
    })
    note(true)
    return { ...common(), verdict: "pass" }
  } catch (error) {
    if (error instanceof NotChecked) return { ...common(), verdict: error.verdict, message: error.message }
    const { message } = error as Error
    const { actual, expected } = error instanceof Violation ? error : {}
    note(false)
    const isOpen = current !== undefined && facts !== undefined && facts[current].mark !== "SEEN"
    return {
      ...common(),
      verdict: isOpen ? "finding" : "fail",
      message,
      ...(expected === undefined ? {} : { expected }),
      ...(actual === undefined ? {} : { actual })
    }
  }
}

/** The results in the order of the checks; they run in that of the seed. */
export const runServer = async <V, Fact extends string = never>(
  checks: ReadonlyArray<ServerCheck<V, Fact>>,
  visit: V,
  options: {
    readonly seed: number
    readonly onResult?: (result: CheckResult) => void
    /** Only what fails for a fact that is SEEN fails the check; without them, everything does. */
    readonly facts?: Marks<Fact>
  }
): Promise<ReadonlyArray<CheckResult>> => {
  const results = new Map<string, CheckResult>()
  const order = shuffled(checks, options.seed)
  for (const check of [...order.filter(({ last }) => !last), ...order.filter(({ last }) => last)]) {
    const result = await verdictOf(check, visit, options.facts)
    results.set(check.id, result)
    options.onResult?.(result)
  }
  return checks.map(({ id }) => results.get(id)!)
}
