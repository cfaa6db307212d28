/** Clients that are wrong in one thing, each with the scenarios that notice it. */
import {
  all,
  contact,
  contacts,
  each,
  everybody,
  hash,
  manyfold,
  messages,
  otherKey,
  successes,
  without
} from "./Alterations.ts"
import type { Answered, ClientMutant } from "./MutantDriver.ts"
import { sharingMutants } from "./SharingMutants.ts"

export const clientMutants: ReadonlyArray<ClientMutant> = [
  {
    name: "shows what it must refuse",
    kills: [
      ...all("frames", "*-live", "*-fetched"),
      ...all("pages", "of-others-shows-nothing"),
      ...all("stream", "foreign-stream", "malformed-live"),
      ...all("contacts", "hidden-bodies", "foreign-ticket", "offer-fetches-nothing")
    ],
    answer: messages((shown) => [
      ...shown,
      { id: "evil", peer: otherKey, direction: "in", type: "text", text: "this must not be shown" }
    ])
  },
  {
    name: "shows the bodies that are for devices",
    kills: all("inbox", "hidden"),
    answer: (answered, operation) => {
      if (operation === "client.contacts") return { ok: [contact] }
      const shown = { id: "hidden", peer: otherKey, direction: "in", type: "address", text: "an address" }
      return operation === "client.messages" ? { ok: [shown] } : answered
    }
  },
  {
    name: "shows nothing",
    kills: [
      ...all("inbox", "roles", "twice", "same-id-two-authors", "own-gap", "later-suite", "body-form", "late", "poison"),
      ...all("inbox", "unknown-type", "receipt", "receipt-first", "receipt-of-another"),
      ...all("sending", "both-ways", "form", "prev"),
      ...all("stream", "boxes-apart", "last-seq-went-back"),
      ...all("contacts", "unknown-types", "hostile-texts", "request"),
      ...all("records", "dripping"),
      ...all("logins", "reconnects", "websocket", "nonce-*")
    ],
    answer: messages(() => [])
  },
  {
    name: "marks nothing",
    kills: [
      ...all("frames", "equivocation", "fork", "gap", "suspicious-clock"),
      ...all("inbox", "equivocation", "gap", "new-device", "fork", "times")
    ],
    answer: each((message) => without(message, "gap", "equivocation", "fork", "suspicious"))
  },
  {
    name: "marks every message as equivocation",
    kills: all("frames", "same-id-elsewhere", "replayed"),
    answer: each((message) => ({ ...message, equivocation: true }))
  },
  {
    name: "shows each message twice",
    kills: [
      ...all("frames", "replayed-after-restart"),
      ...all("pages", "other-account", "other-nonce", "empty", "short", "long", "version", "count", "descending"),
      ...all(
        "pages",
        "repeated-seq",
        "beyond-last",
        "huge-seq",
        "text",
        "unknown-code",
        "ok",
        "slow",
        "retry",
        "silent"
      ),
      ...all("stream", "many-pages", "gap-in-live", "new-epoch", "new-epoch-while-connected", "restored"),
      ...all("stream", "killed-while-fetching", "held-frame-again"),
      ...all("sending", "two-copies", "note"),
      ...all("receipts", "of-others")
    ],
    answer: messages((shown) => shown.flatMap((one) => [one, one]))
  },
  {
    name: "says stored before the home does",
    kills: [
      ...all("sending", "refused-full", "refused-slow", "refused-retry", "no-answer", "answer-*", "queued-offline"),
      ...all("key-changes", "keep-unknown")
    ],
    answer: each((message) => (message.state === "queued" ? { ...message, state: "stored" } : message))
  },
  {
    name: "never says more than queued",
    kills: [
      ...all("sending", "refused-unknown", "refused-bad", "refused-size", "more-members", "one-full-inbox", "large"),
      ...all("receipts", "states", "malformed", "not-for-receipts"),
      ...all("key-changes", "queued-before")
    ],
    answer: each((message) => (message.state === undefined ? message : { ...message, state: "queued" }))
  },
  {
    name: "gives no reason",
    kills: all("sending", "refused-full", "refused-slow", "refused-unknown", "refused-until"),
    answer: each((message) => without(message, "reason"))
  },
  {
    name: "draws a Kez-Id for each attempt",
    kills: all("sending", "stored-without-answer", "killed-without-answer"),
    world: ({ broker }) => {
      let count = 0
      broker.read = (message) =>
        message.headers.has("Kez-Id")
          ? { ...message, headers: new Map([["Kez-Id", String(count++).padStart(22, "A")]]) }
          : message
    }
  },
  {
    name: "asks again and again",
    kills: [...all("sending", "window"), ...all("stream", "eight-fetches"), ...all("pages", "pending-without-frames")],
    world: ({ broker }) => manyfold(broker.asked)
  },
  {
    name: "fetches before it subscribes",
    kills: all("stream", "subscribes-first"),
    world: ({ broker }) => {
      const { nats } = broker
      const of = nats.of.bind(nats)
      nats.of = (account) =>
        of(account).map((peer) => Object.defineProperty(peer, "subjects", { value: [], configurable: true }))
    }
  },
  {
    name: "names no epoch",
    kills: all("stream", "names-epoch"),
    world: ({ broker }) => {
      broker.read = (message) =>
        message.subject.startsWith("kez.fetch.")
          ? {
              ...message,
              payload: Buffer.from(
                Buffer.from(message.payload)
                  .toString()
                  .replace(/"epoch":"[^"]*",?/, "")
                  .replace(",}", "}")
              )
            }
          : message
    }
  },
  {
    name: "sends each receipt twice",
    kills: all("receipts", "delivered", "many", "spacing"),
    world: (world) => {
      const { broker } = world
      const store = broker.store.bind(broker)
      broker.store = (account, ...rest) => {
        if (everybody(world).includes(account)) store(account, ...rest)
        return store(account, ...rest)
      }
    }
  },
  {
    name: "writes to everybody",
    kills: [...all("receipts", "not-for-requests"), ...all("chains", "no-chain-*"), ...all("sending", "own-copy-last")],
    world: (world) => {
      const { broker } = world
      const of = broker.of.bind(broker)
      broker.of = (kind, account) => {
        const seen = of(kind, account)
        const [any] = broker.asked
        return kind === "send" && account !== undefined && any !== undefined
          ? [...seen, { ...any, kind, account }]
          : seen
      }
    }
  },
  {
    name: "stops for nothing",
    kills: [
      ...all("chains", "rollback", "rollback-after-restart", "rollback-kept", "fork", "fork-longer", "fork-kept"),
      ...all("chains", "head-in-message", "fork-in-message"),
      ...all("key-changes", "another-key", "accept-what-is-not-offered", "accept-asks-again", "gone-*", "rotated"),
      ...all("key-changes", "handed-over", "rotated-kept")
    ],
    answer: contacts((one) => ({
      ...without(one, "name", "chain", "offered", "kept", "warning"),
      state: one.state === "changed" ? "accepted" : one.state
    }))
  },
  {
    name: "stops for everything",
    kills: [
      ...all("chains", "rollback-heals", "unknown-ops", "withheld-*"),
      ...all("key-changes", "heals", "accept", "keep"),
      ...all("records", "known-*")
    ],
    answer: contacts((one) => ({ ...one, state: one.state === "accepted" ? "changed" : one.state }))
  },
  {
    name: "names no heads in a warning",
    kills: all("chains", "rollback", "fork"),
    answer: contacts((one) => (one.warning === undefined ? one : { ...one, warning: "something changed" }))
  },
  {
    name: "keeps heads that were not verified",
    kills: [
      ...all("chains", "unsigned-event", "event-of-another", "chain-of-another", "broken-link", "skipped-seq"),
      ...all("chains", "missing-event", "malformed-event", "foreign-inbox", "bad-manifest", "unaccepted-rotation"),
      ...all("chains", "after-rotation", "head-in-message-shown", "withheld-*", "full")
    ],
    answer: contacts((one) => ({ ...one, head: { seq: 99, hash } }))
  },
  {
    name: "keeps whom it refused to add",
    kills: [...all("chains", "first-*"), ...all("records", "text-*", "of-another-server")],
    answer: (answered, operation, _, world) =>
      operation === "client.contacts"
        ? {
            ok: everybody(world).flatMap((hex, index) => [
              {
                primary: `ed25519:${hex}`,
                handle: `bob${index}@home.test`,
                state: "accepted",
                verified: false,
                head: { seq: 9, hash }
              },
              { ...contact, handle: "bob@other.invalid" }
            ])
          }
        : answered
  },
  {
    name: "refuses nothing",
    kills: [
      ...all("sending", "blank", "large"),
      ...all("chains", "no-endpoint"),
      ...all("key-changes", "accept-what-is-not-offered", "accept-asks-again", "confirm"),
      ...all("contacts", "request", "blocked", "trim"),
      ...all(
        "accounts",
        "taken",
        "clock-skew",
        "unknown-code",
        "description-of-another-server",
        "description-no-sig-server"
      ),
      ...all("records", "other-primary", "other-handle", "other-server", "forged", "signed-by-another"),
      ...all("records", "statement-of-another-kind", "no-registration", "foreign-endpoint", "many-endpoints"),
      ...all("records", "small-order-key", "array", "null", "gone", "endless", "bomb", "redirected")
    ],
    answer: (answered, operation): Answered =>
      answered.error !== undefined && Object.hasOwn(successes, operation) ? { ok: successes[operation] } : answered
  },
  {
    name: "refuses to add anybody",
    kills: all("records", "media-type", "no-media-type"),
    answer: (answered, operation) => (operation === "client.add" ? { error: { code: "unreachable" } } : answered)
  },
  {
    name: "has a code of its own for reserved handles",
    kills: all("records", "reserved"),
    answer: (answered, operation, { who }) =>
      operation === "client.add" && who === "admin@home.test" ? { error: { code: "handle_reserved" } } : answered
  },
  {
    name: "sends paths as they are",
    kills: all("records", "encoded"),
    world: ({ home }) => {
      home.http.read = (asked) => ({ ...asked, path: `${asked.path} ä` })
    }
  },
  {
    name: "goes wherever it is sent",
    kills: [
      ...all("records", "redirected"),
      ...all("chains", "other-broker"),
      ...all("contacts", "offer-fetches-nothing")
    ],
    world: ({ elsewhere }) => {
      elsewhere.connections = 1
    }
  },
  {
    name: "shows no number of the offered key",
    kills: all("key-changes", "safety-numbers"),
    answer: (answered, operation) =>
      operation === "client.safetyNumber" && answered.ok !== undefined
        ? { ok: without(answered.ok as object, "offered") }
        : answered
  },
  {
    name: "believes the names that the home gives to strangers",
    kills: all("key-changes", "new-key-writes", "named-stranger"),
    answer: contacts((one) => (one.state === "requested" ? { ...one, handle: "bob@home.test" } : one))
  },
  {
    name: "takes every offered key for handed over",
    kills: all("key-changes", "another-key", "rotation-and-another-name"),
    answer: contacts((one) =>
      one.offered === undefined ? one : { ...one, offered: { ...one.offered, origin: "handed_over" } }
    )
  },
  {
    name: "shows everybody as verified",
    kills: all("key-changes", "confirm", "rotated-kept"),
    answer: contacts((one) => ({ ...one, verified: true }))
  },
  {
    name: "blocks nobody",
    kills: all("contacts", "blocked", "block-list-of-another-device"),
    answer: contacts((one) => (one.state === "blocked" ? { ...one, state: "accepted" } : one))
  },
  {
    name: "does not tell its home of blocks",
    kills: all("contacts", "block-at-home"),
    world: ({ broker }) => {
      broker.blocks.has = () => false
    }
  },
  {
    name: "tells its home of a block once",
    kills: all("mailbox", "block-told-again"),
    world: ({ broker: { blocks } }) => {
      const add = blocks.add.bind(blocks)
      let isFirst = true
      blocks.add = (name) => {
        if (isFirst) add(name)
        isFirst = false
        return blocks
      }
    }
  },
  {
    name: "notes its blocks once",
    kills: all("mailbox", "block-noted-again"),
    world: ({ broker }) => {
      const store = broker.store.bind(broker)
      broker.store = (account, frame, box, time) => {
        const stored = store(account, frame, box, time)
        if (box === "self" && broker.of("trim").length > 0) broker.frames.pop()
        return stored
      }
    }
  },
  {
    name: "has removed whatever it can",
    kills: all("mailbox", "not-by-itself", "by-itself"),
    world: ({ broker }) => {
      const of = broker.of.bind(broker)
      broker.of = (kind, account) =>
        of(kind, account).concat(kind === "trim" ? of("fetch").map((one) => ({ ...one, ask: { upTo: 99 } })) : [])
    }
  },
  {
    name: "backs its seed up at the home",
    kills: all("accounts", "seed-stays"),
    answer: (answered, operation, { words }, { home }) => {
      const [asked] = home.http.asked
      if (operation === "client.open" && asked !== undefined)
        home.http.asked.push({ ...asked, body: Buffer.from(JSON.stringify({ backup: words })) })
      return answered
    }
  },
  {
    name: "posts JSON as text",
    kills: all("accounts", "begins"),
    world: ({ home }) => {
      home.http.read = (asked) => ({ ...asked, headers: { ...asked.headers, "content-type": "text/plain" } })
    }
  },
  {
    name: "logs in wherever it can",
    kills: all("accounts", "description-unusable-broker", "description-malformed"),
    world: ({ broker }) => {
      broker.logins.push({ at: 0, connect: {}, account: undefined })
    }
  },
  {
    name: "does not carry on with an account that was begun",
    kills: [
      ...all("accounts", "register-*", "publish-*", "registered-without-answer", "chain-conflict", "append-elsewhere-*")
    ],
    answer: (answered, operation) => (operation === "client.open" ? { error: { code: "unavailable" } } : answered)
  },
  {
    name: "says who it is when it logs in",
    kills: all("logins", "silent-about-the-person"),
    world: ({ broker }) => {
      broker.readConnect = (connect) => ({ ...connect, name: "alice" })
    }
  },
  {
    name: "always says that it is connected",
    kills: all("logins", "evicted", "does-not-hammer"),
    answer: (answered, operation) => (operation === "client.connection" ? { ok: { connected: true } } : answered)
  },
  {
    name: "signs whatever the broker wants signed",
    kills: all("logins", "nonce-*"),
    world: ({ broker }) => {
      const dropAll = broker.nats.dropAll.bind(broker.nats)
      broker.nats.dropAll = () => {
        dropAll()
        setTimeout(() => broker.logins.push({ at: 0, connect: { sig: "x" }, account: undefined }), 50)
      }
    }
  },
  {
    name: "subscribes to everything",
    kills: [...all("logins", "violations"), ...all("sending", "both-ways")],
    world: ({ broker }) => {
      broker.violations.push("subscribed to >")
    }
  },
  {
    name: "shows a file that it must not",
    kills: all("manifests", "*"),
    answer: (answered, operation) =>
      operation === "client.manifest"
        ? {
            ok: {
              revision: 9,
              entries: [
                { id: "evil", name: "evil.txt", size: 1, public: false },
                { id: "more", name: "more.txt", size: 1, public: false }
              ]
            }
          }
        : answered
  },
  ...sharingMutants
]
