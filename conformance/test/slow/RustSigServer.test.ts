/**
 * The sig-server in Rust of `conformance/peers/sig-server`, which knows the specification and KEZ's pages and no line of
 * ours: the suite passes it, tells what it does otherwise where the pages leave that open, and our clients live with it.
 */
import { openNode } from "@kez-chat/sdk/node"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { whoIs } from "../../../sdk/examples/verify-sigchain.ts"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import { buildPeer, sigServerPeer, whyNoPeer } from "../../../deploy/tasks/RustPeers.ts"
import { signing } from "../../src/reference/Signer.ts"
import { factResults } from "../../src/report/Facts.ts"
import { sigChecks } from "../../src/servers/AllChecks.ts"
import { runServer } from "../../src/servers/Run.ts"
import { type SigFact, sigFacts } from "../../src/servers/sig/SigFacts.ts"
import { type Chain, pathOf, SigVisit } from "../../src/servers/sig/SigVisit.ts"
import { Target } from "../../src/servers/Target.ts"
import { run as probe } from "../probe/ProbeKit.ts"
import { conformance, otherwise, type SigServerPeer, startPeer } from "./SigServerPeer.ts"

const why = await whyNoPeer(sigServerPeer)
if (why !== undefined) {
  const sentence = `No tests with a sig-server in Rust: ${why}.`
  if (process.env["KEZ_NO_SKIP"] === "1") throw new Error(sentence)
  process.stderr.write(`${sentence}\n`)
}

const open = (Object.keys(sigFacts) as ReadonlyArray<SigFact>).filter((fact) => sigFacts[fact].mark !== "SEEN")

const found: Readonly<Partial<Record<SigFact, ReadonlyArray<SigFact>>>> = {
  // A server that does not look at what comes before takes every prev.
  "chain-order": ["prev-input", "chain-order"],
  // An event without prev does not extend the head, which has another code.
  "event-form": ["event-form", "problem-form"]
}

const visit = (url: string) => SigVisit.begin(new Target(url, 20_000), signing)

