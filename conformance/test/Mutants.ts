/** Faults that any server can have, each with the checks that notice it. */
import { having, type Mutant, refusal } from "./MutantProxy.ts"

/** For the checks of `server` or `sig-server`. */
export const everywhere = (group: string): ReadonlyArray<Mutant> => [
  {
    name: "serves a page for unknown paths",
    kills: [`${group}/errors#unknown-path`],
    answer: ({ code }) => (code === "not_found" ? { status: 200, body: "<!doctype html>" } : undefined)
  },
  {
    name: "takes every method",
    kills: [`${group}/errors#unknown-method`],
    answer: ({ code }) => (code === "method_not_allowed" ? { status: 204 } : undefined)
  },
  {
    name: "limits without saying how long",
    kills: [`${group}/errors#retry-after`],
    also: [`${group}/errors#unknown-path`],
    answer: ({ code }) => (code === "not_found" ? refusal(429, "rate_limited") : undefined)
  },
  {
    name: "sends errors as plain JSON",
    kills: [`${group}/errors#unknown-path`, `${group}/errors#unknown-method`],
    answer: ({ headers, status }) =>
      status >= 400 ? { headers: having(headers, "content-type", "application/json") } : undefined
  },
  {
    name: "sends errors without detail",
    kills: [`${group}/errors#unknown-path`],
    answer: ({ body, status }) =>
      status >= 400 ? { body: JSON.stringify({ ...JSON.parse(body), detail: undefined }) } : undefined
  },
  {
    name: "sends errors of another type",
    kills: [`${group}/errors#unknown-path`],
    answer: ({ body, status }) =>
      status >= 400 ? { body: JSON.stringify({ ...JSON.parse(body), type: "about:blank" }) } : undefined
  },
  {
    name: "refuses preflights",
    kills: [group === "server" ? "server/cors#preflight" : "sig-server/errors#preflight"],
    answer: (_, { method }) => (method === "OPTIONS" ? refusal(405, "method_not_allowed") : undefined)
  }
]
