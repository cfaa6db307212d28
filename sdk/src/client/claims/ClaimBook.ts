/** The stored claims of accounts, as their chains name them and checks found them. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import type { Sigchain } from "../../protocol/index.ts"
import { hexOf, ofHex } from "../../protocol/identity/PrimaryKey.ts"
import type { StoreError } from "../../services/LocalStore.ts"
import type { Contact } from "../model/index.ts"
import * as ClaimState from "./ClaimState.ts"
import { Events } from "../internal/Events.ts"
import { Ledger, scanRows, type Transaction } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"

/** Where the next check of a claim is waited for. */
export interface Due {
  readonly primary: string
  readonly subject: string
  readonly lane: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The user looks at the profile. */
  readonly isWanted?: boolean
}

/** `silent`: the user does not know this account, so no event speaks of it. */
export interface Saving {
  readonly silent?: boolean
}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events

  // What waits for a check, so that looking for it reads no rows. Loaded by `load`, and kept up on commit.
  const due = new Map<string, Due>()
  let listener: (lane: string) => void = () => {}

  const note = (key: string, primary: string, row: Rows.ClaimRow) => {
    const { nextCheckAt, revoked, subject } = row
    const lane = ClaimState.laneOf(subject)
    if (revoked || nextCheckAt === undefined) due.delete(key)
    else due.set(key, { primary, subject, lane, at: nextCheckAt })
    listener(lane)
  }

  const keyOf = (primary: string, subject: string) => Rows.key.claim(hexOf(primary), ClaimState.normal(subject))

  const of = (from: Pick<Transaction, "scan">, primary: string) =>
    Effect.map(scanRows(from, { prefix: Rows.prefix.claims(hexOf(primary)) }, Rows.Claim), (entries) =>
      entries.map(({ row }) => row).sort((a, b) => a.seq - b.seq)
    )

  /** Stores a claim of `contact`, and publishes `ProofChanged` if the user is told of it. */
  const save = (
    transaction: Transaction,
    contact: Contact,
    before: Rows.ClaimRow | undefined,
    row: Rows.ClaimRow,
    now: number,
    { silent = false }: Saving = {}
  ) => {
    const key = keyOf(contact.primary, row.subject)
    transaction.put(key, Rows.Claim, row)
    transaction.onCommit(() => {
      note(key, contact.primary, row)
      if (silent || !ClaimState.isNews(before, row, now)) return
      events.publish({ _tag: "ProofChanged", contact, claim: ClaimState.toClaim(row, now) })
    })
  }

  return {
    /** The claims of an account, in the order in which its chain added them last. */
    of: (primary: string): Effect.Effect<ReadonlyArray<Rows.ClaimRow>, StoreError> => of(ledger, primary),
    get: (from: Pick<Transaction, "get">, primary: string, subject: string) =>
      from.get(keyOf(primary, subject), Rows.Claim),
    save,
    /** Stores what the verified chain of `contact` claims. */
    sync: Effect.fnUntraced(function* (
      transaction: Transaction,
      contact: Contact,
      claims: ReadonlyArray<Sigchain.ChainClaim>,
      saving?: Saving
    ) {
      const now = yield* Clock.currentTimeMillis
      const stored = new Map(
        (yield* of(transaction, contact.primary)).map((row) => [ClaimState.normal(row.subject), row])
      )
      const { checked, kept } = ClaimState.newest(claims)
      for (const claim of kept) {
        const name = ClaimState.normal(claim.subject)
        const before = stored.get(name)
        stored.delete(name)
        const row = ClaimState.afterChain(before, claim, checked.has(claim), now)
        if (before === undefined || !Equal.equals(before, row)) save(transaction, contact, before, row, now, saving)
      }
      // Older than the newest ones, or of another branch than that which the user follows.
      for (const name of stored.keys()) {
        const key = keyOf(contact.primary, name)
        transaction.delete(key)
        transaction.onCommit(() => void due.delete(key))
      }
    }),
    /** Forgets the claims of an account. */
    remove: (transaction: Transaction, primary: string) =>
      Effect.map(transaction.scan({ prefix: Rows.prefix.claims(hexOf(primary)) }), (entries) => {
        for (const { key } of entries) {
          transaction.delete(key)
          transaction.onCommit(() => void due.delete(key))
        }
      }),
    /** Reads which claims wait for a check. */
    load: Effect.gen(function* () {
      due.clear()
      for (const { id, key, row } of yield* scanRows(ledger, { prefix: Rows.prefix.claimsOfAll }, Rows.Claim)) {
        note(key, ofHex(id.slice(0, id.indexOf("/"))), row)
      }
    }),
    /** The claims that wait for a check. */
    due: (): Iterable<Due> => due.values(),
    /** Stops waiting for a claim until it is stored again. */
    forget: ({ primary, subject }: Due) => void due.delete(keyOf(primary, subject)),
    /** Waits for a claim until then, if it is not stored again before. */
    postpone: (next: Due, at: number) => {
      const { lane, primary, subject } = next
      due.set(keyOf(primary, subject), { primary, subject, lane, at })
    },
    /** Has a claim checked at once, in the background, because the user looks at it. */
    hasten: (primary: string, { subject }: Rows.ClaimRow) => {
      const lane = ClaimState.laneOf(subject)
      due.set(keyOf(primary, subject), { primary, subject, lane, at: 0, isWanted: true })
      listener(lane)
    },
    /** Calls the listener with every service that a claim waits for. */
    onDue: (call: (lane: string) => void) => void (listener = call)
  }
})

export class ClaimBook extends Context.Service<ClaimBook>()("@kez-chat/sdk/ClaimBook", { make }) {}

export const layer = Layer.effect(ClaimBook, make)
