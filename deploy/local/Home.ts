/**
 * A whole home server on one machine: nats-server, sig-server and chat-server as the three processes they are.
 * `npm start` runs it on the usual ports with the built servers; tests run it on free ports from sources.
 */
import { execFile, spawn } from "node:child_process"
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from "node:fs"
import { mkdir, rm } from "node:fs/promises"
import { get } from "node:http"
import { join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { promisify } from "node:util"
import { getNatsServer } from "./NatsServer.ts"
import { watchNats } from "./NatsWatch.ts"
import { cache, node24, Refusal, root } from "../tasks/paths.mjs"
import { busySentence, DEFAULT_PORTS, freePorts, isFree, PARTS } from "./Ports.ts"
import { forget, record } from "./RunFile.ts"

const HOST = "127.0.0.1"
const TITLES = { nats: "nats-server", sig: "sig-server", chat: "chat-server" }

/** How long a process may take to answer for the first time, and to end when asked, in milliseconds. */
const READY_WITHIN = 90_000
const STOP_WITHIN = 10_000

/** Beyond this size a log is set aside at the next start. */
const LOG_BYTES = 10_000_000

/** Rates of an address: on one machine everybody is the same one. The environment may say otherwise. */
const LOCAL_RATES = {
  REGISTRATIONS_PER_HOUR: "1000",
  NEW_CHAINS_PER_HOUR: "1000",
  APPENDS_PER_MINUTE: "1000",
  CHAIN_BYTES_PER_DAY: "1073741824",
  READS_PER_MINUTE: "10000",
  MANIFEST_READS_PER_MINUTE: "10000",
  MANIFEST_WRITES_PER_HOUR: "10000"
}

/** Children still running, so that none outlives a parent that ends without `stop()`. */
const running = new Set()
process.on("exit", () => {
  for (const child of running) child.kill("SIGTERM")
})

/** Whether `url` answers 200 within two seconds. */
export function answers(url) {
  return new Promise((done) => {
    const request = get(url, { agent: false, timeout: 2000 }, (response) => {
      response.resume()
      done(response.statusCode === 200)
    })
    request.on("timeout", () => request.destroy())
    request.on("error", () => done(false))
  })
}

/** The URLs of a home on these ports. */
export function urlsOf(ports) {
  return {
    home: `http://${HOST}:${ports.home}`,
    internal: `http://${HOST}:${ports.internal}`,
    sigServer: `http://${HOST}:${ports.sigServer}`,
    nats: `nats://${HOST}:${ports.nats}`,
    websocket: `ws://${HOST}:${ports.websocket}`,
    monitoring: `http://${HOST}:${ports.monitoring}`
  }
}

/** What tells that a part is up. */
const readyUrl = (urls) => ({
  nats: `${urls.monitoring}/healthz`,
  sig: `${urls.sigServer}/v1/healthz`,
  chat: `${urls.home}/v1/healthz`
})

/**
 * Stops the children when this process is gone, however it went: the shell reads their ids from a pipe, and the pipe
 * ends with us. Not on Windows, where the exit hook above is all there is.
 */
function startWatch() {
  if (process.platform === "win32") return { note() {}, end() {} }
  const script =
    'while read line; do pids=$line; done; [ -z "$pids" ] || { kill -TERM $pids; sleep 5; kill -KILL $pids; } 2>/dev/null'
  const shell = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true })
  shell.on("error", () => {})
  shell.stdin.on("error", () => {})
  shell.unref()
  return {
    note: (pids) => shell.stdin.write(`${pids.join(" ")}\n`),
    end: () => shell.stdin.end("\n")
  }
}

/** The last lines of a log file. */
export function lastLines(file, count = 15) {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-count).join("\n")
  } catch {
    return ""
  }
}

/** A log that has grown over the years is set aside once, so that two files are the most there is. */
function rotate(log) {
  if (existsSync(log) && statSync(log).size > LOG_BYTES) renameSync(log, `${log}.old`)
}

