import { base64Url, byte, bytes, hex, u16, u32, u64 } from "./Bytes.ts"
import * as Curve from "./Curve.ts"
import { nkey } from "./identity.ts"
import * as Primitives from "./Primitives.ts"
import { type Account, alice, bob, carol, jcs, type Json, type JsonObject, signature, time } from "./Protocol.ts"
import { invalid, type Operation, valid } from "./Vectors.ts"

const good = nkey(0xa0, alice.ed32)
const badKey = (id: string, why: string, text: string, error: string) =>
  invalid(id, ["KEZ-NAT-004"], why, { nkey: text }, error)
const nkeys: Operation = {
  file: "broker/nkey",
  operation: "nkey.parse",
  description: "input: an nkey as a login carries it. result: the public key, hexadecimal.",
  valid: [
    valid("user", ["KEZ-NAT-004"], "the user nkey of an account", { nkey: good }, alice.hex),
    valid("user-2", ["KEZ-NAT-004"], "another", { nkey: nkey(0xa0, bob.ed32) }, bob.hex)
  ],
  invalid: [
    badKey("checksum", "a wrong checksum", nkey(0xa0, alice.ed32, 1), "key_malformed"),
    badKey("account", "an account's nkey", nkey(0x00, alice.ed32), "key_malformed"),
    badKey("server", "a server's nkey", nkey(0x68, alice.ed32), "key_malformed"),
    badKey("unknown-type", "an unknown type", nkey(0x08, alice.ed32), "key_malformed"),
    badKey("lower-case", "lower case", good.toLowerCase(), "key_malformed"),
    badKey("padding", "base32 padding", `${good}=`, "key_malformed"),
    badKey("short", "55 characters", good.slice(0, 55), "key_malformed"),
    badKey("long", "57 characters", `${good}A`, "key_malformed"),
    badKey("digit-1", "a character outside the alphabet", `${good.slice(0, -1)}1`, "key_malformed"),
    badKey("hex", "the key in hexadecimal", alice.hex, "key_malformed"),
    badKey("small-order", "a key of small order", nkey(0xa0, Curve.encode(Curve.torsion8)), "key_rejected")
  ]
}

const nonce = "abcDEF012-_xyz9"
const loginBytes = (host: string) => bytes("kez/nats-auth/v1", byte(0), host, byte(0), nonce)
const login: Operation = {
  file: "broker/login",
  operation: "login.sign",
  description:
    "input: a seed, the host of the dialled URL in its normal form, and the broker's nonce. result: the bytes that are signed and the signature, base64url.",
  valid: ["kez.lat", "localhost", "nats-1.example.org", "127.0.0.1", "[::1]"].map((host, i) =>
    valid(
      `login-${i + 1}`,
      ["KEZ-NAT-001", "KEZ-NAT-003"],
      `a login at ${host}`,
      { seed: hex(alice.seed), host, nonce },
      { bytes: base64Url(loginBytes(host)), signature: base64Url(Primitives.ed25519Sign(alice.seed, loginBytes(host))) }
    )
  ),
  invalid: [
    ["nonce-empty", "KEZ-NAT-002", "no nonce", "kez.lat", ""],
    ["nonce-short", "KEZ-NAT-002", "14 characters", "kez.lat", nonce.slice(1)],
    ["nonce-long", "KEZ-NAT-002", "16 characters", "kez.lat", `${nonce}a`],
    ["nonce-json", "KEZ-NAT-002", "15 characters of something else", "kez.lat", '{"type":"kez"} '],
    ["nonce-line-feed", "KEZ-NAT-002", "a line feed at the end", "kez.lat", `${nonce}\n`],
    ["nonce-zero", "KEZ-NAT-002", "a zero byte", "kez.lat", `${nonce.slice(1)}\u0000`],
    ["host-empty", "KEZ-NAT-003", "no host", "", nonce],
    ["host-case", "KEZ-NAT-003", "a host in upper case", "KEZ.lat", nonce],
    ["host-port", "KEZ-NAT-003", "a host with its port", "kez.lat:4222", nonce],
    ["host-dot", "KEZ-NAT-003", "a trailing dot", "kez.lat.", nonce],
    ["host-zero", "KEZ-NAT-003", "a zero byte, which would move the border to the nonce", "kez.lat\u0000a", nonce],
    ["host-u-label", "KEZ-NAT-003", "a U-label", "bücher.example", nonce]
  ].map(([id, requirement, why, host, text]) =>
    invalid(
      id as string,
      [requirement as string],
      why as string,
      { seed: hex(alice.seed), host: host as string, nonce: text as string },
      "login_refused"
    )
  )
}

