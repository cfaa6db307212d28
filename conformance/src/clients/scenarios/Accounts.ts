/** Making an account, and homes that lie, refuse or break off while it is made. */
import { Violation } from "../../servers/Outcome.ts"
import { canonical } from "../crypto/Canonical.ts"
import { hashOf } from "../crypto/Keys.ts"
import { isRefused } from "../Client.ts"
import { equals, holds, until } from "../Expect.ts"
import { group } from "../Scenario.ts"
import type { Stage } from "../Stage.ts"
import { json, problem, type Reply } from "../world/HttpHost.ts"

/** The first answer to requests that fit is another one; then `client.open` is tried again until it succeeds. */
const resumes = async (stage: Stage, server: "home" | "sig", pattern: RegExp, reply: Reply | "hang-up", times = 1) => {
  const { world } = stage
  let left = times
  world[server].http.when(pattern, (usual) => {
    if (left-- <= 0) return usual
    return reply === "hang-up" ? (response) => void response.destroy() : reply
  })
  const alice = stage.client()
  await until(
    () => alice.tries("client.open", alice.opening("new")),
    (answer) => !isRefused(answer),
    "the account is not made once the server answers right",
    30_000
  )
  alice.isOpen = true
  const chain = world.sig.chains.get(alice.keys.hex) ?? []
  holds(chain.length > 0, "the chain was not begun")
  equals(world.home.handles.get("alice")?.payload["primary"], alice.primary, "who holds the handle")
  const bob = world.person("bob")
  await alice.add(bob.handle)
  const { id } = await alice.send(bob.handle, "made it")
  await alice.reaches(bob.handle, id, "stored")
}

const descriptions: ReadonlyArray<{
  readonly id: string
  readonly requirements: ReadonlyArray<string>
  readonly why: string
  readonly codes: ReadonlyArray<string>
  readonly change: (description: Readonly<Record<string, unknown>>) => unknown
}> = [
  {
    id: "of-another-server",
    requirements: ["KEZ-REG-030"],
    why: "the home's description names another server than the handle",
    codes: ["wrong_server"],
    change: (description) => ({ ...description, server: "other.test" })
  },
  {
    id: "unusable-broker",
    requirements: ["KEZ-REG-031"],
    why: "the description names a broker where no device can be",
    codes: [],
    change: (description) => ({
      ...description,
      broker: { tcp: ["nats://0.0.0.0:4222"], websocket: ["ws://0.0.0.0:4223"] }
    })
  },
  {
    id: "malformed",
    requirements: ["KEZ-REG-029"],
    why: "the description has a broker URL of another scheme",
    codes: [],
    change: (description) => ({ ...description, broker: { tcp: ["file:///etc/passwd"], websocket: [] } })
  },
  {
    id: "no-sig-server",
    requirements: ["KEZ-REG-029"],
    why: "the description names no sig-server",
    codes: ["record_invalid"],
    change: (description) => ({ ...description, sig_server: undefined })
  }
]

