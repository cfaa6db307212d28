/** The JSON that the README documents, as schemas: the tests parse every output with them and refuse what they do not name. */
import { Schema } from "effect"
import { Admission, Claim, heldRequest, Primary, proving, Time } from "./ProofShapes.ts"

export { Held, Introductions, Proofs, Prove, Revoked } from "./ProofShapes.ts"

const Step = Schema.Literals(["created", "registered", "published"])
const Head = Schema.Struct({
  seq: Schema.Natural,
  hash: Schema.String.check(Schema.isPattern(/^sha256:[0-9a-f]{64}$/))
})

export const ErrorLine = Schema.Struct({
  error: Schema.Struct({ code: Schema.String, exit: Schema.Natural, message: Schema.String })
})

const account = {
  handle: Schema.optionalKey(Schema.String),
  primary: Primary,
  home: Schema.String,
  device: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{22}$/))),
  step: Step,
  profile: Schema.String,
  vault: Schema.Literals(["file", "keychain"])
}
export const Account = Schema.Struct(account)
export const Whoami = Schema.Struct({
  ...account,
  files: Schema.Struct({ config: Schema.String, store: Schema.String })
})
export const Profiles = Schema.Struct({
  profiles: Schema.Array(
    Schema.Union([
      Account,
      Schema.Struct({
        profile: Schema.String,
        error: Schema.Struct({ code: Schema.String, message: Schema.String })
      })
    ])
  )
})

export const Contact = Schema.Struct({
  handle: Schema.String,
  home: Schema.optionalKey(Schema.String),
  primary: Primary,
  state: Schema.Literals(["accepted", "requested", "blocked", "changed"]),
  verified: Schema.Boolean,
  verified_at: Schema.optionalKey(Time),
  added_at: Time,
  changed_to: Schema.optionalKey(Schema.String),
  offered: Schema.optionalKey(
    Schema.Struct({ primary: Schema.String, origin: Schema.Literals(["handed_over", "unexplained"]) })
  ),
  kept: Schema.optionalKey(Schema.Literal(true)),
  warning: Schema.optionalKey(Schema.String),
  cause: Schema.optionalKey(
    Schema.Struct({
      name: Schema.optionalKey(Schema.Literals(["offered", "gone"])),
      chain: Schema.optionalKey(Schema.Literals(["behind", "rotated", "forked"]))
    })
  ),
  head: Schema.optionalKey(Head),
  admission: Schema.optionalKey(Admission)
})
export const ContactResult = Schema.Struct({ contact: Contact })
export const Rotated = Schema.Struct({ rotated: Schema.String, from: Primary, primary: Primary })
export const Contacts = Schema.Struct({ contacts: Schema.Array(Contact) })
export const Reported = Schema.Struct({
  report: Schema.Struct({
    id: Schema.String,
    proven: Schema.Array(Schema.String),
    unprovable: Schema.Array(Schema.String)
  })
})
export const Removed = Schema.Struct({ removed: Contact, with_messages: Schema.Boolean })

const Id = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{22}$/))
const file = {
  name: Schema.String,
  media_type: Schema.String,
  size: Schema.Natural,
  blob_hash: Schema.String.check(Schema.isPattern(/^blake3:[0-9a-f]{64}$/))
}
const File = Schema.Struct(file)

export const Share = Schema.Struct({
  id: Id,
  ...file,
  folder: Schema.optionalKey(Schema.String),
  shared_at: Time,
  listed: Schema.Literals(["readers", "public", "unlisted"]),
  manifest: Schema.Literals(["pending", "published", "none"]),
  problem: Schema.optionalKey(Schema.Struct({ code: Schema.String, detail: Schema.String })),
  here: Schema.Boolean,
  readers: Schema.Array(
    Schema.Struct({
      primary: Primary,
      handle: Schema.String,
      sent_bytes: Schema.Natural,
      fetched_at: Schema.optionalKey(Time)
    })
  ),
  replaced_by: Schema.optionalKey(Id)
})
export const Shared = Schema.Struct({ shares: Schema.Array(Share), serving: Schema.Boolean })
export const Unshared = Schema.Struct({ unshared: Schema.Array(Share) })

export const Listing = Schema.Struct({
  owner: Contact,
  revision: Schema.Natural,
  created_at: Schema.optionalKey(Time),
  source: Schema.Literals(["home", "kept"]),
  files: Schema.Array(
    Schema.Struct({
      id: Id,
      ...file,
      folder: Schema.optionalKey(Schema.String),
      shared_at: Time,
      public: Schema.Boolean,
      replaced_by: Schema.optionalKey(Id)
    })
  )
})

