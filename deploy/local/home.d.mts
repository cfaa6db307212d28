import type { NatsServer } from "./nats-server.mjs"

export interface HomePorts {
  readonly home: number
  readonly internal: number
  readonly sigServer: number
  readonly nats: number
  readonly websocket: number
  readonly monitoring: number
}

export interface HomeUrls {
  /** chat-server, `http://127.0.0.1:...`. */
  readonly home: string
  /** chat-server's internal listener. */
  readonly internal: string
  readonly sigServer: string
  /** `nats://127.0.0.1:...` */
  readonly nats: string
  /** `ws://127.0.0.1:...` */
  readonly websocket: string
  /** nats-server's monitoring page. */
  readonly monitoring: string
}

export interface HomeProcess {
  readonly name: "nats" | "sig" | "chat"
  /** Undefined while it is not running. */
  readonly pid: number | undefined
  /** Path of its log file. */
  readonly log: string
  /** Sends `signal` (SIGKILL unless told) and resolves when the process has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again on the same ports and data, and resolves when it answers; ends it with SIGTERM first if it runs. */
  restart(): Promise<void>
}

export interface HomeDeath {
  readonly name: string
  readonly how: string
  readonly tail: string
  readonly log: string
}

export interface HomeOptions {
  /** Folder of databases, keys, broker store and logs; made when missing. */
  readonly data: string
  /** `"auto"` (the default) takes free ports; else the usual ones with these instead. */
  readonly ports?: "auto" | Partial<HomePorts>
  /** Start one part instead of all. */
  readonly only?: "nats" | "sig" | "chat"
  /** Run the TypeScript sources instead of the build. */
  readonly source?: boolean
  /** `localhost` unless told. */
  readonly serverName?: string
  /** More command-line flags for a process. */
  readonly flags?: {
    readonly init?: readonly string[]
    readonly nats?: readonly string[]
    readonly sig?: readonly string[]
    readonly chat?: readonly string[]
  }
  /** More environment variables for all of them. */
  readonly env?: Readonly<Record<string, string>>
  /** Called when a process ends that nobody asked to end. */
  readonly onDeath?: (death: HomeDeath) => void
  /** Called with a sentence about what the home did by itself, such as starting a broker again whose disk had been full. */
  readonly onNotice?: (sentence: string) => void
}

export interface Home {
  readonly data: string
  readonly urls: HomeUrls
  readonly ports: HomePorts
  readonly serverName: string
  /** With `only`, the others are missing. */
  readonly processes: { readonly nats: HomeProcess; readonly sig: HomeProcess; readonly chat: HomeProcess }
  readonly natsServer: NatsServer | undefined
  /** Stops all three gracefully; data stays. */
  stop(): Promise<void>
  /** Stops and removes the data folder. */
  remove(): Promise<void>
}

/** Starts the three processes of a home server and resolves when all answer. */
export function startHome(options: HomeOptions): Promise<Home>

/** Whether a GET of `url` gives 200 within two seconds. */
export function answers(url: string): Promise<boolean>

export function urlsOf(ports: HomePorts): HomeUrls

/** The last lines of a log file, 15 unless told. */
export function lastLines(file: string, count?: number): string
