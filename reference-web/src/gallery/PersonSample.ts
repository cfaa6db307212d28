/** An account in the states that stories and tests show; the signatures are not real. */
import type { Claim, Contact, Verification } from "@kez-chat/sdk/promise"

export const primary = `ed25519:${"3f7a".repeat(16)}`
export const otherPrimary = `ed25519:${"c04e".repeat(16)}`

const hash = (seq: number): string => `sha256:${(seq + 16).toString(16).padStart(4, "0").repeat(16)}`

export const contact: Contact = {
  handle: "chris@kez.lat",
  primary,
  state: "accepted",
  verified: false,
  addedAt: Date.parse("2026-05-12T10:00:00Z")
}

type Operation = readonly [op: string, payload: Verification["events"][number]["payload"]]

export const unchecked: Claim = {
  subject: "dns:chris.com",
  system: "dns",
  seq: 2,
  state: "unchecked",
  revoked: false,
  sentence: "it was not checked yet"
}

const nats: Operation = ["add_endpoint", { protocol: "nats", url: "tls://kez.lat:4222", inbox: "kez.inbox.3f" }]
const files: Operation = ["set_shared_files", { manifest: `blake3:${"ab".repeat(32)}`, size: 812 }]

export const operations: ReadonlyArray<Operation> = [
  nats,
  ["add_endpoint", { protocol: "iroh", node_id: "3f7a".repeat(16) }],
  ["add", { subject: "dns:chris.com" }],
  ["add", { subject: "github:chris" }],
  files,
  files,
  files,
  ["revoke", { subject: "github:chris" }],
  ["add_device", { name: "laptop" }],
  ["add_device_endpoint", { node_id: "77" }],
  files,
  ["remove_endpoint", { protocol: "nats", url: "tls://old.example:4222" }]
]

export const hostile: ReadonlyArray<Operation> = [
  nats,
  ["add", { subject: "dns:\u202egpj.exe\u2066<b>bold</b>\u200b.example" }],
  ["add", { subject: `web:https://${"long".repeat(60)}.example/` }],
  ["brandnew\u202e", { "\u0000": "\u2028" }]
]

/** A claim whose proof was found today. */
export const proven: Claim = {
  subject: "dns:chris.com",
  system: "dns",
  seq: 2,
  state: "valid",
  revoked: false,
  sentence: "the proof holds",
  checkedAt: Date.now(),
  lastGoodAt: Date.now(),
  nextCheckAt: Date.now() + 86_400_000,
  evidence: {
    url: "dns:_kez.chris.com",
    fetchedAt: Date.now(),
    digest: hash(7),
    recipe: "dns/1",
    dnssec: "secure",
    proof: JSON.stringify({ kez: "claim", payload: { type: "kez.claim", subject: "dns:chris.com", primary } })
  }
}

/** Every state of a claim. */
export const claims: ReadonlyArray<Claim> = [
  proven,
  {
    ...proven,
    subject: "bluesky:chris.bsky.social",
    system: "bluesky",
    state: "unreachable",
    reason: "network",
    sentence: "bluesky:chris.bsky.social cannot be checked now: https://public.api.bsky.app gives no answer",
    lastGoodAt: Date.now() - 3 * 86_400_000
  },
  {
    ...unchecked,
    subject: "github:chris",
    system: "github",
    state: "unreachable",
    reason: "needs_cli",
    sentence: "github:chris cannot be checked now: a browser cannot ask github.com",
    checkedAt: Date.now()
  },
  {
    ...proven,
    subject: "web:https://chris.com/",
    system: "web",
    state: "broken",
    sentence: "there is no proof: https://chris.com/.well-known/kez.json",
    lastGoodAt: Date.now() - 9 * 86_400_000
  },
  { ...unchecked, subject: "ap:chris@mastodon.example", system: "ap" },
  { ...unchecked, subject: "nostr:npub1chris", system: "nostr", revoked: true }
]

