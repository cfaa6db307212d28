import * as Primitives from "./Primitives.ts"
import {
  type Account,
  alice,
  bob,
  carol,
  type Envelope,
  envelopeHash,
  type Json,
  jcs,
  type JsonObject,
  sign,
  signature,
  time
} from "./Protocol.ts"
import { hex } from "./Bytes.ts"
import { invalid, type Operation, valid } from "./Vectors.ts"

interface Step {
  readonly op: string
  readonly payload: JsonObject
  /** Members of the event to change or add. */
  readonly change?: JsonObject
  /** Members to leave out. */
  readonly drop?: ReadonlyArray<string>
  readonly signer?: Account
}

const natsUrl = "tls://nats.kez.lat:4222"
const nats = (owner: Account, url = natsUrl): JsonObject => ({ protocol: "nats", url, inbox: `kez.inbox.${owner.hex}` })
const natsFull: JsonObject = { ...nats(alice), ws_url: "wss://kez.lat/nats" }
const iroh: JsonObject = { protocol: "iroh", node_id: alice.hex, relay_url: "https://relay.example" }

/** Signs the steps as a chain; `prev` follows what was actually signed before. */
const chain = (steps: ReadonlyArray<Step>, owner: Account = alice): ReadonlyArray<Envelope> => {
  const events: Array<Envelope> = []
  for (const [seq, { op, payload, change, drop = [], signer = owner }] of steps.entries()) {
    const before = events.at(-1)
    const event: JsonObject = {
      type: "kez.sigchain.event",
      version: 1,
      primary: owner.primary,
      seq,
      ...(before === undefined ? {} : { prev: envelopeHash(before) }),
      created_at: time,
      op,
      payload,
      ...change
    }
    const kept = Object.fromEntries(Object.entries(event).filter(([name]) => !drop.includes(name)))
    events.push(sign(signer, "sigchain_event", kept))
  }
  return events
}

const start: Step = { op: "add_endpoint", payload: natsFull }
const addIroh: Step = { op: "add_endpoint", payload: iroh }
const claim = (subject: string): Step => ({ op: "add", payload: { subject } })
const revoke = (subject: string): Step => ({ op: "revoke", payload: { subject } })

/** The acceptance in a `rotate` event at `seq` after `before`, and the event's payload. */
const rotation = (
  before: Envelope | undefined,
  seq: number,
  to: Account = bob,
  change: JsonObject = {}
): JsonObject => {
  const acceptance: JsonObject = {
    type: "kez.rotation_acceptance",
    version: 1,
    old: alice.primary,
    new: to.primary,
    seq,
    ...(before === undefined ? {} : { prev: envelopeHash(before) }),
    created_at: time,
    ...change
  }
  return { new_primary: to.primary, new_sig: signature(to, acceptance) }
}
const first = chain([start])[0] as Envelope
const rotated: ReadonlyArray<Step> = [start, { op: "rotate", payload: rotation(first, 1) }]

interface State {
  readonly endpoints?: ReadonlyArray<JsonObject>
  readonly claims?: ReadonlyArray<JsonObject>
  readonly ignored?: ReadonlyArray<number>
  readonly shared_files?: JsonObject
  readonly rotated_to?: string
}
const ok = (
  id: string,
  requirements: ReadonlyArray<string>,
  why: string,
  events: ReadonlyArray<Envelope>,
  state: State
) =>
  valid(
    id,
    requirements,
    why,
    { primary: alice.primary, events },
    {
      head: { seq: events.length - 1, hash: envelopeHash(events.at(-1) as Envelope) },
      endpoints: state.endpoints ?? [],
      claims: state.claims ?? [],
      ignored: state.ignored ?? [],
      ...(state.shared_files === undefined ? {} : { shared_files: state.shared_files }),
      ...(state.rotated_to === undefined ? {} : { rotated_to: state.rotated_to })
    }
  )
const bad = (
  id: string,
  requirements: ReadonlyArray<string>,
  why: string,
  events: ReadonlyArray<Json>,
  error: string | ReadonlyArray<string>
) => invalid(id, requirements, why, { primary: alice.primary, events }, error)
const badEvent = (id: string, requirement: string, why: string, step: Partial<Step>, error = "event_malformed") =>
  bad(id, [requirement], why, chain([{ ...start, ...step }]), error)

