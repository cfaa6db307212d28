/** The checks of servers. */
import { acceptance } from "./broker/Acceptance.ts"
import { block } from "./broker/Block.ts"
import type { BrokerVisit } from "./broker/BrokerVisit.ts"
import { connections } from "./broker/Connections.ts"
import { fetching } from "./broker/Fetch.ts"
import { login } from "./broker/Login.ts"
import { quotas } from "./broker/Quotas.ts"
import { restarting } from "./broker/Restart.ts"
import { send } from "./broker/Send.ts"
import { subjects } from "./broker/Subjects.ts"
import { trim } from "./broker/Trim.ts"
import type { ServerCheck } from "./Check.ts"
import { deletion } from "./home/Deletion.ts"
import { cors, description } from "./home/Description.ts"
import { errors } from "./home/Errors.ts"
import type { HomeVisit } from "./home/HomeVisit.ts"
import { lookup } from "./home/Lookup.ts"
import { manifests } from "./home/Manifests.ts"
import { registration } from "./home/Registration.ts"
import { reports } from "./home/Reports.ts"
import { webfinger } from "./home/WebFinger.ts"
import { handedOverKeys } from "./transfers/HandedOver.ts"
import { transfers } from "./transfers/Transfers.ts"
import { append } from "./sig/Append.ts"
import type { Check } from "../suite/Checks.ts"
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
  ...transfers,
  ...webfinger,
  ...manifests,
  ...reports,
  ...errors,
  ...cors
]

/** Of the broker behind a home server. */
export const brokerChecks: ReadonlyArray<ServerCheck<BrokerVisit>> = [
  ...login,
  ...subjects,
  ...send,
  ...acceptance,
  ...fetching,
  ...trim,
  ...block,
  ...handedOverKeys,
  ...quotas,
  ...connections,
  ...restarting
]

export const sigChecks: ReadonlyArray<ServerCheck<SigVisit, SigFact>> = [...append, ...refuse, ...read, ...sigErrors]

export const serverChecks: ReadonlyArray<Check> = [...homeChecks, ...brokerChecks, ...sigChecks]
