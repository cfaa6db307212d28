/**
 * chat-server's settings. `commands/ServeCommand.ts` reads them from flags and the environment, and `--help` is printed
 * from the same list.
 */
import * as Context from "effect/Context"
import type { Registration } from "@kez-chat/sdk/protocol"
import type { Listeners, Timing } from "../http/ListenerConfig.ts"
import type { DatabaseSettings } from "../storage/Database.ts"

/** Limits on requests from one client address; 0 turns a limit off. */
export interface Rates {
  /** Lookups and other reads. */
  readonly readsPerMinute: number
  /** Registrations, successful or not. */
  readonly registrationsPerHour: number
  readonly manifestReadsPerMinute: number
  /** Uploads of manifests, successful or not. */
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
    /** Who may register. */
    readonly registration: Registration.Admission
    /** What this server publishes about its operator. */
    readonly operator: Registration.Operator
    /** Services that this server's page may ask for proofs; published. */
    readonly proofSources: Registration.ProofSources
    /** The registry. */
    readonly database: DatabaseSettings
    /** Folder of the five NATS keys and the internal listener's secret. */
    readonly keysDir: string
    /** NATS URLs that this server itself connects to. */
    readonly natsUrls: ReadonlyArray<string>
    /** NATS URLs of clients, TCP and WebSocket; published. */
    readonly publicNatsUrls: ReadonlyArray<string>
    readonly publicWsUrls: ReadonlyArray<string>
    /** Base URL of the sig-server as this server reaches it. */
    readonly sigServerUrl: string
    /** Base URL of the sig-server as clients reach it; published. */
    readonly publicSigServerUrl: string
    /** Host names that a broker login may be signed for; by default those of the public URLs. */
    readonly loginHosts: ReadonlyArray<string>
    /** Total size of all manifests in bytes; at the limit only what is no larger than what it replaces is stored. */
    readonly manifestStoreBytes: number
  }
>()("@kez-chat/server/ChatConfig") {}