const longest = nats(alice, `tls://${"a".repeat(506)}`)
const sharedFiles: JsonObject = { manifest: `blake3:${"ab".repeat(32)}`, size: 1234 }
const forked = chain([start, claim("github:octocat")])
const other = chain([start, claim("dns:example.org")])

const chains: Operation = {
  file: "sigchain/chain",
  operation: "sigchain.verify",
  description:
    "input: the primary asked for and its events in the order received. result: the head, the endpoints and claims in force in the order they were added (a revoked claim stays, marked), the numbers of the events that KEZ-SIG-108 and KEZ-SIG-109 ignore (not of those that merely change nothing), the anchor of shared files and the successor key where there is one.",
  valid: [
    ok(
      "one-event",
      ["KEZ-SIG-101", "KEZ-SIG-102", "KEZ-SIG-107", "KEZ-SIG-112"],
      "the first event of an account",
      chain([start]),
      { endpoints: [natsFull] }
    ),
    ok("account-start", ["KEZ-SIG-105", "KEZ-SIG-114"], "an account with an Iroh node", chain([start, addIroh]), {
      endpoints: [natsFull, iroh]
    }),
    ok(
      "claims",
      ["KEZ-SIG-109"],
      "a claim added, another added and revoked",
      chain([start, claim("github:octocat"), claim("dns:example.org"), revoke("dns:example.org")]),
      {
        endpoints: [natsFull],
        claims: [
          { subject: "github:octocat", seq: 1, revoked: false },
          { subject: "dns:example.org", seq: 2, revoked: true }
        ]
      }
    ),
    ok(
      "claim-again",
      ["KEZ-SIG-109"],
      "a claim revoked and added again",
      chain([claim("github:octocat"), revoke("github:octocat"), claim("github:octocat")]),
      { claims: [{ subject: "github:octocat", seq: 2, revoked: false }] }
    ),
    ok(
      "unknown-op",
      ["KEZ-SIG-108"],
      "an operation that this version does not know is counted, linked and ignored",
      chain([start, { op: "future_thing", payload: { anything: [1, { a: null }] } }, claim("github:octocat")]),
      { endpoints: [natsFull], claims: [{ subject: "github:octocat", seq: 2, revoked: false }], ignored: [1] }
    ),
    ok(
      "ignored-claims",
      ["KEZ-SIG-109"],
      "an add without subject, and a revoke of what was never added",
      chain([{ op: "add", payload: { proof: "elsewhere" } }, revoke("github:octocat")]),
      { ignored: [0, 1] }
    ),
    ok(
      "revoke-normal-form",
      ["KEZ-PRF-012", "KEZ-SIG-142"],
      "a claim is revoked in another spelling; it is kept as it was added",
      chain([claim("github:@Octocat"), revoke("github:octocat"), claim("dns:Example.org."), revoke("dns:example.org")]),
      {
        claims: [
          { subject: "github:@Octocat", seq: 0, revoked: true },
          { subject: "dns:Example.org.", seq: 2, revoked: true }
        ]
      }
    ),
    ok(
      "add-again",
      ["KEZ-SIG-142"],
      "a claim added again in another spelling keeps its place",
      chain([claim("github:octocat"), claim("dns:example.org"), claim("github:Octocat")]),
      {
        claims: [
          { subject: "github:Octocat", seq: 2, revoked: false },
          { subject: "dns:example.org", seq: 1, revoked: false }
        ]
      }
    ),
    ok(
      "no-identifier",
      ["KEZ-SIG-142"],
      "subjects that are no identifiers",
      chain([claim("octocat"), claim(""), revoke("octocat"), revoke("Octocat")]),
      {
        claims: [
          { subject: "octocat", seq: 0, revoked: true },
          { subject: "", seq: 1, revoked: false }
        ],
        ignored: [3]
      }
    ),
    ok(
      "op-64",
      ["KEZ-SIG-101", "KEZ-SIG-108"],
      "an op of 64 characters, which are code points",
      chain([start, { op: "\u{1f600}".repeat(64), payload: {} }]),
      { endpoints: [natsFull], ignored: [1] }
    ),
    ok(
      "endpoint-replaced-order",
      ["KEZ-SIG-113"],
      "an endpoint that is replaced goes to the end",
      chain([start, addIroh, { op: "add_endpoint", payload: nats(alice) }]),
      { endpoints: [iroh, nats(alice)] }
    ),
    ok(
      "long-url-characters",
      ["KEZ-SIG-112"],
      "a URL of 512 characters, which are code points",
      chain([{ ...start, payload: nats(alice, `tls://${"\u{1f600}".repeat(506)}`) }]),
      { endpoints: [nats(alice, `tls://${"\u{1f600}".repeat(506)}`)] }
    ),
    ok(
      "url-next-line",
      ["KEZ-SIG-112"],
      "U+0085, which is no white space here",
      chain([{ ...start, payload: nats(alice, "tls://kez\u{85}lat") }]),
      { endpoints: [nats(alice, "tls://kez\u{85}lat")] }
    ),
    ok("long-url", ["KEZ-SIG-112"], "a URL of 512 characters", chain([{ ...start, payload: longest }]), {
      endpoints: [longest]
    }),
    ok(
      "add-device",
      ["KEZ-SIG-108"],
      "add_device is kept",
      chain([start, { op: "add_device", payload: { name: "laptop" } }]),
      { endpoints: [natsFull] }
    ),
    ok(
      "endpoint-replaced",
      ["KEZ-SIG-113"],
      "adding an endpoint that is there replaces it",
      chain([start, { op: "add_endpoint", payload: nats(alice) }]),
      { endpoints: [nats(alice)] }
    ),
    ok(
      "endpoint-removed",
      ["KEZ-SIG-113"],
      "removing by url, by node_id, and one that is not there",
      chain([
        start,
        addIroh,
        { op: "remove_endpoint", payload: { protocol: "nats", url: natsUrl } },
        { op: "remove_endpoint", payload: { protocol: "iroh", node_id: alice.hex } },
        { op: "remove_endpoint", payload: { protocol: "nats", url: natsUrl } }
      ]),
      {}
    ),
    ok(
      "shared-files",
      ["KEZ-SIG-110"],
      "the newest anchor counts",
      chain([
        { op: "set_shared_files", payload: { ...sharedFiles, size: 1 } },
        { op: "set_shared_files", payload: sharedFiles }
      ]),
      { shared_files: sharedFiles }
    ),
    ok(
      "shared-files-revision",
      ["KEZ-SIG-110", "KEZ-SIG-141"],
      "an anchor with its revision, after one without",
      chain([
        { op: "set_shared_files", payload: sharedFiles },
        { op: "set_shared_files", payload: { ...sharedFiles, size: 2, revision: 7 } }
      ]),
      { shared_files: { ...sharedFiles, size: 2, revision: 7 } }
    ),
    ok("rotated", ["KEZ-SIG-118"], "a rotation with the new key's acceptance", chain(rotated), {
      endpoints: [natsFull],
      rotated_to: bob.primary
    }),
    ok(
      "rotated-first",
      ["KEZ-SIG-118"],
      "a rotation as the first event: its acceptance has no prev",
      chain([{ op: "rotate", payload: rotation(undefined, 0) }]),
      { rotated_to: bob.primary }
    ),
    ok(
      "unknown-member",
      ["KEZ-SIG-002"],
      "an unknown member of an event",
      chain([{ ...start, change: { note: "kept" } }]),
      { endpoints: [natsFull] }
    )
  ],
  invalid: [
    badEvent("no-op", "KEZ-SIG-101", "no op", { drop: ["op"] }),
    badEvent("empty-op", "KEZ-SIG-101", "an empty op", { change: { op: "" } }),
    badEvent("long-op", "KEZ-SIG-101", "an op of 65 characters", { change: { op: "a".repeat(65) } }),
    badEvent("no-payload", "KEZ-SIG-101", "no payload", { drop: ["payload"] }),
    badEvent("payload-array", "KEZ-SIG-101", "a payload that is an array", { change: { payload: [] } }),
    badEvent("no-seq", "KEZ-SIG-101", "no seq", { drop: ["seq"] }),
    badEvent("seq-false", "KEZ-SIG-101", "seq as a boolean", { change: { seq: false } }),
    badEvent("version-true", "KEZ-SIG-004", "version as a boolean", { change: { version: true } }, "envelope_kind"),
    badEvent("revision-true", "KEZ-SIG-141", "a revision of true", {
      op: "set_shared_files",
      payload: { ...sharedFiles, revision: true }
    }),
    badEvent("shared-size-true", "KEZ-SIG-110", "a size of true", {
      op: "set_shared_files",
      payload: { ...sharedFiles, size: true }
    }),
    badEvent("long-url", "KEZ-SIG-112", "a URL of 513 characters", {
      payload: nats(alice, `tls://${"a".repeat(507)}`)
    }),
    badEvent("url-space", "KEZ-SIG-112", "a URL with white space", { payload: nats(alice, "tls://kez lat") }),
    badEvent("url-no-break-space", "KEZ-SIG-112", "a URL with U+00A0, white space", {
      payload: nats(alice, "tls://kez\u{a0}lat")
    }),
    badEvent("url-byte-order-mark", "KEZ-SIG-112", "a URL with U+FEFF, white space here", {
      payload: nats(alice, "tls://kez\u{feff}lat")
    }),
    badEvent("url-scheme-only", "KEZ-SIG-112", "a URL of nothing but its scheme", { payload: nats(alice, "tls://") }),
    badEvent("seq-string", "KEZ-SIG-101", "seq as a string", { change: { seq: "0" } }),
    badEvent("seq-negative", "KEZ-SIG-101", "a negative seq", { change: { seq: -1 } }),
    badEvent("no-time", "KEZ-SIG-101", "no created_at", { drop: ["created_at"] }),
    badEvent(
      "time-form",
      "KEZ-SIG-101",
      "created_at with an offset",
      { change: { created_at: "2026-05-25T02:00:00+02:00" } },
      "timestamp_malformed"
    ),
    badEvent("prev-at-0", "KEZ-SIG-102", "prev in the first event", { change: { prev: `sha256:${"00".repeat(32)}` } }),
    badEvent("prev-null", "KEZ-SIG-102", "prev is null in the first event", { change: { prev: null } }),
    bad(
      "no-prev",
      ["KEZ-SIG-102"],
      "no prev in the second event",
      chain([start, { ...addIroh, drop: ["prev"] }]),
      "event_malformed"
    ),
    bad(
      "prev-form",
      ["KEZ-SIG-101"],
      "prev without its algorithm",
      chain([start, { ...addIroh, change: { prev: "00".repeat(32) } }]),
      "event_malformed"
    ),
    bad(
      "not-an-event",
      ["KEZ-SIG-104", "KEZ-SIG-006"],
      "a claim in the place of an event",
      [
        sign(alice, "claim", {
          type: "kez.claim",
          version: 1,
          subject: "github:octocat",
          primary: alice.primary,
          created_at: time
        })
      ],
      "envelope_kind"
    ),
    bad(
      "signature",
      ["KEZ-SIG-104"],
      "a changed payload",
      [{ ...first, payload: { ...first.payload, op: "add" } }],
      "signature_invalid"
    ),
    bad(
      "other-primary",
      ["KEZ-SIG-104"],
      "a valid chain of another key",
      chain([{ op: "add_endpoint", payload: nats(bob) }], bob),
      "event_malformed"
    ),
    bad(
      "other-signer",
      ["KEZ-SIG-104"],
      "an event signed by another key",
      chain([start, { ...addIroh, signer: bob }]),
      "envelope_kind"
    ),
    bad(
      "starts-at-1",
      ["KEZ-SIG-105", "KEZ-SIG-106"],
      "the first event is missing",
      chain([start, addIroh]).slice(1),
      "chain_conflict"
    ),
    bad(
      "gap",
      ["KEZ-SIG-105"],
      "an event is missing",
      chain([start, addIroh, claim("dns:example.org")]).filter((_, i) => i !== 1),
      "chain_conflict"
    ),
    bad(
      "swapped",
      ["KEZ-SIG-105"],
      "events in the wrong order",
      chain([start, addIroh]).toReversed(),
      "chain_conflict"
    ),
    bad("repeated", ["KEZ-SIG-105"], "an event twice", [first, first], "chain_conflict"),
    bad(
      "wrong-prev",
      ["KEZ-SIG-105"],
      "prev of another event",
      [
        forked[0] as Envelope,
        sign(alice, "sigchain_event", { ...(forked[1] as Envelope).payload, prev: `sha256:${"11".repeat(32)}` })
      ],
      "chain_conflict"
    ),
    bad(
      "mixed-history",
      ["KEZ-SIG-105"],
      "the third event follows another second one",
      [...other, chain([start, claim("github:octocat"), addIroh])[2] as Envelope],
      "chain_conflict"
    ),
    bad(
      "prev-of-payload",
      ["KEZ-SIG-105", "KEZ-SIG-013"],
      "prev as the hash of the payload instead of the envelope",
      [
        first,
        sign(alice, "sigchain_event", {
          ...(forked[1] as Envelope).payload,
          prev: `sha256:${hex(Primitives.sha256(Buffer.from(jcs(first.payload))))}`
        })
      ],
      "chain_conflict"
    ),
    badEvent(
      "event-too-large",
      "KEZ-SIG-103",
      "an event of more than 65,536 bytes",
      { op: "add", payload: { subject: "github:octocat", note: "a".repeat(65_536) } },
      "too_large"
    ),
    badEvent("endpoint-protocol", "KEZ-SIG-112", "another protocol", {
      payload: { protocol: "http", url: "https://kez.lat" }
    }),
    badEvent("endpoint-inbox", "KEZ-SIG-112", "somebody else's inbox", { payload: nats(bob) }),
    badEvent("endpoint-wildcard", "KEZ-SIG-112", "a wildcard as inbox", {
      payload: { ...nats(alice), inbox: "kez.inbox.*" }
    }),
    badEvent("endpoint-no-inbox", "KEZ-SIG-112", "no inbox", { payload: { protocol: "nats", url: natsUrl } }),
    badEvent("endpoint-url", "KEZ-SIG-112", "a URL of another scheme", { payload: nats(alice, "http://kez.lat") }),
    badEvent("endpoint-ws-url", "KEZ-SIG-112", "a ws_url of another scheme", {
      payload: { ...nats(alice), ws_url: "https://kez.lat" }
    }),
    badEvent("endpoint-ws-null", "KEZ-SIG-112", "a ws_url of null", { payload: { ...nats(alice), ws_url: null } }),
    badEvent("endpoint-node", "KEZ-SIG-112", "somebody else's node", {
      payload: { protocol: "iroh", node_id: bob.hex }
    }),
    badEvent("endpoint-node-case", "KEZ-SIG-112", "the own node in upper case", {
      payload: { protocol: "iroh", node_id: alice.hex.toUpperCase() }
    }),
    badEvent("remove-nothing", "KEZ-SIG-113", "remove_endpoint without a name", {
      op: "remove_endpoint",
      payload: { protocol: "nats" }
    }),
    badEvent("manifest-form", "KEZ-SIG-110", "a manifest of another hash", {
      op: "set_shared_files",
      payload: { ...sharedFiles, manifest: `sha256:${"ab".repeat(32)}` }
    }),
    badEvent("manifest-size", "KEZ-SIG-110", "a size of 0", {
      op: "set_shared_files",
      payload: { ...sharedFiles, size: 0 }
    }),
    badEvent("manifest-large", "KEZ-SIG-110", "a size of 1,048,577", {
      op: "set_shared_files",
      payload: { ...sharedFiles, size: 1_048_577 }
    }),
    badEvent("manifest-revision", "KEZ-SIG-141", "a negative revision", {
      op: "set_shared_files",
      payload: { ...sharedFiles, revision: -1 }
    }),
    badEvent("manifest-revision-string", "KEZ-SIG-141", "a revision as a string", {
      op: "set_shared_files",
      payload: { ...sharedFiles, revision: "7" }
    }),
    bad(
      "rotate-unaccepted",
      ["KEZ-SIG-118"],
      "the new key signed for another event",
      chain([start, { op: "rotate", payload: rotation(first, 2) }]),
      "signature_invalid"
    ),
    bad(
      "rotate-other-old",
      ["KEZ-SIG-118"],
      "the new key accepted somebody else",
      chain([start, { op: "rotate", payload: rotation(first, 1, bob, { old: carol.primary }) }]),
      "signature_invalid"
    ),
    bad(
      "rotate-other-prev",
      ["KEZ-SIG-118"],
      "the new key accepted another history",
      chain([start, { op: "rotate", payload: rotation(first, 1, bob, { prev: `sha256:${"22".repeat(32)}` }) }]),
      "signature_invalid"
    ),
    bad(
      "rotate-to-itself",
      ["KEZ-SIG-118"],
      "the new key is the old one",
      chain([start, { op: "rotate", payload: rotation(first, 1, alice) }]),
      "event_malformed"
    ),
    bad(
      "rotate-no-sig",
      ["KEZ-SIG-118"],
      "no acceptance",
      chain([start, { op: "rotate", payload: { new_primary: bob.primary } }]),
      "event_malformed"
    ),
    bad(
      "rotate-to-small-order",
      ["KEZ-SIG-118", "KEZ-KEY-007"],
      "the new key is of small order",
      chain([start, { op: "rotate", payload: { ...rotation(first, 1), new_primary: `ed25519:${"00".repeat(32)}` } }]),
      "key_rejected"
    ),
    bad(
      "after-rotation",
      ["KEZ-SIG-119"],
      "an event after the rotation",
      chain([...rotated, claim("dns:example.org")]),
      "chain_terminated"
    )
  ]
}

