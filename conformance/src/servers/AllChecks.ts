/** The checks of servers. */
import type { ServerCheck } from "./Check.ts"
import { deletion } from "./home/Deletion.ts"
import { cors, description } from "./home/Description.ts"
import { errors } from "./home/Errors.ts"
import type { HomeVisit } from "./home/HomeVisit.ts"
import { lookup } from "./home/Lookup.ts"
import { manifests } from "./home/Manifests.ts"
import { registration } from "./home/Registration.ts"
import { webfinger } from "./home/WebFinger.ts"
import { append } from "./sig/Append.ts"
import { sigErrors } from "./sig/Errors.ts"
import { read } from "./sig/Read.ts"
import { refuse } from "./sig/Refuse.ts"
import type { SigFact } from "./sig/SigFacts.ts"
import type { SigVisit } from "./sig/SigVisit.ts"

export const homeChecks: ReadonlyArray<ServerCheck<HomeVisit>> = [
  ...description,
  ...registration,
  ...lookup,
  ...deletion,
  ...webfinger,
  ...manifests,
  ...errors,
  ...cors
]

export const sigChecks: ReadonlyArray<ServerCheck<SigVisit, SigFact>> = [...append, ...refuse, ...read, ...sigErrors]
