/** Clients that are wrong in one thing, each with the scenarios that notice it. */
import { askedMutants } from "./AskedMutants.ts"
import type { ClientMutant } from "./MutantDriver.ts"
import { sharingMutants } from "./SharingMutants.ts"
import { shownMutants } from "./ShownMutants.ts"
import { transferMutants } from "./TransferMutants.ts"

export const clientMutants: ReadonlyArray<ClientMutant> = [
  ...shownMutants,
  ...askedMutants,
  ...sharingMutants,
  ...transferMutants
]
