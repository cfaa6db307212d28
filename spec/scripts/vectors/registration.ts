import {
  type Account,
  alice,
  bob,
  carol,
  type Envelope,
  jcs,
  type Json,
  type JsonObject,
  sign,
  signature,
  time
} from "./Protocol.ts"
import { invalid, type Operation, valid } from "./Vectors.ts"

const server = "kez.lat"
const statement = (account: Account, change: JsonObject = {}, kind = "handle_registration"): JsonObject => ({
  type: `kez.chat.${kind}`,
  version: 1,
  handle: "tudisco",
  server,
  primary: account.primary,
  created_at: time,
  ...change
})
const registration = (change: JsonObject = {}, account: Account = alice): Envelope =>
  sign(account, "handle_registration", statement(account, change))
const at = (seconds: number) => new Date(Date.parse(time) + seconds * 1000).toISOString()

const flat: JsonObject = {
  handle: "tudisco",
  primary: alice.primary,
  created_at: time,
  registration_sig: signature(alice, statement(alice))
}
const said = { handle: "tudisco", server, primary: alice.primary, created_at: Date.parse(time) }

const ok = (id: string, requirements: ReadonlyArray<string>, why: string, body: Json, now = at(0)) =>
  valid(id, requirements, why, { body, server, now }, said)
const bad = (
  id: string,
  requirement: string,
  why: string,
  body: Json,
  error: string | ReadonlyArray<string>,
  now = at(0)
) => invalid(id, requirement.split(" "), why, { body, server, now }, error)

