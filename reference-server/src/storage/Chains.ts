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
import { Database, type Migration } from "./Database.ts"

export const migrations: ReadonlyArray<Migration> = [
  {
    id: "sigchains-001-events",
    sql: `
      CREATE TABLE chains (
        primary_hex TEXT NOT NULL PRIMARY KEY,
        head_seq INTEGER NOT NULL,
        head_hash TEXT NOT NULL,
        -- Size of the chain as JSON Lines.
        bytes INTEGER NOT NULL,
        -- The key that a rotation ended the chain in favour of.
        rotated_to TEXT
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE events (
        primary_hex TEXT NOT NULL REFERENCES chains (primary_hex),
        seq INTEGER NOT NULL,
        hash TEXT NOT NULL,
        -- JCS of the envelope.
        envelope TEXT NOT NULL,
        PRIMARY KEY (primary_hex, seq)
      ) STRICT, WITHOUT ROWID;`
  },
  {
    // Needed for every append, so kept instead of summed up over all chains.
    id: "sigchains-002-totals",
    sql: `
      CREATE TABLE chain_totals (chains INTEGER NOT NULL, events INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
      INSERT INTO chain_totals
        SELECT count(*), coalesce(sum(head_seq + 1), 0), coalesce(sum(bytes), 0) FROM chains;
      CREATE TRIGGER chains_begun AFTER INSERT ON chains BEGIN
        UPDATE chain_totals SET chains = chains + 1, events = events + NEW.head_seq + 1, bytes = bytes + NEW.bytes;
      END;
      CREATE TRIGGER chains_extended AFTER UPDATE ON chains BEGIN
        UPDATE chain_totals SET events = events + NEW.head_seq - OLD.head_seq, bytes = bytes + NEW.bytes - OLD.bytes;
      END;`
  }
]

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
  readonly pages: Iterable<string>
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
  const { sqlite, write } = yield* Database
  const context = yield* Effect.context<Crypto>()

  const chain = sqlite.prepare<[string], ChainRow>("SELECT * FROM chains WHERE primary_hex = ?")
  const hashAt = sqlite
    .prepare<[string, number], string>("SELECT hash FROM events WHERE primary_hex = ? AND seq = ?")
    .pluck()
  const page = sqlite
    .prepare<[string, number, number], string>(
      "SELECT envelope FROM events WHERE primary_hex = ? AND seq BETWEEN ? AND ? ORDER BY seq"
    )
    .pluck()
  const size = sqlite
    .prepare<[string, number, number], number>(
      `SELECT coalesce(sum(octet_length(envelope) + 1), 0) FROM events WHERE primary_hex = ? AND seq BETWEEN ? AND ?`
    )
    .pluck()
  const saveChain = sqlite.prepare<[string, number, string, number, string | null]>(
    `INSERT INTO chains (primary_hex, head_seq, head_hash, bytes, rotated_to) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (primary_hex) DO UPDATE SET
       head_seq = excluded.head_seq, head_hash = excluded.head_hash,
       bytes = excluded.bytes, rotated_to = excluded.rotated_to`
  )
  const saveEvent = sqlite.prepare<[string, number, string, string]>(
    "INSERT INTO events (primary_hex, seq, hash, envelope) VALUES (?, ?, ?, ?)"
  )
  const totalsOf = sqlite.prepare<[], Totals>("SELECT chains, events, bytes FROM chain_totals")
  const totals = () => totalsOf.get() as Totals

  /** Events never change, so pages read at different times belong to one chain. */
  const pages = (hex: string, since: number, last: number): Iterable<string> => ({
    *[Symbol.iterator]() {
      for (let seq = since; seq <= last; seq += pageEvents) {
        const lines = page.all(hex, seq, Math.min(seq + pageEvents - 1, last))
        yield lines.map((line) => `${line}\n`).join("")
      }
    }
  })

  /** The outcome for an event that does not extend the chain: a repetition or a conflict. */
  const settled = (
    hex: string,
    row: ChainRow | undefined,
    event: Sigchain.Event,
    hash: string
  ): Appended | undefined => {
    const head = row === undefined ? undefined : headOf(row)
    if (head !== undefined && event.seq <= head.seq && hashAt.get(hex, event.seq) === hash) {
      return { _tag: "Repeated", head: { seq: event.seq, hash } }
    }
    const expected = head === undefined ? 0 : head.seq + 1
    if (event.seq === expected && event.prev === head?.hash) return undefined
    const detail =
      head === undefined
        ? "the chain does not exist yet: begin with event 0"
        : `the head is event ${head.seq}, ${head.hash}`
    return { _tag: "Conflict", head, problem: new Problem.Problem({ code: "chain_conflict", detail }) }
  }

  return {
    /** The head of a chain; undefined for an unknown one. */
    head: (hex: string) =>
      Effect.sync(() => {
        const row = chain.get(hex)
        return row === undefined ? undefined : headOf(row)
      }),
    /** The events from `since` on as JSON Lines, with the head; undefined for an unknown chain. */
    lines: (hex: string, since: number) =>
      Effect.sync((): Lines | undefined => {
        const row = chain.get(hex)
        if (row === undefined) return undefined
        const head = headOf(row)
        return { head, bytes: size.get(hex, since, head.seq) as number, pages: pages(hex, since, head.seq) }
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
      const before = chain.get(hex)
      const early = settled(hex, before, event, hash)
      if (early !== undefined) return early
      const next = yield* Effect.provideContext(VerifiedChain.append(stateOf(primary, before), envelope), context)
      const isNewChain = before === undefined
      yield* admit({ isNewChain, bytes: next.bytes - (before?.bytes ?? 0) })
      return yield* write((): Appended => {
        // Another event may have come while the signature was checked.
        const late = settled(hex, chain.get(hex), event, hash)
        if (late !== undefined) return late
        saveChain.run(hex, event.seq, hash, next.bytes, next.rotatedTo ?? null)
        saveEvent.run(hex, event.seq, hash, text)
        if (totals().bytes > storeBytes * (isNewChain ? 1 - existingShare : 1)) {
          throw new Problem.Problem({ code: "store_full", detail: "the server's room for sigchains is used up" })
        }
        return { _tag: "Created", head: { seq: event.seq, hash } }
      })
    }),
    totals
  }
})

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
