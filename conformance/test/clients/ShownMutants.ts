/** Clients that answer wrongly in one thing, each with the scenarios that notice it. */
import { Keys } from "../../src/clients/crypto/Keys.ts"
import { all, contact, contacts, each, everybody, hash, messages, otherKey, successes, without } from "./Alterations.ts"
import type { Answered, ClientMutant } from "./MutantDriver.ts"

export const shownMutants: ReadonlyArray<ClientMutant> = [
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
      ...all("contacts", "unknown-types", "hostile-texts", "request", "introduction", "revoked-claim"),
      ...all("records", "dripping"),
      ...all("logins", "reconnects", "websocket", "nonce-*"),
      ...all("requests", "let-in", "introduced", "policy-changes", "shown-stay-*"),
      ...all("rotations", "old-mail", "former-words"),
      ...all("key-changes", "queued-for-former")
    ],
    answer: messages(() => [])
  },
  {
    name: "shows an introduction as its author words it",
    kills: all("contacts", "introduction"),
    answer: each((message) =>
      message.type === "introduction" ? { ...message, text: "I introduce the operator." } : message
    )
  },
  {
    name: "marks nothing",
    kills: [
      ...all("frames", "equivocation", "fork", "gap", "suspicious-clock"),
      ...all("inbox", "equivocation", "gap", "new-device", "fork", "times"),
      ...all("key-changes", "old-key-writes")
    ],
    answer: each((message) => without(message, "gap", "equivocation", "fork", "suspicious", "retired"))
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
      ...all("receipts", "of-others"),
      ...all("key-changes", "queued-for-former"),
      ...all("requests", "let-in")
    ],
    answer: messages((shown) => shown.flatMap((one) => [one, one]))
  },
  {
    name: "says stored before the home does",
    kills: [
      ...all("sending", "refused-full", "refused-slow", "refused-retry", "no-answer", "answer-*", "queued-offline"),
      ...all("key-changes", "keep-unknown", "moved"),
      ...all("rotations", "other-device*")
    ],
    answer: each((message) => (message.state === "queued" ? { ...message, state: "stored" } : message))
  },
  {
    name: "never says more than queued",
    kills: [
      ...all(
        "sending",
        "refused-unknown",
        "refused-bad",
        "refused-size",
        "more-members",
        "forged-acceptance",
        "one-full-inbox",
        "large"
      ),
      ...all("receipts", "states", "malformed", "not-for-receipts"),
      ...all("key-changes", "queued-before", "queued-for-former"),
      ...all("rotations", "order", "*-lost")
    ],
    answer: each((message) => (message.state === undefined ? message : { ...message, state: "queued" }))
  },
  {
    name: "gives no reason",
    kills: [
      ...all("sending", "refused-full", "refused-slow", "refused-unknown", "refused-until"),
      ...all("key-changes", "moved")
    ],
    answer: each((message) => without(message, "reason"))
  },
  {
    name: "stops for nothing",
    kills: [
      ...all("chains", "rollback", "rollback-after-restart", "rollback-kept", "fork", "fork-longer", "fork-kept"),
      ...all("chains", "head-in-message", "fork-in-message"),
      ...all("key-changes", "another-key", "accept-what-is-not-offered", "accept-asks-again", "gone-*", "rotated"),
      ...all("key-changes", "handed-over", "rotated-kept", "moved", "queued-for-former")
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
      ...all("rotations", "other-words", "somebody-was-first", "former-words", "other-device*"),
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
    name: "shows no number of the offered key",
    kills: all("key-changes", "safety-numbers"),
    answer: (answered, operation) =>
      operation === "client.safetyNumber" && answered.ok !== undefined
        ? { ok: without(answered.ok as object, "offered") }
        : answered
  },
  {
    name: "asks anew about a blocked contact's next key",
    kills: all("key-changes", "blocked-line-*"),
    answer: contacts((one, { home }) =>
      one.state === "blocked" && [...home.moved.values()].some((hex) => one.primary.endsWith(hex))
        ? { ...one, state: "requested" }
        : one
    )
  },
  {
    name: "lets everybody in",
    kills: all("requests", "held", "introduced", "claim-without-proof", "contacts-only", "held-and-*"),
    asks: (operation, args) => (operation === "client.inbox" ? { ...args, from: "everyone" } : args)
  },
  {
    name: "lets nobody in but contacts",
    kills: all("requests", "let-in", "introduced", "policy-changes"),
    asks: (operation, args) => (operation === "client.inbox" ? { ...args, from: "contacts" } : args)
  },
  {
    name: "lets in whoever is introduced, and was not asked to",
    kills: all("requests", "introduced"),
    asks: (operation, args) => (operation === "client.inbox" ? { ...args, introductions: true } : args)
  },
  {
    name: "shows what it holds back",
    kills: all("requests", "held", "contacts-only", "held-and-*"),
    answer: (answered, operation) =>
      operation === "client.messages" &&
      (answered.error !== undefined || (answered.ok as ReadonlyArray<unknown>).length === 0)
        ? { ok: [{ id: "held", peer: otherKey, direction: "in", type: "text", text: "hello" }] }
        : answered
  },
  {
    name: "lists for ever whom it held back",
    kills: all("requests", "let-in", "policy-changes", "held-and-blocked"),
    answer: (answered, operation, _, world) =>
      operation === "client.held"
        ? {
            ok: everybody(world).map((hex) => ({
              primary: `ed25519:${hex}`,
              messages: 1 + world.broker.of("fetch").length
            }))
          }
        : answered
  },
  {
    name: "hides requests when the policy becomes stricter",
    kills: all("requests", "shown-stay-*"),
    answer: messages((shown) => shown.filter(({ text }) => text !== "second"))
  },
  {
    name: "rotates to a key of its own choice",
    kills: all("rotations", "order", "*-lost", "old-mail"),
    asks: (operation, args) => (operation === "client.rotate" ? { ...args, to: new Keys().words } : args)
  },
  {
    name: "believes the names that the home gives to strangers",
    kills: all("key-changes", "new-key-writes", "named-stranger"),
    answer: contacts((one) => (one.state === "requested" ? { ...one, handle: "bob@home.test" } : one))
  },
  {
    name: "takes every offered key for handed over",
    kills: all("key-changes", "another-key", "rotation-and-another-name", "rotation-not-accepted"),
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
    name: "does not carry on with an account that was begun",
    kills: [
      ...all("accounts", "register-*", "publish-*", "registered-without-answer", "chain-conflict", "append-elsewhere-*")
    ],
    answer: (answered, operation) => (operation === "client.open" ? { error: { code: "unavailable" } } : answered)
  },
  {
    name: "always says that it is connected",
    kills: all("logins", "evicted", "does-not-hammer"),
    answer: (answered, operation) => (operation === "client.connection" ? { ok: { connected: true } } : answered)
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
  }
]
