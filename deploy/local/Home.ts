/**
 * A whole home server on one machine: nats-server, sig-server and chat-server as the three processes they are.
 * `npm start` runs it on the usual ports with the built servers; tests run it on free ports from bundled sources.
 */
import { execFile } from "node:child_process"
import { mkdir, rm } from "node:fs/promises"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { cache, node24, Refusal, root } from "../tasks/paths.mjs"
import { errorCode } from "../tasks/processes.mjs"
import { answers, type HomeDeath, type HomeProcess, makeProcess, startReaper, TITLES } from "./HomeProcess.ts"
import { getNatsServer, type NatsServer } from "./NatsServer.ts"
import { watchNats } from "./NatsWatch.ts"
import { busySentence, DEFAULT_PORTS, freePorts, type HomePorts, isFree, type PartName, PARTS } from "./Ports.ts"
import { forget, type HomeUrls, record } from "./RunFile.ts"

export { answers, type HomeDeath, type HomeProcess }

const HOST = "127.0.0.1"

/** Rate limits by address, raised because everybody on one machine shares one. The environment overrides them. */
const LOCAL_RATES = {
  REGISTRATIONS_PER_HOUR: "1000",
  NEW_CHAINS_PER_HOUR: "1000",
  APPENDS_PER_MINUTE: "1000",
  CHAIN_BYTES_PER_DAY: "1073741824",
  READS_PER_MINUTE: "10000",
  MANIFEST_READS_PER_MINUTE: "10000",
  MANIFEST_WRITES_PER_HOUR: "10000"
}

export interface HomeOptions {
  /** Folder of databases, keys, broker store and logs; created when missing. */
  readonly data: string
  /** `"auto"` (the default) takes free ports; otherwise the usual ones with these exceptions. */
  readonly ports?: "auto" | Partial<HomePorts>
  /** Start one part instead of all. */
  readonly only?: PartName | undefined
  /** Run the sources, bundled, instead of the build. */
  readonly source?: boolean | undefined
  /** `localhost` by default. */
  readonly serverName?: string
  /** Origins besides its own whose pages may connect to the broker, such as `http://localhost:5173`. */
  readonly origins?: readonly string[] | undefined
  /** Additional command-line flags of a process; `init` writes the broker's keys and configuration. */
  readonly flags?: { readonly [Name in PartName | "init"]?: readonly string[] }
  /** Another program as sig-server; it serves `/v1/healthz`, and keeps its chains in the file `db`. */
  readonly otherSigServer?: (options: {
    readonly host: string
    readonly port: number
    readonly db: string
  }) => readonly [program: string, args: readonly string[]]
  /** Additional environment variables of all processes. */
  readonly env?: Readonly<Record<string, string>>
  /** Called when a process ends that nobody asked to end. */
  readonly onDeath?: (death: HomeDeath) => void
  /** Called with a sentence about what the home did by itself, such as restarting a broker after a full disk. */
  readonly onNotice?: (sentence: string) => void
}

export interface Home {
  readonly data: string
  readonly urls: HomeUrls
  readonly ports: HomePorts
  readonly serverName: string
  /** With `only`, the others are missing. */
  readonly processes: Readonly<Record<PartName, HomeProcess>>
  readonly natsServer: NatsServer | undefined
  /** Stops all processes gracefully; data stays. */
  stop(): Promise<void>
  /** Stops, and removes the data folder. */
  remove(): Promise<void>
}

const urlsOf = (ports: HomePorts): HomeUrls => ({
  home: `http://${HOST}:${ports.home}`,
  internal: `http://${HOST}:${ports.internal}`,
  sigServer: `http://${HOST}:${ports.sigServer}`,
  nats: `nats://${HOST}:${ports.nats}`,
  websocket: `ws://${HOST}:${ports.websocket}`,
  monitoring: `http://${HOST}:${ports.monitoring}`
})

/**
 * Where a browser opens the page: passkeys need a name, which an address is not, and what the browser stores belongs to
 * the one it was opened under.
 */
export const pageUrl = (urls: HomeUrls): string => urls.home.replace(HOST, "localhost") + "/"

/** The URL of each part that answers 200 while it is healthy. */
export const healthUrls = (urls: HomeUrls): Readonly<Record<PartName, string>> => ({
  nats: `${urls.monitoring}/healthz`,
  sig: `${urls.sigServer}/v1/healthz`,
  chat: `${urls.home}/v1/healthz`
})

/** The file of a server's program: bundled from today's sources, or as built. */
async function program(name: "chat-server" | "sig-server", source: boolean): Promise<string> {
  if (!source) return join(root, "reference-server", "dist", `${name}.js`)
  // Loaded only here: a home as it is built needs no bundler.
  const { bundled } = await import("./Bundles.ts")
  return bundled(name)
}

/** `{ "db": "x" }` as `["--db", "x"]`. */
/** But for those that `given` sets. */
const flagsOf = (values: Readonly<Record<string, string | number>>, given: readonly string[] = []) =>
  Object.entries(values)
    .map(([name, value]) => [`--${name}`, String(value)] as const)
    .filter(([flag]) => !given.includes(flag))
    .flat()

/** Starts the three processes of a home server, or with `only` one of them, and resolves when all answer. */
export async function startHome(options: HomeOptions): Promise<Home> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options)
    } catch (error) {
      // Another program took one of the free ports meanwhile. With fixed ports the caller has to know.
      const retry = (options.ports === "auto" || options.ports === undefined) && attempt < 3
      if (!retry || !/EADDRINUSE|address already in use/i.test(String(error))) throw error
    }
  }
}