const hosts: Operation = {
  file: "broker/host",
  operation: "login.host",
  description: "input: the URL a client dials. result: the host that its login names.",
  valid: [
    ["nats", "nats", "nats://kez.lat:4222", "kez.lat"],
    ["tls-case", "capitals", "tls://NATS.Kez.Lat", "nats.kez.lat"],
    ["trailing-dot", "a trailing dot", "nats://kez.lat.:4222", "kez.lat"],
    ["wss-path", "a path", "wss://kez.lat/nats", "kez.lat"],
    ["ws-port", "a port", "ws://localhost:8443", "localhost"],
    ["u-label", "an internationalised name", "wss://bücher.example/nats", "xn--bcher-kva.example"],
    ["ipv4", "an address", "nats://127.0.0.1:4222", "127.0.0.1"],
    ["ipv6", "an IPv6 address in a longer form", "nats://[0:0:0:0:0:0:0:1]:4222", "[::1]"]
  ].map(([id, why, url, host]) =>
    valid(id as string, ["KEZ-NAT-003"], why as string, { url: url as string }, host as string)
  ),
  invalid: [
    ["user", "a user and password", "nats://user:pass@kez.lat:4222"],
    ["http", "another scheme", "http://kez.lat"],
    ["two-dots", "two trailing dots", "nats://kez.lat.."],
    ["empty", "no host", "nats://"],
    ["space", "white space", "nats://kez lat"]
  ].map(([id, why, url]) =>
    invalid(id as string, ["KEZ-NAT-003"], why as string, { url: url as string }, "login_refused")
  )
}

const epoch = Primitives.stream("epoch", 16)
const request = Primitives.stream("request", 16)
interface Frame {
  readonly seq: number | bigint
  readonly time: number | bigint
  readonly frame: Buffer
}
const frames: ReadonlyArray<Frame> = [
  { seq: 5, time: 1_779_667_200_000, frame: Primitives.stream("frame 5", 60) },
  { seq: 9, time: 1_779_667_200_123, frame: Primitives.stream("frame 9", 50) }
]
const page = (change: {
  readonly version?: number
  readonly account?: Buffer
  readonly nonce?: Buffer
  readonly last?: number | bigint
  readonly pending?: number
  readonly count?: number
  readonly frames?: ReadonlyArray<Frame>
  readonly lengths?: ReadonlyArray<number>
}): Buffer => {
  const list = change.frames ?? frames
  return bytes(
    byte(change.version ?? 1),
    epoch,
    change.account ?? alice.ed32,
    change.nonce ?? request,
    u64(change.last ?? 12),
    u32(change.pending ?? 3),
    u16(change.count ?? list.length),
    ...list.flatMap(({ seq, time, frame }, i) => [u64(seq), u64(time), u32(change.lengths?.[i] ?? frame.length), frame])
  )
}
const input = (data: Buffer): Json => ({ page: base64Url(data), account: alice.hex, n: base64Url(request) })
const decoded = (list: ReadonlyArray<Frame>, pending = 3, last = 12): Json => ({
  epoch: base64Url(epoch),
  last_seq: last,
  pending,
  frames: list.map(({ seq, time, frame }) => ({ seq: Number(seq), time_ms: Number(time), frame: base64Url(frame) }))
})
const badPage = (id: string, requirement: string, why: string, data: Buffer) =>
  invalid(id, [requirement], why, input(data), "page_malformed")
const largest = Number.MAX_SAFE_INTEGER
const many = Array.from({ length: 513 }, (_, i): Frame => ({ seq: i + 1, time: 0, frame: byte(1) }))

