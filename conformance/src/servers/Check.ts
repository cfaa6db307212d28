/** A check of a server: a function of a visit to it. */
import type { Check } from "../suite/Checks.ts"

interface Own<V> {
  /** The part of the check's id after `#`; never renamed. */
  readonly id: string
  readonly requirements: ReadonlyArray<string>
  readonly why: string
  /** Writes nothing, and so runs with `--read-only`. */
  readonly reads?: true
  /** Looks back at the answers to the other checks. */
  readonly last?: true
  /** Returns where the server does as it must; otherwise throws a `Violation` or `NotChecked`. */
  readonly run: (visit: V) => Promise<void>
}

export interface ServerCheck<V> extends Check, Own<V> {}

/** The checks of one group, such as `server/registration`. */
export const group = <V>(operation: string, own: ReadonlyArray<Own<V>>): ReadonlyArray<ServerCheck<V>> =>
  own.map((check) => ({ ...check, operation, id: `${operation}#${check.id}` }))
