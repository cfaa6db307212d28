/** What an operator can set about sig-server. */
import * as Context from "effect/Context"
import type { Listeners, Timing } from "../http/ListenerConfig.ts"

/** How often one client address may ask; 0 turns a limit off. */
export interface SigRates {
  readonly readsPerMinute: number
  readonly appendsPerMinute: number
  /** Chains that did not exist before. */
  readonly newChainsPerHour: number
  /** Bytes of events stored in a day. */
  readonly bytesPerDay: number
}

export class SigConfig extends Context.Service<
  SigConfig,
  {
    readonly listeners: Listeners
    readonly timing: Timing
    readonly rates: SigRates
    /** Bytes of all chains together; a tenth of them is for chains that exist. */
    readonly storeBytes: number
    /** Path of the SQLite file. */
    readonly db: string
  }
>()("@kez-chat/server/SigConfig") {}