const pages: Operation = {
  file: "broker/page",
  operation: "page.decode",
  description: "input: a page, the account that asked (hexadecimal) and the `n` of its request. result: the page.",
  valid: [
    valid(
      "two-frames",
      ["KEZ-NAT-030", "KEZ-NAT-031"],
      "two frames, three more to come",
      input(page({})),
      decoded(frames)
    ),
    valid("empty", ["KEZ-NAT-030"], "no frames", input(page({ frames: [], pending: 0 })), decoded([], 0)),
    valid(
      "largest-numbers",
      ["KEZ-NAT-030"],
      "sequence numbers and a time of 2^53 - 1",
      input(page({ last: largest, frames: [{ seq: largest, time: largest, frame: byte(1) }] })),
      decoded([{ seq: largest, time: largest, frame: byte(1) }], 3, largest)
    ),
    valid(
      "512-frames",
      ["KEZ-NAT-030"],
      "512 frames",
      input(page({ last: 512, frames: many.slice(0, 512) })),
      decoded(many.slice(0, 512), 3, 512)
    )
  ],
  invalid: [
    badPage("version", "KEZ-NAT-030", "another version", page({ version: 2 })),
    badPage("wrong-account", "KEZ-NAT-031", "a page of another account, steered here", page({ account: bob.ed32 })),
    badPage(
      "wrong-nonce",
      "KEZ-NAT-031",
      "a page for another request",
      page({ nonce: Primitives.stream("other", 16) })
    ),
    badPage("count-short", "KEZ-NAT-030", "more frames than counted", page({ count: 1 })),
    badPage("count-long", "KEZ-NAT-030", "fewer frames than counted", page({ count: 3 })),
    badPage("length-short", "KEZ-NAT-030", "a frame's length too small", page({ lengths: [59, 50] })),
    badPage("length-long", "KEZ-NAT-030", "a frame's length beyond the end", page({ lengths: [60, 51] })),
    badPage("length-huge", "KEZ-NAT-030", "a frame's length of 2^32 - 1", page({ lengths: [60, 0xffffffff] })),
    badPage(
      "empty-frame",
      "KEZ-NAT-030",
      "an empty frame",
      page({ frames: [{ seq: 5, time: 0, frame: Buffer.alloc(0) }] })
    ),
    badPage(
      "large-frame",
      "KEZ-NAT-030",
      "a frame of 65,537 bytes",
      page({ frames: [{ seq: 5, time: 0, frame: Buffer.alloc(65_537) }] })
    ),
    badPage("order", "KEZ-NAT-030", "descending sequence numbers", page({ frames: frames.toReversed() })),
    badPage(
      "twice",
      "KEZ-NAT-030",
      "one sequence number twice",
      page({ frames: [frames[0] as Frame, frames[0] as Frame] })
    ),
    badPage(
      "seq-zero",
      "KEZ-NAT-030",
      "a sequence number of 0",
      page({ frames: [{ seq: 0, time: 0, frame: byte(1) }] })
    ),
    badPage("beyond-last", "KEZ-NAT-030", "a frame behind last_seq", page({ last: 8 })),
    badPage(
      "seq-2-53",
      "KEZ-NAT-030",
      "a sequence number of 2^64 - 1",
      page({ last: 2n ** 64n - 1n, frames: [{ seq: 2n ** 64n - 1n, time: 0, frame: byte(1) }] })
    ),
    badPage("last-2-53", "KEZ-NAT-030", "a last_seq of 2^53", page({ last: 2n ** 53n })),
    badPage(
      "time-2-53",
      "KEZ-NAT-030",
      "a time of 2^53",
      page({ frames: [{ seq: 5, time: 2n ** 53n, frame: byte(1) }] })
    ),
    badPage("513-frames", "KEZ-NAT-030", "513 frames", page({ last: 513, frames: many })),
    badPage("trailing", "KEZ-NAT-030", "a byte behind the last frame", bytes(page({}), byte(0))),
    badPage("truncated", "KEZ-NAT-030", "the last byte is missing", page({}).subarray(0, -1)),
    badPage("head-only", "KEZ-NAT-030", "78 bytes", page({ frames: [] }).subarray(0, 78)),
    badPage("answer", "KEZ-NAT-031", 'the {"ok":1} of a send, steered here', Buffer.from('{"ok":1}')),
    badPage("nothing", "KEZ-NAT-030", "no bytes", Buffer.alloc(0))
  ]
}

