/** Expectations of a sig-server: first what is SEEN of KEZ's, then what is this project's own. */
import type { About } from "../Check.ts"
import { codeOf, equals, fits, hasHeader, hasStatus, holds, refuses } from "../Expect.ts"
import { Violation } from "../Outcome.ts"
import type { Answer } from "../Target.ts"
import type { SigFact } from "./SigFacts.ts"
import { type Chain, pathOf, type SigVisit } from "./SigVisit.ts"

export type AboutSig = About<SigFact>

/** The events of a served chain, each in canonical form; blank lines do not count. */
export const eventsOf = (sig: SigVisit, answer: Answer): ReadonlyArray<string> =>
  answer.text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      try {
        return sig.signing.canonical(JSON.parse(line))
      } catch {
        throw new Violation(`${answer.request}: a line is not JSON`, undefined, line.slice(0, 200))
      }
    })

/** The server has exactly the events of the chain. */
export const remains = async (sig: SigVisit, { events, signer }: Chain): Promise<Answer> => {
  const answer = await sig.target.get(pathOf(signer))
  hasStatus(answer, 200)
  hasHeader(answer, "content-type", /^application\/jsonl\s*(?:;|$)/i)
  equals(answer, eventsOf(sig, answer), events.map(sig.signing.canonical), "the chain")
  return answer
}

/** The head is that of the chain. */
export const hasHead = async (sig: SigVisit, chain: Chain): Promise<void> => {
  const answer = await sig.target.get(`${pathOf(chain.signer)}/head`)
  hasStatus(answer, 200)
  equals(answer, headIn(answer), sig.headOf(chain), "the head")
}

export const headIn = (answer: Answer): unknown => fits(answer, "head")

/** The answer's code is this one, where it has any: whether errors have codes is a fact of its own. */
export const hasCode = (answer: Answer, code: string): void => {
  const found = codeOf(answer)
  holds(answer, found === undefined || found === code, `refused with ${found}; the right code is ${code}`)
}

/** The request is refused, as `fact` has it, the chain stays, and the code is one of these. */
export const isRefused = async (
  sig: SigVisit,
  about: AboutSig,
  fact: SigFact,
  answer: Answer,
  chain: Chain | undefined,
  ...codes: ReadonlyArray<string>
): Promise<void> => {
  about(fact)
  if (answer.status < 300) sig.spoil()
  holds(answer, answer.status >= 400, `accepted with ${answer.status}; it must be refused with ${codes.join(" or ")}`)
  if (chain !== undefined) await remains(sig, chain)
  about("problem-form")
  refuses(answer, ...codes)
}
