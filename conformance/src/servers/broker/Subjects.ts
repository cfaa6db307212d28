/**
 * What an account may publish and subscribe to, on every port (spec: broker, Subjects). Nothing here does harm where it
 * is allowed: what would remove or change something names a stream that does not exist, or the own connection.
 */
import { randomBytes } from "node:crypto"
import { group } from "../Check.ts"
import { Violation } from "../Outcome.ts"
import { type BrokerVisit, demand, kindOf } from "./BrokerVisit.ts"
import { type Connection, valuesOf } from "./Connection.ts"
import { holdsFrames, sealed, type User } from "./User.ts"

interface Keys {
  readonly own: string
  readonly other: string
  readonly server: string
}

type Subjects = (keys: Keys) => ReadonlyArray<string>

/** Fails for subjects of which the broker reported no violation. */
const mustBeDenied = (connection: Connection, subjects: ReadonlyArray<string>, what: string, since: number): void => {
  const errors = connection.errors.slice(since).join("\n")
  const allowed = subjects.filter((subject) => !errors.includes(`"${subject}"`))
  if (allowed.length > 0)
    throw new Violation(`an account may ${what} ${allowed[0]} over ${kindOf(connection.url)}`, "denied", allowed)
}

const keysOf = ({ client, hex }: User, other: User): Keys => ({
  own: hex,
  other: other.hex,
  server: String(client.info["server_id"])
})

/** Fails where somebody who is logged in may do with one of the subjects what they must not. */
export const deniesAll = async (
  { client, hex }: User,
  what: "subscribe to" | "publish to",
  list: ReadonlyArray<string>
): Promise<void> => {
  const since = client.errors.length
  for (const subject of list)
    if (what === "publish to") client.publish(subject, '{"cid":0}', { reply: `_INBOX_${hex}.kezct` })
    else client.write(`SUB ${subject} kezct1\r\nSUB ${subject} kez-fetch kezct2\r\n`)
  await client.fence()
  demand(!client.isClosed, `the connection is closed for a subject that it may not ${what}`)
  mustBeDenied(client, list, what, since)
}

const denied = (what: "subscribe to" | "publish to", subjects: Subjects) => async (visit: BrokerVisit) => {
  const [, bob] = await visit.friends()
  await visit.onEveryPort(async (url) => {
    const user = await visit.login((await visit.user("alice")).account, url)
    await deniesAll(user, what, subjects(keysOf(user, bob)))
    user.client.close()
  })
}

const subscriptions: ReadonlyArray<readonly [id: string, requirements: ReadonlyArray<string>, why: string, Subjects]> =
  [
    [
      "subscribe-other",
      ["KEZ-NAT-014", "KEZ-NAT-017"],
      "nobody hears what another account is sent or answered",
      ({ other }) => [`kez.dlv.${other}`, `_INBOX_${other}.>`, `_INBOX_${other}.*`, `_INBOX_${other}.x`]
    ],
    [
      "subscribe-wildcard",
      ["KEZ-NAT-014", "KEZ-NAT-017"],
      "a wildcard must not reach what its parts do not",
      ({ own }) => [
        ...[">", "*", "*.>", "*.*.*", "kez.>", "kez.*.*", `kez.*.${own}`, "kez.dlv.*", "kez.dlv.>", `kez.dlv.${own}.>`],
        ...["_INBOX.>", "_INBOX_*.>", "_R_.>", "_R_.*", "_GR_.>"]
      ]
    ],
    [
      "subscribe-requests",
      ["KEZ-NAT-014", "KEZ-NAT-017"],
      "requests are the home server's: who hears them could answer them",
      ({ other, own }) =>
        ["inbox", "self", "send", "fetch", "trim", "block"].flatMap((what) => [
          `kez.${what}.${own}`,
          `kez.${what}.${other}`,
          `kez.${what}.*`
        ])
    ],
    [
      "subscribe-system",
      ["KEZ-NAT-017", "KEZ-NAT-018"],
      "the broker's own subjects tell who is connected and what is stored",
      () => [
        ...["$JS.>", "$JS.API.>", "$JS.ACK.>", "$JS.EVENT.>", "$SYS.>", "$SYS.ACCOUNT.>"],
        ...["$SYS.REQ.USER.AUTH", "$SYS.REQ.>", "$G.>"]
      ]
    ]
  ]

