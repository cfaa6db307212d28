/** sig-server's settings. */
import * as Context from "effect/Context"
import type { Listeners, Timing } from "../http/ListenerConfig.ts"
import type { DatabaseSettings } from "../storage/Database.ts"

/** Limits on requests from one client address; 0 turns a limit off. */
export interface SigRates {
  readonly readsPerMinute: number
  readonly appendsPerMinute: number
  /** Chains that did not exist before. */
  readonly newChainsPerHour: number
  /** Bytes of events stored in a day. */
  readonly chainBytesPerDay: number
}

export class SigConfig extends Context.Service<
  SigConfig,
  {
    readonly listeners: Listeners
    readonly timing: Timing
    readonly rates: SigRates
    /** Total size of all chains in bytes; a tenth of it is reserved for chains that exist. */
    readonly storeBytes: number
    readonly database: DatabaseSettings
  }
>()("@kez-chat/server/SigConfig") {}
