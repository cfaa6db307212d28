/** Reading chains (spec: sigchain). */
import { group } from "../Check.ts"
import { codeOf, equals, hasHeader, hasStatus, holds, refuses } from "../Expect.ts"
import { eventsOf, hasCode, hasHead, remains } from "./SigExpect.ts"
import type { SigFact } from "./SigFacts.ts"
import { type Chain, pathOf, type SigVisit } from "./SigVisit.ts"

const canonicalOf = (sig: SigVisit, { events }: Chain): ReadonlyArray<string> => events.map(sig.signing.canonical)

const wrongSince = ["-1", "1.5", "x", "01", "1e3"]

export const read = group<SigVisit, SigFact>("sig-server/read", [
  {
    id: "chain",
    requirements: ["KEZ-SIG-103", "KEZ-SIG-105"],
    why: "a chain is one canonical envelope a line, in order, nothing left out",
    run: async (sig, about) => {
      const chain = await sig.chain()
      about("served")
      const answer = await remains(sig, chain)
      about("canonical-lines")
      const lines = canonicalOf(sig, chain).map((line) => `${line}\n`)
      equals(answer, answer.text, lines.join(""), "the chain")
    }
  },
  {
    id: "since",
    requirements: ["KEZ-SIG-105"],
    why: "who has verified a part fetches the rest, from any event on",
    run: async (sig, about) => {
      const chain = await sig.chain()
      about("since")
      for (const since of chain.events.keys()) {
        const answer = await sig.target.get(`${pathOf(chain.signer)}?since=${since}`)
        hasStatus(answer, 200)
        equals(answer, eventsOf(sig, answer), canonicalOf(sig, chain).slice(since), "the rest of the chain")
      }
    }
  },
  {
    id: "since-end",
    requirements: ["KEZ-SIG-105"],
    why: "beyond the head there is nothing, which is no error",
    run: async (sig, about) => {
      const chain = await sig.chain()
      about("since")
      for (const since of [chain.events.length, 100_000]) {
        const answer = await sig.target.get(`${pathOf(chain.signer)}?since=${since}`)
        hasStatus(answer, 200)
        equals(answer, eventsOf(sig, answer), [], "the rest of the chain")
      }
    }
  },
  {
    id: "since-form",
    requirements: ["KEZ-ERR-004"],
    why: "a position is a whole number",
    run: async (sig, about) => {
      const { signer } = await sig.chain()
      const answers = []
      for (const since of wrongSince) answers.push(await sig.target.get(`${pathOf(signer)}?since=${since}`))
      about("since")
      for (const answer of answers) hasStatus(answer, 400)
      about("problem-form")
      for (const answer of answers) refuses(answer, "request_malformed")
    }
  },
  {
    id: "etag",
    requirements: ["KEZ-SIG-107"],
    why: "a chain that did not change is not sent again, and one that did is",
    run: async (sig, about) => {
      const chain = await sig.extended(sig.empty(), {})
      about("etag")
      const first = await sig.target.get(pathOf(chain.signer))
      hasHeader(first, "etag", /^(?:W\/)?".+"$/)
      const headers = { "if-none-match": first.headers.get("etag")! }
      const again = await sig.target.get(pathOf(chain.signer), headers)
      hasStatus(again, 304)
      holds(again, again.bytes.length === 0, "an answer 304 has no body")
      await sig.extended(chain, {})
      hasStatus(await sig.target.get(pathOf(chain.signer), headers), 200)
    }
  },
  {
    id: "head",
    requirements: ["KEZ-SIG-107"],
    why: "the head is the place and the hash of the last event",
    run: async (sig, about) => {
      const chain = await sig.chain()
      about("head")
      await hasHead(sig, chain)
    }
  },
  {
    id: "unknown",
    requirements: ["KEZ-ERR-001"],
    why: "a key that has signed nothing",
    reads: true,
    run: async (sig, about) => {
      about("absent")
      const path = pathOf(sig.signing.makeSigner())
      const answer = await sig.target.get(path)
      hasStatus(answer, 404, 200)
      holds(answer, answer.status === 404 || answer.text.trim() === "", "a key that has signed nothing has a chain")
      const head = await sig.target.get(`${path}/head`)
      about("head")
      hasStatus(head, 404)
      hasCode(head, "chain_not_found")
      about("chain-absent")
      hasStatus(answer, 404)
      about("problem-form")
      refuses(answer, "chain_not_found")
    }
  },
  {
    id: "key-form",
    requirements: ["KEZ-ERR-004"],
    why: "capitals would make two addresses of one chain",
    reads: true,
    run: async (sig, about) => {
      const { hex } = sig.signing.makeSigner()
      const answers = []
      for (const key of [hex.toUpperCase(), hex.slice(2)]) answers.push(await sig.target.get(pathOf({ hex: key })))
      about("key-form")
      for (const answer of answers)
        holds(
          answer,
          answer.status >= 400 && codeOf(answer) !== "chain_not_found",
          `answered ${answer.status} as to a key; it must be refused`
        )
      about("problem-form")
      for (const answer of answers) refuses(answer, "key_malformed", "encoding_malformed", "not_found")
    }
  },
  {
    id: "health",
    requirements: ["KEZ-ERR-004"],
    why: "after all of this the server still serves",
    reads: true,
    last: true,
    run: async (sig, about) => {
      about("absent")
      hasStatus(await sig.target.get(pathOf(sig.signing.makeSigner())), 404, 200)
      about("health")
      hasStatus(await sig.target.get("/v1/healthz"), 200)
    }
  }
])
