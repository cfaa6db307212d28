/**
 * `npm start`: a home server on this machine, until Ctrl-C.
 *
 * Run by deploy/tasks/run.mjs under Node 24, after set-up.
 */
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import { parseArgs } from "node:util"
import { setTimeout as pause } from "node:timers/promises"
import { answers, startHome } from "./Home.ts"
import { withLock } from "../tasks/lock.mjs"
import { endWithParent } from "../tasks/processes.mjs"
import { Refusal, root } from "../tasks/paths.mjs"
import { PARTS, parsePorts } from "./Ports.ts"
import { forget, isAlive, isServerOf, readRun } from "./RunFile.ts"
import { bold, cyan, dim, doing, done, fail, green, say, warn } from "../tasks/say.mjs"

const HELP = `
Starts a kez-chat home server on this machine: broker, sig-server and chat-server, on 127.0.0.1 only.

  npm start
  npm start -- [options]

  --data DIR      where databases, keys and logs lie (.kez in the repository)
  --ports auto    take free ports instead of the usual ones
  --ports LIST    other ports, as in home=9080,nats=5222; names: home, internal, sigServer, nats, websocket, monitoring
  --only PART     nats, sig or chat: start one part, for those who work on another
  --reset         remove the data of this home first: handles, sigchains and mail are gone (accounts' words are not here)
  --source        run the TypeScript sources instead of the build, for those who work on the servers
  --help          this text
`

/** What a home leaves in its folder; `--reset` removes these and nothing else. */
const OURS = /^(keys|jetstream|logs|nats\.conf|run\.json(\.new)?|start\.lock|(chat|sig)\.sqlite(-wal|-shm|-journal)?)$/

/** What tells that a home was there. */
const HOME = /^(nats\.conf|(chat|sig)\.sqlite)$/

function readOptions(args) {
  let values
  try {
    values = parseArgs({
      args,
      options: {
        data: { type: "string" },
        ports: { type: "string" },
        only: { type: "string" },
        reset: { type: "boolean" },
        source: { type: "boolean" },
        help: { type: "boolean", short: "h" }
      }
    }).values
  } catch (error) {
    throw new Refusal(`${error.message.split(/[.]\s/)[0]}: npm start -- --help lists the options.`)
  }
  if (values.only !== undefined && !(values.only in PARTS))
    throw new Refusal(`--only takes nats, sig or chat, not "${values.only}".`)
  return {
    ...values,
    // npm runs scripts in the repository's root; a path is meant from where the person stands.
    data: values.data === undefined ? join(root, ".kez") : resolve(process.env.INIT_CWD ?? process.cwd(), values.data),
    ports: values.ports === undefined ? {} : parsePorts(values.ports)
  }
}

const shown = (path) => {
  const short = relative(process.env.INIT_CWD ?? process.cwd(), path)
  return short === "" ? "." : short.startsWith("..") ? path : short
}

function printWhere({ urls, serverName, data }, only) {
  const rows = [
    ["chat", "home", urls.home, "handles, registration, health"],
    ["sig", "sigchains", urls.sigServer, ""],
    ["nats", "broker", urls.nats, urls.websocket],
    ["nats", "monitoring", urls.monitoring, ""],
    ["chat", "internal", urls.internal, "metrics; not for the public"]
  ]
  say()
  say(`  ${bold("kez-chat")} ${dim("·")} ${only === undefined ? `home server ${bold(serverName)}` : `${only} only`}`)
  say()
  for (const [part, name, url, note] of rows)
    if (only === undefined || part === only) say(`  ${name.padEnd(12)}${cyan(url.padEnd(25))} ${dim(note)}`.trimEnd())
  say(`  ${"data".padEnd(12)}${shown(data).padEnd(25)} ${dim(`logs in ${join(shown(data), "logs")}`)}`)
}

const tourLine = (who, command) => say(`    ${dim(who.padEnd(5))}  npx kez-chat --profile ${who} ${command}`)