const publications: typeof subscriptions = [
  [
    "publish-other",
    ["KEZ-NAT-014", "KEZ-NAT-017"],
    "nobody fetches, trims or blocks for another account",
    ({ other }) =>
      ["fetch", "trim", "block"].flatMap((what) => [
        `kez.${what}.${other}`,
        `kez.${what}.${other.toUpperCase()}`,
        `kez.${what}`
      ])
  ],
  [
    "publish-delivery",
    ["KEZ-NAT-014", "KEZ-NAT-017"],
    "what is delivered or answered comes from the home server alone",
    ({ other, own }) => [
      ...["dlv", "self", "send"].flatMap((what) => [`kez.${what}.${own}`, `kez.${what}.${other}`]),
      ...[`_INBOX_${other}.x`, `_INBOX_${own}.x`, "_INBOX.x", "_R_.x", "_R_.x.y"]
    ]
  ],
  [
    "publish-longer",
    ["KEZ-NAT-014", "KEZ-NAT-017"],
    "a subject with more or fewer parts, or a wildcard, is another one",
    ({ other, own }) => [
      ...["kez", "kez.inbox", `kez.inbox.${other}.x`, "kez.kezct", `kez.kezct.${own}`, "kezct"],
      ...["fetch", "trim", "block"].map((what) => `kez.${what}.${own}.x`)
    ]
  ],
  [
    "publish-jetstream",
    ["KEZ-NAT-017", "KEZ-NAT-018"],
    "who reaches JetStream reads and removes everybody's mail",
    ({ other }) => [
      ...["INFO", "STREAM.LIST", "STREAM.NAMES", "STREAM.INFO.KEZ_INBOX", "STREAM.MSG.GET.KEZ_INBOX"].map(js),
      ...["DIRECT.GET.KEZ_INBOX", `DIRECT.GET.KEZ_INBOX.kez.inbox.${other}`, "CONSUMER.LIST.KEZ_INBOX"].map(js),
      ...["CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE", "SNAPSHOT"].map((what) => js(`STREAM.${what}.KEZCT`)),
      ...["CONSUMER.CREATE.KEZCT", "CONSUMER.DURABLE.CREATE.KEZCT.kezct", "CONSUMER.MSG.NEXT.KEZCT.kezct"].map(js),
      ...["$JS.ACK.KEZCT.kezct.1.1.1.1.0", "$JS.FC.KEZCT.x.y"]
    ]
  ],
  [
    "publish-system",
    ["KEZ-NAT-017"],
    "the broker's own subjects tell who is connected, and close connections",
    ({ server }) => [
      ...["PING", "PING.CONNZ", "PING.VARZ", `${server}.CONNZ`, `${server}.KICK`].map(
        (what) => `$SYS.REQ.SERVER.${what}`
      ),
      ...["$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.ACCOUNT.PING.STATZ", "$SYS.REQ.USER.INFO", "$SYS.REQ.USER.AUTH"]
    ]
  ]
]

const js = (what: string): string => `$JS.API.${what}`

export const subjects = group<BrokerVisit>("broker/subjects", [
  {
    id: "own",
    requirements: ["KEZ-NAT-014", "KEZ-NAT-017"],
    why: "an account does all that a client needs with its own subjects",
    run: (visit) =>
      visit.onEveryPort(async (url) => {
        const [, bob] = await visit.friends()
        const user = await visit.login((await visit.user("alice")).account, url)
        await user.client.subscribe(`_INBOX_${user.hex}.>`)
        await user.client.subscribe(`_INBOX_${user.hex}.any.thing.*`)
        demand(user.client.errors.length === 0, "an own subscription is refused", user.client.errors)
        await user.sendOk(bob.hex)
        await user.fetch(0)
        await user.trim("inbox")
        await user.block("remove", bob.hex)
        user.client.close()
      })
  },
  ...subscriptions.map(([id, requirements, why, list]) => ({
    id,
    requirements,
    why,
    run: denied("subscribe to", list)
  })),
  ...publications.map(([id, requirements, why, list]) => ({ id, requirements, why, run: denied("publish to", list) })),
  {
    id: "steered",
    requirements: ["KEZ-NAT-018", "KEZ-NAT-025"],
    why: "an answer that is sent to somebody else stores nothing there, and does not look like mail",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      await bob.client.subscribe(`_INBOX_${bob.hex}.>`)
      const before = await bob.lastSeq()
      const heard = bob.client.messages.length
      const request = JSON.stringify({ after: 0, n: randomBytes(16).toString("base64url") })
      for (const reply of [
        ...["inbox", "self", "dlv", "fetch", "send"].map((what) => `kez.${what}.${bob.hex}`),
        `_INBOX_${bob.hex}.kezct`
      ]) {
        alice.client.publish(`kez.fetch.${alice.hex}`, request, { reply })
        // Without a Kez-Id: refused, and the refusal is steered as well.
        alice.client.publish(`kez.inbox.${bob.hex}`, sealed(), { reply })
      }
      const own = sealed()
      // After them, since requests of one account are served in turn.
      await alice.fetch(0)
      await alice.sendOk(bob.hex, own)
      await bob.delivery(own)
      holdsFrames(await bob.framesAfter(before), [own], "a steered answer changed what is stored")
      const faked = bob.client.messages
        .slice(heard)
        .find((message) => valuesOf(message, "Nats-Stream").length > 0 && !message.payload.equals(own))
      demand(faked === undefined, "a steered answer bears the headers of a delivery", faked?.header)
    }
  }
])
