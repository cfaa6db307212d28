/** Brokers and home servers behind them that are wrong in one thing. */
import { accessMutants } from "./AccessMutants.ts"
import type { MutantMaker } from "./Faults.ts"
import { mailMutants } from "./MailMutants.ts"

export const brokerMutants: ReadonlyArray<MutantMaker> = [...accessMutants, ...mailMutants]
