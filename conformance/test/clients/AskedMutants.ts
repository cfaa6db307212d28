/** Clients that ask their servers for something wrong, as the world sees it, each with the scenarios that notice it. */
import { all, everybody, manyfold } from "./Alterations.ts"
import type { ClientMutant } from "./MutantDriver.ts"

export const askedMutants: ReadonlyArray<ClientMutant> = [
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
    name: "writes to all keys that a contact had",
    kills: all("key-changes", "accept", "handed-over", "moved"),
    world: ({ broker }) => {
      const of = broker.of.bind(broker)
      broker.of = (kind, account) => of(kind, kind === "send" ? undefined : account)
    }
  },
  {
    name: "hands its handle over before it ends its chain",
    kills: all("rotations", "order"),
    world: ({ sig }) => {
      sig.http.read = (asked) => (asked.text.includes('"rotate"') ? { ...asked, at: asked.at + 60_000 } : asked)
    }
  },
  {
    name: "goes on sending when its handle was handed over",
    kills: all("rotations", "other-device*"),
    world: ({ broker }) => {
      const of = broker.of.bind(broker)
      broker.of = (kind, account) =>
        kind === "send" && account === undefined ? [...of(kind), ...of("fetch")] : of(kind, account)
    }
  },
  {
    name: "receipts what it holds back",
    kills: all("requests", "held", "contacts-only"),
    world: (world) => {
      const { broker } = world
      const of = broker.of.bind(broker)
      broker.of = (kind, account) =>
        kind === "send" && account !== undefined ? [...of(kind, account), ...of("fetch")] : of(kind, account)
    }
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
    name: "does not tell its home of blocks",
    kills: [...all("contacts", "block-at-home"), ...all("key-changes", "blocked-line-*")],
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
    name: "says who it is when it logs in",
    kills: all("logins", "silent-about-the-person"),
    world: ({ broker }) => {
      broker.readConnect = (connect) => ({ ...connect, name: "alice" })
    }
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
  }
]
