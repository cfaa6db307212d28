/** `kez-chat-server serve`: its flags, and the running server from them. */
import { Limits, type Registration } from "@kez-chat/sdk/protocol"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Keys from "../../broker/login/Keys.ts"
import { brokerFlags, toBrokerConfig } from "./BrokerFlags.ts"
import type { ChatConfig } from "../ChatConfig.ts"
import { serve } from "../ChatServer.ts"
import { databaseFlags } from "../../process/DatabaseFlags.ts"
import { listenerFlags, timingFlags, toTiming } from "../../http/ListenerConfig.ts"
import { choice, count, list, text, type Values } from "../../process/Flags.ts"
import { builtPage, hasPage, readPage } from "../../http/pages/PageFiles.ts"
import { Misconfigured, misconfigured } from "./Misconfigured.ts"

/** The registry and its server; admin commands take these too. */
export const registryFlags = {
  serverName: text("server-name", "localhost", "This server's name, the part after the @ of its handles"),
  ...databaseFlags("DB_PATH", "kez-chat.db", "The registry")
}

export const keysDirFlag = text(["keys-dir", "KEZ_KEYS_DIR"], "keys", "Folder of the NATS keys and the internal secret")

/** The seed design's name for the one key that decides who is let in. */
export const issuerFlag = text(
  "auth-callout-nkey-path",
  "",
  "File of the nkey that signs logins, if it is not issuer.nk in the keys folder"
)

/** The internal listener's default port, where admin commands look for a running server. */
export const defaultInternalPort = 8081

export const serveFlags = {
  ...listenerFlags({ public: 8080, internal: defaultInternalPort }),
  ...timingFlags,
  ...registryFlags,
  keysDir: keysDirFlag,
  issuerPath: issuerFlag,
  natsUrl: list("nats-url", "nats://127.0.0.1:4222", "NATS URLs that this server connects to"),
  publicNatsUrl: list(
    "public-nats-url",
    "nats://127.0.0.1:4222",
    "NATS URLs that are published to clients, or `none`: programs then use the WebSocket URLs"
  ),
  publicWsUrl: list("public-ws-url", "ws://127.0.0.1:8443", "WebSocket URLs that are published to clients"),
  sigServerUrl: text(
    "sig-server-url",
    "http://127.0.0.1:7878",
    "The sig-server's URL, where its health is asked; published to clients unless --public-sig-server-url is set"
  ),
  publicSigServerUrl: text(
    "public-sig-server-url",
    "",
    "The sig-server's URL that is published to clients, if it differs from --sig-server-url"
  ),
  loginHosts: list("login-hosts", "", "Host names a broker login may be signed for; default: those of the public URLs"),
  registration: choice(
    "registration",
    ["open", "invite", "closed"],
    "open",
    "Who may register: everybody, who has an invite, or nobody; published"
  ),
  contact: text("contact", "", "How to reach you, as a mailto: or https: URL; published, and shown to who signs up"),
  termsUrl: text("terms-url", "", "Your terms of use, as an https: URL; published, and shown to who signs up"),
  privacyUrl: text("privacy-url", "", "Your privacy policy, as an https: URL; published, and shown to who signs up"),
  page: choice("page", ["on", "off"], "on", "The web client at /; off for a plain page that says what this server is"),
  pageTheme: text(
    "page-theme",
    "",
    "A CSS file that overrides the page's colours, spacing and type; served as /theme.css"
  ),
  pageTexts: text(
    "page-texts",
    "",
    "A JavaScript module whose default export replaces sentences of the page; served as /texts.js"
  ),
  proofDns: text(
    "proof-dns",
    "",
    "A DNS-over-HTTPS URL that the page may ask to check claims of domains, such as https://cloudflare-dns.com/dns-query; published"
  ),
  proofNostr: list(
    "proof-nostr",
    "",
    "Relays that the page may ask to check claims of nostr keys, such as wss://relay.damus.io; published"
  ),
  proofBluesky: text(
    "proof-bluesky",
    "",
    "An XRPC URL that the page may ask to check claims of Bluesky handles, such as https://public.api.bsky.app; published"
  ),
  proofPlc: text(
    "proof-plc",
    "https://plc.directory",
    "The directory of did:plc identities that the page may ask too, with --proof-bluesky; published"
  ),
  readsPerMinute: count("reads-per-minute", 600, "Reads of one client address a minute; 0 for no limit"),
  registrationsPerHour: count(
    "registrations-per-hour",
    20,
    "Registrations of one client address an hour; 0 for no limit"
  ),
  manifestReadsPerMinute: count(
    "manifest-reads-per-minute",
    120,
    "Manifests that one client address reads a minute; 0 for no limit"
  ),
  manifestWritesPerHour: count(
    "manifest-writes-per-hour",
    120,
    "Manifests that one client address stores an hour; 0 for no limit"
  ),
  manifestStoreBytes: count(
    "manifest-store-bytes",
    4 * 1024 ** 3,
    "Bytes of all manifests together, in the registry's file",
    Limits.manifestBytes
  ),
  ...brokerFlags
}

