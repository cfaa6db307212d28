/** The service over the table of channels. */
import * as Effect from "effect/Effect"
import type { Identifier } from "../../protocol/identity/Identifier.ts"
import { type Fetched, type FoundProof, type ProofFetcher, ProofUnreachable } from "../../services/ProofFetcher.ts"
import { type Tools, Unreachable } from "./Channel.ts"
import { channels, type Row } from "./Channels.ts"

/** Why a browser does not ask. */
const needsCli = (system: string) =>
  new Unreachable({
    reason: "needs_cli",
    detail: `a browser cannot ask for ${system}: check it with the command line, kez-chat verify`
  })

const rowOf = (system: string): Row | undefined => (Object.hasOwn(channels, system) ? channels[system] : undefined)

const unreachable =
  (subject: string) =>
  ({ cause, detail, reason, retryAt }: Unreachable): ProofUnreachable =>
    new ProofUnreachable({
      subject,
      reason,
      detail,
      ...(retryAt === undefined ? {} : { retryAt }),
      ...(cause === undefined ? {} : { cause })
    })

/** Loads a channel; a chunk that cannot be loaded is as a network that fails. */
const load = (row: Row) =>
  Effect.tryPromise({
    try: row.load,
    catch: (cause) => new Unreachable({ reason: "network", detail: "its part of this program cannot be loaded", cause })
  })

/** Asks every place. Candidates come in the order of the places, and those that failed are told. */
const readAll = Effect.fnUntraced(function* (tools: Tools, system: string, id: string, row: Row) {
  if (tools.isBrowser && !row.inBrowser) return yield* needsCli(system)
  const channel = yield* load(row)
  const places = channel.places(id)
  const found: Array<FoundProof> = []
  let missed: Unreachable | undefined
  let dnssec: Fetched["dnssec"]
  for (const place of places) {
    const reading = yield* place.read(tools).pipe(Effect.catch((error) => Effect.succeed({ found: [], missed: error })))
    found.push(...reading.found)
    missed ??= reading.missed
    if ("dnssec" in reading) dnssec = reading.dnssec
  }
  if (missed !== undefined && found.length === 0) return yield* missed
  return {
    found,
    asked: places.map(({ name }) => name),
    recipe: channel.recipe,
    ...(dnssec === undefined ? {} : { dnssec }),
    missed
  }
})

/** The fetcher that asks with these tools. `decompress` loads the platform's decoder of compact proofs. */
export const make = (tools: Tools, decompress: ProofFetcher["Service"]["decompress"]): ProofFetcher["Service"] => ({
  decompress,
  systems: Object.entries(channels).flatMap(([system, row]) => (tools.isBrowser && !row.inBrowser ? [] : [system])),
  fetch: Effect.fn("ProofFetcher.fetch")(function* ({ id, system, text }: Identifier) {
    const row = rowOf(system)
    if (row === undefined) {
      const detail = `this version does not know how to check ${system}`
      return yield* new ProofUnreachable({ subject: text, reason: "unsupported", detail })
    }
    const { missed, ...read } = yield* Effect.mapError(readAll(tools, system, id, row), unreachable(text))
    return { ...read, ...(missed === undefined ? {} : { missed: unreachable(text)(missed) }) }
  }),
  publication: Effect.fnUntraced(function* ({ id, system }, proof) {
    const row = rowOf(system)
    if (row === undefined) return undefined
    const channel = yield* Effect.orDie(load(row))
    return channel.places(id).length === 0 ? undefined : channel.publication(id, proof)
  })
})
