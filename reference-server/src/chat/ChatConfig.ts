/**
 * What an operator can set about chat-server. `Flags.ts` fills it from flags and environment and prints `--help` from
 * the same list.
 */
import * as Context from "effect/Context"
import type { Listeners, Timing } from "../http/ListenerConfig.ts"

/** How often one client address may ask; 0 turns a limit off. */
export interface Rates {
  /** Lookups and other reads. */
  readonly readsPerMinute: number
  /** Registrations, whatever their outcome. */
  readonly registrationsPerHour: number
  readonly manifestReadsPerMinute: number
  /** Manifests sent to be stored, whatever their outcome. */
  readonly manifestWritesPerHour: number
}

export class ChatConfig extends Context.Service<
  ChatConfig,
  {
    readonly listeners: Listeners
    readonly timing: Timing
    readonly rates: Rates
    /** The part after the `@`. */
    readonly serverName: string
    /** Path of the registry's SQLite file. */
    readonly db: string
    /** Folder of the five NATS keys and the internal listener's secret. */
    readonly keysDir: string
    /** Where this server itself reaches NATS, any of several. */
    readonly natsUrls: ReadonlyArray<string>
    /** What clients dial, TCP and WebSocket; published. */
    readonly publicNatsUrls: ReadonlyArray<string>
    readonly publicWsUrls: ReadonlyArray<string>
    /** Base URL of the sig-server as clients reach it; published. */
    readonly sigServerUrl: string
    /** The only host names that a broker login may be signed for; defaults to the hosts of the public URLs. */
    readonly loginHosts: ReadonlyArray<string>
    /** Bytes of all accounts' manifests together; beyond them nothing larger than it replaces is stored. */
    readonly manifestStoreBytes: number
  }
>()("@kez-chat/server/ChatConfig") {}
