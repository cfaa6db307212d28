/** `kez-conformance server` and `sig-server`: checks of a running server from outside. */
import { spawn } from "node:child_process"
import { makeProgress } from "../report/Terminal.ts"
import { brokerChecks, homeChecks, sigChecks } from "../servers/AllChecks.ts"
import { BrokerVisit } from "../servers/broker/BrokerVisit.ts"
import { HomeVisit } from "../servers/home/HomeVisit.ts"
import { NotChecked } from "../servers/Outcome.ts"
import { runServer } from "../servers/Run.ts"
import { sigFacts } from "../servers/sig/SigFacts.ts"
import { SigVisit } from "../servers/sig/SigVisit.ts"
import { Target } from "../servers/Target.ts"
import type { Check } from "../suite/Checks.ts"
import { selected } from "../suite/Checks.ts"
import { whenInterrupted } from "../suite/Interrupt.ts"
import { UsageError } from "../suite/UsageError.ts"
import type { CheckResult } from "../suite/Verdict.ts"
import { prepare } from "./Conclude.ts"
import { parse, readNumber, runOptions } from "./Options.ts"

const serverOptions = {
  ...runOptions,
  url: { type: "string" },
  "read-only": { type: "boolean" },
  "i-own-this": { type: "boolean" }
} as const

/** The base URL of an option, without a slash at the end. */
export const readUrl = (name: string, text: string | undefined): string => {
  const url = URL.parse(text ?? "")
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== "" || url.username !== "")
    throw new UsageError(`--${name} takes the http or https URL of a server, not ${JSON.stringify(text ?? "")}`)
  return url.href.replace(/\/+$/, "")
}

/** The URLs of brokers, at most one of each kind. */
const readBrokers = (texts: ReadonlyArray<string>): ReadonlyArray<string> => {
  for (const text of texts) {
    const url = URL.parse(text)
    if (url === null || !/^(?:nats|tls|wss?):$/.test(url.protocol) || url.username !== "")
      throw new UsageError(`--nats takes the nats, tls, ws or wss URL of a broker, not ${JSON.stringify(text)}`)
  }
  const isWeb = texts.map((text) => /^wss?:/i.test(text))
  if (texts.length > new Set(isWeb).size)
    throw new UsageError("--nats takes one URL for TCP (nats or tls) and one for WebSocket (ws or wss)")
  return texts
}

/** How long the command of `--restart-command` may take, in milliseconds. */
const restartMillis = 120_000

/** Runs a command of the operator's that ends the server without warning and starts it again. */
const restartBy = (command: string) => (): Promise<void> =>
  new Promise((resolve, reject) => {
    // What it starts may keep its output open.
    const child = spawn(command, {
      shell: true,
      stdio: ["ignore", 2, 2],
      timeout: restartMillis,
      killSignal: "SIGKILL"
    })
    const failed = (how: string) => reject(new NotChecked("untestable", `the restart command ${how}: ${command}`))
    child.on("error", ({ message }) => failed(`cannot be run (${message})`))
    child.on("exit", (code, signal) => {
      if (code === 0) resolve()
      else failed(signal === null ? `ends with ${code}` : `did not end within ${restartMillis / 1_000} s`)
    })
  })

const isLoopback = (url: string): boolean => /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)

interface Values {
  readonly only?: ReadonlyArray<string>
  readonly "read-only"?: boolean
  readonly "i-own-this"?: boolean
}

export const mayWrite = (values: Values, ...urls: ReadonlyArray<string>): void => {
  const foreign = urls.find((url) => !isLoopback(url))
  if (foreign !== undefined && values["read-only"] !== true && values["i-own-this"] !== true)
    throw new UsageError(
      `${foreign} is not on this machine, and the checks register accounts and chains that stay for ever: ` +
        "--read-only leaves those checks out, --i-own-this says that you may"
    )
}

/** Refuses a home that does not let the accounts of a run in. `otherwise` says what could be done instead. */
export const mayRegister = (admits: string, invite: string | undefined, otherwise = ""): void => {
  if (admits === "closed")
    throw new UsageError(`the home server registers nobody, and the run needs accounts there${otherwise}`)
  if (admits === "invite" && invite === undefined)
    throw new UsageError(`the home server registers only who has an invite: --invite gives the run one${otherwise}`)
}

/** The invite that lets the accounts of a run in. */
export const readInvite = (text: string | undefined): string | undefined => {
  if (text === undefined || /^[\w-]{1,64}$/.test(text)) return text
  throw new UsageError("--invite takes the code of an invite: 1 to 64 letters, digits, _ and -")
}

const chosen = <C extends Check & { readonly reads?: true }>(checks: ReadonlyArray<C>, values: Values) =>
  selected(checks, values.only ?? []).filter(({ reads }) => values["read-only"] !== true || reads === true)