export const Message = Schema.Struct({
  id: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{22}$/)),
  peer: Primary,
  direction: Schema.Literals(["in", "out"]),
  type: Schema.String,
  text: Schema.String,
  file: Schema.optionalKey(File),
  created_at: Time,
  arrived_at: Time,
  order: Schema.Natural,
  state: Schema.optionalKey(Schema.Literals(["queued", "stored", "delivered", "read", "failed"])),
  failure: Schema.optionalKey(Schema.String),
  waiting: Schema.optionalKey(
    Schema.Struct({ reason: Schema.Literals(["full", "slow", "moved"]), until: Schema.optionalKey(Time) })
  ),
  accepted_at: Schema.optionalKey(Time),
  suspicious: Schema.optionalKey(Schema.Literal(true)),
  gap: Schema.optionalKey(Schema.Natural),
  equivocation: Schema.optionalKey(Schema.Literal(true)),
  fork: Schema.optionalKey(Schema.Literal(true)),
  retired: Schema.optionalKey(Schema.Literal(true))
})
export const Sent = Schema.Struct({ message: Message })
export const History = Schema.Struct({
  contact: Contact,
  messages: Schema.Array(Message),
  before: Schema.NullOr(Schema.Natural)
})
export const HistoryCheck = Schema.Struct({
  contact: Contact,
  check: Schema.Struct({
    messages: Schema.Natural,
    linked: Schema.Natural,
    missing: Schema.Array(Schema.Struct({ before: Message, prev: Schema.String })),
    gaps: Schema.Array(
      Schema.Struct({ from: Primary, device: Schema.String, first: Schema.Natural, last: Schema.Natural })
    )
  }),
  note: Schema.String
})
export const EvidenceFile = Schema.Struct({
  type: Schema.Literal("kez.chat.evidence"),
  version: Schema.Literal(1),
  message: Schema.Record(Schema.String, Schema.Unknown),
  opens: Schema.String,
  acceptance: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)),
  receipts: Schema.Array(Schema.Unknown),
  heads: Schema.Record(Schema.String, Head)
})
export const Evidence = Schema.Struct({
  evidence: Schema.Struct({
    from: Primary,
    to: Primary,
    id: Schema.String,
    created_at: Time,
    body: Schema.Record(Schema.String, Schema.Unknown),
    acceptance: Schema.optionalKey(
      Schema.Struct({ server: Schema.String, key: Primary, at: Time, named: Schema.NullOr(Schema.Boolean) })
    ),
    receipts: Schema.Array(Schema.Struct({ status: Schema.Literals(["delivered", "read"]), created_at: Time })),
    heads: Schema.Record(Schema.String, Head)
  }),
  limits: Schema.String
})
export const Requests = Schema.Struct({
  requests: Schema.Array(
    Schema.Struct({
      contact: Contact,
      messages: Schema.Array(Message),
      offered_for: Schema.optionalKey(Schema.String)
    })
  )
})

const number = {
  safety_number: Schema.String.check(Schema.isPattern(/^\d{5}( \d{5}){11}$/)),
  qr: Schema.String.check(Schema.isPattern(/^kez:sn1:/))
}
export const Verification = Schema.Struct({
  contact: Contact,
  state: Schema.Literals(["accepted", "requested", "blocked", "changed"]),
  ...number,
  safety_number_of: Schema.Literals(["pinned", "offered"]),
  pinned: Schema.Struct({ primary: Primary, ...number }),
  offered: Schema.optionalKey(
    Schema.Struct({ primary: Primary, ...number, origin: Schema.Literals(["handed_over", "unexplained"]) })
  ),
  head: Schema.optionalKey(Head),
  endpoints: Schema.Array(
    Schema.Union([
      Schema.Struct({
        protocol: Schema.Literal("nats"),
        url: Schema.String,
        ws_url: Schema.optionalKey(Schema.String),
        inbox: Schema.String
      }),
      Schema.Struct({
        protocol: Schema.Literal("iroh"),
        node_id: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/)),
        relay_url: Schema.optionalKey(Schema.String)
      })
    ])
  ),
  claims: Schema.Array(Claim),
  events: Schema.Array(Schema.Record(Schema.String, Schema.Unknown))
})

export const Settings = Schema.Struct({
  read_receipts: Schema.Boolean,
  inbox: Schema.Literals(["everyone", "contacts", "proven"]),
  proven_by: Schema.Struct({ systems: Schema.Array(Schema.String), domains: Schema.Array(Schema.String) }),
  introductions: Schema.Boolean,
  auto_trim: Schema.Boolean
})

const Used = { used_bytes: Schema.Natural, limit_bytes: Schema.Natural }
const Box = { ...Used, oldest: Schema.optionalKey(Time) }
const InboxUsage = Schema.Struct({
  mail: Schema.Struct({ ...Box, strangers: Schema.Struct(Used) }),
  sent: Schema.Struct(Box)
})
export const Inbox = Schema.Struct({
  inbox: InboxUsage,
  trimmed: Schema.NullOr(Schema.Literals(["mail", "sent"]))
})

