/**
 * `npm start`: a home server on this machine, until Ctrl-C.
 *
 * deploy/tasks/run.mjs runs it under Node 24, after set-up.
 */
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import { parseArgs } from "node:util"
import { setTimeout as pause } from "node:timers/promises"
import { answers, type Home, type HomeDeath, healthUrls, pageUrl, startHome } from "./Home.ts"
import { withLock } from "../tasks/lock.mjs"
import { Refusal, root } from "../tasks/paths.mjs"
import { endWithParent, isAlive } from "../tasks/processes.mjs"
import { DEFAULT_PORTS, type HomePorts, type PartName, PARTS, parsePorts, type PortName } from "./Ports.ts"
import { forget, isServerOf, readRun, type RunFile } from "./RunFile.ts"
import { bold, cyan, dim, doing, done, fail, green, say, warn } from "../tasks/say.mjs"

const HELP = `
Starts a kez-chat home server on this machine: broker, sig-server and chat-server, on 127.0.0.1 only.

  npm start
  npm start -- [options]

  --data DIR      folder of databases, keys and logs (default: .kez in the repository)
  --ports auto    free ports instead of the usual ones
  --ports LIST    other ports, as in home=9080,nats=5222; names: home, internal, sigServer, nats, websocket, monitoring
  --origin URL    a page's origin, besides the home's own, that may connect to the broker; may be repeated
  --only PART     start one part only: nats, sig or chat
  --reset         first delete this home's data: handles, sigchains and mail (accounts' recovery words are not stored here)
  --source        run the servers from their TypeScript sources instead of the build
  --help          this text
`

/** Files of a home; `--reset` removes these and nothing else. */
const OURS = /^(keys|jetstream|logs|nats\.conf|run\.json(\.new)?|start\.lock|(chat|sig)\.sqlite(-wal|-shm|-journal)?)$/

/** Files that only a home has. */
const HOME = /^(nats\.conf|(chat|sig)\.sqlite)$/

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        data: { type: "string" },
        ports: { type: "string" },
        origin: { type: "string", multiple: true },
        only: { type: "string" },
        reset: { type: "boolean" },
        source: { type: "boolean" },
        help: { type: "boolean", short: "h" }
      }
    }).values
  } catch (error) {
    throw new Refusal(`${String((error as Error).message).split(/[.]\s/)[0]}: npm start -- --help lists the options.`)
  }
}

const isOrigin = (text: string) => /^https?:/.test(text) && URL.parse(text)?.origin === text

const isPart = (name: string): name is PartName => name in PARTS

function readOptions(args: string[]) {
  const { only, origin: origins, ...values } = parse(args)
  if (only !== undefined && !isPart(only)) throw new Refusal(`--only takes nats, sig or chat, not "${only}".`)
  const wrong = origins?.find((text) => !isOrigin(text))
  if (wrong !== undefined) throw new Refusal(`--origin takes an origin like http://localhost:5173, not "${wrong}".`)
  return {
    ...values,
    only,
    origins,
    // npm runs scripts in the repository's root; a path is relative to where npm was called.
    data: values.data === undefined ? join(root, ".kez") : resolve(process.env.INIT_CWD ?? process.cwd(), values.data),
    ports: values.ports === undefined ? {} : parsePorts(values.ports)
  }
}

/** A path as the person would type it. */
const shown = (path: string) => {
  const short = relative(process.env.INIT_CWD ?? process.cwd(), path)
  return short === "" ? "." : short.startsWith("..") ? path : short
}

function printWhere({ urls, serverName, data }: Pick<Home, "urls" | "serverName" | "data">, only?: PartName) {
  const rows = [
    ["chat", "page", pageUrl(urls), "open it in a browser"],
    ["chat", "home", urls.home, "handles, registration, health"],
    ["sig", "sigchains", urls.sigServer, ""],
    ["nats", "broker", urls.nats, urls.websocket],
    ["nats", "monitoring", urls.monitoring, ""],
    ["chat", "internal", urls.internal, "metrics; not for the public"]
  ] as const
  say()
  say(`  ${bold("kez-chat")} ${dim("·")} ${only === undefined ? `home server ${bold(serverName)}` : `${only} only`}`)
  say()
  for (const [part, name, url, note] of rows)
    if (only === undefined || part === only) say(`  ${name.padEnd(12)}${cyan(url.padEnd(25))} ${dim(note)}`.trimEnd())
  say(`  ${"data".padEnd(12)}${shown(data).padEnd(25)} ${dim(`logs in ${join(shown(data), "logs")}`)}`)
}

const tourLine = (who: string, command: string) =>
  say(`    ${dim(who.padEnd(5))}  npx kez-chat --profile ${who} ${command}`)

function printTour({ urls }: Home, isDefault: boolean) {
  // Clients find a home in .kez by themselves. Another one is named once, and the profile remembers it.
  const home = isDefault ? "" : ` --home ${urls.home}`
  say()
  say(`  ${bold("Try it")} in a browser at ${cyan(pageUrl(urls))}, or in other terminals:`)
  say()
  tourLine("alice", `register alice${home}`)
  tourLine("bob", `register bob${home}`)
  tourLine("bob", "listen")
  tourLine("alice", "add bob")
  tourLine("alice", 'send bob "hello, bob"')
  tourLine("alice", "verify bob")
  tourLine("bob", "accept alice")
  tourLine("alice", "share @bob FILE --wait")
  tourLine("bob", "fetch")
  say()
}