const requests: Operation = {
  file: "broker/fetch-request",
  operation: "fetch.parse",
  description: "input: a fetch request's bytes, base64url. result: its members.",
  valid: [
    ["first", "from the beginning", { after: 0, n: base64Url(request) }],
    ["next", "after a position, with the epoch kept", { after: 9, n: base64Url(request), epoch: base64Url(epoch) }]
  ].map(([id, why, json]) =>
    valid(id as string, ["KEZ-NAT-046"], why as string, { request: base64Url(JSON.stringify(json)) }, json as Json)
  ),
  invalid: (
    [
      ["not-json", "no JSON", "after=0", "json_malformed"],
      ["array", "an array", "[]", "request_malformed"],
      ["no-after", "no after", JSON.stringify({ n: base64Url(request) }), "request_malformed"],
      ["after-negative", "a negative after", JSON.stringify({ after: -1, n: base64Url(request) }), "request_malformed"],
      ["after-string", "after as a string", JSON.stringify({ after: "0", n: base64Url(request) }), "request_malformed"],
      ["after-large", "after of 2^53", `{"after":9007199254740992,"n":"${base64Url(request)}"}`, "json_number"],
      ["no-n", "no n", JSON.stringify({ after: 0 }), "request_malformed"],
      [
        "n-short",
        "n of 15 bytes",
        JSON.stringify({ after: 0, n: base64Url(request.subarray(1)) }),
        "request_malformed"
      ],
      [
        "epoch-null",
        "epoch is null",
        JSON.stringify({ after: 0, n: base64Url(request), epoch: null }),
        "request_malformed"
      ],
      ["large", "513 bytes", JSON.stringify({ after: 0, n: base64Url(request), x: "a".repeat(466) }), "too_large"]
    ] as const
  ).map(([id, why, text, error]) => invalid(id, ["KEZ-NAT-046"], why, { request: base64Url(text) }, error))
}

const n = base64Url(request)
const removal = { box: "inbox", upTo: 9, epoch: base64Url(epoch), n }
const badTrim = (id: string, why: string, json: Json, error = "request_malformed") =>
  invalid(id, ["KEZ-NAT-057"], why, { request: base64Url(JSON.stringify(json)) }, error)
const trims: Operation = {
  file: "broker/trim-request",
  operation: "trim.parse",
  description: "input: a trim request's bytes, base64url. result: its members.",
  valid: [
    ["ask", "asks and removes nothing", { box: "inbox", n }],
    ["inbox", "removes mail", removal],
    ["self", "removes own copies", { ...removal, box: "self" }]
  ].map(([id, why, json]) =>
    valid(id as string, ["KEZ-NAT-057"], why as string, { request: base64Url(JSON.stringify(json)) }, json as Json)
  ),
  invalid: [
    badTrim("array", "an array", [removal]),
    badTrim("no-box", "no box", { upTo: 9, epoch: removal.epoch, n }),
    badTrim("box-other", "another box", { ...removal, box: "*" }),
    badTrim("box-empty", "an empty box", { ...removal, box: "" }),
    badTrim("up-to-0", "upTo of 0, which would remove everything", { ...removal, upTo: 0 }),
    badTrim("up-to-negative", "a negative upTo", { ...removal, upTo: -1 }),
    badTrim("up-to-string", "upTo as a string", { ...removal, upTo: "9" }),
    badTrim("up-to-null", "upTo is null", { ...removal, upTo: null }),
    badTrim("no-epoch", "upTo without epoch", { box: "inbox", upTo: 9, n }),
    badTrim("epoch-short", "an epoch of 15 bytes", { ...removal, epoch: base64Url(epoch.subarray(1)) }),
    badTrim("epoch-alone", "an epoch of 15 bytes beside no upTo", {
      box: "inbox",
      epoch: base64Url(epoch.subarray(1)),
      n
    }),
    badTrim("no-n", "no n", { box: "inbox", upTo: 9, epoch: removal.epoch }),
    badTrim("large", "more than 512 bytes", { ...removal, x: "a".repeat(450) }, "too_large")
  ]
}