const registrations: Operation = {
  file: "registration/register",
  operation: "registration.check",
  description:
    "input: the JSON body of POST /v1/register, the name of the server that receives it, and its clock. Everything is checked that does not depend on what the server holds. result: what the registration says.",
  valid: [
    ok("envelope", ["KEZ-REG-008", "KEZ-REG-009"], "an envelope", registration()),
    ok("flat", ["KEZ-REG-008"], "the flat form", flat),
    ok("invited", ["KEZ-REG-046"], "an envelope with an invite", {
      invite: "k4x7Aq_-2",
      registration: registration()
    }),
    ok("invited-flat", ["KEZ-REG-046"], "the flat form with an invite of 64 characters", {
      invite: "k".repeat(64),
      registration: flat
    }),
    ok("early", ["KEZ-REG-011"], "300 seconds in the future", registration(), at(-300)),
    ok("late", ["KEZ-REG-011"], "300 seconds in the past", registration(), at(300))
  ],
  invalid: [
    bad(
      "other-server",
      "KEZ-REG-010",
      "made for another server",
      registration({ server: "example.org" }),
      "wrong_server"
    ),
    bad(
      "flat-other-server",
      "KEZ-REG-008",
      "a flat form signed for another server: the asked name is understood, so the signature fails",
      { ...flat, registration_sig: signature(alice, statement(alice, { server: "example.org" })) },
      "signature_invalid"
    ),
    bad("too-early", "KEZ-REG-011", "301 seconds in the future", registration(), "clock_skew", at(-301)),
    bad("too-late", "KEZ-REG-011", "301 seconds in the past", registration(), "clock_skew", at(301)),
    bad(
      "signature",
      "KEZ-REG-009",
      "a changed handle",
      { ...registration(), payload: statement(alice, { handle: "other" }) },
      "signature_invalid"
    ),
    bad(
      "flat-signature",
      "KEZ-REG-009",
      "a flat form with another handle",
      { ...flat, handle: "other" },
      "signature_invalid"
    ),
    bad("flat-extra", "KEZ-REG-008", "a flat form with another member", { ...flat, server }, "envelope_malformed"),
    bad(
      "other-signer",
      "KEZ-REG-009",
      "signed by another key",
      sign(bob, "handle_registration", statement(alice)),
      "envelope_kind"
    ),
    bad(
      "nostr-primary",
      "KEZ-KEY-003",
      "a nostr primary",
      { ...flat, primary: "nostr:npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg" },
      ["key_malformed", "algorithm_unsupported"]
    ),
    bad(
      "small-order",
      "KEZ-KEY-007",
      "a primary of small order",
      { ...flat, primary: `ed25519:01${"00".repeat(31)}` },
      "key_rejected"
    ),
    bad(
      "full-handle",
      "KEZ-REG-001",
      "the full form in the member handle",
      registration({ handle: "tudisco@kez.lat" }),
      "handle_malformed"
    ),
    bad("capital", "KEZ-REG-001 KEZ-ERR-007", "a capital", registration({ handle: "Tudisco" }), "handle_malformed"),
    bad(
      "time",
      "KEZ-CAN-003 KEZ-ERR-007",
      "a time with a fraction",
      registration({ created_at: "2026-05-25T00:00:00.000Z" }),
      "timestamp_malformed"
    ),
    bad(
      "no-server",
      "KEZ-REG-009",
      "no server",
      sign(alice, "handle_registration", { ...statement(alice), server: null }),
      "envelope_malformed"
    ),
    bad(
      "deletion",
      "KEZ-SIG-006",
      "a deletion in the place of a registration",
      sign(alice, "handle_deletion", statement(alice, {}, "handle_deletion")),
      "envelope_kind"
    ),
    bad("version-true", "KEZ-SIG-004", "a version of true", registration({ version: true }), "envelope_kind"),
    bad("server-form", "KEZ-REG-009", "a server that is no DNS name", registration({ server: "kez lat" }), [
      "handle_malformed",
      "envelope_malformed",
      "wrong_server"
    ]),
    bad(
      "invited-extra",
      "KEZ-REG-046",
      "an invite, a registration and another member",
      {
        invite: "k4x7",
        registration: registration(),
        note: "x"
      },
      "envelope_malformed"
    ),
    bad(
      "no-invite",
      "KEZ-REG-046",
      "a registration in an object without an invite",
      { registration: registration() },
      "envelope_malformed"
    ),
    bad(
      "invite-long",
      "KEZ-REG-046",
      "an invite of 65 characters",
      {
        invite: "k".repeat(65),
        registration: registration()
      },
      "envelope_malformed"
    ),
    bad(
      "invite-form",
      "KEZ-REG-046",
      "an invite with a space",
      {
        invite: "k4x7 2",
        registration: registration()
      },
      "envelope_malformed"
    ),
    bad(
      "invited-signature",
      "KEZ-REG-009 KEZ-REG-046",
      "an invite beside a changed registration",
      {
        invite: "k4x7",
        registration: { ...registration(), payload: statement(alice, { handle: "other" }) }
      },
      "signature_invalid"
    ),
    bad("array", "KEZ-REG-008", "an array", [registration()], "envelope_malformed")
  ]
}

const rotate = `sha256:${"3c".repeat(32)}`
const accepted = (change: JsonObject = {}): JsonObject => ({
  type: "kez.handle_transfer_acceptance",
  version: 1,
  handle: "tudisco",
  server,
  old: alice.primary,
  new: bob.primary,
  rotate,
  created_at: time,
  ...change
})
/** A transfer from alice to bob, with members changed before she signs, and another acceptance if one is given. */
const handedOver = (change: JsonObject = {}, newSig = signature(bob, accepted(change)), signer = alice): Envelope =>
  sign(signer, "handle_transfer", {
    ...statement(alice, {}, "handle_transfer"),
    new: bob.primary,
    rotate,
    new_sig: newSig,
    ...change
  })
const both = (transfer: Json = handedOver(), made: Json = registration({}, bob)): JsonObject => ({
  transfer,
  registration: made
})
const transferred = { handle: "tudisco", server, old: alice.primary, new: bob.primary, rotate }
const goodTransfer = (id: string, requirements: ReadonlyArray<string>, why: string, body: Json, now = at(0)) =>
  valid(id, requirements, why, { body, server, now }, transferred)
const later = "2026-05-25T00:04:00Z"