describe.skipIf(why !== undefined)("a sig-server in Rust", () => {
  let path: string
  beforeAll(async () => void (path = await buildPeer(sigServerPeer)), 1_800_000)

  const withPeer = async (args: ReadonlyArray<string>, use: (peer: SigServerPeer) => Promise<void>) => {
    const peer = await startPeer(path, ...args)
    try {
      await use(peer)
    } finally {
      await peer.stop()
    }
  }

  it("passes every check of the specification", () =>
    withPeer([], async ({ url }) => {
      const strict = await conformance(url, "--strict")
      expect(strict.report.checks.filter(({ verdict }) => verdict !== "pass").map(({ id }) => id)).toEqual([
        "sig-server/errors#retry-after"
      ])
      const { code, report } = await conformance(url)
      expect([strict.code, code, otherwise(report.facts), report.facts.length]).toEqual([
        0,
        0,
        [],
        Object.keys(sigFacts).length
      ])
    }))

  it("conforms if it does no more than what is SEEN of KEZ, and what is otherwise is found", () =>
    withPeer(["--otherwise", "all"], async ({ url }) => {
      const { code, report } = await conformance(url)
      expect(report.checks.filter(({ verdict }) => verdict === "fail")).toEqual([])
      // An event that comes again is stored twice, which hides how that is answered.
      expect([code, otherwise(report.facts)]).toEqual([0, open.filter((fact) => fact !== "append-again")])
      expect((await conformance(url, "--strict")).code).toBe(1)
    }))

  it.each(open)("conforms if it is otherwise in %s, and that is found", (fact) =>
    withPeer(["--otherwise", fact], async ({ url }) => {
      const results = await runServer(sigChecks, await visit(url), { seed: 1, facts: sigFacts })
      expect(otherwise(factResults(results))).toEqual(found[fact] ?? [fact])
      expect(results.filter(({ verdict }) => verdict === "fail" || verdict === "untestable")).toEqual([])
    })
  )

  it("is as assumed, by what it serves", () =>
    withPeer([], async ({ url }) => {
      const { signer } = await (await visit(url)).chain()
      const { code, output } = await probe(`${url}${pathOf(signer)}`)
      expect(output).toContain("AS ASSUMED")
      expect(code).toBe(0)
    }))

  it("KEZ-SIG-130 keeps every event that it has answered for, killed at any time", () =>
    withPeer([], async ({ restart, url }) => {
      const sig = await visit(url)
      let chain: Chain = sig.empty()
      for (let round = 0; round < 8; round++) {
        const grows = (async () => {
          for (;;) chain = await sig.extended(chain, {})
        })().catch(() => undefined)
        await new Promise((resolve) => setTimeout(resolve, 20 + 40 * round))
        await restart()
        await grows
        const served = (await sig.target.get(pathOf(chain.signer))).text.split("\n").filter((line) => line !== "")
        expect(served.slice(0, chain.events.length)).toEqual(chain.events.map(sig.signing.canonical))
        // The last one may be stored and its answer lost.
        expect(served.length - chain.events.length).toBeLessThanOrEqual(1)
        chain = { ...chain, events: served.map((line) => JSON.parse(line) as Chain["events"][number]) }
      }
      expect(chain.events.length).toBeGreaterThan(8)
    }))

  it("KEZ-SIG-133 limits new chains, and not those that exist", () =>
    withPeer(["--new-chains-per-hour", "2"], async ({ url }) => {
      const sig = await visit(url)
      const chain = await sig.extended(sig.empty(), {})
      const other = sig.empty()
      const refused = await sig.append(other, sig.next(other))
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, expect.stringMatching(/^[1-9]\d*$/)])
      await sig.extended(chain, {})
    }))

  it("KEZ-LIM-021 bounds the bytes of an address in a day", () =>
    withPeer(["--bytes-per-day", "2000"], async ({ url }) => {
      const sig = await visit(url)
      const chain = await sig.extended(sig.empty(), {}, {})
      expect((await sig.append(chain, sig.next(chain))).status).toBe(429)
    }))

  it("KEZ-LIM-022 keeps the last room for chains that exist", () =>
    withPeer(["--store-bytes", "6000"], async ({ url }) => {
      const sig = await visit(url)
      let chain = await sig.extended(sig.empty(), {})
      const status = async ({ events, signer }: Chain) =>
        (await sig.append({ signer }, sig.next({ events, signer }))).status
      while ((await status(sig.empty())) === 201);
      chain = await sig.extended(chain, {})
      for (;;) {
        const answer = await sig.append(chain, sig.next(chain))
        if (answer.status !== 201) {
          expect([answer.status, answer.text]).toEqual([507, expect.stringContaining("store_full")])
          return
        }
        chain = { ...chain, events: [...chain.events, sig.next(chain)] }
      }
    }))

  describe("as the sig-server of a home", () => {
    let folder: string
    let home: Home
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "kez-rust-home-"))
      home = await startHome({
        data: join(folder, "home"),
        source: true,
        otherSigServer: ({ db, host, port }) => [path, ["--bind", `${host}:${port}`, "--db", db]]
      })
      return async () => {
        await home.stop()
        rmSync(folder, { recursive: true, force: true })
      }
    })

    const person = async (name: string) => {
      const client = await openNode({ home: home.urls.home, dir: join(folder, name), passphrase: `${name}'s own` })
      await client.create({ handle: name, words: Mnemonic.generate(randomBytes(32)) })
      return client
    }

    it("carries accounts and contacts of our clients, also after it was killed", async () => {
      await using alice = await person("alice")
      await using bob = await person("bob")
      await alice.addContact("bob")
      await bob.addContact("alice")
      const heard = (async () => {
        for await (const event of bob.events({ signal: AbortSignal.timeout(50_000) }))
          if (event._tag === "Message" && event.message.direction === "in") return event.message.text
      })()
      await alice.send("bob", "over a sig-server in Rust")
      expect(await heard).toBe("over a sig-server in Rust")

      const before = await Effect.runPromise(whoIs(home.urls.home, "alice"))
      expect(before.state.endpoints.map(({ protocol }) => protocol)).toContain("nats")
      await home.processes.sig.kill("SIGKILL")
      await home.processes.sig.restart()
      expect(await Effect.runPromise(whoIs(home.urls.home, "alice"))).toEqual(before)
      await using carol = await person("carol")
      await carol.addContact("alice")
      expect(readFileSync(home.processes.sig.log, "utf8")).not.toContain("database:")
    })
  })
})