const addition = { op: "add", who: bob.hex, n }
const badBlock = (id: string, why: string, json: Json, error = "request_malformed") =>
  invalid(id, ["KEZ-NAT-062"], why, { request: base64Url(JSON.stringify(json)) }, error)
const blocks: Operation = {
  file: "broker/block-request",
  operation: "block.parse",
  description: "input: a block request's bytes, base64url. result: its members.",
  valid: [
    valid("add", ["KEZ-NAT-062"], "blocks", { request: base64Url(JSON.stringify(addition)) }, addition),
    valid(
      "remove",
      ["KEZ-NAT-062"],
      "unblocks",
      { request: base64Url(JSON.stringify({ ...addition, op: "remove" })) },
      { ...addition, op: "remove" }
    )
  ],
  invalid: [
    badBlock("no-op", "no op", { who: bob.hex, n }),
    badBlock("op-other", "another op", { ...addition, op: "clear" }),
    badBlock("who-primary", "a primary instead of its key", { ...addition, who: bob.primary }),
    badBlock("who-upper-case", "a key in upper case", { ...addition, who: bob.hex.toUpperCase() }),
    badBlock("who-list", "a list", { ...addition, who: [bob.hex] }),
    badBlock("no-n", "no n", { op: "add", who: bob.hex }),
    badBlock("large", "more than 512 bytes", { ...addition, x: "a".repeat(450) }, "too_large")
  ]
}

const pk = alice.hex
const subjects: Operation = {
  file: "broker/subject",
  operation: "subjects.of",
  description: "input: a primary. result: the subjects of its account.",
  valid: [
    valid(
      "alice",
      ["KEZ-NAT-005", "KEZ-NAT-017"],
      "the subjects of an account",
      { primary: alice.primary },
      {
        inbox: `kez.inbox.${pk}`,
        self: `kez.self.${pk}`,
        delivery: `kez.dlv.${pk}`,
        fetch: `kez.fetch.${pk}`,
        trim: `kez.trim.${pk}`,
        block: `kez.block.${pk}`,
        reply_prefix: `_INBOX_${pk}`
      }
    )
  ]
}

interface Step {
  readonly [name: string]: Json
}
const live = (subject: string, seq: number, last: number, action: string, inbox: number, self: number): Step => ({
  live: { subject, seq, last_seq_of_subject: last },
  action,
  positions: { inbox, self },
  fetch_after: Math.min(inbox, self)
})
const got = (
  after: number,
  seqs: ReadonlyArray<number>,
  last: number,
  inbox: number,
  self: number,
  change: Step = {}
): Step => ({
  page: { epoch: "A", after, seqs, last_seq: last, pending: 0 },
  action: "take",
  positions: { inbox, self },
  fetch_after: Math.min(inbox, self),
  ...change
})
const trace = (id: string, requirements: ReadonlyArray<string>, why: string, steps: ReadonlyArray<Step>) =>
  valid(
    id,
    requirements,
    why,
    { steps: steps.map(({ live, page }) => (live === undefined ? { page: page as Json } : { live })) },
    steps.map(({ action, positions, fetch_after }) => ({ action, positions, fetch_after }) as Json)
  )