/** One of the three processes: started, watched, killed and started again with the same arguments. */
function makePart({ name, command, args, env, log, ready, onDeath, changed }) {
  let child
  let ended = Promise.resolve()
  let expected = false
  let ending

  const start = async () => {
    expected = false
    ending = undefined
    const file = openSync(log, "a", 0o600)
    // In a process group of its own, so that a Ctrl-C in the terminal reaches only us and the order of stopping is ours.
    child = spawn(command, args, { env, stdio: ["ignore", file, file], detached: process.platform !== "win32" })
    closeSync(file)
    const mine = child
    running.add(mine)
    ended = new Promise((done) => {
      const finish = (how) => {
        if (!running.delete(mine)) return
        ending = how
        changed()
        done()
        if (!expected) onDeath?.({ name: TITLES[name], how, tail: lastLines(log), log })
      }
      mine.once("error", (error) => finish(error.message))
      mine.once("exit", (code, signal) => finish(signal ? `killed by ${signal}` : `exit code ${code}`))
    })
    changed()
    const limit = Date.now() + READY_WITHIN
    for (let wait = 20; !(await answers(ready)); wait = Math.min(wait * 1.3, 250)) {
      if (ending !== undefined || Date.now() > limit) {
        const what = ending === undefined ? `did not answer at ${ready} in time` : `ended while starting (${ending})`
        throw new Refusal(`${TITLES[name]} ${what}; its last lines, from ${log}:\n${lastLines(log)}`)
      }
      await pause(wait)
    }
  }

  const kill = async (signal = "SIGKILL") => {
    expected = true
    if (ending !== undefined || child === undefined) return
    child.kill(signal)
    await ended
  }

  return {
    name,
    log,
    get pid() {
      return ending === undefined ? child?.pid : undefined
    },
    start,
    kill,
    stop: async () => {
      const stopped = kill("SIGTERM").then(() => true)
      const timer = new AbortController()
      const late = pause(STOP_WITHIN, false, { signal: timer.signal }).catch(() => true)
      if (!(await Promise.race([stopped, late]))) await kill("SIGKILL")
      timer.abort()
    },
    async restart() {
      await this.stop()
      await start()
    }
  }
}

/** How to start a server program: from TypeScript sources, or as built. */
function program(name, source) {
  const folder = join(root, "reference-server")
  return source ? ["--conditions=kez-source", join(folder, "src", `${name}.ts`)] : [join(folder, "dist", `${name}.js`)]
}

/**
 * Starts a home, or with `only` one part of it, and resolves when it answers.
 *
 * See home.d.mts for the options.
 */
export async function startHome(options) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options)
    } catch (error) {
      // Somebody took one of the free ports in between; with fixed ports that is for the caller to know.
      const raced = options.ports === "auto" || options.ports === undefined
      if (!raced || attempt === 3 || !/EADDRINUSE|address already in use/i.test(error.message)) throw error
    }
  }
}