async function startOnce({
  data,
  ports: wanted = "auto",
  only,
  source = false,
  serverName = "localhost",
  origins = [],
  flags = {},
  otherSigServer,
  env = {},
  onDeath,
  onNotice
}: HomeOptions): Promise<Home> {
  const folder = resolve(data)
  const ports = wanted === "auto" ? await freePorts() : { ...DEFAULT_PORTS, ...wanted }
  const urls = urlsOf(ports)
  const health = healthUrls(urls)
  const starting: readonly PartName[] = only === undefined ? ["nats", "sig", "chat"] : [only]
  if (wanted !== "auto")
    for (const name of starting.flatMap((part) => PARTS[part]))
      if (!(await isFree(ports[name]))) throw new Refusal(busySentence(name, ports[name]))

  const nats = starting.includes("nats") ? await getNatsServer({ env: { ...process.env, ...env } }) : undefined
  const logs = join(folder, "logs")
  const keys = join(folder, "keys")
  const conf = join(folder, "nats.conf")
  await mkdir(logs, { recursive: true, mode: 0o700 })
  const node = node24()
  const childEnv = {
    NODE_COMPILE_CACHE: join(cache, "compiled"),
    // glibc then gives back what starting took, some 8 MiB.
    MALLOC_TRIM_THRESHOLD_: "131072",
    ...LOCAL_RATES,
    ...process.env,
    ...env
  }

  const [chatServer, sigServer] = await Promise.all([program("chat-server", source), program("sig-server", source)])

  const init = () => {
    const options = {
      "keys-dir": keys,
      "nats-conf": conf,
      "jetstream-dir": join(folder, "jetstream"),
      "nats-host": HOST,
      "nats-port": ports.nats,
      "ws-port": ports.websocket,
      "monitoring-port": ports.monitoring,
      "allowed-origins": [urls.home, new URL(pageUrl(urls)).origin, ...origins].join(",")
    }
    const args = [chatServer, "init", ...flagsOf(options), ...(flags.init ?? [])]
    return promisify(execFile)(node, args, { env: childEnv }).catch((error) => {
      throw new Refusal(
        `The broker's keys and configuration could not be written:\n${String(error.stderr || error.stdout || error.message).trim()}`
      )
    })
  }

  const command = (part: PartName): readonly [command: string, args: readonly string[]] => {
    if (part === "nats")
      // nats-server opens its log file itself, so that it limits the size.
      return [nats?.path ?? "nats-server", ["-c", conf, "-l", join(logs, `${TITLES.nats}.log`)]]
    if (part === "sig") {
      const options = { host: HOST, port: ports.sigServer, db: join(folder, "sig.sqlite") }
      if (otherSigServer !== undefined) return otherSigServer(options)
      return [node, [sigServer, ...flagsOf(options, flags.sig)]]
    }
    const options = {
      host: HOST,
      port: ports.home,
      "internal-port": ports.internal,
      "server-name": serverName,
      db: join(folder, "chat.sqlite"),
      "keys-dir": keys,
      "nats-url": urls.nats,
      "public-nats-url": urls.nats,
      "public-ws-url": urls.websocket,
      "sig-server-url": urls.sigServer
    }
    return [node, [chatServer, "serve", ...flagsOf(options, flags.chat)]]
  }

  const reaper = startReaper()
  const parts: Partial<Record<PartName, ReturnType<typeof makeProcess>>> = {}
  const onChange = () => {
    const pids = Object.values(parts).flatMap(({ name, pid }) => (pid === undefined ? [] : [[name, pid] as const]))
    reaper.note(pids.map(([, pid]) => pid))
    try {
      const processes = Object.fromEntries(pids.map(([name, pid]) => [name, { pid, runner: process.pid }]))
      record(folder, { serverName, urls, processes })
    } catch (error) {
      // A full disk must not end the home: without the run file it is only not found by others.
      onNotice?.(`run.json could not be written (${errorCode(error) ?? error}): the CLI may not find this home`)
    }
  }
  let up = false
  for (const name of starting) {
    const [program, args] = command(name)
    parts[name] = makeProcess({
      name,
      command: program,
      args: [...args, ...(flags[name] ?? [])],
      env: childEnv,
      log: join(logs, `${TITLES[name]}.log`),
      ready: health[name],
      onChange,
      onDeath: (death) => up && onDeath?.(death)
    })
  }

  const natsWatch =
    parts.nats &&
    watchNats({
      part: parts.nats,
      url: health.nats,
      folder: join(folder, "jetstream"),
      notify: (sentence) => onNotice?.(sentence)
    })
  let stopping: Promise<void> | undefined
  const home: Home = {
    data: folder,
    urls,
    ports,
    serverName,
    processes: parts as Record<PartName, HomeProcess>,
    natsServer: nats,
    // In the order that loses nothing: those that write to the broker first, the broker last.
    stop() {
      up = false
      return (stopping ??= (async () => {
        await natsWatch?.stop()
        await parts.chat?.stop()
        await Promise.all([parts.sig?.stop(), parts.nats?.stop()])
        reaper.end()
        forget(folder, starting)
      })())
    },
    async remove() {
      await home.stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
  try {
    if (parts.nats) await init()
    await Promise.all([parts.nats?.start(), parts.sig?.start()])
    await parts.chat?.start()
    up = true
    return home
  } catch (error) {
    await home.stop()
    throw error
  }
}