const transfers: Operation = {
  file: "registration/transfer",
  operation: "transfer.check",
  description:
    "input: the JSON body of POST /v1/transfer, the name of the server that receives it, and its clock. Everything is checked that does not depend on what the server holds. result: what the transfer says.",
  valid: [
    goodTransfer("transfer", ["KEZ-REG-120", "KEZ-REG-121"], "signed by both keys", both()),
    goodTransfer("early", ["KEZ-REG-122"], "300 seconds in the future", both(), at(-300)),
    goodTransfer("late", ["KEZ-REG-122"], "300 seconds in the past", both(), at(300)),
    goodTransfer(
      "two-times",
      ["KEZ-REG-120"],
      "a registration of another time",
      both(handedOver(), registration({ created_at: later }, bob))
    ),
    goodTransfer(
      "unknown-member",
      ["KEZ-REG-120", "KEZ-SIG-002"],
      "a member that is not known, and that the acceptance does not hold",
      both(handedOver({ note: "n" }, signature(bob, accepted())))
    )
  ],
  invalid: [
    bad(
      "other-server",
      "KEZ-REG-122",
      "made for another server",
      both(handedOver({ server: "example.org" }), registration({ server: "example.org" }, bob)),
      "wrong_server"
    ),
    bad("too-early", "KEZ-REG-122", "301 seconds in the future", both(), "clock_skew", at(-301)),
    bad("too-late", "KEZ-REG-122", "301 seconds in the past", both(), "clock_skew", at(301)),
    bad(
      "registration-too-late",
      "KEZ-REG-122",
      "a registration that is 301 seconds old beside a transfer of now",
      both(handedOver({ created_at: "2026-05-25T00:05:01Z" })),
      "clock_skew",
      at(301)
    ),
    bad(
      "signed-by-new",
      "KEZ-REG-121",
      "signed by the new key in the place of the old one",
      both(handedOver({}, signature(bob, accepted()), bob)),
      "envelope_kind"
    ),
    bad(
      "edited",
      "KEZ-REG-121",
      "another handle than the old key signed",
      both(
        { ...handedOver(), payload: { ...handedOver().payload, handle: "other" } },
        registration({ handle: "other" }, bob)
      ),
      "signature_invalid"
    ),
    bad(
      "accepted-by-old",
      "KEZ-REG-121 KEZ-KEY-100",
      "the old key accepts for the new one",
      both(handedOver({}, signature(alice, accepted()))),
      "signature_invalid"
    ),
    bad(
      "accepted-other-handle",
      "KEZ-REG-121",
      "an acceptance of another handle",
      both(handedOver({}, signature(bob, accepted({ handle: "other" })))),
      "signature_invalid"
    ),
    bad(
      "accepted-other-server",
      "KEZ-REG-121",
      "an acceptance for another server",
      both(handedOver({}, signature(bob, accepted({ server: "example.org" })))),
      "signature_invalid"
    ),
    bad(
      "accepted-other-old",
      "KEZ-REG-121",
      "an acceptance of another old key",
      both(handedOver({}, signature(bob, accepted({ old: carol.primary })))),
      "signature_invalid"
    ),
    bad(
      "accepted-other-event",
      "KEZ-REG-121",
      "an acceptance for another rotate event",
      both(handedOver({}, signature(bob, accepted({ rotate: `sha256:${"00".repeat(32)}` })))),
      "signature_invalid"
    ),
    bad(
      "accepted-other-time",
      "KEZ-REG-121",
      "an acceptance of another time",
      both(handedOver({}, signature(bob, accepted({ created_at: later })))),
      "signature_invalid"
    ),
    bad(
      "accepted-rotation",
      "KEZ-REG-121",
      "the acceptance of the rotation in the place of the one of the handle",
      both(
        handedOver(
          {},
          signature(bob, {
            type: "kez.rotation_acceptance",
            version: 1,
            old: alice.primary,
            new: bob.primary,
            seq: 0,
            created_at: time
          })
        )
      ),
      "signature_invalid"
    ),
    bad(
      "transfer-signature",
      "KEZ-REG-121",
      "a signature of the old key over something else",
      both({ ...handedOver(), signature: registration().signature }),
      "signature_invalid"
    ),
    bad(
      "registration-signature",
      "KEZ-REG-121",
      "a changed registration",
      both(handedOver(), { ...registration({}, bob), payload: statement(bob, { created_at: later }) }),
      "signature_invalid"
    ),
    bad(
      "registration-by-old",
      "KEZ-REG-120",
      "a registration by the old key",
      both(handedOver(), registration()),
      "envelope_malformed"
    ),
    bad(
      "registration-by-other",
      "KEZ-REG-120",
      "a registration by a third key",
      both(handedOver(), registration({}, carol)),
      "envelope_malformed"
    ),
    bad(
      "registration-other-handle",
      "KEZ-REG-120",
      "a registration of another handle",
      both(handedOver(), registration({ handle: "other" }, bob)),
      "envelope_malformed"
    ),
    bad(
      "registration-other-server",
      "KEZ-REG-120",
      "a registration at another server",
      both(handedOver(), registration({ server: "example.org" }, bob)),
      "envelope_malformed"
    ),
    bad(
      "swapped",
      "KEZ-REG-120",
      "the two statements in each other's place",
      both(registration({}, bob), handedOver()),
      "envelope_kind"
    ),
    bad("no-registration", "KEZ-REG-120", "no registration", { transfer: handedOver() }, "envelope_malformed"),
    bad("no-transfer", "KEZ-REG-120", "no transfer", { registration: registration({}, bob) }, "envelope_malformed"),
    bad("alone", "KEZ-REG-120", "the transfer without the object around it", handedOver(), "envelope_malformed"),
    bad("extra", "KEZ-REG-120", "another member", { ...both(), note: "x" }, "envelope_malformed"),
    bad("array", "KEZ-REG-120", "an array", [both()], "envelope_malformed"),
    bad(
      "to-itself",
      "KEZ-REG-120",
      "the same key twice",
      both(handedOver({ new: alice.primary }, signature(alice, accepted({ new: alice.primary }))), registration()),
      "envelope_malformed"
    ),
    bad(
      "to-small-order",
      "KEZ-KEY-007 KEZ-REG-120",
      "a new key of small order",
      both(handedOver({ new: `ed25519:01${"00".repeat(31)}` }, "00".repeat(64))),
      "key_rejected"
    ),
    bad(
      "to-nostr",
      "KEZ-KEY-003 KEZ-REG-120",
      "a new key of nostr",
      both(
        handedOver({ new: "nostr:npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg" }, "00".repeat(64))
      ),
      ["key_malformed", "algorithm_unsupported"]
    ),
    bad(
      "rotate-form",
      "KEZ-REG-120",
      "an event named by BLAKE3",
      both(handedOver({ rotate: `blake3:${"3c".repeat(32)}` })),
      "envelope_malformed"
    ),
    bad(
      "new-sig-short",
      "KEZ-REG-120",
      "a new_sig of 63 bytes",
      both(handedOver({}, "00".repeat(63))),
      "envelope_malformed"
    ),
    bad(
      "new-sig-upper",
      "KEZ-REG-120 KEZ-CAN-001",
      "a new_sig in capitals",
      both(handedOver({}, signature(bob, accepted()).toUpperCase())),
      ["envelope_malformed", "encoding_malformed"]
    ),
    bad(
      "time",
      "KEZ-CAN-003 KEZ-REG-120",
      "a time with a fraction",
      both(handedOver({ created_at: "2026-05-25T00:00:00.000Z" })),
      "timestamp_malformed"
    ),
    bad(
      "capital",
      "KEZ-REG-001 KEZ-REG-120",
      "a capital in the handle",
      both(handedOver({ handle: "Tudisco" }), registration({ handle: "Tudisco" }, bob)),
      "handle_malformed"
    )
  ]
}

