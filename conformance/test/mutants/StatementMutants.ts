/** Shims that are wrong about envelopes, proofs, sigchains and registrations. */
import { ed25519 } from "@noble/curves/ed25519.js"
import { createHash } from "node:crypto"
import { signing } from "../../src/reference/Signer.ts"
import { accepts, answers, confuses, finds, forgets, reads, refuses, type ShimMutant } from "./ShimMutant.ts"

interface Envelope {
  readonly kez: string
  readonly payload: {
    readonly type?: string
    readonly version?: unknown
    readonly primary?: string
    readonly from?: string
    readonly seq?: unknown
    readonly op?: unknown
    readonly prev?: unknown
    readonly payload?: { readonly subject?: unknown; readonly revision?: unknown }
  }
  readonly signature: { readonly alg: string; readonly key: string; readonly sig: string }
}

interface Text {
  readonly json: string
}

const envelopeOf = ({ json }: Text) => JSON.parse(Buffer.from(json, "base64url").toString("utf8")) as Envelope
const sha256 = (text: string | Uint8Array) => `sha256:${createHash("sha256").update(text).digest("hex")}`
const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"))

const claimMembers = ["type", "version", "subject", "primary", "created_at", "expires_at"]

const envelopes: ReadonlyArray<ShimMutant> = [
  accepts("allows members beside those of an envelope", "envelope.verify: SIG-001", "envelope_malformed"),
  refuses<{ kind: string }, Text>(
    "drops members of a payload that it does not know, and verifies the rest",
    "envelope.verify: SIG-002",
    "signature_invalid",
    ({ kind }, input) =>
      kind === "claim" && Object.keys(envelopeOf(input).payload).some((name) => !claimMembers.includes(name))
  ),
  accepts("signs whatever it is given", "envelope.sign: SIG-012", "envelope_kind | envelope_malformed"),
  accepts("does not bound envelopes", "envelope.verify: LIM-008", "too_large"),
  accepts<Text>("does not compare kind and type", "envelope.verify: SIG-003", "envelope_kind", (input) => {
    const { kez, payload } = envelopeOf(input)
    return payload.type !== `kez.${kez}`
  }),
  refuses<{ kind: string }>(
    "knows the kinds of KEZ and none of this protocol",
    "envelope.verify: SIG-003",
    "envelope_kind",
    ({ kind }) => kind === "shared_files"
  ),
  accepts<Text>(
    "takes every version",
    "envelope.verify: SIG-004",
    "envelope_kind",
    (input) => envelopeOf(input).payload.version !== 1
  ),
  accepts<Text>("takes any signer", "envelope.verify: SIG-005", "envelope_kind", (input) => {
    const { payload, signature } = envelopeOf(input)
    return (payload.primary ?? payload.from) !== signature.key
  }),
  accepts(
    "takes a statement of any kind",
    "message.open | registration.check | sigchain.verify: SIG-006 SIG-004 SIG-005",
    "envelope_kind"
  ),
  finds<Text>("signs the canonical form without hashing it", "envelope.verify: SIG-007", (input) => {
    try {
      const { payload, signature } = envelopeOf(input)
      const key = hex(signature.key.replace("ed25519:", ""))
      return ed25519.verify(hex(signature.sig), Buffer.from(signing.canonical(payload)), key) || undefined
    } catch {
      return undefined
    }
  }),
  accepts<Text>("does not verify signatures of nostr", "envelope.verify: SIG-008", "signature_invalid", (input) =>
    envelopeOf(input).signature.key.startsWith("nostr:")
  ),
  confuses(
    "says of an unknown algorithm that the signature is wrong",
    "envelope.verify: SIG-009",
    "algorithm_unsupported",
    "signature_invalid"
  ),
  reads<Text>("reads signatures in any case", "envelope.verify: SIG-010", ({ json }) => {
    const text = Buffer.from(json, "base64url").toString("latin1")
    const lower = text.replace(/"[0-9A-F]{128}"/, (sig) => sig.toLowerCase())
    return { json: Buffer.from(lower, "latin1").toString("base64url") }
  }),
  accepts(
    "does not verify signatures",
    "envelope.verify | message.open | sigchain.verify: SIG-011",
    "signature_invalid"
  ),
  answers<{ hash: string; signed: string }>(
    "hashes the payload and not the envelope",
    "envelope.verify: SIG-013",
    (right) => ({ ...right, hash: sha256(Buffer.from(right.signed, "base64url")) })
  ),
  refuses<{ signed: string }, Text>(
    "verifies the text as it arrived",
    "envelope.verify: CAN-013",
    "signature_invalid",
    ({ signed }, { json }) => !Buffer.from(json, "base64url").includes(Buffer.from(signed, "base64url"))
  ),
  accepts("does not look at the times of a claim", "claim.parse: PRF-003", "envelope_malformed | timestamp_malformed")
]

