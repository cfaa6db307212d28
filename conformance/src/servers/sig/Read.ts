/** Reading chains, and how a sig-server refuses (spec: sigchain, errors). */
import { group } from "../Check.ts"
import { equals, fits, hasHeader, hasStatus, holds, isOpen, refuses } from "../Expect.ts"
import { retryAfter } from "../RetryAfter.ts"
import { type Chain, pathOf, type SigVisit } from "./SigVisit.ts"

const linesOf = (sig: SigVisit, { events }: Chain, since = 0): string =>
  events
    .slice(since)
    .map((event) => `${sig.signing.canonical(event)}\n`)
    .join("")

const wrongSince = ["-1", "1.5", "x", "01", "1e3"]

export const read = group<SigVisit>("sig-server/read", [
  {
    id: "chain",
    requirements: ["KEZ-SIG-103", "KEZ-SIG-105"],
    why: "a chain is one canonical envelope a line, in order, nothing left out",
    run: async (sig) => {
      const chain = await sig.chain()
      const answer = await sig.target.get(pathOf(chain.signer))
      hasStatus(answer, 200)
      hasHeader(answer, "content-type", /^application\/jsonl\s*(?:;|$)/i)
      equals(answer, answer.text, linesOf(sig, chain), "the chain")
    }
  },
  {
    id: "since",
    requirements: ["KEZ-SIG-105"],
    why: "who has verified a part fetches the rest, from any event on",
    run: async (sig) => {
      const chain = await sig.chain()
      for (const since of chain.events.keys()) {
        const answer = await sig.target.get(`${pathOf(chain.signer)}?since=${since}`)
        hasStatus(answer, 200)
        equals(answer, answer.text, linesOf(sig, chain, since), "the rest of the chain")
      }
    }
  },
  {
    id: "since-end",
    requirements: ["KEZ-SIG-105"],
    why: "beyond the head there is nothing, which is no error",
    run: async (sig) => {
      const chain = await sig.chain()
      for (const since of [chain.events.length, 100_000]) {
        const answer = await sig.target.get(`${pathOf(chain.signer)}?since=${since}`)
        hasStatus(answer, 200)
        equals(answer, answer.text, "", "the rest of the chain")
      }
    }
  },
  {
    id: "since-form",
    requirements: ["KEZ-ERR-004"],
    why: "a position is a whole number",
    run: async (sig) => {
      const { signer } = await sig.chain()
      for (const since of wrongSince)
        refuses(await sig.target.get(`${pathOf(signer)}?since=${since}`), "request_malformed")
    }
  },
  {
    id: "etag",
    requirements: ["KEZ-SIG-107"],
    why: "a chain that did not change is not sent again, and one that did is",
    run: async (sig) => {
      const chain = await sig.extended(sig.empty(), {})
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
    run: async (sig) => {
      const chain = await sig.chain()
      const answer = await sig.target.get(`${pathOf(chain.signer)}/head`)
      hasStatus(answer, 200)
      equals(answer, fits(answer, "head"), sig.headOf(chain), "the head")
    }
  },
  {
    id: "unknown",
    requirements: ["KEZ-ERR-001"],
    why: "a key that has signed nothing",
    reads: true,
    run: async (sig) => {
      const path = pathOf(sig.signing.makeSigner())
      refuses(await sig.target.get(path), "chain_not_found")
      refuses(await sig.target.get(`${path}/head`), "chain_not_found")
    }
  },
  {
    id: "key-form",
    requirements: ["KEZ-ERR-004"],
    why: "capitals would make two addresses of one chain",
    reads: true,
    run: async (sig) => {
      const { hex } = sig.signing.makeSigner()
      refuses(
        await sig.target.get(pathOf({ hex: hex.toUpperCase() })),
        "key_malformed",
        "encoding_malformed",
        "not_found"
      )
      refuses(await sig.target.get(pathOf({ hex: hex.slice(2) })), "key_malformed", "encoding_malformed", "not_found")
    }
  },
  {
    id: "health",
    requirements: ["KEZ-ERR-004"],
    why: "after all of this the server still serves",
    reads: true,
    last: true,
    run: async ({ target }) => hasStatus(await target.get("/v1/healthz"), 200)
  }
])

export const sigErrors = group<SigVisit>("sig-server/errors", [
  {
    id: "cors",
    requirements: ["KEZ-SIG-132"],
    why: "clients in browsers read chains, and why they were refused",
    reads: true,
    run: async (sig) => {
      const path = pathOf(sig.signing.makeSigner())
      isOpen(await sig.target.get(path))
      isOpen(await sig.target.get(`${path}/head`))
      isOpen(await sig.target.get("/v1/healthz"))
      isOpen(await sig.target.post(`${path}/events`, "{"))
    }
  },
  {
    id: "cors-chain",
    requirements: ["KEZ-SIG-132"],
    why: "a page reads a chain and whether it has changed",
    run: async (sig) => {
      const { signer } = await sig.chain()
      isOpen(await sig.target.get(pathOf(signer)))
      isOpen(await sig.target.get(`${pathOf(signer)}/head`))
    }
  },
  {
    id: "preflight",
    requirements: ["KEZ-SIG-132"],
    why: "a browser asks before it sends an event",
    reads: true,
    run: async (sig) => {
      const answer = await sig.target.ask("OPTIONS", `${pathOf(sig.signing.makeSigner())}/events`, {
        headers: {
          origin: "https://page.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type"
        }
      })
      holds(answer, answer.status < 300, `answered ${answer.status}; a browser wants success`)
      isOpen(answer)
      hasHeader(answer, "access-control-allow-headers", /(?:^|,)\s*(?:\*|content-type)\s*(?:,|$)/i)
    }
  },
  {
    id: "strict",
    requirements: ["KEZ-CAN-006", "KEZ-CAN-008", "KEZ-ERR-004"],
    why: "two readers must understand an event alike",
    reads: true,
    run: async (sig) => {
      const path = `${pathOf(sig.signing.makeSigner())}/events`
      refuses(await sig.target.post(path, '{"kez":"a","kez":"b"}'), "json_duplicate_name")
      refuses(await sig.target.post(path, '{"kez":1.5}'), "json_number")
      refuses(await sig.target.post(path, "{"), "json_malformed")
      refuses(await sig.target.post(path, "[]"), "envelope_malformed")
    }
  },
  {
    id: "unknown-path",
    requirements: ["KEZ-ERR-001"],
    why: "what is not there is refused like everything else",
    reads: true,
    run: async ({ target }) => refuses(await target.get("/v1/kezct"), "not_found")
  },
  {
    id: "unknown-method",
    requirements: ["KEZ-ERR-001"],
    why: "nobody can delete a chain",
    reads: true,
    run: async (sig) => refuses(await sig.target.ask("DELETE", pathOf(sig.signing.makeSigner())), "method_not_allowed")
  },
  {
    id: "retry-after",
    requirements: ["KEZ-ERR-003"],
    why: "a client that is limited waits as long as it is told",
    reads: true,
    last: true,
    run: async ({ target }) => retryAfter(target.limited)
  }
])