const endpoint = (account: Account): JsonObject => ({
  protocol: "nats",
  url: "tls://nats.kez.lat:4222",
  ws_url: "wss://kez.lat/nats",
  inbox: `kez.inbox.${account.hex}`
})
const record = (change: JsonObject = {}, account: Account = alice): JsonObject => ({
  handle: "tudisco@kez.lat",
  primary: account.primary,
  registered_at: time,
  sigchain_url: `https://sig.kez.lat/v1/sigchains/ed25519/${account.hex}`,
  endpoints: [endpoint(account)],
  registration: registration({}, account),
  ...change
})
const asked = { server, handle: "tudisco" }
const lie = (
  id: string,
  why: string,
  answer: JsonObject,
  question: JsonObject = asked,
  error: string | ReadonlyArray<string> = "record_invalid"
) => invalid(id, ["KEZ-REG-022"], why, { record: answer, asked: question }, error)
const without = (name: string) => Object.fromEntries(Object.entries(record()).filter(([member]) => member !== name))

const records: Operation = {
  file: "registration/record",
  operation: "record.verify",
  description:
    "input: a record as a server answers it, and what was asked: the server, and the local part of a handle, a primary, or both. result: the primary to pin to the handle.",
  valid: [
    valid(
      "by-handle",
      ["KEZ-REG-019", "KEZ-REG-022"],
      "asked by handle",
      { record: record(), asked },
      { handle: "tudisco@kez.lat", primary: alice.primary }
    ),
    valid(
      "by-primary",
      ["KEZ-REG-022"],
      "asked by primary",
      { record: record(), asked: { server, primary: alice.primary } },
      { handle: "tudisco@kez.lat", primary: alice.primary }
    ),
    valid(
      "unknown-member",
      ["KEZ-REG-022"],
      "a member that is not known",
      { record: record({ note: 1 }), asked },
      { handle: "tudisco@kez.lat", primary: alice.primary }
    ),
    valid(
      "no-endpoints",
      ["KEZ-REG-022"],
      "no endpoints",
      { record: record({ endpoints: [] }), asked },
      { handle: "tudisco@kez.lat", primary: alice.primary }
    )
  ],
  invalid: [
    lie(
      "another-key",
      "the record names another key than the registration",
      record({ primary: bob.primary, endpoints: [] })
    ),
    lie(
      "another-registration",
      "somebody else's key labelled with the asked name",
      record({ ...record({}, bob), registration: registration({ handle: "robert" }, bob) })
    ),
    lie(
      "registration-of-another-server",
      "the key's registration at another server",
      record({ registration: registration({ server: "example.org" }) })
    ),
    lie(
      "another-handle",
      "an answer for another handle",
      record({ handle: "other@kez.lat", registration: registration({ handle: "other" }) })
    ),
    lie(
      "handle-of-another-server",
      "a handle of another server",
      record({ handle: "tudisco@example.org", registration: registration({ server: "example.org" }) })
    ),
    lie("handle-not-full", "the handle without its server", record({ handle: "tudisco" }), asked, [
      "record_invalid",
      "handle_malformed"
    ]),
    lie(
      "edited-registration",
      "an edited registration",
      record({
        registration: { ...registration(), payload: statement(alice, { created_at: "2026-05-26T00:00:00Z" }) }
      }),
      asked,
      ["record_invalid", "signature_invalid"]
    ),
    lie("no-registration", "no registration", without("registration")),
    lie("registration-null", "a registration of null", record({ registration: null }), asked, [
      "record_invalid",
      "envelope_malformed"
    ]),
    lie(
      "deletion-as-registration",
      "a deletion in the place of the registration",
      record({ registration: sign(alice, "handle_deletion", statement(alice, {}, "handle_deletion")) }),
      asked,
      ["record_invalid", "envelope_kind"]
    ),
    lie("asked-other-primary", "asked by primary, answered with another", record(), { server, primary: bob.primary }),
    lie("asked-other-handle", "asked by handle, answered with another", record(), { server, handle: "other" }),
    lie("asked-other-server", "asked of another server", record(), { server: "example.org", handle: "tudisco" }),
    lie("foreign-inbox", "an endpoint with somebody else's inbox", record({ endpoints: [endpoint(bob)] }), asked, [
      "record_invalid",
      "event_malformed"
    ])
  ]
}