const proofs: ReadonlyArray<ShimMutant> = [
  accepts<{ text: string }>(
    "reads the first zstd frame and ignores what stands beside it",
    "encoding.decode: PRF-005",
    "encoding_malformed",
    ({ text }) => text.startsWith("kez:z1:")
  ),
  accepts("decompresses whatever comes", "encoding.decode | encoding.decodeBundle: PRF-006", "too_large"),
  accepts("does not compare the signer with the Primary: line", "encoding.decode: PRF-007", "envelope_kind"),
  reads<{ segments: ReadonlyArray<string> }>(
    "joins the strings of a TXT record with spaces",
    "encoding.decodeTxt: PRF-008",
    ({ segments }) => ({ segments: [segments.join(" ")] })
  ),
  accepts("takes a single proof for a bundle", "encoding.decodeBundle: PRF-009", "encoding_malformed"),
  refuses<string, { text: string }>(
    "reads the compact form only",
    "encoding.decode: PRF-010 PRF-007",
    "encoding_malformed",
    (_, { text }) => !text.trim().startsWith("kez:z1:")
  ),
  accepts(
    "parses what it decompressed with the JSON of its language",
    "encoding.decode | encoding.decodeBundle: PRF-011",
    "json_duplicate_name | json_malformed"
  )
]

interface Chain {
  readonly events: ReadonlyArray<Envelope>
}

interface ChainState {
  readonly head: { readonly seq: number; readonly hash: string }
  readonly endpoints: ReadonlyArray<object>
  readonly claims: ReadonlyArray<{ readonly subject: string; readonly revoked: boolean }>
  readonly ignored: ReadonlyArray<number>
}

const knownOps = ["add", "revoke", "add_endpoint", "remove_endpoint", "set_shared_files", "rotate"]
const has = (chain: Chain, op: string) => chain.events.some(({ payload }) => payload.op === op)
const isOp = (op: unknown) => typeof op === "string" && op.length > 0 && op.length <= 64

const chains: ReadonlyArray<ShimMutant> = [
  accepts<Chain>("does not look at the form of op", "sigchain.verify: SIG-101", "event_malformed", ({ events }) =>
    events.some(({ payload }) => !isOp(payload.op))
  ),
  refuses<unknown, Chain>(
    "counts UTF-16 units of op and not characters",
    "sigchain.verify: SIG-101 SIG-108",
    "event_malformed",
    (_, { events }) => events.some(({ payload }) => String(payload.op).length > 64)
  ),
  accepts<Chain>("does not ask for prev", "sigchain.verify: SIG-102", "event_malformed", ({ events }) =>
    events.some(({ payload }, index) => (payload.prev === undefined) !== (index === 0))
  ),
  accepts("does not bound events", "sigchain.verify: SIG-103", "too_large"),
  accepts(
    "trusts the sig-server with signatures",
    "sigchain.verify: SIG-104",
    "signature_invalid | event_malformed | envelope_kind"
  ),
  accepts("trusts the sig-server with the order of events", "sigchain.verify: SIG-105", "chain_conflict"),
  accepts<Chain>(
    "takes a chain from wherever it begins",
    "sigchain.verify: SIG-106",
    "chain_conflict",
    ({ events }) => events[0]?.payload.seq !== 0
  ),
  answers<ChainState>("counts events from 1", "sigchain.verify: SIG-107", (right) => ({
    ...right,
    head: { ...right.head, seq: right.head.seq + 1 }
  })),
  refuses<ChainState, Chain>(
    "refuses operations that it does not know",
    "sigchain.verify: SIG-108",
    "event_malformed",
    (_, { events }) => events.some(({ payload }) => !knownOps.includes(String(payload.op)))
  ),
  answers<ChainState>(
    "applies every claim and says nothing of those it ignores",
    "sigchain.verify: SIG-109",
    (right) => ({
      ...right,
      ignored: []
    })
  ),
  accepts<Chain>(
    "does not look at the anchor of shared files",
    "sigchain.verify: SIG-110 SIG-141",
    "event_malformed",
    (chain) => has(chain, "set_shared_files")
  ),
  answers<ChainState, Chain>(
    "compares subjects as they are written",
    "sigchain.verify: SIG-142 PRF-012",
    (right, { events }) => ({
      ...right,
      claims: right.claims.map((claim) => ({
        ...claim,
        revoked: events.some(({ payload }) => payload.op === "revoke" && payload.payload?.subject === claim.subject)
      }))
    })
  ),
  accepts<Chain>("takes every endpoint", "sigchain.verify: SIG-112", "event_malformed", (chain) =>
    has(chain, "add_endpoint")
  ),
  refuses<unknown, Chain>(
    "takes U+0085 for white space, as Go and Rust do",
    "sigchain.verify: SIG-112",
    "event_malformed",
    (_, chain) => JSON.stringify(chain).includes("\u{85}")
  ),
  accepts<Chain>(
    "does not look at what remove_endpoint names",
    "sigchain.verify: SIG-113",
    "event_malformed",
    (chain) => has(chain, "remove_endpoint")
  ),
  answers<ChainState>("knows one endpoint of an account", "sigchain.verify: SIG-114 SIG-113", (right) => ({
    ...right,
    endpoints: right.endpoints.slice(-1)
  })),
  accepts<Chain>(
    "does not ask the new key of a rotation",
    "sigchain.verify: SIG-118",
    "signature_invalid | event_malformed",
    (chain) => has(chain, "rotate")
  ),
  accepts("goes on after a rotation", "sigchain.verify: SIG-119", "chain_terminated"),
  forgets("keeps no heads", "sigchain.compare: SIG-121 SIG-122 SIG-123", "known"),
  confuses("takes a rollback for a fork", "sigchain.compare: SIG-122", "chain_rollback", "chain_fork"),
  answers<string, { hashes: ReadonlyArray<string> }>(
    "takes every 404 for an outage",
    "sigchain.compare: SIG-134",
    (right, { hashes }) => (hashes.length === 0 ? "unavailable" : right)
  )
]