/** A chain of these operations, an event a day until 2 August 2026. */
export const verificationOf = (
  steps: ReadonlyArray<Operation>,
  change: Partial<Contact> = {},
  more: Partial<Verification> = {}
): Verification => {
  const last = Date.parse("2026-08-02T12:00:00Z")
  const events = steps.map(([op, payload], seq) => ({
    kez: "sigchain_event" as const,
    payload: {
      type: "kez.sigchain.event",
      version: 1,
      primary,
      seq,
      ...(seq === 0 ? {} : { prev: hash(seq - 1) }),
      created_at: new Date(last - (steps.length - 1 - seq) * 86_400_000).toISOString().replace(".000", ""),
      op,
      payload
    },
    signature: { alg: "ed25519-sha512-jcs" as const, key: primary, sig: "5c".repeat(64) }
  }))
  const head = { seq: steps.length - 1, hash: hash(steps.length - 1) }
  return {
    contact: { ...contact, ...(steps.length === 0 ? {} : { head }), ...change },
    pinned: {
      primary,
      safetyNumber: "21873 09134 77120 46518 90312 55027 18834 62901 30475 81129 47760 15382",
      qr: `kez:sn1:${"Qm7x".repeat(21)}Qw`
    },
    ...(steps.length === 0 ? {} : { head }),
    events,
    endpoints: [
      { protocol: "nats", url: "tls://kez.lat:4222", inbox: `kez.inbox.${"3f7a".repeat(16)}` },
      { protocol: "iroh", node_id: "3f7a".repeat(16) }
    ],
    claims: [proven, { ...unchecked, subject: "github:chris", system: "github", revoked: true }],
    ...more
  }
}

export const whole = verificationOf(operations)

const known = (seq: number, value: string) => ({ seq, hash: `sha256:${value.repeat(32)}` })

const forkAt = known(4, "fe")
export const forked = verificationOf(operations, {
  state: "changed",
  head: forkAt,
  warning: `${primary}: known is event 4 ${forkAt.hash}, seen is event 4 ${hash(4)}`,
  cause: { chain: "forked" }
})

const later = known(15, "d1")
export const rolledBack = verificationOf(operations, {
  state: "changed",
  head: later,
  warning: `${primary}: known is event 15 ${later.hash}, seen is event 11 ${hash(11)}`,
  cause: { chain: "behind" }
})

export const claimedMore = verificationOf(operations, {
  state: "changed",
  warning: `chris@kez.lat claimed event 15 ${later.hash} of their sigchain in a message; the sig-server shows only up to event 11 ${hash(11)}`,
  cause: { chain: "behind" }
})

const offered = {
  primary: otherPrimary,
  safetyNumber: "66310 20984 11573 90046 72218 35590 04417 88135 51902 67743 29081 40656",
  qr: `kez:sn1:${"Z9dk".repeat(21)}Zg`
}

/** The home server names another key. */
export const replaced = verificationOf(
  operations,
  {
    state: "changed",
    offered: { primary: otherPrimary, origin: "unexplained" },
    warning: `the home server now names another key for chris@kez.lat: ${otherPrimary} instead of ${primary}`,
    cause: { name: "offered" }
  },
  { offered: { ...offered, origin: "unexplained" } }
)

/** The chain was handed over to another key. */
export const rotated = verificationOf(
  [...operations, ["rotate", { new_primary: otherPrimary, new_sig: "aa".repeat(64) }]],
  {
    state: "changed",
    offered: { primary: otherPrimary, origin: "handed_over" },
    warning: `chris@kez.lat rotated their key to ${otherPrimary}`,
    cause: { chain: "rotated" }
  },
  { offered: { ...offered, origin: "handed_over" } }
)

export const gone = verificationOf(operations, {
  state: "changed",
  warning: "chris@kez.lat: handle_deleted: the handle was deleted",
  cause: { name: "gone" }
})

/** The account that looks at them. */
export const account = {
  handle: "maria@kez.lat",
  primary: `ed25519:${"9b21".repeat(16)}`,
  device: "AAAAAAAAAAAAAAAAAAAAAA",
  server: "kez.lat",
  step: "published"
} as const
