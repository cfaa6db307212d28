/** The service over the table of channels. */
import * as Effect from "effect/Effect"
import type { Compress } from "../../protocol/sigchain/Encoding.ts"
import * as Limits from "../../protocol/Limits.ts"
import type { Identifier } from "../../protocol/identity/Identifier.ts"
import { type Fetched, type FoundProof, type ProofFetcher, ProofUnreachable } from "../../services/ProofFetcher.ts"
import { type Tools, Unreachable } from "./Channel.ts"
import { channels, type Row } from "./Channels.ts"

/** Why a browser does not ask. */
const needsCli = (system: string) =>
  Effect.fail(
    new Unreachable({ reason: "needs_cli", detail: `a browser cannot ask ${system}: the command line, kez-chat, can` })
  )

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
const readAll = Effect.fnUntraced(function* (tools: Tools, id: string, row: Row) {
  const channel = yield* load(row)
  const places = channel.places(id)
  if (places.length === 0) {
    return yield* new Unreachable({ reason: "unsupported", detail: "nothing can be published for it" })
  }
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
    found: found.slice(0, Limits.proofCandidates),
    asked: places.map(({ name }) => name),
    recipe: channel.recipe,
    ...(dnssec === undefined ? {} : { dnssec }),
    missed
  }
})

export interface FetcherOptions {
  /** What channels ask with, made for each proof. */
  readonly tools: Effect.Effect<Tools, Unreachable>
  /** Loads the platform's decoder of compact proofs. */
  readonly decompress: ProofFetcher["Service"]["decompress"]
  readonly compress?: Compress
  /** Only channels that a browser can ask are asked. */
  readonly isBrowser: boolean
}

export const make = ({ compress, decompress, isBrowser, tools }: FetcherOptions): ProofFetcher["Service"] => ({
  decompress,
  ...(compress === undefined ? {} : { compress }),
  systems: Object.entries(channels).flatMap(([system, row]) => (isBrowser && !row.inBrowser ? [] : [system])),
  fetch: Effect.fn("ProofFetcher.fetch")(function* ({ id, system, text }: Identifier) {
    const row = rowOf(system)
    if (row === undefined) {
      const detail = `this version does not know how to check ${system}`
      return yield* new ProofUnreachable({ subject: text, reason: "unsupported", detail })
    }
    const read =
      isBrowser && !row.inBrowser ? needsCli(system) : Effect.flatMap(tools, (made) => readAll(made, id, row))
    const { missed, ...answer } = yield* Effect.mapError(read, unreachable(text))
    return { ...answer, ...(missed === undefined ? {} : { missed: unreachable(text)(missed) }) }
  }),
  publication: Effect.fnUntraced(function* ({ id, system }, proof) {
    const row = rowOf(system)
    if (row === undefined) return undefined
    const channel = yield* Effect.orDie(load(row))
    return channel.places(id).length === 0 ? undefined : channel.publication(id, proof)
  })
})