interface Asked {
  readonly home: string
  readonly host: string
}

const registrations: ReadonlyArray<ShimMutant> = [
  refuses<unknown, { body: Partial<Envelope> }>(
    "knows the envelope and not the flat form",
    "registration.check: REG-008",
    "envelope_malformed",
    (_, { body }) => body.kez === undefined
  ),
  accepts("stores before it verifies", "registration.check: REG-009", "signature_invalid | envelope_kind"),
  accepts("registers for every server", "registration.check: REG-010", "wrong_server"),
  accepts("has no window of time", "registration.check: REG-011", "clock_skew"),
  confuses(
    "says of every member of a wrong form that the envelope is malformed",
    "registration.check: ERR-007 CAN-003 REG-001",
    "handle_malformed | timestamp_malformed",
    "envelope_malformed"
  ),
  refuses<unknown, { record: { handle: string } }>(
    "takes the handle of a record for a local part",
    "record.verify: REG-019 REG-022",
    "record_invalid",
    (_, { record }) => record.handle.includes("@")
  ),
  accepts("believes the home server's records", "record.verify: REG-022", "record_invalid"),
  refuses<unknown, { json: { registration?: string } }>(
    "refuses descriptions that say something new of who may register, or of their operator",
    "wellKnown.parse: REG-056 REG-057",
    "record_invalid",
    (_, { json }) => json.registration === "waitlist"
  ),
  refuses<unknown, { json: { proof_sources?: unknown } }>(
    "refuses descriptions whose services for proofs have a form that it does not know",
    "wellKnown.parse: REG-110",
    "record_invalid",
    (_, { json }) => json.proof_sources !== undefined
  ),
  accepts("takes whatever is beside an invite", "registration.check: REG-046", "envelope_malformed"),
  accepts("hands a handle over without asking both keys", "transfer.check: REG-121 KEY-100", "signature_invalid"),
  accepts("takes whatever is beside a transfer", "transfer.check: REG-120", "envelope_malformed | envelope_kind"),
  accepts("hands over whatever the clock and for every server", "transfer.check: REG-122", "clock_skew | wrong_server"),
  accepts("connects to whatever a description names", "wellKnown.parse: REG-029", "record_invalid"),
  accepts<Asked>(
    "lets a home inside a network name any address",
    "namedHost.check: REG-031",
    "address_forbidden",
    ({ home }) => home !== "public"
  ),
  accepts<Asked>(
    "does not look for IPv4 addresses inside IPv6 ones",
    "namedHost.check: REG-032",
    "address_forbidden",
    ({ host }) => /^\[(?:::ffff|64:ff9b|2002)/.test(host)
  ),
  accepts<Asked>(
    "reads addresses in four decimal numbers only",
    "namedHost.check: REG-032",
    "address_forbidden",
    ({ host }) => /^(?:0x|\d+$)/.test(host)
  )
]

export const statementMutants: ReadonlyArray<ShimMutant> = [...envelopes, ...proofs, ...chains, ...registrations]
