/** Home servers that store, deliver or remove otherwise than they must, each with the checks that notice it. */
import { type Faults } from "./BrokerProxy.ts"
import {
  asks,
  confuses,
  delivers,
  framesOf,
  freshId,
  holding,
  isDelivery,
  isRequest,
  isSendTo,
  jsonOf,
  kezIdOf,
  knowsBlocked,
  ok,
  pages,
  recipientOf,
  refusal,
  reports,
  tells,
  textOf,
  withoutFrames,
  type BrokerMutant,
  type MutantMaker
} from "./Faults.ts"

/** Changes signed answers to sends. */
const signs = (name: string, change: (answer: Record<string, unknown>) => object): BrokerMutant => ({
  name,
  kills: ["broker/acceptance#signed"],
  down: (op, _, request) =>
    isRequest("inbox", request) && jsonOf(op)["sig"] !== undefined ? [holding(op, change(jsonOf(op)))] : undefined
})

const plain: ReadonlyArray<BrokerMutant> = [
  {
    name: "stores nothing",
    kills: ["stored", "self", "largest", "order"].map((id) => `broker/send#${id}`),
    up: (op, session) => {
      if (!isRequest("inbox", op) || kezIdOf(op) === "") return undefined
      session.answer(op, ok)
      return []
    }
  },
  delivers("names no predecessor", ["broker/send#stored"], /Nats-Last-Sequence: \d+/, "Nats-Last-Sequence: 0"),
  delivers("always names a predecessor", ["broker/trim#all"], /Nats-Last-Sequence: \d+/, "Nats-Last-Sequence: 7"),
  delivers("has another stream", ["broker/send#stored"], /KEZ_INBOX/, "MAIL"),
  delivers("has one subject for all", ["broker/send#self"], /kez\.self/, "kez.inbox"),
  asks(
    "stores everything that is repeated",
    "inbox",
    ["broker/send#repeat", "broker/trim#all", "broker/quotas#repeated"],
    freshId
  ),
  confuses("inbox", "unknown", "bad", ["broker/send#unknown"]),
  confuses(
    "inbox",
    "bad",
    "retry",
    ["recipient", "no-kez-id", "kez-id", "two-kez-ids"].map((id) => `broker/send#${id}`)
  ),
  confuses("inbox", "moved", "unknown", ["broker/handed-over#send"]),
  confuses("inbox", "moved", "ok", ["broker/handed-over#send"]),
  confuses("fetch", "moved", "retry", ["broker/handed-over#fetch"]),
  confuses("inbox", "size", "bad", ["broker/send#size"]),
  confuses("inbox", "slow", "ok", ["broker/quotas#stranger", "broker/quotas#strangers", "broker/quotas#sender"]),
  confuses("inbox", "full", "slow", ["broker/quotas#full"]),
  {
    name: "refuses the largest frame",
    kills: ["broker/send#largest"],
    up: (op, session) => {
      if (!isRequest("inbox", op) || op.payload.length < 65_536) return undefined
      session.answer(op, refusal("size"))
      return []
    }
  },
  {
    name: "reads whatever is sent",
    kills: ["broker/send#max-payload"],
    up: ({ header, payload, verb }) => (verb === "PUB" && header.length + payload.length > 66_560 ? [] : undefined)
  },
  {
    name: "tells with ok how much is stored",
    kills: ["broker/send#answers", "broker/send#stored"],
    down: (op, _, request) =>
      isRequest("inbox", request) && textOf(op) === ok ? [holding(op, '{"ok":1,"seq":5}')] : undefined
  },
  signs("signs for another time", (answer) => ({ ...answer, at: "2026-01-01T00:00:00Z" })),
  signs("signs with another key", (answer) => ({ ...answer, sig: "A".repeat(86) })),
  signs("signs nothing", () => ({ ok: 1 })),
  signs("tells with a signature how much is stored", (answer) => ({ ...answer, seq: 5 })),
  {
    name: "signs what nobody asked for",
    kills: ["broker/acceptance#unasked"],
    down: (op, _, request) =>
      isRequest("inbox", request) && textOf(op) === ok
        ? [holding(op, { ok: 1, at: "2026-11-30T00:00:00Z", sig: "A".repeat(86) })]
        : undefined
  },
  {
    name: "names a time that is over",
    kills: ["broker/send#at", "broker/quotas#stranger"],
    down: (op) =>
      textOf(op).includes('"at":') ? [holding(op, { ...jsonOf(op), at: "2026-01-01T00:00:00Z" })] : undefined
  },
  pages("says that more is pending", ["broker/fetch#empty", "broker/fetch#end"], (page) => {
    page.writeUInt32BE(1, 73)
    return page
  }),
  pages("says that nothing is pending", ["broker/fetch#many", "broker/fetch#large"], (page) => {
    page.writeUInt32BE(0, 73)
    return page
  }),
  pages(
    "loses the first frame of a page",
    ["broker/fetch#positions", "broker/send#stored", "broker/handed-over#fetch"],
    (page) => withoutFrames(page, (i) => i > 0)
  ),
  pages("forgets when a frame came", ["broker/fetch#positions"], (page) => {
    for (const start of framesOf(page).slice(0, -1)) page.writeBigUInt64BE(0n, start + 8)
    return page
  }),
  pages("answers with another n", ["broker/fetch#empty"], (page) => page.fill(7, 49, 65)),
  asks("begins anew beyond the end", "fetch", ["broker/fetch#end"], (op) =>
    Number(jsonOf(op)["after"]) > 1_000_000 ? holding(op, { ...jsonOf(op), after: 0 }) : undefined
  ),
  asks("does not look at the epoch of a fetch", "fetch", ["broker/fetch#epoch"], (op) =>
    "epoch" in jsonOf(op) && op.payload.length < 200 ? holding(op, { ...jsonOf(op), epoch: undefined }) : undefined
  ),
  confuses("fetch", "bad", "retry", ["broker/fetch#malformed"]),
  confuses("fetch", "slow", "bad", ["broker/fetch#burst"]),
  {
    name: "leaves fetches beyond its bound without an answer",
    kills: ["broker/fetch#burst"],
    down: (op, _, request) => (isRequest("fetch", request) && jsonOf(op)["e"] === "slow" ? [] : undefined)
  },
  reports("counts nothing", ["broker/trim#asks", "broker/trim#classes", "broker/quotas#self"], () => ({ used: 0 })),
  reports("gives no room back", ["broker/trim#all", "broker/trim#own-copies"], ({ used }) => ({
    used: Math.max(used, 512)
  })),
  reports("counts known senders as strangers", ["broker/trim#classes"], ({ strangers, used }) =>
    strangers === undefined ? {} : { strangers: { ...strangers, used } }
  ),
  reports("answers a trim with another n", ["broker/trim#asks"], () => ({ n: "AAAAAAAAAAAAAAAAAAAAAA" })),
  reports("answers a trim with another epoch", ["broker/trim#asks"], () => ({ epoch: "AAAAAAAAAAAAAAAAAAAAAA" })),
  asks("trims the other box", "trim", ["broker/trim#removes", "broker/trim#own-copies"], (op) => {
    const { box, ...other } = jsonOf(op)
    return "upTo" in other ? holding(op, { box: box === "inbox" ? "self" : "inbox", ...other }) : undefined
  }),
  {
    name: "carries every trim out",
    kills: ["broker/trim#wrong-stream", "broker/trim#malformed", "broker/trim#often"],
    down: (op, _, request) => (isRequest("trim", request) && "e" in jsonOf(op) ? [holding(op, ok)] : undefined)
  },
  {
    name: "blocks nobody",
    kills: ["broker/block#blocked", "broker/handed-over#block", "broker/restart#blocks"],
    up: (op, session) => {
      const { n, op: change } = isRequest("block", op) ? jsonOf(op) : {}
      if (change !== "add") return undefined
      session.answer(op, JSON.stringify({ ok: 1, n }))
      return []
    }
  },
  {
    name: "never unblocks",
    kills: ["broker/block#undone"],
    up: (op, session) => {
      const { n, op: change } = isRequest("block", op) ? jsonOf(op) : {}
      if (change !== "remove") return undefined
      session.answer(op, JSON.stringify({ ok: 1, n }))
      return []
    }
  },
  confuses("block", "bad", "ok", ["broker/block#malformed"]),
  {
    name: "forgets accounts in a restart",
    kills: ["broker/restart#accounts"],
    afterRestart: (_, { path }) => (path.startsWith("/v1/u/") ? { status: 404 } : undefined)
  },
  pages("loses in a restart what came last", ["broker/restart#mail"], (page, { proxy }) =>
    proxy.isRestarted ? withoutFrames(page, (i) => i < 4) : page
  ),
  pages("begins another stream in a restart", ["broker/restart#positions"], (page, { proxy }) =>
    proxy.isRestarted ? page.fill(7, 1, 17) : page
  ),
  asks("forgets in a restart what was sent", "inbox", ["broker/restart#repeat"], (op, { proxy }) =>
    proxy.isRestarted ? freshId(op) : undefined
  ),
  {
    name: "gives a new share of the day in a restart",
    kills: ["broker/restart#quotas"],
    down: (op, { proxy }, request) =>
      proxy.isRestarted && isRequest("inbox", request) && jsonOf(op)["e"] === "slow" ? [holding(op, ok)] : undefined
  }
]

