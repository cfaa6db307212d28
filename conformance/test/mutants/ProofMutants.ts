/** Shims that are wrong about where proofs lie and whom they ask. */
import { accepts, answers, reads, type ShimMutant } from "./ShimMutant.ts"

interface Found {
  readonly found?: ReadonlyArray<string>
  readonly unreachable?: string
}

interface Answer {
  readonly status?: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly spaces?: number
  readonly records?: ReadonlyArray<ReadonlyArray<string>>
  readonly events?: ReadonlyArray<{ readonly content?: unknown } | null>
}

interface Recorded {
  readonly subject: string
  readonly answers: Readonly<Record<string, Answer>>
}

const candidates = (name: string, id: string, change: (found: ReadonlyArray<string>) => ReadonlyArray<string>) =>
  answers<Found>(name, `proof.read: ${id}`, (right) =>
    right.found === undefined ? right : { ...right, found: change(right.found) }
  )

/** Reads other answers than were recorded. */
const misreads = (
  name: string,
  id: string,
  change: (answer: Answer, url: string, recorded: Recorded) => Answer
): ShimMutant =>
  reads<Recorded>(name, `proof.read: ${id}`, (recorded) => ({
    ...recorded,
    answers: Object.fromEntries(
      Object.entries(recorded.answers).map(([url, answer]) => [url, change(answer, url, recorded)])
    )
  }))

/** Overlooks members of JSON: it reads them as these. */
const overlooks = (
  name: string,
  id: string,
  at: RegExp,
  members: (recorded: Recorded) => Readonly<Record<string, unknown>>
): ShimMutant =>
  misreads(name, id, (answer, url, recorded) => {
    if (!at.test(url) || answer.status !== 200 || !/^[[{]/.test(answer.body ?? "")) return answer
    const json = JSON.parse(answer.body ?? "") as object | ReadonlyArray<object>
    const change = (one: object) => ({ ...one, ...members(recorded) })
    return { ...answer, body: JSON.stringify(Array.isArray(json) ? json.map(change) : change(json)) }
  })

interface Checks {
  readonly checks: ReadonlyArray<{ readonly outcome: string }>
}

/** Another state after some checks. */
const states = (name: string, id: string, change: (state: string, outcome: string | undefined) => string) =>
  answers<ReadonlyArray<string>, Checks>(name, `claim.states: ${id}`, (right, { checks }) =>
    right.map((state, n) => change(state, checks[n]?.outcome))
  )

interface Stranger {
  readonly claims: ReadonlyArray<{ readonly subject: string; readonly state: string }>
}

/** Lets in by claims that do not count. */
const admits = (name: string, id: string, state: (state: string) => boolean) =>
  answers<ReadonlyArray<string>, Stranger>(name, `policy.admits: ${id}`, (_, { claims }) =>
    claims.filter((claim) => state(claim.state)).map(({ subject }) => subject)
  )

export const proofMutants: ReadonlyArray<ShimMutant> = [
  accepts("takes any claim for a proof", "proof.judge: PRF-150", "proof_mismatch"),
  accepts("takes a claim that ended for a proof", "proof.judge: PRF-150", "proof_expired"),
  states("shows as proven what it could not check", "PRF-151", (state) => (state === "unreachable" ? "valid" : state)),
  states("turns red when nobody answers", "PRF-152", (state, outcome) =>
    outcome === "unreachable" ? "broken" : state
  ),
  states("breaks with the first miss", "PRF-153", (state, outcome) => (outcome === "none" ? "broken" : state)),
  admits("lets in by any proof", "PRF-161", (state) => state === "valid"),
  admits("lets in whom it could not check", "PRF-162", (state) => state === "valid" || state === "unreachable"),
  admits("lets in by an old proof", "PRF-163", (state) => state === "valid"),
  candidates("tries one candidate", "PRF-100", (found) => found.slice(0, 1)),
  answers<Found>("takes a failure for a missing proof", "proof.read: PRF-101", (right) =>
    right.unreachable === "network" ? { found: [] } : right
  ),
  candidates("knows the compact form alone", "PRF-102", (found) => found.filter((text) => text.startsWith("kez:z1:"))),
  misreads("reads the first string of a record", "PRF-103", (answer) =>
    answer.records === undefined ? answer : { records: answer.records.map((strings) => strings.slice(0, 1)) }
  ),
  overlooks("reads gists of anybody", "PRF-104", /^https:\/\/api\.github\.com/, () => ({
    public: true,
    owner: { login: "octocat" }
  })),
  answers<Found, Recorded>("believes what relays send", "proof.read: PRF-105", (right, { answers }) => {
    const events = Object.values(answers).flatMap(({ events = [] }) => events)
    const contents = events.map((event) => event?.content).filter((content) => typeof content === "string")
    return right.found === undefined || events.length === 0 ? right : { ...right, found: contents }
  }),
  overlooks("does not ask a DID for its handle", "PRF-106", /^https:\/\/plc\.directory/, ({ subject }) => ({
    alsoKnownAs: [`at://${subject.slice("bluesky:".length)}`]
  })),
  overlooks("takes any actor for the one that is named", "PRF-107", /\/users\/alice$/, () => ({
    id: "https://social.example/users/alice",
    preferredUsername: "alice"
  })),
  overlooks("takes any DID's document", "PRF-108", /did\.json$/, ({ subject }) => ({ id: subject })),
  accepts("asks whomever it is told to", "proof.target: PRF-110 PRF-111", "address_forbidden"),
  misreads(
    "follows redirects",
    "PRF-112",
    (answer, _, { answers }) => answers[answer.headers?.["location"] ?? ""] ?? answer
  ),
  misreads("reads without end", "PRF-113", (answer) =>
    answer.spaces === undefined ? answer : { ...answer, spaces: 1 }
  ),
  answers<Found>("tells of no limit", "proof.read: PRF-116", (right) =>
    right.unreachable === "rate_limited" ? { unreachable: "network" } : right
  )
]