/** Stops servers that a killed runner left behind. */
async function stopOrphans(data: string, orphans: ReadonlyArray<readonly [name: string, pid: number]>) {
  doing(`stopping what an earlier run left behind (${orphans.map(([name]) => name).join(", ")})`)
  for (const [, pid] of orphans) process.kill(pid, "SIGTERM")
  for (let waited = 0; orphans.some(([, pid]) => isAlive(pid)); waited += 100) {
    if (waited === 10_000) for (const [, pid] of orphans) if (isServerOf(data, pid)) process.kill(pid, "SIGKILL")
    await pause(100)
  }
  forget(
    data,
    orphans.map(([name]) => name)
  )
}

interface Running {
  readonly run: RunFile
  /** Whether all wanted parts run and answer; otherwise the one wanted part can start beside the others. */
  readonly complete: boolean
}

/** What runs on this folder, once a start that is under way has finished; undefined when nothing does. */
async function findRunning(data: string, wanted: readonly PartName[]): Promise<Running | undefined> {
  for (let tries = 0; tries < 120; tries++) {
    const run = readRun(data)
    if (run === undefined) return undefined
    const alive = Object.entries(run.processes).filter(([, { pid }]) => isServerOf(data, pid))
    if (alive.length === 0) return undefined
    const orphans = alive.flatMap(([name, { pid, runner }]) => (isAlive(runner) ? [] : [[name, pid] as const]))
    if (orphans.length > 0) {
      await stopOrphans(data, orphans)
      continue
    }
    const names = alive.map(([name]) => name)
    const missing = wanted.filter((name) => !names.includes(name))
    if (missing.length === wanted.length && wanted.length === 1) return { run, complete: false }
    if (missing.length > 0)
      throw new Refusal(
        `${names.join(" and ")} already runs on ${shown(data)} (process ${alive[0]?.[1].runner}): stop it first, or start the others one by one with --only ${missing[0]}.`
      )
    const urls = healthUrls(run.urls)
    const ready = await Promise.all(wanted.map((name) => answers(urls[name])))
    if (ready.every(Boolean)) return { run, complete: true }
    await pause(500)
  }
  throw new Refusal(
    `A home runs on ${shown(data)} and does not answer: look into ${join(shown(data), "logs")}, stop it and start again.`
  )
}

function reset(data: string) {
  const run = readRun(data)
  const alive = Object.values(run?.processes ?? {}).find(({ pid }) => isServerOf(data, pid))
  if (alive !== undefined)
    throw new Refusal(
      `A home runs on ${shown(data)} (process ${alive.runner}): stop it with Ctrl-C there, then start with --reset again.`
    )
  if (!existsSync(data)) return
  const present = readdirSync(data)
  const names = present.filter((name) => OURS.test(name) && name !== "start.lock")
  // Beside other files, and with no file that only a home has, "logs" and "keys" are somebody else's.
  if (present.some((name) => !OURS.test(name)) && !present.some((name) => HOME.test(name)))
    throw new Refusal(`${shown(data)} is not the folder of a home: --reset removed nothing.`)
  for (const name of names) rmSync(join(data, name), { recursive: true, force: true })
  if (names.length > 0) say(`  ${green("✓")} removed the data of this home from ${shown(data)}`)
}

async function main() {
  const options = readOptions(process.argv.slice(2))
  if (options.help) return say(HELP)
  const { data, only, origins } = options
  const wanted: readonly PartName[] = only === undefined ? ["nats", "sig", "chat"] : [only]
  const isDefault = data === join(root, ".kez")

  const death = Promise.withResolvers<HomeDeath>()
  const stop = Promise.withResolvers<"stop">()
  let home: Home | undefined
  let firstSignal = 0
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      // One Ctrl-C may arrive twice (to the group, and through npm); a second one later kills at once.
      if (firstSignal !== 0 && Date.now() - firstSignal > 1000) {
        for (const part of Object.values(home?.processes ?? {})) void part.kill("SIGKILL")
        process.exit(130)
      }
      if (firstSignal === 0) firstSignal = Date.now()
      stop.resolve("stop")
    })
  endWithParent()

  const outcome = await withLock(join(data, "start.lock"), async () => {
    if (options.reset) reset(data)
    const found = await findRunning(data, wanted)
    if (found?.complete) return { run: found.run }
    // Beside parts that already run, on the ports that those expect.
    const wantedPorts = options.ports === "auto" ? {} : options.ports
    const ports = found === undefined ? options.ports : { ...portsOf(found.run), ...wantedPorts }
    const started = doing("starting")
    home = await startHome({
      data,
      only,
      ports,
      origins,
      source: options.source,
      onDeath: death.resolve,
      onNotice: warn
    })
    done(started, "up")
    return { home }
  })
  if (outcome.home === undefined) {
    say(`  ${green("✓")} already running (process ${Object.values(outcome.run.processes)[0]?.runner})`)
    printWhere({ ...outcome.run, data }, only)
    return say()
  }
  home = outcome.home
  printWhere(home, only)
  if (only === undefined) printTour(home, isDefault)
  say(`  ${dim("Ctrl-C stops everything; nothing is lost.")}`)

  const first = await Promise.race([stop.promise, death.promise])
  say()
  if (first === "stop") {
    const started = doing("stopping")
    await home.stop()
    done(started, `stopped; the data stays in ${shown(data)}`)
    return
  }
  fail(
    `${bold(first.name)} ended (${first.how}), so the rest is stopped too. Its last lines, from ${shown(first.log)}:`
  )
  say()
  say(first.tail.replace(/^/gm, "    "))
  say()
  await home.stop()
  process.exitCode = 1
}

const portsOf = ({ urls }: RunFile) =>
  Object.fromEntries(
    Object.keys(DEFAULT_PORTS).map((name) => [name, Number(new URL(urls[name as PortName]).port)])
  ) as unknown as HomePorts

try {
  await main()
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  fail(error.message)
  process.exitCode = 1
}
