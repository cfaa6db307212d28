/** Sig-servers that are wrong in one thing, each with the checks that notice it. */
import { accepts, confuses, type Mutant, refusal, without } from "./MutantProxy.ts"
import { everywhere } from "./Mutants.ts"

const isChain = /^\/v1\/sigchains\/ed25519\/[0-9a-f]{64}(?:\?|$)/
const isHead = /\/head$/

/** Changes the lines of a chain. */
const lines = (
  name: string,
  kills: ReadonlyArray<string>,
  change: (all: ReadonlyArray<string>) => ReadonlyArray<string>
): Mutant => ({
  name,
  kills,
  answer: ({ body, status }, { method, path }) =>
    method === "GET" && status === 200 && isChain.test(path)
      ? {
          body: change(body.split("\n").filter((line) => line !== ""))
            .map((line) => `${line}\n`)
            .join("")
        }
      : undefined
})

export const sigMutants: ReadonlyArray<Mutant> = [
  ...everywhere("sig-server"),
  accepts("signature_invalid", 201, ["sig-server/append#forged", "sig-server/append#rotate-forged"]),
  accepts("chain_conflict", 201, [
    "sig-server/append#fork",
    "sig-server/append#fork-head",
    "sig-server/append#new-start",
    "sig-server/append#gap",
    "sig-server/append#wrong-prev",
    "sig-server/append#not-first",
    "sig-server/append#race"
  ]),
  {
    name: "does not say where the head is",
    kills: ["sig-server/append#fork", "sig-server/append#gap"],
    answer: ({ body, code }) =>
      code === "chain_conflict" ? { body: JSON.stringify({ ...JSON.parse(body), head: undefined }) } : undefined
  },
  accepts("event_malformed", 201, [
    "sig-server/append#first-prev",
    "sig-server/append#no-prev",
    "sig-server/append#op-*",
    "sig-server/append#no-payload",
    "sig-server/append#payload-text",
    "sig-server/append#seq-text",
    "sig-server/append#endpoint-*",
    "sig-server/append#files-*",
    "sig-server/append#rotate-self"
  ]),
  {
    name: "takes every text as a time",
    kills: ["sig-server/append#time"],
    answer: (_, { body }) => (body.includes("00.123Z") ? { status: 201, body: "{}" } : undefined)
  },
  accepts("envelope_kind", 201, ["sig-server/append#kind", "sig-server/append#other-signer"]),
  {
    name: "stores the events of others",
    kills: ["sig-server/append#other-chain"],
    answer: ({ status }, { body, path }) => {
      const [, hex = ""] = /ed25519\/([0-9a-f]{64})/.exec(path) ?? []
      return status >= 400 && !body.includes(hex) && body.length > 100 ? { status: 201, body: "{}" } : undefined
    }
  },
  accepts("chain_terminated", 201, ["sig-server/append#rotate"]),
  accepts("too_large", 201, ["sig-server/append#too-large"]),
  {
    name: "refuses what it has",
    kills: ["sig-server/append#replay"],
    answer: ({ status }, { method }) =>
      method === "POST" && status === 200 ? refusal(409, "chain_conflict") : undefined
  },
  {
    name: "appends only at events",
    kills: ["sig-server/append#at-chain"],
    answer: (_, { method, path }) =>
      method === "POST" && isChain.test(path) ? refusal(405, "method_not_allowed") : undefined
  },
  {
    name: "knows no other operations",
    kills: [
      "sig-server/append#unknown-op",
      "sig-server/append#ignored",
      "sig-server/append#remove-nothing",
      "sig-server/append#unknown-member"
    ],
    answer: (_, { body, method }) =>
      method === "POST" && /kezct_later|never\.kezct|remove_endpoint/.test(body.toString())
        ? refusal(400, "event_malformed")
        : undefined
  },
  {
    name: "hashes the text and not its canonical form",
    kills: ["sig-server/append#loose", "sig-server/append#first", "sig-server/append#next", "sig-server/read#head"],
    answer: ({ body, status }) =>
      status < 300 && body.startsWith('{"seq"') ? { body: body.replace(/[0-9a-f]{64}/, "ab".repeat(32)) } : undefined
  },
  lines("withholds the last event", ["sig-server/read#chain", "sig-server/read#since"], (all) => all.slice(0, -1)),
  lines("shows the newest first", ["sig-server/read#chain"], (all) => all.toReversed()),
  lines("writes events anew", ["sig-server/read#chain"], (all) =>
    all.map((line) => JSON.stringify({ signature: 0, ...JSON.parse(line) }))
  ),
  {
    name: "always sends the whole chain",
    kills: ["sig-server/read#since", "sig-server/read#since-*"],
    ask: ({ path }) => ({ path: path.replace(/\?.*$/, "") }),
    answer: () => undefined
  },
  {
    name: "always sends a chain that has not changed",
    kills: ["sig-server/read#etag"],
    ask: ({ headers }) => ({ headers: without(headers, "if-none-match") }),
    answer: () => undefined
  },
  accepts("chain_not_found", 200, ["sig-server/read#unknown"], ""),
  accepts("key_malformed", 200, ["sig-server/read#key-form"]),
  {
    name: "is ill",
    kills: ["sig-server/read#health"],
    answer: (_, { path }) => (path === "/v1/healthz" ? { status: 503 } : undefined)
  },
  {
    name: "lets no page read anything",
    kills: ["sig-server/errors#cors*", "sig-server/errors#preflight"],
    answer: ({ headers }) => ({ headers: without(headers, "access-control-allow-origin") })
  },
  {
    name: "lets no page read heads",
    kills: ["sig-server/errors#cors-chain"],
    answer: ({ headers }, { path }) =>
      isHead.test(path) ? { headers: without(headers, "access-control-allow-origin") } : undefined
  },
  accepts("json_duplicate_name", 201, ["sig-server/append#twice"]),
  confuses("json_duplicate_name", 400, "json_malformed", ["sig-server/errors#strict"])
]