/** Those that keep something during a run. */
const made: ReadonlyArray<MutantMaker> = [
  tells("names the sender", ["broker/send#no-sender"], (_, sender) => `Kez-Sender: ${sender}`),
  tells("delivers the Kez-Id", ["broker/send#no-sender"], (sent) => `Nats-Msg-Id: ${kezIdOf(sent)}`),
  tells("stores the headers of clients", ["broker/send#headers"], ({ header }) =>
    header.split("\r\n").slice(2, -2).join("\r\n")
  ),
  () => ({
    name: "recognises repetitions by the Kez-Id alone",
    kills: ["broker/send#same-id-recipients", "broker/send#same-id-senders"],
    ...(() => {
      const seen = new Map<string, string>()
      const up: Faults["up"] = (op, session) => {
        if (!isRequest("inbox", op) || kezIdOf(op) === "") return undefined
        const who = session.hex + recipientOf(op)
        const first = seen.get(kezIdOf(op)) ?? who
        seen.set(kezIdOf(op), first)
        if (first === who) return undefined
        session.answer(op, ok)
        return []
      }
      return { up }
    })()
  }),
  () => {
    const forged = new Set<string>()
    return {
      name: "believes who a request says that it is from",
      kills: ["broker/send#forged-sender"],
      up: (op) => {
        if (/Nats-Request-Info/.test(op.header)) forged.add(op.payload.toString("base64"))
        return undefined
      },
      down: (op) =>
        isDelivery(op) && forged.has(op.payload.toString("base64"))
          ? [{ ...op, header: op.header.replace("kez.inbox", "kez.self") }]
          : undefined
    }
  },
  () => {
    let isDown = false
    return {
      name: "falls over a status line",
      kills: ["broker/send#header-blocks"],
      up: (op) => {
        isDown ||= op.header.startsWith("NATS/1.0 503")
        return undefined
      },
      down: (op, _, request) => (isDown && isRequest("inbox", request) ? [holding(op, refusal("retry"))] : undefined)
    }
  },
  () => {
    let count = 0
    return {
      name: "stores in any order",
      kills: ["broker/send#order"],
      up: (op, session) => {
        if (!isRequest("inbox", op) || count++ % 2 === 0) return undefined
        setTimeout(() => session.toServer(op), 40)
        return []
      }
    }
  },
  () => {
    const seen = new Map<string, Buffer>()
    return pages("serves the account that a request names", ["broker/fetch#account"], (page, { hex }, request) => {
      seen.set(hex, page)
      const other = seen.get(String(jsonOf(request)["pk"]))
      if (other === undefined) return page
      return Buffer.concat([page.subarray(0, 65), other.subarray(65)])
    })
  },
  () => {
    const epochs: Array<string> = []
    const last: Array<number> = []
    return {
      name: "removes where it is only asked, and all where it is asked for some",
      kills: ["broker/trim#asks", "broker/trim#removes"],
      up: (op) => {
        const request = jsonOf(op)
        if (!isRequest("trim", op) || epochs.length === 0 || request["n"] === undefined) return undefined
        return [holding(op, { ...request, epoch: epochs.at(-1), upTo: last.at(-1) })]
      },
      down: ({ payload }, _, request) => {
        if (isRequest("fetch", request) && payload[0] === 1) {
          epochs.push(payload.subarray(1, 17).toString("base64url"))
          last.push(Number(payload.readBigUInt64BE(65)))
        }
        return undefined
      }
    }
  },
  knowsBlocked((isBlocked) => ({
    name: "tells blocked senders",
    kills: ["broker/block#answers"],
    down: (op, session, request) =>
      request !== undefined && isSendTo(request, session, isBlocked) && textOf(op) === ok
        ? [holding(op, refusal("unknown"))]
        : undefined
  })),
  knowsBlocked((isBlocked) => ({
    name: "signs nothing for blocked senders",
    kills: ["broker/acceptance#blocked"],
    down: (op, session, request) =>
      request !== undefined && isSendTo(request, session, isBlocked) && jsonOf(op)["sig"] !== undefined
        ? [holding(op, ok)]
        : undefined
  })),
  knowsBlocked((isBlocked) => ({
    name: "takes long over blocked senders",
    kills: ["broker/block#time"],
    down: (op, session, request) => {
      if (request === undefined || !isSendTo(request, session, isBlocked)) return undefined
      setTimeout(() => session.toClient(op), 300)
      return []
    }
  }))
]

export const mailMutants: ReadonlyArray<MutantMaker> = [...plain.map((mutant) => () => mutant), ...made]