const readTimeout = (text: string | undefined): number =>
  1_000 * readNumber("timeout", text, { least: 1, most: 600, otherwise: 20 })

const note = (sentence: string) => process.stderr.write(`${sentence}\n`)

/** What remains of a run at a sig-server. */
const noteChains = ({ begun, target }: SigVisit) => {
  if (begun > 0) note(`${begun} chains of throw-away keys remain at ${target.url}: a chain cannot be removed.`)
}

export const server = async (args: ReadonlyArray<string>): Promise<number> => {
  const { values } = parse(args, {
    ...serverOptions,
    "sig-server": { type: "string" },
    nats: { type: "string", multiple: true },
    "restart-command": { type: "string" },
    invite: { type: "string" },
    reserved: { type: "string" }
  })
  const url = readUrl("url", values.url)
  const sigUrl = values["sig-server"] === undefined ? undefined : readUrl("sig-server", values["sig-server"])
  const natsUrls = readBrokers(values.nats ?? [])
  const invite = readInvite(values.invite)
  mayWrite(values, url, ...natsUrls, ...(sigUrl === undefined ? [] : [sigUrl]))
  const timeout = readTimeout(values.timeout)
  const own = chosen(homeChecks, values)
  const ofBroker = chosen(brokerChecks, values)
  const ofSigServer = sigUrl === undefined ? [] : chosen(sigChecks, values)
  const count = own.length + ofBroker.length + ofSigServer.length
  if (count === 0) throw new UsageError("no check fits the options")
  const { conclude, seed } = prepare(values)

  const { signing } = await import("../reference/Signer.ts")
  const home = await HomeVisit.begin(new Target(url, timeout), signing, { invite, reserved: values.reserved })
  const forget = whenInterrupted(() => home.cleanUp())
  const progress = makeProgress(process.stderr, count)
  const results: Array<CheckResult> = []
  let broker: BrokerVisit | undefined
  let sig: SigVisit | undefined
  try {
    if ([...own, ...ofBroker].some(({ reads, registersNobody }) => reads !== true && registersNobody !== true)) {
      mayRegister(home.admits, invite, ", and --read-only leaves out what needs one")
      // Tried first: nearly every check would fail for a wrong one.
      if (invite !== undefined)
        await home.account().catch((error: unknown) => {
          if (error instanceof NotChecked) throw new UsageError(error.message)
        })
    }
    const restart = values["restart-command"]
    if (ofBroker.length > 0)
      broker = await BrokerVisit.begin(home, {
        urls: natsUrls,
        timeoutMillis: timeout,
        ...(restart === undefined ? {} : { restart: restartBy(restart) })
      })
    // Also those that the home server names.
    if (broker !== undefined) mayWrite(values, ...broker.urls)
    if (sigUrl !== undefined) sig = await SigVisit.begin(new Target(sigUrl, timeout), signing, values["read-only"])
    const options = { seed, onResult: progress.take }
    results.push(...(await runServer(own, home, options)))
    if (sig !== undefined) results.push(...(await runServer(ofSigServer, sig, options)))
    // Last, because they can restart the server.
    if (broker !== undefined) results.push(...(await runServer(ofBroker, broker, options)))
  } finally {
    broker?.end()
    const left = await home.cleanUp()
    forget()
    progress.end()
    if (left.length > 0) note(`These accounts could not be deleted: ${left.join(", ")}.`)
    if (sig !== undefined) noteChains(sig)
  }
  return conclude({
    command: "server",
    target: { name: home.server },
    profiles: sig === undefined ? ["server"] : ["server", "sig-server"],
    partial: values.only !== undefined || values["read-only"] === true,
    results
  })
}

export const sigServer = async (args: ReadonlyArray<string>): Promise<number> => {
  const { values } = parse(args, { ...serverOptions, strict: { type: "boolean" } })
  const url = readUrl("url", values.url)
  mayWrite(values, url)
  const timeout = readTimeout(values.timeout)
  const checks = chosen(sigChecks, values)
  if (checks.length === 0) throw new UsageError("no check fits the options")
  const { conclude, seed } = prepare(values)

  const { signing } = await import("../reference/Signer.ts")
  const sig = await SigVisit.begin(new Target(url, timeout), signing, values["read-only"])
  const progress = makeProgress(process.stderr, checks.length)
  const results = await runServer(checks, sig, {
    seed,
    onResult: progress.take,
    ...(values.strict === true ? {} : { facts: sigFacts })
  })
  progress.end()
  noteChains(sig)
  return conclude({
    command: "sig-server",
    target: { name: new URL(url).host },
    profiles: ["sig-server"],
    partial: values.only !== undefined || values["read-only"] === true,
    results
  })
}
