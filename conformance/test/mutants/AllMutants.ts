/** Every broken shim, server and client that the checks must notice. */
import { allScenarios } from "../../src/clients/scenarios/All.ts"
import { brokerChecks, homeChecks, sigChecks } from "../../src/servers/AllChecks.ts"
import { type Check, selected } from "../../src/suite/Checks.ts"
import { brokerMutants } from "../broker/BrokerMutants.ts"
import { clientMutants } from "../clients/ClientMutants.ts"
import { homeMutants } from "../HomeMutants.ts"
import { sigMutants } from "../SigMutants.ts"
import { chatMutants } from "./ChatMutants.ts"
import { fileMutants } from "./FileMutants.ts"
import { identityMutants } from "./IdentityMutants.ts"
import { proofMutants } from "./ProofMutants.ts"
import type { ShimMutant } from "./ShimMutant.ts"
import { statementMutants } from "./StatementMutants.ts"

export const shimMutants: ReadonlyArray<ShimMutant> = [
  ...identityMutants,
  ...statementMutants,
  ...chatMutants,
  ...fileMutants,
  ...proofMutants
]

/** A mutant with the requirements that it breaks; the tests run each and fail where one of these is not noticed. */
export interface Killer {
  readonly name: string
  readonly kills: ReadonlyArray<string>
}

const checks: ReadonlyArray<Check> = [...homeChecks, ...sigChecks, ...brokerChecks, ...allScenarios]

/** Mutants of servers and clients name the checks that notice them. */
const byChecks = [...homeMutants, ...sigMutants, ...brokerMutants.map((make) => make()), ...clientMutants].map(
  ({ kills, name }) => ({ name, kills: selected(checks, kills).flatMap(({ requirements }) => requirements) })
)

export const killers: ReadonlyArray<Killer> = [...shimMutants, ...byChecks]