export const accounts = group("accounts", [
  {
    id: "begins",
    requirements: ["KEZ-SIG-114", "KEZ-REG-005", "KEZ-KEY-003", "KEZ-REG-044", "KEZ-SIG-102"],
    why: "a new account registers with a signed statement and begins its chain with its inbox",
    run: async (stage) => {
      const { world } = stage
      const alice = await stage.opened()
      const registration = world.home.handles.get("alice")!
      equals(
        [registration.payload["handle"], registration.payload["server"], registration.payload["primary"]],
        ["alice", world.home.name, alice.primary],
        "what was registered"
      )
      const [first, second] = world.sig.chains.get(alice.keys.hex) ?? []
      equals(
        [first?.payload["seq"], first?.payload["prev"], first?.payload["op"]],
        [0, undefined, "add_endpoint"],
        "the first event"
      )
      const endpoint = first?.payload["payload"] as Readonly<Record<string, unknown>>
      equals([endpoint["protocol"], endpoint["inbox"]], ["nats", `kez.inbox.${alice.keys.hex}`], "the first endpoint")
      if (second !== undefined)
        equals((second.payload["payload"] as { protocol?: unknown }).protocol, "iroh", "the second endpoint")
      for (const asked of [...world.home.http.asked, ...world.sig.http.asked].filter(
        ({ method }) => method === "POST"
      )) {
        const type = String(asked.headers["content-type"])
        holds(/^application\/json\s*(?:;|$)/i.test(type), `the media type of ${asked.method} ${asked.path}`, type)
        equals(asked.headers["content-encoding"], undefined, "the content coding of a request")
      }
    }
  },
  ...descriptions.map(({ change, codes, id, requirements, why }) => ({
    id: `description-${id}`,
    requirements,
    why: `${why}: nothing is registered, or nobody logs in there`,
    run: async (stage: Stage) => {
      const { world } = stage
      const description = world.home.description() as Readonly<Record<string, unknown>>
      world.home.http.when(/^GET \/.well-known\/kez-chat/, () => json(change(description)))
      const alice = stage.client()
      const answer = await alice.tries("client.open", alice.opening("new"))
      if (codes.length > 0) {
        holds(
          isRefused(answer) && codes.includes(answer.code),
          `client.open must be refused with ${codes.join(" or ")}`,
          answer
        )
        equals(world.home.handles.size, 0, "how many handles were registered")
      }
      if (!isRefused(answer)) {
        alice.isOpen = true
        await alice.sync(1_000)
      }
      equals(world.broker.logins.length, 0, "how often the client logged in")
    }
  })),
  ...(
    [
      ["unavailable", problem(503, "unavailable")],
      ["limited", problem(429, "rate_limited", {}, { "retry-after": "1" })],
      ["hang-up", "hang-up"]
    ] as const
  ).flatMap(([id, reply]) => [
    {
      id: `register-${id}`,
      requirements: ["KEZ-SIG-115"],
      why: "the registration meets a home that cannot take it just now: the account is made when it can",
      run: (stage: Stage) => resumes(stage, "home", /^POST \/v1\/register/, reply)
    },
    {
      id: `publish-${id}`,
      requirements: ["KEZ-SIG-115"],
      why: "the handle is registered and the chain cannot be begun just now: carried on from there",
      run: (stage: Stage) => resumes(stage, "sig", /^POST /, reply)
    }
  ]),
  {
    id: "registered-without-answer",
    requirements: ["KEZ-SIG-115", "KEZ-REG-012"],
    why: "the home registers and its answer is lost, the client is killed: carried on with what is registered",
    run: async (stage) => {
      const { world } = stage
      let left = 1
      world.home.http.when(/^POST \/v1\/register/, (usual) =>
        left-- > 0 ? (response) => void response.destroy() : usual
      )
      const alice = stage.client()
      const first = await alice.tries("client.open", alice.opening("new"))
      if (isRefused(first)) {
        await stage.kill()
        await alice.open("new")
      } else alice.isOpen = true
      holds((world.sig.chains.get(alice.keys.hex) ?? []).length > 0, "the chain was not begun")
    }
  },
  {
    id: "seed-stays",
    requirements: ["KEZ-KEY-005"],
    why: "the seed is in nothing that goes over a network and in no error, from the first request to the restored account",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const { id } = await alice.send(bob.handle, "hello")
      await alice.reaches(bob.handle, id, "stored")
      bob.send(alice.keys, "hello alice")
      await alice.showsText(bob.handle, "hello alice")
      await alice.tries("client.manifest", { who: bob.handle })
      await alice.close()
      const mallory = world.person("mallory")
      const wrong = stage.client(mallory.local)
      await wrong.refuses("client.open", wrong.opening("new"))
      world.isUp = false
      const nobody = stage.client("nobody")
      await nobody.refuses("client.open", nobody.opening("new"))
      world.isUp = true
      const again = await stage.client("alice", alice.keys, "restored").open()
      await again.shows(bob.primary, (messages) => messages.length === 2, "the messages did not come back")
      const leak = stage.leak()
      if (leak !== undefined) throw new Violation(leak)
    }
  },
  {
    id: "taken",
    requirements: ["KEZ-ERR-002"],
    why: "somebody else holds the handle: the code of the home is what the user gets",
    run: async (stage) => {
      stage.world.person("alice")
      const alice = stage.client()
      await alice.refuses("client.open", alice.opening("new"), "handle_taken")
      equals(stage.world.sig.chains.get(alice.keys.hex), undefined, "the chain of an account that was not made")
    }
  },
  {
    id: "clock-skew",
    requirements: ["KEZ-REG-011", "KEZ-ERR-002"],
    why: "the home's clock is ten minutes ahead: its refusal is what the user gets",
    run: async (stage) => {
      stage.world.clockSkew = 600_000
      const alice = stage.client()
      await alice.refuses("client.open", alice.opening("new"), "clock_skew")
    }
  },
  {
    id: "unknown-code",
    requirements: ["KEZ-ERR-002"],
    why: "a refusal with a code of a later version is still a refusal, by its status",
    run: async (stage) => {
      const { world } = stage
      const bob = world.person("bob")
      const alice = await stage.opened()
      world.home.http.when(/^GET \/v1\/u\//, () => problem(403, "x_future_code", { title: "fine", detail: "go on" }))
      await alice.refuses("client.add", { who: bob.handle })
    }
  },
  {
    id: "chain-conflict",
    requirements: ["KEZ-SIG-135"],
    why: "another device of the account extends the chain in between: fetched again, verified, and a new event signed for its head",
    run: async (stage) => {
      const { world } = stage
      const alice = stage.client()
      const device = world.stranger("alice", alice.keys)
      let raced = false
      world.sig.http.when(/^POST /, (usual) => {
        if (raced) return usual
        raced = true
        // The client's own event was stored before this answer; the other device's is there instead.
        device.chain = []
        device.extend(device.event("add", { subject: "github:alice" }))
        return problem(409, "chain_conflict", { head: device.head })
      })
      await alice.open("new")
      const chain = world.sig.chains.get(alice.keys.hex) ?? []
      equals(hashOf(chain[0]!), device.head.hash, "the first event")
      holds(
        chain.some(({ payload }) => payload["op"] === "add_endpoint"),
        "the endpoint was not added after the other event",
        chain.map((event) => canonical(event.payload["op"]))
      )
    }
  },
  ...[404, 405].map((status) => ({
    id: `append-elsewhere-${status}`,
    requirements: ["KEZ-SIG-136", "KEZ-SIG-131"],
    why: `the sig-server answers ${status} at \`…/events\`: the client appends at the chain's own URL`,
    run: async (stage: Stage) => {
      const { world } = stage
      world.sig.http.when(/^POST .*\/events$/, (_, { path }) => {
        const hex = /[0-9a-f]{64}/.exec(path)?.[0] ?? ""
        world.sig.chains.set(hex, (world.sig.chains.get(hex) ?? []).slice(0, -1))
        return problem(status, status === 404 ? "not_found" : "method_not_allowed")
      })
      const alice = await stage.opened()
      holds((world.sig.chains.get(alice.keys.hex) ?? []).length > 0, "the chain was not begun")
      const [first] = world.sig.http.of(/^POST /)
      holds(first?.path.endsWith("/events") === true, "the client did not try …/events first", first?.path)
    }
  }))
])