const description: JsonObject = {
  server,
  broker: { tcp: ["tls://nats.kez.lat:4222"], websocket: ["wss://kez.lat/nats"] },
  sig_server: "https://sig.kez.lat",
  limits: { max_frame_bytes: 65_536 }
}
const descriptions: Operation = {
  file: "registration/well-known",
  operation: "wellKnown.parse",
  description:
    "input: the answer of GET /.well-known/kez-chat. result: its members server, broker, sig_server and limits.",
  valid: [
    valid("full", ["KEZ-REG-029"], "all members", { json: description }, description),
    valid(
      "no-websocket",
      ["KEZ-REG-029"],
      "no WebSocket",
      { json: { ...description, broker: { tcp: ["nats://localhost:4222"], websocket: [] } } },
      { ...description, broker: { tcp: ["nats://localhost:4222"], websocket: [] } }
    ),
    valid(
      "unknown-member",
      ["KEZ-REG-029"],
      "a member that is not known",
      { json: { ...description, motd: "hello" } },
      description
    ),
    valid(
      "invite",
      ["KEZ-REG-056", "KEZ-REG-057"],
      "a home that asks for invites, with its operator's addresses",
      { json: { ...description, registration: "invite", operator: { contact: "mailto:abuse@kez.lat" } } },
      description
    ),
    valid(
      "unknown-registration",
      ["KEZ-REG-056", "KEZ-REG-057"],
      "a value of registration and forms of addresses that this version does not know",
      { json: { ...description, registration: "waitlist", operator: { contact: "javascript:1", terms: 7 } } },
      description
    ),
    valid(
      "proof-sources",
      ["KEZ-REG-110"],
      "what the page may ask for proofs, one member of another form and one unknown",
      {
        json: {
          ...description,
          proof_sources: {
            dns: "https://dns.example/dns-query",
            nostr: ["wss://relay.example"],
            bluesky: "javascript:1",
            other: ["https://other.example"]
          }
        }
      },
      description
    )
  ],
  invalid: [
    ["no-server", "no server", { ...description, server: null }],
    ["server-form", "a server that is no name", { ...description, server: "https://kez.lat" }],
    ["no-broker", "no broker", { ...description, broker: null }],
    [
      "broker-scheme",
      "a broker URL of another scheme",
      { ...description, broker: { tcp: ["http://kez.lat"], websocket: [] } }
    ],
    ["sig-server", "a sig-server that is no URL", { ...description, sig_server: "sig.kez.lat" }],
    ["limit", "a limit that is no integer", { ...description, limits: { frame: "many" } }]
  ].map(([id, why, json]) =>
    invalid(id as string, ["KEZ-REG-029"], why as string, { json: json as Json }, "record_invalid")
  )
}

