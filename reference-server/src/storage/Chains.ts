/**
 * The stored sigchains (spec: sigchain). An event is stored only if it extends its chain and its signature holds, so
 * stored chains always verify; clients still verify them.
 */
import { SignedEnvelope, VerifiedChain } from "@kez-chat/sdk/crypto"
import { Envelope, Limits, PrimaryKey, Problem, Sigchain } from "@kez-chat/sdk/protocol"
import { Crypto } from "@kez-chat/sdk/services"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Database, type Sql } from "./Database.ts"

/** Share of the room for existing chains only: a flood of new ones must not keep owners from revoking. */
const existingShare = 0.1

interface ChainRow {
  readonly head_seq: number
  readonly head_hash: string
  readonly bytes: number
  readonly rotated_to: string | null
}

/** The outcome of an append. `Conflict` carries the head to fetch up to. */
type Appended =
  | { readonly _tag: "Created" | "Repeated"; readonly head: Sigchain.Head }
  | { readonly _tag: "Conflict"; readonly head: Sigchain.Head | undefined; readonly problem: Problem.Problem }

/** A chain, or the end of one, to be served. */
export interface Lines {
  readonly head: Sigchain.Head
  /** Size of all pages together. */
  readonly bytes: number
  /** The text in parts of at most 1 MiB, read on demand: a slow reader holds one part, not the chain. */
  readonly pages: Stream.Stream<string, Problem.Problem>
}

export class Chains extends Context.Service<Chains, Effect.Success<ReturnType<typeof make>>>()(
  "@kez-chat/server/Chains"
) {
  /** `storeBytes` is the room for the events of all chains together. */
  static layer(storeBytes: number): Layer.Layer<Chains, never, Database | Crypto> {
    return Layer.effect(Chains, make(storeBytes))
  }
}

/** Growth of the store by one append. */
export interface Growth {
  /** The chain begins with it. */
  readonly isNewChain: boolean
  readonly bytes: number
}

interface Totals {
  readonly chains: number
  readonly events: number
  /** Size of all chains as JSON Lines. */
  readonly bytes: number
}

