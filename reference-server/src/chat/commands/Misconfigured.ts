/** Finds settings with which clients could not use the home, before it starts. */
import { AddressClass, Handle, Limits, Registration } from "@kez-chat/sdk/protocol"
import * as Data from "effect/Data"
import type { ChatConfig } from "../ChatConfig.ts"

/** Settings that cannot work. */
export class Misconfigured extends Data.TaggedError("Misconfigured")<{ readonly message: string }> {}

type Config = ChatConfig["Service"]

const forms = {
  "--nats-url": [/^(?:nats|tls):\/\/\S+$/, "a nats:// or tls:// URL"],
  "--public-nats-url": [/^(?:nats|tls):\/\/\S+$/, "a nats:// or tls:// URL"],
  "--public-ws-url": [/^wss?:\/\/\S+$/, "a ws:// or wss:// URL"],
  "--public-sig-server-url": [/^https?:\/\/\S+$/, "an http(s) URL"]
} as const

const hostOf = (url: string): string => URL.parse(url)?.hostname ?? ""

/** A name that only DNS can resolve counts as public. */
const classOf = (url: string): AddressClass.AddressClass => AddressClass.ofHost(hostOf(url)) ?? "public"

/** The widest class among the broker's addresses: from where the home can be used. */
const reachOf = (config: Config): AddressClass.AddressClass => {
  if (AddressClass.isLoopback(config.serverName)) return "loopback"
  const classes = [...config.publicNatsUrls, ...config.publicWsUrls].map(classOf)
  return classes.includes("public") ? "public" : (classes.find((each) => each !== "loopback") ?? "loopback")
}

/** Why clients that reach the home could not use a published URL (KEZ-REG-006); undefined when they can. */
const unreachable = (config: Config, flag: string, url: string): string | undefined => {
  const named = classOf(url)
  if (!AddressClass.mayName(reachOf(config), named)) {
    return `${flag}: ${url} is published to clients, but from where they reach this home it is ${AddressClass.describe[named]} address; set one that they can reach`
  }
  return /^(?:http|ws):/.test(url) && named !== "loopback"
    ? `${flag}: clients refuse ${url}, which is not encrypted; put TLS in front of it and set its ${url.startsWith("http") ? "https" : "wss"} URL`
    : undefined
}

/** Why a configuration cannot work, in a sentence; undefined when it can. */
export const misconfigured = (config: Config): string | undefined => {
  if (!Handle.isServerName(config.serverName))
    return `--server-name ${config.serverName} is not a DNS name in lower case`
  if (config.natsUrls.length === 0) return "--nats-url names no URL"
  if (config.publicNatsUrls.length === 0 && config.publicWsUrls.length === 0) {
    return "--public-nats-url and --public-ws-url name no URL: clients need one of them"
  }
  for (const urls of [config.publicNatsUrls, config.publicWsUrls]) {
    if (urls.length > Limits.brokerUrls) return `clients refuse more than ${Limits.brokerUrls} public URLs of one kind`
  }
  const each = (flag: keyof typeof forms, urls: ReadonlyArray<string>) => urls.map((url) => ({ flag, url }))
  const published = [
    ...each("--public-nats-url", config.publicNatsUrls),
    ...each("--public-ws-url", config.publicWsUrls),
    ...each("--public-sig-server-url", [config.publicSigServerUrl])
  ]
  for (const { flag, url } of [...each("--nats-url", config.natsUrls), ...published]) {
    const [form, what] = forms[flag]
    if (!form.test(url)) return `${flag} ${url} is not ${what}`
  }
  for (const { flag, url } of published) {
    const reason = unreachable(config, flag, url)
    if (reason !== undefined) return reason
  }
  for (const [name, form] of Object.entries(Registration.operatorForms)) {
    const url = config.operator[name as keyof Registration.Operator]
    if (url !== undefined && !form.test(url)) {
      return name === "contact"
        ? `--contact ${url} is not a mailto: or https: URL`
        : `--${name}-url ${url} is not an https: URL`
    }
  }
  for (const [name, isOfForm] of Object.entries(Registration.proofSourceForms)) {
    const value = config.proofSources[name as keyof Registration.ProofSources]
    if (value === undefined || isOfForm(typeof value === "string" ? value : [...value])) continue
    return name === "nostr"
      ? `--proof-nostr ${String(value)} is not a list of at most ${Limits.proofRelays} wss: URLs`
      : `--proof-${name} ${String(value)} is not an https: URL`
  }
  return undefined
}
