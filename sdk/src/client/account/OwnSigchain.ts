/** The account's own sigchain: signs and stores missing events, and submits them until they show (spec/sigchain.md). */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import type { Identity } from "../../crypto/Identity.ts"
import type { PrimaryKey } from "../../protocol/identity/PrimaryKey.ts"
import { Problem } from "../../protocol/Problem.ts"
import { Endpoint, Envelope, Sigchain } from "../../protocol/index.ts"
import { BlobTransport, Directory, SigchainStore } from "../../services/index.ts"
import { IdentityLookup } from "../contacts/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger } from "../internal/Ledger.ts"
import { type Chain, type Operation, OwnSigchain } from "../internal/OwnSigchain.ts"
import * as Rows from "../internal/rows/index.ts"
import { AccountMoved, type KezChatError } from "../model/index.ts"

const { key } = Rows

/** What to append to a verified chain: an operation, or the rotation to another key; undefined for nothing. */
type NextEvent = (chain: Chain) => Effect.Effect<Operation | { readonly successor: Identity } | undefined, KezChatError>

/** Attempts at publishing: another device may be faster, or the sig-server may not show what it accepted. */
const publishAttempts = 8

const isConflict = (error: unknown) => error instanceof Problem && error.code === "chain_conflict"

const addEndpoint = (payload: Endpoint.Endpoint): Operation => ({ op: "add_endpoint", payload })

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const lookup = yield* IdentityLookup
  const directory = yield* Directory
  const sigchains = yield* SigchainStore
  const transport = yield* BlobTransport
  const extending = yield* Semaphore.make(1)

  /** Where the events of a key are stored: those of the account's present key apart from those of its others. */
  const rowsOf = ({ key: { hex }, primary }: Identity) =>
    Effect.map(account.get, (row) =>
      row.primary === primary
        ? { prefix: Rows.prefix.chain as string, event: key.chain }
        : { prefix: key.chainOf(hex), event: (seq: number) => key.eventOf(hex, seq) }
    )
  type ChainRows = Effect.Success<ReturnType<typeof rowsOf>>

  /** Own events as they were signed here, oldest first. */
  const ownEvents = ({ prefix }: ChainRows) =>
    Effect.flatMap(
      ledger.scan({ prefix }),
      Effect.forEach((entry) => Effect.fromResult(Envelope.parse(entry.value)))
    )

  /** Signs and stores the next event, so that a retry after a lost answer sends the same bytes. */
  const nextEvent = Effect.fnUntraced(function* (
    identity: Identity,
    rows: ChainRows,
    { bytes, head: after }: Sigchain.ChainState,
    next: Operation | { readonly successor: Identity }
  ) {
    const seq = after === undefined ? 0 : after.seq + 1
    const createdAt = yield* Clock.currentTimeMillis
    const [op, event] =
      "successor" in next
        ? (["rotate", yield* identity.signRotation({ after, successor: next.successor, createdAt })] as const)
        : ([next.op, yield* identity.signSigchainEvent({ after, operation: next, createdAt })] as const)
    const encoded = Envelope.encode(event)
    // A stored event is submitted until it is accepted, so one that can never be accepted must not be stored.
    yield* Effect.fromResult(Sigchain.checkRoom(bytes, op, encoded.length))
    yield* ledger.transact((transaction) => Effect.sync(() => transaction.putBytes(rows.event(seq), encoded)))
    return event
  })

  /**
   * Extends the chain until `next` has nothing to add. Events stored here that the sig-server lacks are submitted again;
   * events that another device added are accepted.
   */
  const extend = Effect.fnUntraced(function* (identity: Identity, next: NextEvent) {
    const rows = yield* rowsOf(identity)
    for (let attempt = 1; attempt <= publishAttempts; attempt++) {
      const chain = yield* lookup.chain(identity.primary)
      const { count, missing } = yield* heldBeyond(rows, chain)
      if (missing.length === 0) {
        const event = yield* next(chain)
        if (event === undefined) {
          yield* keepEvents(rows, chain, count)
          return chain
        }
        missing.push(yield* nextEvent(identity, rows, chain.state, event))
      }
      const appended = yield* Effect.result(
        Effect.forEach(missing, (event) => sigchains.append(identity.primary, event), { discard: true })
      )
      if (Result.isFailure(appended)) {
        if (!isConflict(appended.failure) || attempt === publishAttempts) return yield* appended.failure
        // Another device was faster: its events stand, and ours was never acknowledged.
        yield* forgetEvents(rows, chain.head)
      }
    }
    return yield* new Problem({ code: "unavailable", detail: "the sig-server accepts events and does not show them" })
  }, Semaphore.withPermit(extending))

  /** The operation that adds an endpoint of this account which the chain lacks. */
  const missingEndpoint = Effect.fnUntraced(function* (primary: PrimaryKey, { state }: Chain) {
    const names = (protocol: Endpoint.Endpoint["protocol"]) =>
      state.endpoints.some((endpoint) => endpoint.protocol === protocol)
    if (!names("nats")) {
      const { broker, server } = yield* directory.wellKnown
      const endpoint = Endpoint.atBroker(primary, broker)
      if (endpoint === undefined) {
        return yield* new Problem({ code: "record_invalid", detail: `${server} names no broker` })
      }
      return addEndpoint(endpoint)
    }
    return names("iroh") || transport.isAbsent === true ? undefined : addEndpoint(Endpoint.iroh(primary))
  })

  const keepHead = Effect.fnUntraced(function* ({ primary }: Identity, { head }: Chain) {
    if (head !== undefined) {
      yield* ledger.transact((transaction) =>
        Effect.map(transaction.get(key.account, Rows.Account), (row) => {
          if (row?.primary !== primary || row.head?.hash === head.hash) return
          account.put(transaction, { ...row, head })
        })
      )
    }
  })

  const append: OwnSigchain["Service"]["append"] = Effect.fnUntraced(function* (identity, next) {
    const chain = yield* extend(
      identity,
      Effect.fnUntraced(function* (chain: Chain) {
        const { rotatedTo } = chain.state
        if (rotatedTo !== undefined) {
          return yield* new Problem({ code: "chain_terminated", detail: `rotated to ${rotatedTo}` })
        }
        return (yield* missingEndpoint(identity.primary, chain)) ?? (yield* next(chain))
      })
    )
    yield* keepHead(identity, chain)
    return chain
  })

  const rotate: OwnSigchain["Service"]["rotate"] = Effect.fnUntraced(function* (identity, successor) {
    const { handle } = yield* account.get
    const chain = yield* extend(identity, ({ state: { rotatedTo } }) =>
      rotatedTo === undefined
        ? Effect.succeed({ successor })
        : rotatedTo === successor.primary
          ? Effect.undefined
          : Effect.fail(new AccountMoved({ handle, to: rotatedTo }))
    )
    yield* keepHead(identity, chain)
    return chain.head?.hash ?? (yield* Effect.die("a rotation leaves an event"))
  })

  /**
   * Events stored here beyond the end of the chain that the sig-server shows, and how many events of it are stored. Fails
   * with `chain_fork` if an acknowledged event differs.
   */
  const heldBeyond = Effect.fnUntraced(function* (rows: ChainRows, chain: Chain) {
    const events = yield* ownEvents(rows)
    const shared = Math.min(events.length, chain.envelopes.length)
    for (let seq = 0; seq < shared; seq++) {
      if (Envelope.encodeText(events[seq]!) === Envelope.encodeText(chain.envelopes[seq]!)) continue
      // Only an event that was never acknowledged may be replaced.
      const head = (yield* account.find)?.head
      if (head === undefined || seq > head.seq) {
        yield* forgetEvents(rows, seq === 0 ? undefined : { seq: seq - 1, hash: "" })
        return { count: seq, missing: [] }
      }
      return yield* new Problem({
        code: "chain_fork",
        detail: `event ${seq} of your own sigchain differs between the sig-server and this device`
      })
    }
    return { count: shared, missing: events.slice(chain.envelopes.length) }
  })

  const keepEvents = (rows: ChainRows, chain: Chain, count: number) =>
    ledger.transact((transaction) =>
      Effect.sync(() => {
        for (let seq = count; seq < chain.envelopes.length; seq++) {
          transaction.putBytes(rows.event(seq), Envelope.encode(chain.envelopes[seq]!))
        }
      })
    )

  const forgetEvents = (rows: ChainRows, after: Sigchain.Head | undefined) =>
    ledger.transact((transaction) =>
      Effect.map(
        transaction.scan({
          prefix: rows.prefix,
          ...(after === undefined ? {} : { after: rows.event(after.seq) })
        }),
        (entries) => {
          for (const entry of entries) transaction.delete(entry.key)
        }
      )
    )

  return OwnSigchain.of({ append, rotate })
})

export const layer = Layer.effect(OwnSigchain, make)