const Owner = Schema.Struct({
  pid: Schema.Natural,
  command: Schema.String,
  since: Time,
  until: Schema.optionalKey(Time)
})
export const Unlocked = Schema.Struct({ unlocked: Schema.Literal(true), already: Schema.Boolean, owner: Owner })
export const Locked = Schema.Struct({ unlocked: Schema.Literal(false), already: Schema.Boolean })
export const WordsWritten = Schema.Struct({ written: Schema.Literal(true) })
export const Deleted = Schema.Struct({ deleted: Schema.String })

export const Doctor = Schema.Struct({
  ok: Schema.Boolean,
  checks: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      status: Schema.Literals(["ok", "warn", "fail"]),
      detail: Schema.String,
      advice: Schema.optionalKey(Schema.String)
    })
  )
})

const Served = Schema.Struct({
  event: Schema.Literal("served"),
  share: Share,
  contact: Contact,
  sent_bytes: Schema.Natural,
  total_bytes: Schema.Natural
})
const SharedEvent = Schema.Struct({ event: Schema.Literals(["shared", "unshared"]), share: Share })
const Connection = Schema.Struct({
  event: Schema.Literal("connection"),
  state: Schema.Literals(["connecting", "online", "offline", "closed"]),
  reason: Schema.optionalKey(Schema.String),
  detail: Schema.optionalKey(Schema.String)
})

const Failed = Schema.Struct({ code: Schema.String, exit: Schema.Natural, message: Schema.String })

/** A line of `share --json`. */
export const ShareLine = Schema.Union([
  Schema.Struct({ event: Schema.Literal("found"), files: Schema.Natural, total_bytes: Schema.Natural }),
  Schema.Struct({
    event: Schema.Literal("encrypting"),
    name: Schema.String,
    done_bytes: Schema.Natural,
    total_bytes: Schema.Natural
  }),
  Schema.Struct({ event: Schema.Literal("shared"), share: Share }),
  Schema.Struct({ event: Schema.Literal("failed"), path: Schema.String, error: Failed }),
  Served
])

/** A line of `fetch --json`. */
export const FetchLine = Schema.Union([
  Schema.Struct({
    event: Schema.Literal("progress"),
    state: Schema.Literals(["waiting", "connecting", "receiving", "complete"]),
    path: Schema.optionalKey(Schema.Literals(["direct", "relayed"])),
    reason: Schema.optionalKey(Schema.String),
    binding: Schema.optionalKey(Schema.Literals(["native", "compatible"])),
    have_bytes: Schema.Natural,
    total_bytes: Schema.Natural,
    file: Schema.Struct({ ...file, folder: Schema.optionalKey(Schema.String) }),
    owner: Contact
  }),
  Schema.Struct({ event: Schema.Literal("saving"), done_bytes: Schema.Natural, total_bytes: Schema.Natural }),
  Schema.Struct({ event: Schema.Literal("saved"), path: Schema.String, size: Schema.Natural, file: File }),
  Schema.Struct({ event: Schema.Literal("skipped"), path: Schema.String, file: File }),
  Schema.Struct({ event: Schema.Literal("failed"), file: Schema.optionalKey(File), error: Failed })
])

/** `fetch --json` without anything to fetch. */
export const Offers = Schema.Struct({
  offers: Schema.Array(Schema.Struct({ message: Message, contact: Contact, saved: Schema.optionalKey(Schema.String) }))
})
export const Discarded = Schema.Struct({ discarded: Schema.Array(Schema.String) })

/** A line of `serve --json`. */
export const ServeLine = Schema.Union([Served, SharedEvent, Connection])

export const Event = Schema.Union([
  Served,
  SharedEvent,
  Connection,
  Schema.Struct({ event: Schema.Literals(["message", "request"]), message: Message, contact: Contact }),
  Schema.Struct({ event: Schema.Literal("state"), message: Message }),
  Schema.Struct({
    event: Schema.Literals(["contact", "contact_removed", "key_changed", "key_offered"]),
    contact: Contact
  }),
  Schema.Struct({ event: Schema.Literal("key_healed"), contact: Contact, detail: Schema.String }),
  Schema.Struct({ event: Schema.Literal("proof_changed"), contact: Contact, claim: Claim }),
  Schema.Struct({ event: Schema.Literal("proving"), proving }),
  Schema.Struct({ event: Schema.Literal("held"), request: heldRequest }),
  Schema.Struct({ event: Schema.Literal("dropped"), code: Schema.String, detail: Schema.String }),
  Schema.Struct({ event: Schema.Literal("inbox_filling"), box: Schema.Literals(["mail", "sent"]), inbox: InboxUsage }),
  Schema.Struct({ event: Schema.Literal("publishing_failed"), code: Schema.String, detail: Schema.String }),
  Schema.Struct({ event: Schema.Literal("store_failing"), reason: Schema.String, detail: Schema.String }),
  Schema.Struct({ event: Schema.Literal("store_recovered") }),
  Schema.Struct({ event: Schema.Literal("handed_over"), handle: Schema.String, to: Primary }),
  Schema.Struct({ event: Schema.Literal("missed"), count: Schema.Natural })
])
export const ExportItem = Schema.Record(Schema.String, Schema.Unknown)
