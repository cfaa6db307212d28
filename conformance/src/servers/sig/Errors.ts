/** How a sig-server refuses, and who may read its answers (spec: errors). */
import { group } from "../Check.ts"
import { hasHeader, holds, isOpen, isProblem, refuses } from "../Expect.ts"
import { retryAfter } from "../RetryAfter.ts"
import { hasCode } from "./SigExpect.ts"
import type { SigFact } from "./SigFacts.ts"
import { pathOf, type SigVisit } from "./SigVisit.ts"

const notEvents: ReadonlyArray<readonly [text: string, code: string]> = [
  ['{"kez":"a","kez":"b"}', "json_duplicate_name"],
  ['{"kez":1.5}', "json_number"],
  ["{", "json_malformed"],
  ["[]", "envelope_malformed"]
]

export const sigErrors = group<SigVisit, SigFact>("sig-server/errors", [
  {
    id: "cors",
    requirements: ["KEZ-SIG-132"],
    why: "clients in browsers read chains, and why they were refused",
    reads: true,
    run: async (sig, about) => {
      about("cross-origin")
      const signer = sig.signing.makeSigner()
      isOpen(await sig.target.get(pathOf(signer)))
      isOpen(await sig.append({ signer }, "{"))
      about("head")
      isOpen(await sig.target.get(`${pathOf(signer)}/head`))
      about("health")
      isOpen(await sig.target.get("/v1/healthz"))
    }
  },
  {
    id: "cors-chain",
    requirements: ["KEZ-SIG-132"],
    why: "a page reads a chain and whether it has changed",
    run: async (sig, about) => {
      const { signer } = await sig.chain()
      about("cross-origin")
      isOpen(await sig.target.get(pathOf(signer)))
      about("head")
      isOpen(await sig.target.get(`${pathOf(signer)}/head`))
    }
  },
  {
    id: "preflight",
    requirements: ["KEZ-SIG-132"],
    why: "a browser asks before it sends an event",
    reads: true,
    run: async (sig, about) => {
      about("cross-origin")
      const answer = await sig.target.ask("OPTIONS", `${pathOf(sig.signing.makeSigner())}${sig.dialect.at}`, {
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
    run: async (sig, about) => {
      about("access-control")
      const signer = sig.signing.makeSigner()
      const answers = []
      for (const [text] of notEvents) answers.push(await sig.append({ signer }, text))
      for (const answer of answers) holds(answer, answer.status >= 400, `accepted with ${answer.status}`)
      about("strict-json")
      for (const [index, [, code]] of notEvents.entries()) hasCode(answers[index]!, code)
      about("problem-form")
      for (const answer of answers) isProblem(answer)
    }
  },
  {
    id: "unknown-path",
    requirements: ["KEZ-ERR-001"],
    why: "what is not there is refused like everything else",
    reads: true,
    run: async ({ target }, about) => {
      about("problem-form")
      refuses(await target.get("/v1/kezct"), "not_found")
    }
  },
  {
    id: "unknown-method",
    requirements: ["KEZ-ERR-001"],
    why: "nobody can delete a chain",
    reads: true,
    run: async (sig, about) => {
      about("problem-form")
      refuses(await sig.target.ask("DELETE", pathOf(sig.signing.makeSigner())), "method_not_allowed")
    }
  },
  {
    id: "retry-after",
    requirements: ["KEZ-ERR-003"],
    why: "a client that is limited waits as long as it is told",
    reads: true,
    last: true,
    run: async ({ target }, about) => {
      about("problem-form")
      retryAfter(target.limited)
    }
  }
])