const positions: Operation = {
  file: "broker/positions",
  operation: "positions.trace",
  description:
    "input: what a client that holds nothing sees, in order: pages (the epoch by a letter) and live frames. result: for each step what it does (`take`; `drop` what it holds already; `fetch` instead of taking; `restart` from 0), its two positions afterwards, and after which sequence number it would fetch next.",
  valid: [
    trace("first-page", ["KEZ-SEQ-001", "KEZ-SEQ-005"], "a page raises both positions", [got(0, [3, 4, 8], 9, 8, 8)]),
    trace("empty-page", ["KEZ-SEQ-005"], "an empty page raises nothing", [got(0, [3], 9, 3, 3), got(3, [], 9, 3, 3)]),
    trace("live-before-page", ["KEZ-SEQ-003"], "a live frame before the first page: its epoch is not known, so fetch", [
      live("inbox", 3, 0, "fetch", 0, 0),
      got(0, [3], 3, 3, 3),
      live("inbox", 3, 0, "drop", 3, 3)
    ]),
    trace(
      "two-subjects",
      ["KEZ-SEQ-001", "KEZ-SEQ-006"],
      "live frames of both subjects; each names its predecessor on its own subject",
      [
        got(0, [3], 3, 3, 3),
        live("inbox", 5, 3, "take", 5, 3),
        live("self", 7, 0, "take", 5, 7),
        live("inbox", 9, 5, "take", 9, 7)
      ]
    ),
    trace(
      "fetch-after-smaller",
      ["KEZ-SEQ-004", "KEZ-SEQ-008"],
      "the fetch goes after the smaller position and sees what was taken live again",
      [
        got(0, [3], 3, 3, 3),
        live("inbox", 5, 3, "take", 5, 3),
        live("inbox", 6, 5, "take", 6, 3),
        got(3, [5, 6], 6, 6, 6)
      ]
    ),
    trace("gap", ["KEZ-SEQ-006"], "a live frame was missed: fetch", [
      got(0, [3], 3, 3, 3),
      live("inbox", 9, 5, "fetch", 3, 3),
      got(3, [5, 9], 9, 9, 9)
    ]),
    trace("gap-on-other-subject", ["KEZ-SEQ-001", "KEZ-SEQ-006"], "an own copy was missed; mail goes on being taken", [
      got(0, [3], 3, 3, 3),
      live("inbox", 5, 3, "take", 5, 3),
      live("self", 8, 4, "fetch", 5, 3),
      got(3, [4, 5, 8], 8, 8, 8)
    ]),
    trace("expired-predecessor", ["KEZ-SEQ-006"], "the predecessor has expired: last is 0, nothing is missing", [
      got(0, [3], 3, 3, 3),
      live("inbox", 50, 0, "take", 50, 3)
    ]),
    trace("late-duplicate", ["KEZ-SEQ-006"], "a live frame that a page already brought", [
      got(0, [3, 5], 5, 5, 5),
      live("inbox", 5, 3, "drop", 5, 5)
    ]),
    trace("epoch", ["KEZ-SEQ-007"], "another epoch: the page begins at 0 and is taken", [
      got(0, [30], 30, 30, 30),
      got(30, [1, 2], 2, 2, 2, { page: { epoch: "B", after: 30, seqs: [1, 2], last_seq: 2, pending: 0 } })
    ]),
    trace("number-not-held", ["KEZ-SEQ-039"], "a live frame before the position that was never taken: fetch", [
      got(0, [3, 5], 5, 5, 5),
      live("inbox", 4, 3, "fetch", 5, 5)
    ]),
    trace("epoch-forgets", ["KEZ-SEQ-039", "KEZ-SEQ-007"], "what was taken in another epoch is not held in this one", [
      got(0, [1, 2, 3], 3, 3, 3),
      got(3, [2], 3, 2, 2, { page: { epoch: "B", after: 3, seqs: [2], last_seq: 3, pending: 0 } }),
      live("inbox", 1, 0, "fetch", 2, 2)
    ]),
    trace("page-behind", ["KEZ-SEQ-005"], "a page that ends before a position lowers nothing", [
      got(0, [3], 3, 3, 3),
      live("inbox", 5, 3, "take", 5, 3),
      live("inbox", 6, 5, "take", 6, 3),
      got(3, [5], 6, 6, 5)
    ]),
    trace("beyond-end", ["KEZ-SEQ-007"], "the stream ends before the position: restart", [
      got(0, [30], 30, 30, 30),
      got(30, [], 12, 0, 0, { action: "restart" }),
      got(0, [4], 12, 4, 4)
    ])
  ]
}

