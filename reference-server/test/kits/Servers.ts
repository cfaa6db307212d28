/** The two servers as the processes they are, bundled from sources, on free ports. */
import { Identity } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import type { Envelope } from "@kez-chat/sdk/protocol"
import { Effect, Redacted } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { createHash, createPrivateKey, randomBytes, sign } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { bundled } from "../../../deploy/local/Bundles.ts"
import * as Keys from "../../src/broker/login/Keys.ts"

/** Compiled sources are kept between the many processes that tests start. */
const inherited = {
  PATH: process.env["PATH"],
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? join(tmpdir(), "kez-compile-cache")
}

/** A folder that is removed by `dispose`. */
export const temporaryFolder = () => {
  const path = mkdtempSync(join(tmpdir(), "kez-server-"))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

export type LogLine = Readonly<Record<string, unknown>>

export interface Running {
  readonly url: string
  readonly internal: string
  readonly port: number
  readonly child: ChildProcess
  readonly logs: ReadonlyArray<LogLine>
  /** The first line, past or future, that fits. */
  waitForLog(fits: (line: LogLine) => boolean): Promise<LogLine>
  /** Ends the process and waits for its end: the exit code, or the signal. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>
}

/** Runs a program to its end. */
export const run = async (
  program: "chat-server" | "sig-server",
  args: ReadonlyArray<string>,
  env: NodeJS.ProcessEnv = {}
) => {
  const child = spawn(process.execPath, [await bundled(program), ...args], {
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let stdout = ""
  let stderr = ""
  child.stdout.on("data", (data: Buffer) => (stdout += data.toString()))
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()))
  const [code] = (await once(child, "close")) as [number]
  return { code, stdout, stderr }
}

const parsed = (text: string) => {
  try {
    return JSON.parse(text) as LogLine
  } catch {
    throw new Error(`not a line of JSON in the log: ${text}`)
  }
}

const start = async (program: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv): Promise<Running> => {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "inherit"]
  })
  const logs: Array<LogLine> = []
  const waiting = new Set<{ fits: (line: LogLine) => boolean; done: (line: LogLine) => void }>()
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = parsed(text)
    logs.push(line)
    for (const waiter of waiting) {
      if (waiter.fits(line)) {
        waiting.delete(waiter)
        waiter.done(line)
      }
    }
  })
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>
  const waitForLog = (fits: (line: LogLine) => boolean) => {
    const found = logs.find(fits)
    if (found !== undefined) return Promise.resolve(found)
    return new Promise<LogLine>((done) => waiting.add({ fits, done }))
  }
  const listening = await Promise.race([
    waitForLog((line) => line["msg"] === "listening"),
    closed.then(() => Promise.reject(new Error(`${program} ended: ${JSON.stringify(logs)}`)))
  ])
  const url = listening["url"] as string
  return {
    url,
    internal: listening["internal"] as string,
    port: Number(new URL(url).port),
    child,
    logs,
    waitForLog,
    stop: async (signal = "SIGTERM") => {
      child.kill(signal)
      const [code, by] = await closed
      return code ?? (by as NodeJS.Signals)
    }
  }
}

/** No rate limits, so that tests of other things meet none. */
const unlimitedChat = {
  "--reads-per-minute": "0",
  "--registrations-per-hour": "0",
  "--manifest-reads-per-minute": "0",
  "--manifest-writes-per-hour": "0"
}
const unlimitedSig = {
  "--reads-per-minute": "0",
  "--appends-per-minute": "0",
  "--new-chains-per-hour": "0",
  "--chain-bytes-per-day": "0"
}