async function startOnce({
  data,
  ports: wanted = "auto",
  only,
  source = false,
  serverName = "localhost",
  flags = {},
  env = {},
  onDeath,
  onNotice
}) {
  const folder = resolve(data)
  const auto = wanted === "auto"
  const ports = auto ? await freePorts() : { ...DEFAULT_PORTS, ...wanted }
  const urls = urlsOf(ports)
  const starting = only === undefined ? ["nats", "sig", "chat"] : [only]
  if (!auto)
    for (const part of starting)
      for (const name of PARTS[part])
        if (!(await isFree(ports[name]))) throw new Refusal(busySentence(name, ports[name]))

  const nats = starting.includes("nats") ? await getNatsServer({ env: { ...process.env, ...env } }) : undefined
  const logs = join(folder, "logs")
  const keys = join(folder, "keys")
  const conf = join(folder, "nats.conf")
  await mkdir(logs, { recursive: true, mode: 0o700 })
  const node = node24()
  const childEnv = { NODE_COMPILE_CACHE: join(cache, "compiled"), ...LOCAL_RATES, ...process.env, ...env }

  const init = () =>
    promisify(execFile)(
      node,
      [
        ...program("chat-server", source),
        "init",
        "--keys-dir",
        keys,
        "--nats-conf",
        conf,
        "--jetstream-dir",
        join(folder, "jetstream"),
        "--nats-host",
        HOST,
        "--nats-port",
        String(ports.nats),
        "--ws-port",
        String(ports.websocket),
        "--monitoring-port",
        String(ports.monitoring),
        "--allowed-origins",
        [urls.home, `http://localhost:${ports.home}`].join(","),
        ...(flags.init ?? [])
      ],
      { env: childEnv }
    ).catch((error) => {
      throw new Refusal(
        `The broker's keys and configuration could not be written:\n${String(error.stderr || error.stdout || error.message).trim()}`
      )
    })
  const commands = {
    // The log as a file of nats-server's own, so that it bounds its size.
    nats: () => [nats.path, ["-c", conf, "-l", join(logs, `${TITLES.nats}.log`), ...(flags.nats ?? [])]],
    sig: () => [
      node,
      [
        ...program("sig-server", source),
        "--host",
        HOST,
        "--port",
        String(ports.sigServer),
        "--db",
        join(folder, "sig.sqlite"),
        ...(flags.sig ?? [])
      ]
    ],
    chat: () => [
      node,
      [
        ...program("chat-server", source),
        "serve",
        "--host",
        HOST,
        "--port",
        String(ports.home),
        "--internal-port",
        String(ports.internal),
        "--server-name",
        serverName,
        "--db",
        join(folder, "chat.sqlite"),
        "--keys-dir",
        keys,
        "--nats-url",
        urls.nats,
        "--public-nats-url",
        urls.nats,
        "--public-ws-url",
        urls.websocket,
        "--sig-server-url",
        urls.sigServer,
        ...(flags.chat ?? [])
      ]
    ]
  }

  const watch = startWatch()
  const parts = {}
  const changed = () => {
    const alive = Object.values(parts).filter((part) => part.pid !== undefined)
    watch.note(alive.map((part) => part.pid))
    try {
      record(folder, {
        serverName,
        urls,
        processes: Object.fromEntries(alive.map((part) => [part.name, { pid: part.pid, runner: process.pid }]))
      })
    } catch (error) {
      // A full disk must not end the home: without the note, others only do not find it.
      onNotice?.(`run.json could not be written (${error.code ?? error.message}): the CLI may not find this home`)
    }
  }
  for (const name of starting) {
    const [command, args] = commands[name]()
    const log = join(logs, `${TITLES[name]}.log`)
    rotate(log)
    parts[name] = makePart({
      name,
      command,
      args,
      env: childEnv,
      log,
      ready: readyUrl(urls)[name],
      changed,
      onDeath: (death) => home.up && onDeath?.(death)
    })
  }

  const natsWatch =
    nats === undefined
      ? undefined
      : watchNats({
          part: parts.nats,
          url: readyUrl(urls).nats,
          folder: join(folder, "jetstream"),
          tell: (sentence) => onNotice?.(sentence)
        })
  let stopping
  const home = {
    data: folder,
    urls,
    ports,
    serverName,
    processes: parts,
    natsServer: nats,
    up: false,
    /** Stops the processes in the order that loses nothing: those who write first, the broker last. */
    stop() {
      home.up = false
      return (stopping ??= (async () => {
        await natsWatch?.stop()
        await parts.chat?.stop()
        await Promise.all([parts.sig?.stop(), parts.nats?.stop()])
        watch.end()
        await forget(folder, starting)
      })())
    },
    /** Stops, and removes the data folder. */
    async remove() {
      await home.stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
  try {
    if (starting.includes("nats")) await init()
    await Promise.all([parts.nats?.start(), parts.sig?.start()])
    await parts.chat?.start()
    home.up = true
    return home
  } catch (error) {
    await home.stop()
    throw error
  }
}
