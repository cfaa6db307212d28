/** Asks a shim every question of the vectors and judges the answers. */
import { isDeepStrictEqual } from "node:util"
import { type Profile, shuffled, type VectorCheck } from "../suite/Checks.ts"
import { about, type CheckResult } from "../suite/Verdict.ts"
import { hasOperation, type Response, type Started } from "../shim/Protocol.ts"
import type { ShimOptions } from "../shim/ShimProcess.ts"
import { startShim } from "../shim/Start.ts"

/** How often a shim that ends, or breaks the protocol, is started again. */
const restarts = 3

export interface RunOptions extends ShimOptions {
  readonly seed: number
  /** The profiles to check, of those that the shim claims; all of them if undefined. */
  readonly profiles?: ReadonlyArray<Profile> | undefined
  /** Called after every check. */
  readonly onResult?: ((result: CheckResult) => void) | undefined
}

export interface Run {
  readonly started: Started
  /** In the order of the checks, whatever the order they ran in. */
  readonly results: ReadonlyArray<CheckResult>
}

/** The verdict on an answer. */
export const judge = (check: VectorCheck, response: Response): CheckResult => {
  const { error, errorAnyOf, result } = check.case
  const accepted = errorAnyOf ?? (error === undefined ? undefined : [error])
  const expected = accepted === undefined ? { ok: result } : { error: accepted.join(" or ") }
  const fail = (message: string, actual: unknown): CheckResult => ({
    ...about(check),
    verdict: "fail",
    message,
    expected,
    actual
  })
  if (response.unsupported)
    return { ...about(check), verdict: "untestable", message: `the shim does not support ${check.operation}` }
  if (response.internal !== undefined)
    return fail(`the implementation failed unexpectedly: ${response.internal.message}`, response.internal)
  if (accepted === undefined) {
    if (response.error !== undefined)
      return fail(`refused with ${response.error.code}; it must be accepted`, { error: response.error })
    return isDeepStrictEqual(response.ok, result)
      ? { ...about(check), verdict: "pass" }
      : fail(`accepted with another result${difference(result, response.ok)}`, { ok: response.ok })
  }
  if (response.error === undefined)
    return fail(`accepted; it must be refused with ${expected.error}`, { ok: response.ok })
  return accepted.includes(response.error.code)
    ? { ...about(check), verdict: "pass" }
    : fail(`refused with ${response.error.code}; the right code is ${expected.error}`, { error: response.error })
}

/** Where two values differ first, as `: at .head.seq`. */
const difference = (expected: unknown, actual: unknown, path = ""): string => {
  const isBranch = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null
  if (!isBranch(expected) || !isBranch(actual) || Array.isArray(expected) !== Array.isArray(actual))
    return path === "" ? "" : `: at ${path}`
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)]))
    if (!isDeepStrictEqual(expected[key], actual[key])) return difference(expected[key], actual[key], `${path}.${key}`)
  return ""
}

/** Runs the checks in the order of the seed, as many at once as the shim admits. */
export const runVectors = async (checks: ReadonlyArray<VectorCheck>, options: RunOptions): Promise<Run> => {
  let [shim, started] = await startShim(options)
  const results = new Map<string, CheckResult>()
  const settle = (result: CheckResult) => {
    results.set(result.id, result)
    options.onResult?.(result)
  }
  const claimed = started.profiles.filter((profile) => options.profiles?.includes(profile) ?? true)
  const open: Array<VectorCheck> = []
  for (const check of shuffled(checks, options.seed)) {
    if (!claimed.includes(check.profile)) settle({ ...about(check), verdict: "not-applicable" })
    else if (!hasOperation(started.ops, check.operation))
      settle({
        ...about(check),
        verdict: "untestable",
        message: `the shim does not name ${check.operation} in its ops`
      })
    else open.push(check)
  }
  let begun = 0
  let lost = `the shim had to be started again ${restarts} times and is not asked any more`
  const width = started.limits?.maxParallel ?? 1
  while (open.length > 0) {
    if (!shim.isAlive) {
      await shim.stop()
      if (begun === restarts) break
      begun += 1
      try {
        ;[shim, started] = await startShim(options)
      } catch (error) {
        // What was found until now is worth a report.
        lost = `the shim could not be started again: ${(error as Error).message}`
        break
      }
    }
    const batch = open.splice(0, width)
    const answers = batch.map((check) => shim.ask(check.operation, check.case.input, check.id))
    for (const [index, answer] of (await Promise.allSettled(answers)).entries()) {
      const check = batch[index]!
      // What came with the last answer, such as a second one, is that check's fault.
      const failure = index === batch.length - 1 ? shim.failure : undefined
      if (answer.status === "fulfilled" && failure === undefined) settle(judge(check, answer.value))
      else
        settle({
          ...about(check),
          verdict: "fail",
          message: (answer.status === "rejected" ? (answer.reason as Error) : failure!).message
        })
    }
  }
  await shim.stop()
  for (const check of open)
    settle({
      ...about(check),
      verdict: "untestable",
      message: lost
    })
  return { started, results: checks.map(({ id }) => results.get(id)!) }
}
