/** The public records of accounts and of the server itself, as JSON text. */
import { Bytes, Endpoint, PrimaryKey, Registration } from "@kez-chat/sdk/protocol"
import type { ChatConfig } from "./ChatConfig.ts"
import type { ActiveAccount } from "../storage/Registry.ts"

type Config = ChatConfig["Service"]

/** Base URL without a trailing slash. */
const base = (url: string): string => url.replace(/\/+$/, "")

/** URL of an account's sigchain at this home's sig-server. */
export const sigchainUrl = (config: Config, primaryHex: string): string =>
  `${base(config.publicSigServerUrl)}/v1/sigchains/ed25519/${primaryHex}`

/**
 * Renders the public record of an account. The stored registration is JCS text and is inserted verbatim; parsing it for
 * each lookup would cost more than the rest of the answer.
 */
export const recordText = (config: Config): ((account: ActiveAccount) => string) => {
  const { endpoints, sigchain } = template(config)
  const suffix = `@${config.serverName}`
  return ({ handle, primaryHex, registeredAt, registration }) =>
    `{"handle":"${handle}${suffix}","primary":"${PrimaryKey.ofHex(primaryHex)}","registered_at":"${registeredAt}","sigchain_url":${sigchain}${primaryHex}","endpoints":${endpoints.join(primaryHex)},"registration":${registration}}`
}

/** The constant parts of a record, split where a key's hex digits go. */
const template = (config: Config) => {
  const hole = "0".repeat(64)
  const primary = PrimaryKey.ofHex(hole)
  const overTcp = config.publicNatsUrls.map((url, index) => Endpoint.nats(primary, url, config.publicWsUrls[index]))
  const endpoints =
    overTcp.length > 0 ? overTcp : [Endpoint.atBroker(primary, { tcp: [], websocket: config.publicWsUrls })]
  return {
    sigchain: JSON.stringify(sigchainUrl(config, "")).slice(0, -1),
    endpoints: JSON.stringify(endpoints).split(hole)
  }
}

/** `/.well-known/kez-chat`. */
export const wellKnown = (
  config: Config,
  limits: Readonly<Record<string, number>>,
  acceptanceKeys: ReadonlyArray<Uint8Array>
): Registration.WellKnown => ({
  server: config.serverName,
  broker: { tcp: config.publicNatsUrls, websocket: config.publicWsUrls },
  sig_server: base(config.publicSigServerUrl),
  ...(config.registration === "open" ? {} : { registration: config.registration }),
  ...(Object.keys(config.operator).length === 0 ? {} : { operator: config.operator }),
  ...(Object.keys(config.proofSources).length === 0 ? {} : { proof_sources: config.proofSources }),
  ...(acceptanceKeys.length === 0
    ? {}
    : { acceptance_keys: acceptanceKeys.map((key) => PrimaryKey.ofHex(Bytes.toHex(key))) }),
  limits
})
