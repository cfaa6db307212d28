/** Brokers that let in or allow what they must not, each with the checks that notice it. */
import { line, type Session } from "./BrokerProxy.ts"
import { allows, isDelivery, isRequest, ok, type BrokerMutant, type MutantMaker } from "./Faults.ts"

const logins = ["anonymous", "password", "token", "unregistered", "jwt", "jwt-nkey", "weak-key", "unsigned", "deleted"]
const signatures = [
  "empty-signature",
  "random-signature",
  "short-signature",
  "other-signer",
  "bare-nonce",
  "other-host"
]
const spellings = [
  "user-besides",
  "password-besides",
  "token-besides",
  "account-nkey",
  "lower-case-nkey",
  "nkey-checksum"
]
const inLogin = (...ids: ReadonlyArray<string>) => ids.map((id) => `broker/login#${id}`)

const plain: ReadonlyArray<BrokerMutant> = [
  {
    name: "lets everybody in",
    kills: inLogin(...logins, ...signatures, ...spellings, "replay", "name", "deletion-race"),
    keepsOpen: true
  },
  {
    name: "lets everybody in over WebSocket",
    port: "websocket",
    kills: inLogin(...logins, ...signatures, ...spellings, "replay", "name"),
    keepsOpen: true
  },
  {
    name: "closes nothing",
    kills: [
      "broker/login#deletion",
      "broker/handed-over#closed",
      "broker/connections#eight",
      "broker/connections#flood"
    ],
    keepsOpen: true
  },
  {
    name: "serves whom it knew when they came in",
    kills: ["broker/handed-over#from-before"],
    keepsOpen: true,
    up: (op, session) => {
      if (!isRequest("inbox", op)) return undefined
      session.answer(op, ok)
      return []
    }
  },
  {
    name: "has no nonce",
    kills: inLogin("nonce"),
    down: (op) =>
      op.verb === "INFO" ? [line("INFO", op.words.join(" ").replace(/"nonce":"[^"]*"/, '"nonce":""'))] : undefined
  },
  {
    name: "has one nonce",
    kills: inLogin("nonce"),
    down: (op) =>
      op.verb === "INFO"
        ? [line("INFO", op.words.join(" ").replace(/"nonce":"[^"]*"/, '"nonce":"abcDEF012-_xyz9"'))]
        : undefined
  },
  {
    name: "takes signatures without padding only",
    kills: inLogin("registered"),
    up: (op) =>
      op.verb === "CONNECT" && /"sig":"[^"]*=/.test(op.words.join(" ")) ? [line("CONNECT", "{}")] : undefined
  },
  { name: "lets pages of everybody in", port: "websocket", kills: inLogin("origin"), dropsOrigin: true },
  allows("believes the JWT of a client", /"kez\.dlv\.\*"/, [
    ...inLogin("jwt-besides"),
    "broker/subjects#subscribe-wildcard"
  ]),
  allows("lets everybody hear everybody", /Subscription to "(?:kez\.dlv\.[0-9a-f]{64}|_INBOX_[0-9a-f]{64}\.x)"/, [
    "broker/subjects#subscribe-other"
  ]),
  allows("lets everybody hear requests", /Subscription to "kez\.trim/, ["broker/subjects#subscribe-requests"]),
  allows("lets everybody hear the system", /Subscription to "\$SYS\.ACCOUNT/, ["broker/subjects#subscribe-system"]),
  allows("lets everybody hear JetStream", /Subscription to "\$JS\.EVENT/, ["broker/subjects#subscribe-system"]),
  allows("lets everybody trim for others", /Publish to "kez\.trim\.[0-9a-f]{64}"/, ["broker/subjects#publish-other"]),
  allows("lets the old key of an account send", /Publish to "kez\.inbox\.[0-9a-f]{64}"/, ["broker/handed-over#rights"]),
  allows("lets the old key of an account trim and block", /Publish to "kez\.(?:trim|block)\.[0-9a-f]{64}"/, [
    "broker/handed-over#rights"
  ]),
  allows("lets everybody deliver", /Publish to "kez\.dlv/, ["broker/subjects#publish-delivery"]),
  allows("lets everybody answer", /Publish to "_INBOX/, ["broker/subjects#publish-delivery"]),
  allows("lets everybody publish to longer subjects", /Publish to "kez\.inbox\.[0-9a-f]{64}\.x"/, [
    "broker/subjects#publish-longer"
  ]),
  allows("lets everybody ask JetStream", /Publish to "\$JS\.API\.DIRECT/, ["broker/subjects#publish-jetstream"]),
  allows("lets everybody close connections", /Publish to "\$SYS.*\.KICK"/, ["broker/subjects#publish-system"]),
  allows(
    "lets everybody do everything over WebSocket",
    /Permissions/,
    ["broker/subjects#publish-*", "broker/subjects#subscribe-*"],
    "websocket"
  ),
  {
    name: "refuses deep reply subjects",
    kills: ["broker/subjects#own"],
    up: (op, session) => {
      if (op.verb === "SUB" && op.words[0]!.includes(".any.thing"))
        session.toClient(line("-ERR", `'Permissions Violation for Subscription to "${op.words[0]}"'`))
      return undefined
    }
  },
  {
    name: "stores answers that are sent to an inbox",
    kills: ["broker/subjects#steered"],
    up: (op, session) => {
      const reply = op.words[1] ?? ""
      if (op.verb !== "PUB" || !reply.startsWith("kez.inbox.")) return undefined
      const id = crypto.getRandomValues(Buffer.alloc(16)).toString("base64url")
      const words = [reply, `_INBOX_${session.hex}.kezct`]
      return [op, { ...op, words, header: `NATS/1.0\r\nKez-Id: ${id}\r\n\r\n`, payload: Buffer.from("an answer") }]
    }
  },
  {
    name: "delivers answers that are sent there as if they were mail",
    kills: ["broker/subjects#steered"],
    down: (op) =>
      isDelivery(op) && op.header === "" ? [{ ...op, header: "NATS/1.0\r\nNats-Stream: KEZ_INBOX\r\n\r\n" }] : undefined
  },
  {
    name: "takes lines without end",
    kills: ["broker/connections#control-line"],
    up: (op) => (op.words.join(" ").length > 4_096 ? [] : undefined)
  },
  {
    name: "takes any number of subscriptions",
    kills: ["broker/connections#subscriptions"],
    up: (op) => (op.verb === "SUB" && op.words[0]!.includes(".kezct.") ? [] : undefined)
  },
  // The proxy itself reads everything that the server has to say.
  { name: "keeps what is not read", kills: ["broker/connections#slow-reader"] }
]

/** Those that keep something during a run. */
const made: ReadonlyArray<MutantMaker> = [
  () => ({
    name: "lets a key in once",
    kills: ["broker/handed-over#fetch"],
    up: (op, session) =>
      op.verb === "CONNECT" && session.proxy.sessions.some((other) => other !== session && other.hex === session.hex)
        ? [line("CONNECT", "{}")]
        : undefined
  }),
  () => ({
    name: "lets the first key hear the mail of a later one",
    kills: inLogin("second-connect"),
    keepsOpen: true,
    down: (op, session) => {
      if (!isDelivery(op)) return undefined
      for (const other of session.proxy.sessions)
        for (const [sid, subject] of other.subscriptions)
          if (other !== session && subject === op.words[0]) other.toClient({ ...op, words: [subject, sid] })
      return undefined
    }
  }),
  () => {
    const waiting: Array<() => void> = []
    const isBusy = ({ proxy }: Session) =>
      proxy.sessions.some(({ asked }) => [...asked.values()].filter((op) => isRequest("inbox", op)).length > 20)
    return {
      name: "stores in the order of arrival alone",
      kills: ["broker/connections#turns"],
      up: (op, session) => {
        if (!isRequest("inbox", op) || session.asked.size > 1 || !isBusy(session)) return undefined
        waiting.push(() => session.toServer(op))
        return []
      },
      down: (_, session) => {
        const isFree = session.proxy.sessions.every(({ asked, hex }) => asked.size <= 1 || hex === "")
        if (isFree) for (const go of waiting.splice(0)) go()
        return undefined
      }
    }
  }
]

export const accessMutants: ReadonlyArray<MutantMaker> = [...plain.map((mutant) => () => mutant), ...made]