const namedHosts: ReadonlyArray<readonly [host: string, class_: string | null, why: string]> = [
  ["192.0.1.1", "public", "an address outside every special block"],
  ["100.63.255.255", "public", "the last before 100.64.0.0/10"],
  ["172.32.0.1", "public", "the first after 172.16.0.0/12"],
  ["[2606:4700::1111]", "public", "global IPv6"],
  ["[64:ff9b::8.8.8.8]", "public", "a public address behind NAT64"],
  ["[2002:808:808::1]", "public", "a public address in 6to4"],
  ["kez.lat", null, "a name: its addresses decide"],
  ["127.0.0.1", "loopback", "this machine"],
  ["127.255.255.254", "loopback", "all of 127.0.0.0/8"],
  ["0x7f.1", "loopback", "another spelling, as the URL standard reads it"],
  ["2130706433", "loopback", "one number"],
  ["localhost", "loopback", "the name of this machine"],
  ["LocalHost.", "loopback", "the same, in another spelling"],
  ["db.localhost", "loopback", "a name under it"],
  ["[::1]", "loopback", "IPv6"],
  ["[::ffff:127.0.0.1]", "loopback", "mapped"],
  ["[::ffff:7f00:1]", "loopback", "mapped, in hexadecimal"],
  ["[64:ff9b::7f00:1]", "loopback", "behind NAT64"],
  ["[2002:7f00:1::]", "loopback", "in 6to4"],
  ["10.0.0.1", "private", "RFC 1918"],
  ["172.16.0.1", "private", "RFC 1918"],
  ["192.168.1.1", "private", "RFC 1918"],
  ["[fd00::1]", "private", "unique local"],
  ["[fec0::1]", "private", "site-local"],
  ["[::ffff:c0a8:101]", "private", "mapped"],
  ["[64:ff9b:1::a00:1]", "private", "local-use NAT64"],
  ["router.lan", "private", "a name that no public DNS holds"],
  ["nas.local", "private", "multicast DNS"],
  ["vault.internal", "private", "reserved for private use"],
  ["nats", "private", "a name of one label"],
  ["100.64.0.1", "shared", "carrier-grade NAT"],
  ["100.127.255.255", "shared", "carrier-grade NAT"],
  ["169.254.169.254", "link_local", "the metadata of a cloud"],
  ["[fe80::1]", "link_local", "link-local"],
  ["[::ffff:169.254.169.254]", "link_local", "mapped"],
  ["0.0.0.0", "unusable", "unspecified"],
  ["0.1.2.3", "unusable", "this network"],
  ["192.0.0.8", "special", "protocol assignments"],
  ["192.0.2.1", "special", "documentation"],
  ["198.51.100.1", "special", "documentation"],
  ["203.0.113.1", "special", "documentation"],
  ["198.19.255.255", "special", "benchmarks"],
  ["192.88.99.1", "special", "relays of 6to4"],
  ["224.0.0.1", "unusable", "multicast"],
  ["255.255.255.255", "unusable", "broadcast"],
  ["[::]", "unusable", "unspecified"],
  ["[::127.0.0.1]", "unusable", "compatible addresses have no meaning any more"],
  ["[100::1]", "special", "discard"],
  ["[2001::1]", "special", "Teredo"],
  ["[2001:db8::1]", "special", "documentation"],
  ["[3fff::1]", "special", "documentation"],
  ["[5f00::1]", "special", "segment routing"],
  ["[ff02::1]", "unusable", "multicast"],
  ["240.0.0.1", "unusable", "reserved"],
  ["[::ffff:0.0.0.0]", "unusable", "mapped"],
  ["[64:ff9b::e000:1]", "unusable", "multicast behind NAT64"]
]
const homes = ["public", "private", "shared", "link_local", "loopback", "special"]
const isAllowed = (home: string, of: string | null) =>
  of === null || of === "public" || (of !== "unusable" && (of === home || home === "loopback"))