const acceptedFrame = Primitives.stream("accepted frame", 300)
const hashOf = (data: Uint8Array): string => `sha256:${hex(Primitives.sha256(data))}`
const recipientOf = (recipient: Account): string => hashOf(bytes("kez.chat.acceptance/1", byte(0), recipient.ed32))
const acceptance = (change: JsonObject = {}): JsonObject => ({
  type: "kez.chat.acceptance",
  version: 1,
  server: "kez.lat",
  key: carol.primary,
  recipient: recipientOf(bob),
  frame: hashOf(acceptedFrame),
  accepted_at: time,
  ...change
})
/** An answer as its sender has it; carol's key stands for the home's. */
const answered = (payload: JsonObject = acceptance(), change: JsonObject = {}, signer = carol): JsonObject => ({
  server: "kez.lat",
  key: carol.primary,
  recipient: bob.primary,
  frame: base64Url(acceptedFrame),
  at: time,
  sig: base64Url(Buffer.from(signature(signer, payload), "hex")),
  ...change
})
const badAcceptance = (id: string, why: string, input: JsonObject, requirement = "KEZ-NAT-103") =>
  invalid(id, [requirement], why, input, "signature_invalid")
const later = "2026-05-25T00:00:01Z"
const acceptances: Operation = {
  file: "broker/acceptance",
  operation: "acceptance.verify",
  description:
    "input: the home's name and one of its acceptance_keys, the recipient and the frame (base64url) of a send, and `at` and `sig` of its answer. result: the names of recipient and frame in what is signed.",
  valid: [
    valid("accepted", ["KEZ-NAT-100", "KEZ-NAT-103"], "signed for this frame and recipient", answered(), {
      recipient: recipientOf(bob),
      frame: hashOf(acceptedFrame)
    }),
    valid(
      "one-byte",
      ["KEZ-NAT-103"],
      "a frame of one byte, to another recipient",
      answered(acceptance({ recipient: recipientOf(alice), frame: hashOf(byte(1)) }), {
        recipient: alice.primary,
        frame: base64Url(byte(1))
      }),
      { recipient: recipientOf(alice), frame: hashOf(byte(1)) }
    )
  ],
  invalid: [
    badAcceptance("other-key", "signed with a key that the home does not name", answered(acceptance(), {}, alice)),
    badAcceptance("other-server", "signed for another home", answered(acceptance({ server: "example.org" }))),
    badAcceptance(
      "other-recipient",
      "signed for another recipient",
      answered(acceptance({ recipient: recipientOf(alice) }))
    ),
    badAcceptance(
      "recipient-without-label",
      "the hash of the recipient's key alone",
      answered(acceptance({ recipient: hashOf(bob.ed32) }))
    ),
    badAcceptance("other-frame", "signed for another frame", answered(acceptance({ frame: hashOf(byte(1)) }))),
    badAcceptance("other-time", "signed for another time", answered(acceptance({ accepted_at: later }))),
    badAcceptance(
      "answered-later",
      "another time in the answer than was signed",
      answered(acceptance(), { at: later })
    ),
    badAcceptance("other-type", "a signature over something else", answered(acceptance({ type: "kez.chat.report" }))),
    badAcceptance("other-version", "another version", answered(acceptance({ version: 2 }))),
    badAcceptance(
      "more-members",
      "a member that the sender cannot know",
      answered(acceptance({ seq: 5 })),
      "KEZ-NAT-101"
    ),
    badAcceptance("zeros", "zeros", answered(acceptance(), { sig: base64Url(Buffer.alloc(64)) })),
    badAcceptance("short", "63 bytes", answered(acceptance(), { sig: base64Url(Buffer.alloc(63)) })),
    badAcceptance(
      "not-hashed",
      "over the JCS of the payload instead of its SHA-512",
      answered(acceptance(), { sig: base64Url(Primitives.ed25519Sign(carol.seed, bytes(jcs(acceptance())))) })
    )
  ]
}

export const operations: ReadonlyArray<Operation> = [
  nkeys,
  login,
  hosts,
  pages,
  requests,
  trims,
  blocks,
  acceptances,
  subjects,
  positions
]
