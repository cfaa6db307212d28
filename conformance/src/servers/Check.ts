/** A check of a server: a function of a visit to it. */
import type { Check } from "../suite/Checks.ts"

/**
 * Says which fact the expectations that follow belong to. What fails before, or for a fact that is SEEN, is a failure; for
 * others it is a finding.
 */
export type About<Fact extends string = never> = (fact: Fact) => void

interface Own<V, Fact extends string> {
  /** The part of the check's id after `#`; never renamed. */
  readonly id: string
  readonly requirements: ReadonlyArray<string>
  readonly why: string
  /** Writes nothing, and so runs with `--read-only`. */
  readonly reads?: true
  /** Registers nobody, and so runs where nobody may register. */
  readonly registersNobody?: true
  /** Looks back at the answers to the other checks. */
  readonly last?: true
  /** Returns where the server does as it must; otherwise throws a `Violation` or `NotChecked`. */
  readonly run: (visit: V, about: About<Fact>) => Promise<void>
}

export interface ServerCheck<V, Fact extends string = never> extends Check, Own<V, Fact> {}

/** The checks of one group, such as `server/registration`. */
export const group = <V, Fact extends string = never>(
  operation: string,
  own: ReadonlyArray<Own<V, Fact>>
): ReadonlyArray<ServerCheck<V, Fact>> => own.map((check) => ({ ...check, operation, id: `${operation}#${check.id}` }))