const ofEachClass = [
  "kez.lat",
  "192.0.1.1",
  "127.0.0.1",
  "10.0.0.1",
  "100.64.0.1",
  "169.254.169.254",
  "192.0.2.1",
  "0.0.0.0"
]
const hostCases = homes.flatMap((home) =>
  namedHosts
    .filter(([host]) => home === "public" || ofEachClass.includes(host))
    .map(([host, of, why], i) => ({
      id: `${home.replace("_", "-")}-${i + 1}`,
      requirements: [home === "public" ? "KEZ-REG-032" : "KEZ-REG-031"],
      home,
      host,
      of,
      why
    }))
)
const namedHost: Operation = {
  file: "registration/named-host",
  operation: "namedHost.check",
  description:
    "input: the class of the address at which a client reached its home server, and the host of a URL that the home names. result: the class of that host, null for a name whose addresses decide.",
  valid: hostCases
    .filter(({ home, of }) => isAllowed(home, of))
    .map(({ id, requirements, home, host, of, why }) =>
      valid(id, requirements, `${why}; the home is ${home}`, { home, host }, of)
    ),
  invalid: hostCases
    .filter(({ home, of }) => !isAllowed(home, of))
    .map(({ id, requirements, home, host, of, why }) =>
      invalid(id, requirements, `${why}: ${of ?? ""}; the home is ${home}`, { home, host }, "address_forbidden")
    )
}

export const operations: ReadonlyArray<Operation> = [registrations, transfers, records, descriptions, namedHost]
export const example = { registration: jcs(registration()) }
