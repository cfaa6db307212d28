/**
 * States of a contact, by the tables of `spec/messages.md` themselves: they are read here, and every cell becomes a case.
 * Sequences and the user's word are written by hand.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import type { Json } from "./Protocol.ts"
import { type Operation, valid, type ValidCase } from "./Vectors.ts"

const text = fs.readFileSync(path.resolve(import.meta.dirname, "../../messages.md"), "utf8")

interface Cell {
  readonly to: string
  readonly heals: boolean
}
interface Row {
  readonly cells: ReadonlyArray<Cell>
  readonly stops: boolean
}

/** The table whose first column has this heading, by the state in its first column. */
const table = (heading: string): ReadonlyMap<string, Row> => {
  const lines = text.split("\n")
  const first = lines.findIndex((line) => line.startsWith(`| ${heading} `))
  const rows = new Map<string, Row>()
  for (const line of lines.slice(first + 2)) {
    if (!line.startsWith("|")) break
    const cells = line.split("|").map((cell) => cell.trim())
    const name = /^`(\w+)`$/.exec(cells[1] ?? "")?.[1]
    if (name === undefined) throw new Error(`a state is missing in: ${line}`)
    const moves = cells.slice(2, -2).map((cell): Cell => {
      const [, to, heals] = /^`(\w+)`(, heals)?$/.exec(cell) ?? []
      if (to === undefined) throw new Error(`no state in the cell: ${cell}`)
      return { to, heals: heals !== undefined }
    })
    rows.set(name, { cells: moves, stops: cells.at(-2) === "stops" })
  }
  return rows
}

const names = table("name")
const chains = table("chain")
const nameColumns = ["names_pinned", "names_other", "names_nobody", "user_keeps"]
const chainColumns = ["extends", "falls_behind", "rotates", "forks", "user_keeps"]

const [pinned, other, third] = ["A", "B", "C"]
const day = "2026-05-25T00:00:00Z"

interface State {
  readonly pinned: string
  readonly relation: "accepted" | "requested" | "blocked"
  readonly name: string
  readonly names?: string
  readonly chain: string
  readonly rotated_to?: string
  readonly verified: boolean
}

const fresh: State = { pinned, relation: "accepted", name: "named", chain: "whole", verified: false }
const isOffer = (name: string) => name.startsWith("offered")
const isRotated = (chain: string) => chain.startsWith("rotated")
const withName = (state: State, name: string, key = other): State => {
  const { names: _, ...rest } = state
  return { ...rest, name, ...(isOffer(name) ? { names: key } : {}) }
}
const withChain = (state: State, chain: string, key = other): State => {
  const { rotated_to: _, ...rest } = state
  return { ...rest, chain, ...(isRotated(chain) ? { rotated_to: key } : {}) }
}

const stops = (state: State): boolean =>
  names.get(state.name)?.stops === true || chains.get(state.chain)?.stops === true
const offeredOf = (state: State): Json | undefined => {
  const primary = state.names ?? state.rotated_to
  if (primary === undefined) return undefined
  return { primary, origin: primary === state.rotated_to ? "handed_over" : "unexplained" }
}

/** What a state is for the user, and what became of the event. */
const outcome = (state: State, more: { readonly notice?: string; readonly refused?: string } = {}): Json => {
  const offered = offeredOf(state)
  const sends = state.relation === "accepted" && !stops(state)
  return {
    pinned: state.pinned,
    name: state.name,
    chain: state.chain,
    ...(offered === undefined ? {} : { offered }),
    sends,
    number: stops(state) && offered !== undefined ? "offered" : "pinned",
    verified: state.verified && sends,
    ...more
  } as Json
}

const key = (event: string, primary: string, at = day): Json => ({ event, primary, at })
const plain = (event: string, at = day): Json => ({ event, at })

const trace = (
  id: string,
  requirements: ReadonlyArray<string>,
  why: string,
  state: State,
  events: ReadonlyArray<Json>,
  result: ReadonlyArray<Json>
): ValidCase => valid(id, requirements, why, { state: state as unknown as Json, events }, result)

/** The notice of a step from a state that the tables say is left. */
const noticeOf = (before: State, after: State, heals: boolean, isReminder: boolean) => {
  if (stops(after)) {
    const isSame = stops(before) && JSON.stringify(before) === JSON.stringify(after)
    return isSame ? {} : { notice: "changed" }
  }
  if (heals) return { notice: "healed" }
  return isReminder ? { notice: "offered" } : {}
}

const nameCases = [...names].flatMap(([name, { cells }]) =>
  cells.map(({ heals, to }, column) => {
    const event = nameColumns[column] ?? ""
    const before = withName(fresh, name)
    const after = withName(before, to)
    const primary = event === "names_pinned" ? pinned : other
    const given = event === "names_pinned" || event === "names_other" ? key("names", primary) : plain(event)
    const reminds = event === "names_other" && to === "offered_kept"
    const notice = event === "user_keeps" ? {} : noticeOf(before, after, heals, reminds)
    const why = `${name}: ${event.replaceAll("_", " ")}`
    const requirements = [
      "KEZ-SEQ-040",
      ...(heals ? ["KEZ-SEQ-050"] : []),
      ...(event === "user_keeps" ? ["KEZ-SEQ-047"] : [])
    ]
    return trace(`name-${name}-${event}`, requirements, why, before, [given], [outcome(after, notice)])
  })
)

