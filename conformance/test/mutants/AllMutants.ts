/** Every broken shim and server that the checks must notice. */
import { brokerChecks, homeChecks, sigChecks } from "../../src/servers/AllChecks.ts"
import { type Check, selected } from "../../src/suite/Checks.ts"
import { brokerMutants } from "../broker/BrokerMutants.ts"
import { homeMutants } from "../HomeMutants.ts"
import { sigMutants } from "../SigMutants.ts"
import { chatMutants } from "./ChatMutants.ts"
import { fileMutants } from "./FileMutants.ts"
import { identityMutants } from "./IdentityMutants.ts"
import type { ShimMutant } from "./ShimMutant.ts"
import { statementMutants } from "./StatementMutants.ts"

export const shimMutants: ReadonlyArray<ShimMutant> = [
  ...identityMutants,
  ...statementMutants,
  ...chatMutants,
  ...fileMutants
]

/** How the ids of checks begin for which mutants are still to be written. */
export const untried: ReadonlyArray<string> = ["client/"]

/** A mutant with the requirements that it breaks; the tests run each and fail where one of these is not noticed. */
export interface Killer {
  readonly name: string
  readonly kills: ReadonlyArray<string>
}

const ofServers = [...homeMutants, ...sigMutants, ...brokerMutants.map((make) => make())].map(({ kills, name }) => ({
  name,
  kills: selected<Check>([...homeChecks, ...sigChecks, ...brokerChecks], kills).flatMap(
    ({ requirements }) => requirements
  )
}))

export const killers: ReadonlyArray<Killer> = [...shimMutants, ...ofServers]
