/** Home servers that are wrong in one thing, each with the checks that notice it. */
import { accepts, confuses, having, type Mutant, refusal, rewrites, without } from "./MutantProxy.ts"
import { everywhere } from "./Mutants.ts"

const isRecord = /^\/v1\/(?:u|by-primary|register)/
const isManifest = /^\/v1\/manifests\//
const isDescription = /^\/\.well-known\/kez-chat$/
const isWebFinger = /^\/\.well-known\/webfinger/

const otherKey = `ed25519:${"ab".repeat(32)}`

/** Codes of strict JSON, with the checks of each. */
const strictJson = {
  json_malformed: ["no-json", "empty", "two-values", "bom", "utf-8"],
  json_duplicate_name: ["twice", "twice-escaped"],
  json_string: ["proto", "surrogate"],
  json_number: ["float", "large-number"],
  json_depth: ["depth"]
}

/** Whether this body is the second of its handle. */
const seen = new Set<string>()
const repeated = (body: string): boolean => {
  const [, handle = ""] = /"handle":"([^"]+)"/.exec(body) ?? []
  if (seen.has(handle)) return true
  seen.add(handle)
  return false
}

export const homeMutants: ReadonlyArray<Mutant> = [
  ...everywhere("server"),
  ...Object.entries(strictJson).map(([code, ids]) =>
    confuses(
      code,
      400,
      "envelope_malformed",
      ids.map((id) => `server/errors#${id}`)
    )
  ),
  accepts("envelope_malformed", 201, [
    "server/errors#array",
    "server/errors#null",
    "server/errors#object",
    "server/transfers#registration-of-another",
    "server/transfers#alone",
    "server/registration#flat-more",
    "server/registration#invited-more",
    "server/registration#outer-member",
    "server/registration#wrong-type"
  ]),
  accepts("clock_skew", 201, [
    "server/registration#too-old",
    "server/registration#too-new",
    "server/deletion#too-*",
    "server/transfers#too-*",
    "server/reports#too-*"
  ]),
  accepts("wrong_server", 201, [
    "server/registration#wrong-server",
    "server/deletion#wrong-server",
    "server/transfers#wrong-server",
    "server/reports#wrong-server"
  ]),
  accepts("message_misdirected", 201, ["server/reports#message-to-others", "server/reports#message-by-others"]),
  accepts("message_undecryptable", 201, ["server/reports#message-unproven", "server/reports#one-unproven"]),
  {
    name: "takes no message as proven",
    kills: ["server/reports#proven"],
    answer: ({ status }, { body, path }) =>
      path === "/v1/report" && status === 201 && body.includes('"opens"')
        ? refusal(400, "message_undecryptable")
        : undefined
  },
  {
    name: "takes reports by strangers and of strangers",
    kills: ["server/reports#stranger", "server/reports#of-stranger"],
    answer: ({ status }, { path }) => (path === "/v1/report" && status === 404 ? { status: 201 } : undefined)
  },
  {
    name: "takes a report again that it has",
    kills: ["server/reports#taken"],
    answer: ({ status }, { path }) => (path === "/v1/report" && status === 200 ? { status: 201 } : undefined)
  },
  accepts("handle_taken", 201, ["server/registration#taken", "server/registration#race-handle"]),
  accepts("primary_taken", 201, [
    "server/registration#primary-taken",
    "server/registration#race-primary",
    "server/transfers#taken-key"
  ]),
  accepts("primary_moved", 200, [
    "server/transfers#old-key",
    "server/transfers#old-key-registers",
    "server/transfers#back"
  ]),
  rewrites("answers a transfer with another key", /^\/v1\/transfer/, ["server/transfers#both-keys"], (json) => ({
    ...json,
    primary: otherKey
  })),
  {
    name: "refuses a repeated transfer",
    kills: ["server/transfers#repeat"],
    answer: ({ status }, { body, path }) =>
      path === "/v1/transfer" && status === 200 && repeated(body.toString()) ? refusal(410, "primary_moved") : undefined
  },
  accepts("handle_reserved", 201, ["server/registration#reserved"]),
  confuses("handle_reserved", 404, "handle_not_found", ["server/lookup#reserved", "server/registration#reserved"]),
  accepts("handle_deleted", 201, [
    "server/registration#replay",
    "server/deletion#handle-again",
    "server/deletion#key-again",
    "server/transfers#deleted",
    "server/manifests#deleted-owner"
  ]),
  confuses("handle_deleted", 404, "handle_not_found", [
    "server/lookup#deleted",
    "server/lookup#deleted-key",
    "server/deletion#statement",
    "server/deletion#by-url",
    "server/webfinger#deleted"
  ]),
  accepts("signature_invalid", 201, [
    "server/registration#forged",
    "server/registration#altered",
    "server/registration#flat-forged",
    "server/deletion#forged",
    "server/transfers#forged",
    "server/transfers#not-accepted",
    "server/transfers#registration-forged",
    "server/manifests#forged",
    "server/reports#forged",
    "server/reports#message-forged"
  ]),
  confuses("signature_invalid", 409, "handle_taken", ["server/registration#verified-first"]),
  accepts("envelope_kind", 201, [
    "server/registration#kind",
    "server/registration#other-signer",
    "server/registration#version",
    "server/deletion#registration"
  ]),
  accepts("key_rejected", 201, ["server/registration#weak-key"]),
  accepts("timestamp_malformed", 201, ["server/registration#time"]),
  accepts("handle_malformed", 201, ["server/registration#handle-*", "server/lookup#malformed"]),
  accepts("unauthorized", 204, [
    "server/deletion#other-signer",
    "server/transfers#other-signer",
    "server/transfers#old-key-deletes",
    "server/manifests#other-signer"
  ]),
  accepts("request_malformed", 204, ["server/deletion#other-handle"]),
  accepts("too_large", 200, ["server/errors#too-large", "server/manifests#too-large", "server/transfers#size"]),
  confuses("media_type_unsupported", 400, "request_malformed", [
    "server/errors#media-type",
    "server/errors#content-coding"
  ]),
  confuses("handle_not_found", 404, "not_found", [
    "server/lookup#unknown",
    "server/lookup#unknown-key",
    "server/deletion#nobody",
    "server/transfers#nobody",
    "server/manifests#unknown-owner"
  ]),
  confuses("not_local", 404, "handle_not_found", ["server/lookup#other-server"]),
  confuses("key_malformed", 404, "handle_not_found", ["server/lookup#key-*"]),
  {
    name: "answers repeats like first registrations",
    kills: ["server/registration#repeat", "server/registration#repeat-old", "server/errors#just-fits"],
    answer: ({ status }, { path }) => (path === "/v1/register" && status === 200 ? { status: 201 } : undefined)
  },
  {
    name: "refuses a registration beside an invite",
    kills: ["server/registration#invited"],
    answer: ({ status }, { body, path }) =>
      path === "/v1/register" && status === 201 && body.includes('"invite"')
        ? refusal(400, "envelope_malformed")
        : undefined
  },
  rewrites("says that it asks for invites", isDescription, ["server/registration#invite-required"], (json) => ({
    ...json,
    registration: "invite"
  })),
  rewrites("says that it is closed", isDescription, ["server/registration#closed"], (json) => ({
    ...json,
    registration: "closed"
  })),
  rewrites("replaces the statement at a repeat", /^\/v1\/register/, ["server/registration#repeat-old"], (json) => ({
    ...json,
    registration: {
      ...json.registration,
      payload: { ...json.registration.payload, created_at: "2026-01-01T00:00:00Z" }
    }
  })),
  rewrites("shows another key", isRecord, ["server/lookup#key", "server/registration#envelope"], (json) => ({
    ...json,
    primary: otherKey
  })),
  {
    name: "does not decode the colon of a primary",
    kills: ["server/lookup#encoded-key"],
    answer: (_, { path }) => (/%3A/i.test(path) ? refusal(400, "key_malformed") : undefined)
  },
  {
    name: "serves records as text",
    kills: ["server/lookup#media-type"],
    answer: ({ headers, status }, { path }) =>
      isRecord.test(path) && status === 200 ? { headers: having(headers, "content-type", "text/plain") } : undefined
  },
  rewrites("finds another record by key", /by-primary/, ["server/lookup#by-primary"], (json) => ({
    ...json,
    registered_at: "2026-01-01T00:00:00Z"
  })),
  rewrites("drops unknown members", isRecord, ["server/registration#unknown-member"], (json) => {
    const { note: _, ...payload } = json.registration.payload
    return { ...json, registration: { ...json.registration, payload } }
  }),
  rewrites("shows the flat form", isRecord, ["server/registration#flat"], ({ registration, ...json }) => ({
    ...json,
    registration: { handle: registration.payload.handle, registration_sig: registration.signature.sig }
  })),
  rewrites("leads to the inbox of another", isRecord, ["server/lookup#endpoints"], (json) => ({
    ...json,
    endpoints: json.endpoints.map((one: object) => ({ ...one, inbox: `kez.inbox.${"ab".repeat(32)}` }))
  })),
  rewrites("shows only the local part for the full form", /^\/v1\/u\/.*(?:@|%40)/, ["server/lookup#forms"], (json) => ({
    ...json,
    handle: json.handle.split("@")[0]
  })),
  {
    name: "admits a minute of difference",
    kills: ["server/registration#window"],
    answer: ({ status }, { body, path }) => {
      const [, time = ""] = /"created_at":"([^"]+)"/.exec(body.toString()) ?? []
      return path === "/v1/register" && status === 201 && Math.abs(Date.parse(time) - Date.now()) > 60_000
        ? refusal(400, "clock_skew")
        : undefined
    }
  },
  {
    name: "says 404 to a repeated deletion",
    kills: ["server/deletion#repeat"],
    answer: ({ status }, { body, path }) =>
      path === "/v1/delete" && status === 204 && repeated(body.toString()) ? refusal(410, "handle_deleted") : undefined
  },
  {
    // An address that leads to this machine and is not one of its loopback addresses.
    name: "serves other machines over plain HTTP",
    kills: ["server/description#https"],
    host: "0.0.0.0",
    answer: () => undefined
  },
  rewrites("names no limits", isDescription, ["server/description#limits"], (json) => ({ ...json, limits: {} })),
  rewrites("names keys that are none", isDescription, ["server/description#acceptance-keys"], (json) => ({
    ...json,
    acceptance_keys: ["ed25519:00"]
  })),
  rewrites("names no broker", isDescription, ["server/description#shape"], (json) => ({
    ...json,
    broker: { tcp: [], websocket: [] }
  })),
  rewrites("names a plain sig-server", isDescription, ["server/description#named-urls"], (json) => ({
    ...json,
    sig_server: "http://sig.kezct.example"
  })),
  rewrites("names a plain broker", isDescription, ["server/description#named-urls"], (json) => ({
    ...json,
    broker: { tcp: ["nats://kezct.example:4222"], websocket: [] }
  })),
  {
    name: "is ill",
    kills: ["server/description#health", "server/errors#goes-on"],
    answer: (_, { path }) => (path === "/v1/healthz" ? { status: 503 } : undefined)
  },
  {
    name: "lets no page read anything",
    kills: ["server/cors#*", "server/webfinger#cors"],
    answer: ({ headers }) => ({ headers: without(headers, "access-control-allow-origin") })
  },
  {
    name: "lets no page read refusals",
    kills: ["server/cors#refusal"],
    answer: ({ headers, status }) =>
      status >= 400 ? { headers: without(headers, "access-control-allow-origin") } : undefined
  },
  {
    name: "shows stack traces",
    kills: ["server/errors#no-internals"],
    answer: ({ body, status }) =>
      status >= 400
        ? { body: JSON.stringify({ ...JSON.parse(body), detail: "TypeError\n    at parse (server.js:12:34)" }) }
        : undefined
  },
  {
    name: "hangs up on what it does not like",
    kills: ["server/errors#long-target", "server/errors#percent"],
    answer: ({ status }, { path }) => (status >= 400 && /k{9000}|%A$/.test(path) ? "cut" : undefined)
  },
  {
    name: "takes 8,000 bytes",
    kills: ["server/errors#just-fits"],
    answer: (_, { body }) => (body.length > 8_000 && body.length <= 8_192 ? refusal(413, "too_large") : undefined)
  },
  {
    name: "serves WebFinger as plain JSON",
    kills: ["server/webfinger#jrd"],
    answer: ({ headers }, { path }) =>
      isWebFinger.test(path) ? { headers: having(headers, "content-type", "application/json") } : undefined
  },
  rewrites("says in WebFinger what it was not asked", isWebFinger, ["server/webfinger#jrd"], (json) => ({
    ...json,
    subject: "acct:kezct@kezct.example"
  })),
  {
    name: "gives all relations",
    kills: ["server/webfinger#rel"],
    ask: ({ path }) => ({ path: path.replaceAll(/&rel=[^&]*/g, "") }),
    answer: () => undefined
  },
  {
    name: "finds nothing wrong in a resource",
    kills: ["server/webfinger#*-resource", "server/webfinger#two-resources"],
    answer: ({ status }, { path }) => (isWebFinger.test(path) && status === 400 ? { status: 404 } : undefined)
  },
  {
    name: "answers 200 for who is not there",
    kills: ["server/webfinger#unknown", "server/webfinger#other-server"],
    answer: ({ status }, { path }) => (isWebFinger.test(path) && status === 404 ? { status: 200 } : undefined)
  },
  accepts("manifest_conflict", 201, [
    "server/manifests#old-revision",
    "server/manifests#same-revision",
    "server/manifests#race"
  ]),
  accepts("manifest_malformed", 201, [
    "server/manifests#not-canonical",
    "server/manifests#same-id",
    "server/manifests#no-keys",
    "server/manifests#negative"
  ]),
  accepts("manifest_not_found", 200, [
    "server/manifests#unknown",
    "server/manifests#deleted-account",
    "server/transfers#manifests"
  ]),
  rewrites("writes manifests anew", isManifest, ["server/manifests#put"], (json) => ({ payload: 1, ...json })),
  rewrites("names another hash", isManifest, ["server/manifests#put", "server/manifests#repeat"], (json) =>
    "revision" in json ? { ...json, hash: `blake3:${"ab".repeat(32)}` } : json
  ),
  {
    name: "keeps only the newest manifest",
    kills: ["server/manifests#four", "server/manifests#anchored"],
    answer: (_, { path }) => (/[0-9a-f]{64}\/[0-9a-f]{64}$/.test(path) ? refusal(404, "manifest_not_found") : undefined)
  },
  {
    name: "always sends the manifest",
    kills: ["server/manifests#etag"],
    ask: ({ headers }) => ({ headers: without(headers, "if-none-match") }),
    answer: () => undefined
  }
]