const chainCases = [...chains].flatMap(([chain, { cells }]) =>
  cells.map(({ heals, to }, column) => {
    const event = chainColumns[column] ?? ""
    const before = withChain(fresh, chain)
    const after = withChain(before, to)
    const given = event === "rotates" ? key(event, other) : plain(event)
    const notice = event === "user_keeps" ? {} : noticeOf(before, after, heals, false)
    const isScar = chain.startsWith("rotated") || chain.startsWith("forked")
    const requirements = ["KEZ-SEQ-040", isScar ? "KEZ-SEQ-051" : "KEZ-SEQ-034", ...(heals ? ["KEZ-SEQ-050"] : [])]
    const why = `${chain}: ${event.replaceAll("_", " ")}`
    return trace(`chain-${chain}-${event}`, requirements, why, before, [given], [outcome(after, notice)])
  })
)

const verified: State = { ...fresh, verified: true }
const offered = withName(fresh, "offered")
const taken: State = { ...fresh, pinned: other }

const byHand = [
  trace(
    "attack",
    ["KEZ-SEQ-042", "KEZ-SEQ-044", "KEZ-SEQ-052"],
    "the home names its own key; a confirmation of either key is refused; the mark comes back when the home tells the truth",
    verified,
    [key("names", other), key("user_confirms", pinned), key("user_confirms", other), key("names", pinned)],
    [
      outcome(withName(verified, "offered"), { notice: "changed" }),
      outcome(withName(verified, "offered"), { refused: "not_accepted" }),
      outcome(withName(verified, "offered"), { refused: "not_accepted" }),
      outcome(verified, { notice: "healed" })
    ]
  ),
  trace(
    "accept",
    ["KEZ-SEQ-041", "KEZ-SEQ-043", "KEZ-SEQ-044"],
    "the offered key is accepted by its name, and verified only by a confirmation of its own",
    verified,
    [key("names", other), key("user_accepts", other), key("user_confirms", pinned), key("user_confirms", other)],
    [
      outcome(withName(verified, "offered"), { notice: "changed" }),
      outcome(taken),
      outcome(taken, { refused: "not_accepted" }),
      outcome({ ...taken, verified: true })
    ]
  ),
  trace(
    "swapped",
    ["KEZ-SEQ-043"],
    "another key is offered by the time the first is accepted",
    fresh,
    [key("names", other), key("names", third), key("user_accepts", other), key("user_accepts", third)],
    [
      outcome(withName(fresh, "offered"), { notice: "changed" }),
      outcome(withName(fresh, "offered", third), { notice: "changed" }),
      outcome(withName(fresh, "offered", third), { refused: "not_offered" }),
      outcome({ ...fresh, pinned: third })
    ]
  ),
  trace(
    "withdrawn",
    ["KEZ-SEQ-043"],
    "no key is offered any more when it is accepted",
    offered,
    [plain("names_nobody"), key("user_accepts", other), key("names", pinned), key("user_accepts", other)],
    [
      outcome(withName(fresh, "gone"), { notice: "changed" }),
      outcome(withName(fresh, "gone"), { refused: "not_offered" }),
      outcome(fresh, { notice: "healed" }),
      outcome(fresh, { refused: "not_offered" })
    ]
  ),
  trace(
    "handed-over",
    ["KEZ-SEQ-046", "KEZ-SEQ-051"],
    "the key rotates to the one that the home names then; naming the pinned key again undoes nothing",
    verified,
    [key("rotates", other), key("names", other), key("names", pinned), key("names", third)],
    [
      outcome(withChain(fresh, "rotated"), { notice: "changed" }),
      outcome(withName(withChain(fresh, "rotated"), "offered"), { notice: "changed" }),
      outcome(withChain(fresh, "rotated"), { notice: "changed" }),
      outcome(withName(withChain(fresh, "rotated"), "offered", third), { notice: "changed" })
    ]
  ),
  trace(
    "forked-rotation",
    ["KEZ-SEQ-046", "KEZ-SEQ-051", "KEZ-SEQ-052"],
    "a rotation beside which another event is seen hands nothing over",
    verified,
    [key("rotates", other), key("names", other), plain("forks"), plain("extends")],
    [
      outcome(withChain(fresh, "rotated"), { notice: "changed" }),
      outcome(withName(withChain(fresh, "rotated"), "offered"), { notice: "changed" }),
      outcome(withName(withChain(fresh, "forked"), "offered"), { notice: "changed" }),
      outcome(withName(withChain(fresh, "forked"), "offered"))
    ]
  ),
  trace(
    "kept-but-compared",
    ["KEZ-SEQ-052"],
    "a comparison from before a rotation proves nothing any more, also once the key is kept",
    verified,
    [key("rotates", other), plain("user_keeps"), key("user_confirms", pinned)],
    [
      outcome(withChain(fresh, "rotated"), { notice: "changed" }),
      outcome(withChain(fresh, "rotated_kept")),
      outcome({ ...withChain(fresh, "rotated_kept"), verified: true })
    ]
  ),
  trace(
    "kept-and-verified",
    ["KEZ-SEQ-052", "KEZ-SEQ-047"],
    "a key that is kept against the home's word stays verified",
    verified,
    [key("names", other), plain("user_keeps")],
    [outcome(withName(verified, "offered"), { notice: "changed" }), outcome(withName(verified, "offered_kept"))]
  ),
  trace(
    "accepted-whole",
    ["KEZ-SEQ-041", "KEZ-SEQ-043"],
    "an accepted key is a new contact's in both states, and a home that names the old one offers it",
    withName(withChain(verified, "rotated"), "offered"),
    [key("user_accepts", other), key("names", pinned)],
    [outcome(taken), outcome(withName(taken, "offered", pinned), { notice: "changed" })]
  ),
  trace(
    "rotated-on",
    ["KEZ-SEQ-041", "KEZ-SEQ-051"],
    "the line goes on to a third key: that one is offered in place of the second",
    fresh,
    [key("rotates", other), key("rotates", third), key("user_accepts", other), key("user_accepts", third)],
    [
      outcome(withChain(fresh, "rotated"), { notice: "changed" }),
      outcome(withChain(fresh, "rotated", third), { notice: "changed" }),
      outcome(withChain(fresh, "rotated", third), { refused: "not_offered" }),
      outcome({ ...taken, pinned: third })
    ]
  ),
  trace(
    "reminders",
    ["KEZ-SEQ-047", "KEZ-SEQ-049"],
    "the user keeps the pinned key: offers are told once in 24 hours, and sending goes on",
    offered,
    [
      plain("user_keeps", "2026-05-25T00:00:00Z"),
      key("names", other, "2026-05-25T12:00:00Z"),
      key("names", third, "2026-05-26T00:00:00Z"),
      key("names", other, "2026-05-26T23:59:59Z"),
      key("names", pinned, "2026-05-27T00:00:00Z"),
      key("names", other, "2026-05-27T00:00:01Z")
    ],
    [
      outcome(withName(fresh, "offered_kept")),
      outcome(withName(fresh, "offered_kept")),
      outcome(withName(fresh, "offered_kept", third), { notice: "offered" }),
      outcome(withName(fresh, "offered_kept")),
      outcome(fresh, { notice: "healed" }),
      outcome(withName(fresh, "offered"), { notice: "changed" })
    ]
  ),
  trace(
    "kept-and-forked",
    ["KEZ-SEQ-047", "KEZ-SEQ-051"],
    "whoever keeps the key against an offer has not decided about two histories of it",
    withName(fresh, "offered_kept"),
    [plain("forks"), key("names", pinned), plain("user_keeps"), plain("extends"), plain("falls_behind")],
    [
      outcome(withChain(withName(fresh, "offered_kept"), "forked"), { notice: "changed" }),
      outcome(withChain(fresh, "forked"), { notice: "changed" }),
      outcome(withChain(fresh, "forked_kept")),
      outcome(withChain(fresh, "forked_kept")),
      outcome(withChain(fresh, "forked"), { notice: "changed" })
    ]
  ),
  trace(
    "stranger",
    ["KEZ-SEQ-044", "KEZ-SEQ-045"],
    "nothing of a stranger is verified, whatever the home says",
    { ...fresh, relation: "requested" },
    [key("user_confirms", pinned), key("names", other), plain("user_keeps"), key("user_confirms", pinned)],
    [
      outcome({ ...fresh, relation: "requested" }, { refused: "not_accepted" }),
      outcome({ ...offered, relation: "requested" }, { notice: "changed" }),
      outcome({ ...withName(fresh, "offered_kept"), relation: "requested" }),
      outcome({ ...withName(fresh, "offered_kept"), relation: "requested" }, { refused: "not_accepted" })
    ]
  ),
  trace(
    "blocked",
    ["KEZ-SEQ-036"],
    "of a blocked contact nothing is told, and one with a new key stays blocked",
    { ...fresh, relation: "blocked" },
    [key("names", other), key("user_accepts", other)],
    [outcome({ ...offered, relation: "blocked" }), outcome({ ...taken, relation: "blocked" })]
  )
]

const transitions: Operation = {
  file: "messages/contact-state",
  operation: "contact.trace",
  description:
    "input: the state of a contact, its keys as letters, and events in order, each with its time. result: for each event the key that is pinned, the two states, the offered key, whether messages are sent (to the pinned key), whose safety number is to be compared, whether the contact is shown as verified, what the user is told (`changed`, `healed`, `offered`) and why the user's word was refused. `noticed_at` in a state is absent: nothing was told yet.",
  valid: [...nameCases, ...chainCases, ...byHand]
}

export const operations: ReadonlyArray<Operation> = [transitions]
