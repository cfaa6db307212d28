/** A check of clients: a world, a client in it, and what must come of it. */
import type { Feature } from "../shim/Protocol.ts"
import type { Check, Profile } from "../suite/Checks.ts"
import type { Stage } from "./Stage.ts"

interface Own {
  /** The part of the check's id after `#`; never renamed. */
  readonly id: string
  readonly requirements: ReadonlyArray<string>
  readonly why: string
  readonly profile?: Profile
  /** A feature without which the check does not apply. */
  readonly needs?: Feature
  /** Returns where the client does as it must; otherwise throws a `Violation` or `NotChecked`. */
  readonly run: (stage: Stage) => Promise<void>
}

export interface Scenario extends Check, Own {
  readonly profile: Profile
}

/** The scenarios of one topic, such as `client/chains`. */
export const group = (topic: string, own: ReadonlyArray<Own>): ReadonlyArray<Scenario> =>
  own.map((one) => ({ profile: "chat", ...one, operation: `client/${topic}`, id: `client/${topic}#${one.id}` }))