function printTour({ urls }, isDefault) {
  // A home elsewhere than in .kez is named once; the profile remembers it.
  const home = isDefault ? "" : ` --home ${urls.home}`
  say()
  say(`  ${bold("Try it")} in other terminals:`)
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

/** What already runs on this folder, after waiting for a start that is under way. */
async function alreadyRunning(data, wanted) {
  for (let tries = 0; tries < 120; tries++) {
    const run = readRun(data)
    if (run === undefined) return undefined
    const alive = Object.entries(run.processes).filter(([, { pid }]) => isServerOf(data, pid))
    if (alive.length === 0) return undefined
    const left = alive.filter(([, { runner }]) => !isAlive(runner))
    if (left.length > 0) {
      doing(`stopping what an earlier run left behind (${left.map(([name]) => name).join(", ")})`)
      for (const [, { pid }] of left) process.kill(pid, "SIGTERM")
      for (let waited = 0; left.some(([, { pid }]) => isAlive(pid)); waited += 100) {
        if (waited === 10_000) for (const [, { pid }] of left) if (isServerOf(data, pid)) process.kill(pid, "SIGKILL")
        await pause(100)
      }
      await forget(
        data,
        left.map(([name]) => name)
      )
      continue
    }
    const names = alive.map(([name]) => name)
    const missing = wanted.filter((name) => !names.includes(name))
    if (missing.length === wanted.length && wanted.length === 1) return { run, alive: [] }
    if (missing.length > 0)
      throw new Refusal(
        `${names.join(" and ")} already runs on ${shown(data)} (process ${alive[0][1].runner}): stop it first, or start the others one by one with --only ${missing[0]}.`
      )
    const health = {
      nats: `${run.urls.monitoring}/healthz`,
      sig: `${run.urls.sigServer}/v1/healthz`,
      chat: `${run.urls.home}/v1/healthz`
    }
    const ready = await Promise.all(wanted.map((name) => answers(health[name])))
    if (ready.every(Boolean)) return { run, alive: names }
    await pause(500)
  }
  throw new Refusal(
    `A home runs on ${shown(data)} and does not answer: look into ${join(shown(data), "logs")}, stop it and start again.`
  )
}

function reset(data) {
  const run = readRun(data)
  const alive = Object.values(run?.processes ?? {}).find(({ pid }) => isServerOf(data, pid))
  if (alive !== undefined)
    throw new Refusal(
      `A home runs on ${shown(data)} (process ${alive.runner}): stop it with Ctrl-C there, then start with --reset again.`
    )
  if (!existsSync(data)) return
  const there = readdirSync(data)
  const names = there.filter((name) => OURS.test(name) && name !== "start.lock")
  // Where other files lie and no home ever was, "logs" and "keys" are somebody else's.
  if (there.some((name) => !OURS.test(name)) && !there.some((name) => HOME.test(name)))
    throw new Refusal(`${shown(data)} is not the folder of a home: --reset removed nothing.`)
  for (const name of names) rmSync(join(data, name), { recursive: true, force: true })
  if (names.length > 0) say(`  ${green("✓")} removed the data of this home from ${shown(data)}`)
}

async function main() {
  const options = readOptions(process.argv.slice(2))
  if (options.help) return say(HELP)
  const { data, only } = options
  const wanted = only === undefined ? ["nats", "sig", "chat"] : [only]
  const isDefault = data === join(root, ".kez")

  let ended
  const death = new Promise((resolve) => (ended = resolve))
  let stopped
  const asked = new Promise((resolve) => (stopped = resolve))
  let home
  let firstSignal = 0
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => {
      // A terminal may deliver one Ctrl-C twice (to the group, and by npm); a later one means: now.
      if (firstSignal !== 0 && Date.now() - firstSignal > 1000) {
        for (const part of Object.values(home?.processes ?? {})) void part.kill("SIGKILL")
        process.exit(130)
      }
      if (firstSignal === 0) firstSignal = Date.now()
      stopped(signal)
    })
  endWithParent()

  const outcome = await withLock(join(data, "start.lock"), async () => {
    if (options.reset) reset(data)
    const already = await alreadyRunning(data, wanted)
    if (already !== undefined && already.alive.length > 0) return already
    // Beside parts that already run, take their idea of the ports.
    const ports = already === undefined ? options.ports : { ...portsOf(already.run.urls), ...options.ports }
    const begun = doing("starting")
    home = await startHome({ data, only, ports, source: options.source, onDeath: ended, onNotice: warn })
    done(begun, "up")
    return undefined
  })
  if (outcome !== undefined) {
    say(`  ${green("✓")} already running (process ${Object.values(outcome.run.processes)[0].runner})`)
    printWhere({ ...outcome.run, data }, only)
    return say()
  }
  printWhere(home, only)
  if (only === undefined) printTour(home, isDefault)
  say(`  ${dim("Ctrl-C stops everything; nothing is lost.")}`)

  const first = await Promise.race([asked, death])
  say()
  if (typeof first === "string") {
    const begun = doing("stopping")
    await home.stop()
    done(begun, `stopped; the data stays in ${shown(data)}`)
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

function portsOf(urls) {
  return Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, Number(new URL(url).port)]))
}

try {
  await main()
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  fail(error.message)
  process.exitCode = 1
}