/** A chat-server whose broker cannot be reached, unless `args` name one. Later flags win. `program`: another bundle of it. */
export const startChat = async (
  folder: string,
  args: ReadonlyArray<string> = [],
  env: NodeJS.ProcessEnv = {},
  program?: string
): Promise<Running> => {
  const keys = join(folder, "keys")
  await Effect.runPromise(Keys.create(keys))
  const defaults: Record<string, string> = {
    "--port": "0",
    "--internal-port": "0",
    "--keys-dir": keys,
    "--db": join(folder, "registry.db"),
    "--nats-url": "nats://127.0.0.1:1",
    ...unlimitedChat
  }
  return start(program ?? (await bundled("chat-server")), merge(defaults, args), env)
}

export const startSig = async (
  folder: string,
  args: ReadonlyArray<string> = [],
  env: NodeJS.ProcessEnv = {}
): Promise<Running> =>
  start(
    await bundled("sig-server"),
    merge({ "--port": "0", "--db": join(folder, "sigchains.db"), ...unlimitedSig }, args),
    env
  )

const merge = (defaults: Readonly<Record<string, string>>, args: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...Object.entries(defaults)
    .filter(([name]) => !args.includes(name))
    .flat(),
  ...args
]

/** A new account's identity. */
export const newIdentity = () =>
  Effect.runPromise(
    Identity.fromSeed(Redacted.make(new Uint8Array(randomBytes(32)))).pipe(Effect.provide(NodeCrypto.layer))
  )

export type Identity = Awaited<ReturnType<typeof newIdentity>>

export const registration = (
  identity: Identity,
  handle: string,
  options: { server?: string; createdAt?: number } = {}
) =>
  Effect.runPromise(
    identity.signRegistration({
      handle,
      server: options.server ?? "localhost",
      createdAt: options.createdAt ?? Date.now()
    })
  )

export const deletion = (identity: Identity, handle: string, options: { server?: string; createdAt?: number } = {}) =>
  Effect.runPromise(
    identity.signDeletion({ handle, server: options.server ?? "localhost", createdAt: options.createdAt ?? Date.now() })
  )

/** The next event of a chain: an endpoint, so that every event differs. */
export const endpointEvent = (identity: Identity, after?: { seq: number; hash: string }): Promise<Envelope.Envelope> =>
  Effect.runPromise(
    identity.signSigchainEvent({
      after,
      operation: {
        op: "add_endpoint",
        payload: {
          protocol: "nats",
          url: `nats://127.0.0.1:${4222 + (after === undefined ? 0 : after.seq + 1)}`,
          inbox: `kez.inbox.${identity.key.hex}`
        }
      },
      createdAt: Date.now()
    })
  )

/** What a key signs over any payload text at all, as a manifest is: for payloads that no client would sign. */
export const signedManifest = (primary: string, seed: Uint8Array, payload: string): string => {
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed])
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })
  const sig = sign(null, createHash("sha512").update(payload).digest(), key).toString("hex")
  return `{"kez":"shared_files","payload":${payload},"signature":{"alg":"ed25519-sha512-jcs","key":"${primary}","sig":"${sig}"}}`
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // Tests read whatever a server says.
  readonly json: Readonly<Record<string, unknown>>
}

const answered = async (response: Response): Promise<Answer> => {
  const text = await response.text()
  const isJson =
    /json/.test(response.headers.get("content-type") ?? "") &&
    text !== "" &&
    !/jsonl/.test(response.headers.get("content-type") ?? "")
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? (JSON.parse(text) as Answer["json"]) : {}
  }
}

export const get = async (url: string, init: RequestInit = {}): Promise<Answer> => answered(await fetch(url, init))

export const post = async (url: string, body: unknown, init: RequestInit = {}): Promise<Answer> =>
  answered(
    await fetch(url, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json" },
      ...init
    })
  )

/** Sends bytes as they are and gives everything that comes back until the server closes. */
export const raw = (port: number, bytes: string | Uint8Array): Promise<string> =>
  new Promise((done, fail) => {
    const socket = connect(port, "127.0.0.1")
    let received = ""
    socket.on("data", (data) => (received += data.toString("latin1")))
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" || error.code === "EPIPE" ? done(received) : fail(error)
    )
    socket.on("close", () => done(received))
    socket.write(bytes)
  })