export type ServeValues = Values<typeof serveFlags>

const operatorOf = ({ contact, privacyUrl: privacy, termsUrl: terms }: ServeValues): Registration.Operator => ({
  ...(contact === "" ? {} : { contact }),
  ...(terms === "" ? {} : { terms }),
  ...(privacy === "" ? {} : { privacy })
})

const proofSourcesOf = (flags: ServeValues): Registration.ProofSources => ({
  ...(flags.proofDns === "" ? {} : { dns: flags.proofDns }),
  ...(flags.proofNostr.length === 0 ? {} : { nostr: flags.proofNostr }),
  ...(flags.proofBluesky === "" ? {} : { bluesky: flags.proofBluesky, plc: flags.proofPlc })
})

export const toConfig = (flags: ServeValues): ChatConfig["Service"] => ({
  listeners: flags,
  timing: toTiming(flags),
  rates: flags,
  serverName: flags.serverName,
  registration: flags.registration,
  operator: operatorOf(flags),
  proofSources: proofSourcesOf(flags),
  database: flags,
  keysDir: flags.keysDir,
  natsUrls: flags.natsUrl,
  publicNatsUrls: flags.publicNatsUrl.filter((url) => url !== "none"),
  publicWsUrls: flags.publicWsUrl,
  sigServerUrl: flags.sigServerUrl,
  publicSigServerUrl: flags.publicSigServerUrl === "" ? flags.sigServerUrl : flags.publicSigServerUrl,
  loginHosts: flags.loginHosts,
  manifestStoreBytes: flags.manifestStoreBytes
})

const pick = (flags: ServeValues): Values<typeof brokerFlags> =>
  Object.fromEntries(Object.keys(brokerFlags).map((name) => [name, flags[name as keyof ServeValues]])) as never

export const brokerConfigOf = (flags: ServeValues, config: ChatConfig["Service"]) =>
  Effect.try({
    try: () => toBrokerConfig(pick(flags), config),
    catch: (cause) => new Misconfigured({ message: (cause as Error).message })
  })

/** The web client as the flags want it; undefined for none. */
const pageOf = Effect.fnUntraced(function* (flags: ServeValues, reach: ChatConfig["Service"]) {
  if (flags.page === "off") return undefined
  if (!hasPage(builtPage)) {
    yield* Effect.logWarning("this server was built without the web client; / is a plain page")
    return undefined
  }
  const own = [["/theme.css", flags.pageTheme] as const, ["/texts.js", flags.pageTexts] as const]
  return yield* readPage({ folder: builtPage, own: new Map(own.filter(([, file]) => file !== "")), reach })
})

export const serveHandler = Effect.fnUntraced(function* (flags: ServeValues) {
  const config = toConfig(flags)
  const fault = misconfigured(config)
  if (fault !== undefined) return yield* new Misconfigured({ message: fault })
  const broker = yield* brokerConfigOf(flags, config)
  const page = yield* pageOf(flags, config)
  const keys = yield* Keys.load(config.keysDir, flags.issuerPath === "" ? undefined : flags.issuerPath)
  return yield* serve(config, broker, keys, page)
})

export const serveCommand = Command.make("serve", serveFlags, serveHandler).pipe(
  Command.withDescription("Serves until SIGTERM or SIGINT. Needs the keys that `init` makes.")
)