const longer = chain([start, addIroh, claim("github:octocat")])
const hashes = longer.map(envelopeHash)
const forkHashes = chain([start, claim("dns:example.org"), claim("github:octocat")]).map(envelopeHash)
const head = (seq: number, list = hashes) => ({ seq, hash: list[seq] as string })

const heads: Operation = {
  file: "sigchain/head",
  operation: "sigchain.compare",
  description:
    "input: the head that a client kept (absent for none) and the hashes of the events that a verified chain shows now. result: `new`, `same`, `extended`, or `unavailable`; a fork or rollback fails.",
  valid: [
    valid("new", ["KEZ-SIG-121"], "nothing was kept", { hashes }, "new"),
    valid("same", ["KEZ-SIG-121"], "the chain as it was", { known: head(2), hashes }, "same"),
    valid("extended", ["KEZ-SIG-121"], "two more events", { known: head(0), hashes }, "extended"),
    valid(
      "unavailable",
      ["KEZ-SIG-123"],
      "nothing is shown of a chain that is known",
      { known: head(1), hashes: [] },
      "unavailable"
    ),
    valid("new-empty", ["KEZ-SIG-134"], "nothing was kept, nothing is shown", { hashes: [] }, "new")
  ],
  invalid: [
    invalid(
      "rollback",
      ["KEZ-SIG-122"],
      "the last event is gone",
      { known: head(2), hashes: hashes.slice(0, 2) },
      "chain_rollback"
    ),
    invalid(
      "rollback-to-one",
      ["KEZ-SIG-122"],
      "all but the first are gone",
      { known: head(2), hashes: hashes.slice(0, 1) },
      "chain_rollback"
    ),
    invalid(
      "fork",
      ["KEZ-SIG-122"],
      "another event at the kept number",
      { known: head(1), hashes: forkHashes.slice(0, 2) },
      "chain_fork"
    ),
    invalid(
      "fork-longer",
      ["KEZ-SIG-122"],
      "another history, longer than the kept one",
      { known: head(1), hashes: forkHashes },
      "chain_fork"
    )
  ]
}

export const operations: ReadonlyArray<Operation> = [chains, heads]