const make = Effect.fnUntraced(function* (storeBytes: number) {
  const { sql, transaction } = yield* Database
  const context = yield* Effect.context<Crypto>()

  const chainOf = (hex: string, within: Sql = sql) =>
    Effect.map(within<ChainRow>`SELECT * FROM chains WHERE primary_hex = ${hex}`, first)
  const totals = (within: Sql = sql) =>
    Effect.map(within<Totals>`SELECT chains, events, bytes FROM chain_totals`, (found) => found[0] as Totals)

  /** Events never change, so pages read at different times belong to one chain. */
  const pages = (hex: string, since: number, last: number): Lines["pages"] =>
    Stream.unfold(since, (seq) =>
      seq > last
        ? Effect.succeed(undefined)
        : Effect.map(
            sql<{ envelope: string }>`SELECT envelope FROM events
              WHERE primary_hex = ${hex} AND seq BETWEEN ${seq} AND ${Math.min(seq + pageEvents - 1, last)}
              ORDER BY seq`,
            (lines) => [lines.map(({ envelope }) => `${envelope}\n`).join(""), seq + pageEvents] as const
          )
    )

  /** The outcome for an event that does not extend the chain: a repetition or a conflict. */
  const settled = Effect.fnUntraced(function* (
    within: Sql,
    hex: string,
    row: ChainRow | undefined,
    event: Sigchain.Event,
    hash: string
  ): Effect.fn.Return<Appended | undefined, Problem.Problem> {
    const head = row === undefined ? undefined : headOf(row)
    if (head !== undefined && event.seq <= head.seq) {
      const [stored] = yield* within<{ hash: string }>`SELECT hash FROM events
        WHERE primary_hex = ${hex} AND seq = ${event.seq}`
      if (stored?.hash === hash) return { _tag: "Repeated", head: { seq: event.seq, hash } }
    }
    const expected = head === undefined ? 0 : head.seq + 1
    if (event.seq === expected && event.prev === head?.hash) return undefined
    const detail =
      head === undefined
        ? "the chain does not exist yet: begin with event 0"
        : `the head is event ${head.seq}, ${head.hash}`
    return { _tag: "Conflict", head, problem: new Problem.Problem({ code: "chain_conflict", detail }) }
  })

  return {
    /** The head of a chain; undefined for an unknown one. */
    head: (hex: string) => Effect.map(chainOf(hex), (row) => (row === undefined ? undefined : headOf(row))),
    /** The events from `since` on as JSON Lines, with the head; undefined for an unknown chain. */
    lines: Effect.fnUntraced(function* (
      hex: string,
      since: number
    ): Effect.fn.Return<Lines | undefined, Problem.Problem> {
      const row = yield* chainOf(hex)
      if (row === undefined) return undefined
      const head = headOf(row)
      const [size] = yield* sql<{ bytes: number }>`SELECT coalesce(sum(octet_length(envelope) + 1), 0) AS bytes
        FROM events WHERE primary_hex = ${hex} AND seq BETWEEN ${since} AND ${head.seq}`
      return { head, bytes: size?.bytes ?? 0, pages: pages(hex, since, head.seq) }
    }),
    /** Appends one event whose signature holds, if `admit` allows it; `store_full` when there is no room. */
    append: Effect.fnUntraced(function* (
      hex: string,
      envelope: Envelope.Envelope,
      admit: (growth: Growth) => Effect.Effect<void, Problem.Problem>
    ) {
      const event = yield* Effect.fromResult(Sigchain.parseEvent(envelope))
      const primary = PrimaryKey.ofHex(hex)
      if (event.primary !== primary) {
        return yield* new Problem.Problem({ code: "event_malformed", detail: "the event belongs to another chain" })
      }
      const text = Envelope.encodeText(envelope)
      if (Buffer.byteLength(text) > Limits.eventBytes) {
        return yield* new Problem.Problem({ code: "too_large", detail: `an event may have ${Limits.eventBytes} bytes` })
      }
      const hash = yield* Effect.provideContext(SignedEnvelope.hash(envelope), context)
      const before = yield* chainOf(hex)
      const early = yield* settled(sql, hex, before, event, hash)
      if (early !== undefined) return early
      const next = yield* Effect.provideContext(VerifiedChain.append(stateOf(primary, before), envelope), context)
      const isNewChain = before === undefined
      yield* admit({ isNewChain, bytes: next.bytes - (before?.bytes ?? 0) })
      return yield* transaction(
        { lock: "chains", sharesCommit: true },
        Effect.fnUntraced(function* (within): Effect.fn.Return<Appended, Problem.Problem> {
          // Another event may have come while the signature was checked.
          const late = yield* settled(within, hex, yield* chainOf(hex, within), event, hash)
          if (late !== undefined) return late
          yield* within`INSERT INTO chains (primary_hex, head_seq, head_hash, bytes, rotated_to)
            VALUES (${hex}, ${event.seq}, ${hash}, ${next.bytes}, ${next.rotatedTo ?? null})
            ON CONFLICT (primary_hex) DO UPDATE SET
              head_seq = excluded.head_seq, head_hash = excluded.head_hash,
              bytes = excluded.bytes, rotated_to = excluded.rotated_to`
          yield* within`INSERT INTO events (primary_hex, seq, hash, envelope)
            VALUES (${hex}, ${event.seq}, ${hash}, ${text})`
          const { bytes } = yield* totals(within)
          if (bytes > storeBytes * (isNewChain ? 1 - existingShare : 1)) {
            return yield* new Problem.Problem({
              code: "store_full",
              detail: "the server's room for sigchains is used up"
            })
          }
          return { _tag: "Created", head: { seq: event.seq, hash } }
        })
      )
    }),
    totals: totals()
  }
})

const first = <A>(found: ReadonlyArray<A>): A | undefined => found[0]

/** Events per page, each of at most 64 KiB. */
const pageEvents = 16

const headOf = (row: ChainRow): Sigchain.Head => ({ seq: row.head_seq, hash: row.head_hash })

/** The part of a chain's state that the rules for its next event need. */
const stateOf = (primary: string, row: ChainRow | undefined): Sigchain.ChainState =>
  row === undefined
    ? Sigchain.empty(primary)
    : {
        ...Sigchain.empty(primary),
        head: headOf(row),
        bytes: row.bytes,
        ...(row.rotated_to === null ? {} : { rotatedTo: row.rotated_to })
      }
