/** `kez-chat-server doctor`: whether a home works, and what to do where it does not. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { AddressClass } from "@kez-chat/sdk/protocol"
import { resolve } from "node:path"
import * as Keys from "../../broker/login/Keys.ts"
import { brokerChecks } from "../doctor/BrokerChecks.ts"
import { type Check, failed, type Finding, type Findings, ok, runChecks, warning } from "../doctor/Check.ts"
import { localChecks } from "../doctor/LocalChecks.ts"
import { publicChecks } from "../doctor/PublicChecks.ts"
import { natsConfFlag } from "./InitCommand.ts"
import { Misconfigured, misconfigured } from "./Misconfigured.ts"
import { Said } from "../../process/Program.ts"
import { brokerConfigOf, type ServeValues, serveFlags, toConfig } from "./ServeCommand.ts"

const flags = {
  ...serveFlags,
  natsConf: natsConfFlag,
  url: Flag.String("url").pipe(
    Flag.withDescription(
      "Only what others see at this URL, from where this runs: needs no folder and no key, so run it on another machine"
    ),
    Flag.withDefault("")
  ),
  json: Flag.Boolean("json").pipe(Flag.withDescription("One JSON object a line"), Flag.withDefault(false))
}

const marks = { ok: "ok     ", warning: "warning", failed: "FAILED " } as const

const line = ({ check, found, remedy, state }: Finding): string =>
  `${marks[state]} ${check}: ${found}${remedy === undefined ? "" : `\n        -> ${remedy}`}`

/** Where clients find this home. One of the name `localhost` is behind a proxy if its WebSocket is. */
const publicUrl = (values: ServeValues): string => {
  const { host, port, publicWsUrl, serverName } = values
  if (!AddressClass.isLoopback(serverName)) return `https://${serverName}`
  const proxied = publicWsUrl.find((url) => url.startsWith("wss://"))
  if (proxied !== undefined) return `https://${new URL(proxied).host}`
  return `http://${host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host}:${port}`
}

/** Settings that cannot work, or a check that says which they are. */
const settled = (fault: string | undefined): Check => ({
  name: "settings",
  remedy: "correct it",
  run: async () =>
    fault === undefined ? [{ state: "ok", found: "they agree with each other" }] : failed(fault, "correct it")
})

/** Whether this home signs what it accepts. */
const acceptanceFindings = ({ published, signing }: Keys.AcceptanceKeys): Findings => {
  if (signing === undefined) {
    return warning("there is no key to sign what is accepted with", "run init, then restart chat-server")
  }
  const earlier = published.length - 1
  return ok(`signed when senders ask${earlier === 0 ? "" : `; ${earlier} earlier keys are published`}`)
}

const ownChecks = Effect.fnUntraced(function* (values: ServeValues, natsConf: string) {
  const config = toConfig(values)
  const fault = misconfigured(config)
  if (fault !== undefined) return [settled(fault)]
  const broker = yield* brokerConfigOf(values, config)
  const keys = yield* Keys.load(config.keysDir, values.issuerPath === "" ? undefined : values.issuerPath).pipe(
    Effect.catch(({ message }) => Effect.succeed(message))
  )
  const local = [settled(undefined), ...localChecks({ config, broker, natsConf: resolve(natsConf) })]
  const { serverName } = config
  const url = publicUrl(values)
  if (typeof keys === "string") {
    const run = async () => failed(keys, "until then the broker cannot be checked")
    return [...local, { name: "keys", remedy: "", run }, ...publicChecks(url, { serverName, homeId: undefined })]
  }
  const acceptances = { name: "acceptances", remedy: "", run: async () => acceptanceFindings(keys.acceptance) }
  return [
    ...local,
    acceptances,
    ...brokerChecks(broker, keys),
    ...publicChecks(url, { serverName, homeId: Keys.homeId(keys) })
  ]
})

export const doctor = Command.make(
  "doctor",
  flags,
  Effect.fnUntraced(function* ({ json, natsConf, url, ...values }) {
    if (url !== "" && !/^https?:\/\/[^/]/.test(url))
      return yield* new Misconfigured({ message: `--url ${url} is not an http(s) URL` })
    const checks = url === "" ? yield* ownChecks(values, natsConf) : publicChecks(url)
    const findings = yield* runChecks(checks)
    for (const finding of findings) yield* Console.log(json ? JSON.stringify(finding) : line(finding))
    if (findings.some(({ state }) => state === "failed")) return yield* new Said()
  })
).pipe(
  Command.withDescription(
    "Checks a home with the settings of serve, one line a finding; exit code 0 if nothing failed. Safe while it runs."
  )
)
