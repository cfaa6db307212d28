/** Shims that are wrong in one thing: what becomes of the reference's answer to an operation. */
import type { Input } from "../../src/reference/CaseInput.ts"
import type { Response } from "../../src/shim/Protocol.ts"

export type Outcome = Omit<Response, "seq">

/** Answers the same operation for another input, as the reference does. */
type Ask = (input: Input) => Promise<Outcome>

export interface ShimMutant {
  /** The bug. */
  readonly name: string
  readonly operations: ReadonlyArray<string>
  /** The requirements for each of which at least one check must fail. */
  readonly kills: ReadonlyArray<string>
  /** What it answers; undefined for the right answer. */
  readonly answer: (right: Outcome, input: Input, ask: Ask) => Outcome | undefined | Promise<Outcome>
}

type Where = Pick<ShimMutant, "name" | "operations" | "kills">

/** `primary.parse | x25519.agree: KEY-010 KEY-011`: the operations, and the requirements that the mutant breaks. */
const where = (name: string, at: string): Where => {
  const [operations = "", kills = ""] = at.split(": ")
  return { name, operations: operations.split(" | "), kills: kills.split(" ").map((id) => `KEZ-${id}`) }
}

/** Accepts what is refused with one of the codes. */
export const accepts = <I = Input>(
  name: string,
  at: string,
  codes: string,
  when: (input: I) => boolean = () => true
): ShimMutant => ({
  ...where(name, at),
  answer: ({ error }, input) =>
    error !== undefined && codes.split(" | ").includes(error.code) && when(input as I) ? { ok: null } : undefined
})

/** Refuses what is accepted. */
export const refuses = <A, I = Input>(
  name: string,
  at: string,
  code: string,
  when: (right: A, input: I) => boolean
): ShimMutant => ({
  ...where(name, at),
  answer: ({ ok }, input) => (ok !== undefined && when(ok as A, input as I) ? { error: { code } } : undefined)
})

/** Refuses with another code. */
export const confuses = (name: string, at: string, codes: string, other: string): ShimMutant => ({
  ...where(name, at),
  answer: ({ error }) =>
    error !== undefined && codes.split(" | ").includes(error.code) ? { error: { code: other } } : undefined
})

/** Accepts with another result. */
export const answers = <A, I = Input>(
  name: string,
  at: string,
  change: (right: A, input: I) => unknown
): ShimMutant => ({
  ...where(name, at),
  answer: ({ ok }, input) => (ok === undefined ? undefined : { ok: change(ok as A, input as I) })
})

/** Reads something else than it was given. */
export const reads = <I = Input>(name: string, at: string, change: (input: I) => unknown): ShimMutant => ({
  ...where(name, at),
  answer: (_, input, ask) => ask(change(input as I) as Input)
})

/** Does not read one of the members. */
export const forgets = (name: string, at: string, member: string): ShimMutant =>
  reads(name, at, (input) => Object.fromEntries(Object.entries(input).filter(([key]) => key !== member)))

/** Finds its own answer where the right one is a refusal; undefined where it refuses as well. */
export const finds = <I = Input>(name: string, at: string, find: (input: I) => unknown): ShimMutant => ({
  ...where(name, at),
  answer: ({ error }, input) => {
    const found = error === undefined ? undefined : find(input as I)
    return found === undefined ? undefined : { ok: found }
  }
})
