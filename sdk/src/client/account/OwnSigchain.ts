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
import { type Chain, type Next, type Operation, OwnSigchain } from "../internal/OwnSigchain.ts"
import * as Rows from "../internal/rows/index.ts"

const { key } = Rows

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

  /** Own events as they were signed here, oldest first. */
  const ownEvents = Effect.flatMap(
    ledger.scan({ prefix: Rows.prefix.chain }),
    Effect.forEach((entry) => Effect.fromResult(Envelope.parse(entry.value)))
  )

  /** Signs and stores the next event, so that a retry after a lost answer sends the same bytes. */
  const nextEvent = Effect.fnUntraced(function* (
    identity: Identity,
    { bytes, head: after }: Sigchain.ChainState,
    operation: Operation
  ) {
    const seq = after === undefined ? 0 : after.seq + 1
    const event = yield* identity.signSigchainEvent({ after, operation, createdAt: yield* Clock.currentTimeMillis })
    const encoded = Envelope.encode(event)
    // A stored event is submitted until it is accepted, so one that can never be accepted must not be stored.
    yield* Effect.fromResult(Sigchain.checkRoom(bytes, operation.op, encoded.length))
    yield* ledger.transact((transaction) => Effect.sync(() => transaction.putBytes(key.chain(seq), encoded)))
    return event
  })

  /**
   * Extends the chain until `next` has nothing to add. Events stored here that the sig-server lacks are submitted again;
   * events that another device added are accepted.
   */
  const extend = Effect.fnUntraced(function* (identity: Identity, next: Next) {
    for (let attempt = 1; attempt <= publishAttempts; attempt++) {
      const chain = yield* lookup.chain(identity.primary)
      const { count, missing } = yield* heldBeyond(chain)
      if (missing.length === 0) {
        if (chain.state.rotatedTo !== undefined) {
          return yield* new Problem({ code: "chain_terminated", detail: `rotated to ${chain.state.rotatedTo}` })
        }
        const operation = yield* next(chain)
        if (operation === undefined) {
          yield* keepEvents(chain, count)
          return chain
        }
        missing.push(yield* nextEvent(identity, chain.state, operation))
      }
      const appended = yield* Effect.result(
        Effect.forEach(missing, (event) => sigchains.append(identity.primary, event), { discard: true })
      )
      if (Result.isFailure(appended)) {
        if (!isConflict(appended.failure) || attempt === publishAttempts) return yield* appended.failure
        // Another device was faster: its events stand, and ours was never acknowledged.
        yield* forgetEvents(chain.head)
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

  const append: OwnSigchain["Service"]["append"] = Effect.fnUntraced(function* (identity, next) {
    const chain = yield* extend(identity, (chain) =>
      Effect.flatMap(missingEndpoint(identity.primary, chain), (endpoint) =>
        endpoint === undefined ? next(chain) : Effect.succeed(endpoint)
      )
    )
    const { head } = chain
    if (head !== undefined) {
      yield* ledger.transact((transaction) =>
        Effect.map(transaction.get(key.account, Rows.Account), (row) => {
          if (row === undefined || row.head?.hash === head.hash) return
          account.put(transaction, { ...row, head })
        })
      )
    }
    return chain
  })

  /**
   * Events stored here beyond the end of the chain that the sig-server shows, and how many events of it are stored. Fails
   * with `chain_fork` if an acknowledged event differs.
   */
  const heldBeyond = Effect.fnUntraced(function* (chain: Chain) {
    const events = yield* ownEvents
    const shared = Math.min(events.length, chain.envelopes.length)
    for (let seq = 0; seq < shared; seq++) {
      if (Envelope.encodeText(events[seq]!) === Envelope.encodeText(chain.envelopes[seq]!)) continue
      // Only an event that was never acknowledged may be replaced.
      const head = (yield* account.find)?.head
      if (head === undefined || seq > head.seq) {
        yield* forgetEvents(seq === 0 ? undefined : { seq: seq - 1, hash: "" })
        return { count: seq, missing: [] }
      }
      return yield* new Problem({
        code: "chain_fork",
        detail: `event ${seq} of your own sigchain differs between the sig-server and this device`
      })
    }
    return { count: shared, missing: events.slice(chain.envelopes.length) }
  })

  const keepEvents = (chain: Chain, count: number) =>
    ledger.transact((transaction) =>
      Effect.sync(() => {
        for (let seq = count; seq < chain.envelopes.length; seq++) {
          transaction.putBytes(key.chain(seq), Envelope.encode(chain.envelopes[seq]!))
        }
      })
    )

  const forgetEvents = (after: Sigchain.Head | undefined) =>
    ledger.transact((transaction) =>
      Effect.map(
        transaction.scan({
          prefix: Rows.prefix.chain,
          ...(after === undefined ? {} : { after: key.chain(after.seq) })
        }),
        (entries) => {
          for (const entry of entries) transaction.delete(entry.key)
        }
      )
    )

  return OwnSigchain.of({ append })
})

export const layer = Layer.effect(OwnSigchain, make)
