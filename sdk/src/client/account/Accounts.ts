/**
 * Making an account, taking one up again from its words, and ending one.
 *
 * Creation has four steps, each kept before the next begins: the seed is in the vault, the account is noted here, its
 * handle is registered, its sigchain names its inbox and its Iroh node. Every step can be repeated without harm, so
 * creation goes on from wherever it was cut off, by calling it again or at the next start.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import * as Endpoint from "../../protocol/sigchain/Endpoint.ts"
import * as Id from "../../crypto/Id.ts"
import * as Identity from "../../crypto/Identity.ts"
import * as VerifiedRecord from "../../crypto/VerifiedRecord.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as Envelope from "../../protocol/sigchain/Envelope.ts"
import * as Handle from "../../protocol/identity/Handle.ts"
import * as Mnemonic from "../../protocol/identity/Mnemonic.ts"
import type { PrimaryKey } from "../../protocol/identity/PrimaryKey.ts"
import { Problem } from "../../protocol/Problem.ts"
import * as Sigchain from "../../protocol/sigchain/Sigchain.ts"
import { BlobTransport } from "../../services/BlobTransport.ts"
import { Crypto } from "../../services/Crypto.ts"
import { Directory } from "../../services/Directory.ts"
import { SigchainStore } from "../../services/SigchainStore.ts"
import { Vault } from "../../services/Vault.ts"
import type { Chain, Introductions } from "../contacts/IdentityLookup.ts"
import { AccountExists, type KezChatError, NoAccount } from "../model/index.ts"
import { StoreError } from "../../services/LocalStore.ts"
import type { Ledger } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"

const { key } = Rows

/**
 * Answers to a first registration that say that nothing was registered. What `create` kept for it is forgotten again, so
 * that the next try is free to take other words.
 */
const refusals = new Set<Problem["code"]>([
  "handle_taken",
  "handle_reserved",
  "handle_deleted",
  "handle_malformed",
  "primary_taken",
  "clock_skew",
  "wrong_server"
])

/** How often publishing begins anew: other devices may be faster, and a sig-server may not show what it took. */
const publishAttempts = 8

const isConflict = (error: unknown) => error instanceof Problem && error.code === "chain_conflict"

const seedOf = (words: Redacted.Redacted<string>) =>
  Effect.map(Effect.fromResult(Mnemonic.toSeed(Redacted.value(words))), (seed) =>
    Redacted.make(seed, { label: "seed" })
  )

/** The store was put where another account's belongs. */
const foreignStore = ({ handle, primary }: Rows.AccountRow, wanted: string): StoreError =>
  new StoreError({
    reason: "foreign",
    detail:
      `it belongs to ${handle} (${primary}), and the key here to ${wanted}: ` +
      "put the store of this account back, or restore the account from its words in another place"
  })

/** Fails where a store holds another account than `primary`. */
export const checkOwner = (ledger: Ledger, primary: string) =>
  Effect.flatMap(ledger.get(key.account, Rows.Account), (row) =>
    row === undefined || row.primary === primary ? Effect.void : Effect.fail(foreignStore(row, primary))
  )

type Operation = Parameters<Identity.Identity["signSigchainEvent"]>[0]["operation"]

/** What a verified chain still lacks. */
export type Next = (chain: Chain) => Effect.Effect<Operation | undefined, KezChatError>

const addEndpoint = (payload: Endpoint.Endpoint): Operation => ({ op: "add_endpoint", payload })

export interface Accounts {
  /** The account as it is noted here. */
  readonly current: Effect.Effect<Rows.AccountRow, KezChatError>
  create(handle: string, words: Redacted.Redacted<string>): Effect.Effect<Identity.Identity, KezChatError>
  restore(words: Redacted.Redacted<string>): Effect.Effect<Identity.Identity, KezChatError>
  /** The identity of the noted account, its seed taken from the vault. */
  readonly open: Effect.Effect<Identity.Identity, KezChatError>
  /** Does what is still missing of registration and sigchain; nothing where all is done. */
  finish(identity: Identity.Identity): Effect.Effect<Rows.AccountRow, KezChatError>
  /**
   * Adds what `next` answers to the account's sigchain, until it answers nothing; asked again for each chain that it meets.
   * Endpoints that the chain lacks come first. Answers the chain as it is then. One caller at a time.
   */
  append(identity: Identity.Identity, next: Next): Effect.Effect<Chain, KezChatError>
  readonly words: Effect.Effect<Redacted.Redacted<string>, KezChatError>
  /** Gives the handle up at the home server. Nothing is removed here. */
  revoke(identity: Identity.Identity): Effect.Effect<void, KezChatError>
}

export const make = Effect.fnUntraced(function* (ledger: Ledger, introductions: Introductions) {
  const crypto = yield* Crypto
  const directory = yield* Directory
  const sigchains = yield* SigchainStore
  const transport = yield* BlobTransport
  const vault = yield* Vault
  const extending = yield* Semaphore.make(1)

  const noted = ledger.get(key.account, Rows.Account)
  const current: Accounts["current"] = Effect.gen(function* () {
    const row = yield* noted
    return row ?? (yield* new NoAccount())
  })

  const note = (row: Rows.AccountRow) =>
    ledger.transact((transaction) => Effect.sync(() => transaction.put(key.account, Rows.Account, row)))

  const identityOf = (seed: Redacted.Redacted<Uint8Array>) =>
    Effect.provideService(Identity.fromSeed(seed), Crypto, crypto)

  /**
   * Keeps the seed, unless this device holds another account's: that one must never be overwritten. Answers whether the
   * vault was empty before.
   */
  const keepSeed = Effect.fnUntraced(function* (seed: Redacted.Redacted<Uint8Array>, identity: Identity.Identity) {
    const row = yield* noted
    if (row !== undefined && row.primary !== identity.primary) return yield* new AccountExists({ handle: row.handle })
    const held = yield* vault.load
    if (Option.isNone(held)) {
      yield* vault.save(seed)
      return true
    }
    if (!Bytes.equal(Redacted.value(held.value), Redacted.value(seed))) {
      return yield* new AccountExists({ handle: row?.handle ?? "another account, whose seed is in the vault" })
    }
    return false
  })

  const newDevice = Effect.provideService(Id.make, Crypto, crypto)

  /** A statement's time is judged by the server's clock; when they differ, say by how much and whose to look at. */
  const explainSkew = (problem: Problem) =>
    Effect.gen(function* () {
      if (problem.code !== "clock_skew") return yield* problem
      const skew = yield* Effect.result(directory.clockSkewMillis)
      if (Result.isFailure(skew)) return yield* problem
      const seconds = Math.round(Math.abs(skew.success) / 1_000)
      const side = skew.success > 0 ? "behind" : "ahead of"
      return yield* new Problem({
        code: "clock_skew",
        detail: `this device's clock is ${seconds} s ${side} the home server's: set it and try again`
      })
    })

  const register = Effect.fnUntraced(function* (identity: Identity.Identity, row: Rows.AccountRow) {
    const handle = yield* Effect.fromResult(Handle.parse(row.handle))
    const createdAt = yield* Clock.currentTimeMillis
    const statement = { handle: handle.local, server: handle.server, createdAt }
    const record = yield* Effect.flatMap(identity.signRegistration(statement), directory.register).pipe(
      Effect.catchTag("Problem", explainSkew)
    )
    yield* Effect.provideService(
      VerifiedRecord.verify(record, { server: handle.server, handle: handle.local, primary: identity.primary }),
      Crypto,
      crypto
    )
    const registered: Rows.AccountRow = { ...row, step: "registered" }
    yield* note(registered)
    return registered
  })

  /** Own events as they were signed here, oldest first. */
  const ownEvents = Effect.flatMap(
    ledger.scan({ prefix: Rows.prefix.chain }),
    Effect.forEach((entry) => Effect.fromResult(Envelope.parse(entry.value)))
  )

  /** Signs an event once: cut off before its answer came, the same bytes are sent again. */
  const nextEvent = Effect.fnUntraced(function* (
    identity: Identity.Identity,
    { bytes, head: after }: Sigchain.ChainState,
    operation: Operation
  ) {
    const seq = after === undefined ? 0 : after.seq + 1
    const event = yield* identity.signSigchainEvent({ after, operation, createdAt: yield* Clock.currentTimeMillis })
    const encoded = Envelope.encode(event)
    // What was kept is sent again until it is taken, so nothing is kept that nobody takes.
    yield* Effect.fromResult(Sigchain.checkRoom(bytes, operation.op, encoded.length))
    yield* ledger.transact((transaction) => Effect.sync(() => transaction.putBytes(key.chain(seq), encoded)))
    return event
  })

  /**
   * Brings the chain on to where `next` has nothing to add to it. Events kept here that the sig-server lacks are given to it
   * again; a chain that grew elsewhere is taken as it is.
   */
  const extend = Effect.fnUntraced(function* (identity: Identity.Identity, next: Next) {
    for (let attempt = 1; attempt <= publishAttempts; attempt++) {
      const chain = yield* introductions.chain(identity.primary)
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
        // Another device was faster: its events stand, ours was only a wish.
        yield* forgetEvents(chain.head)
      }
    }
    return yield* new Problem({ code: "unavailable", detail: "the sig-server takes events and does not show them" })
  }, Semaphore.withPermit(extending))

  /** Where the account can be reached, as far as the chain does not say so. */
  const missingEndpoint = Effect.fnUntraced(function* (primary: PrimaryKey, { state }: Chain) {
    const names = (protocol: Endpoint.Endpoint["protocol"]) =>
      state.endpoints.some((endpoint) => endpoint.protocol === protocol)
    if (!names("nats")) {
      const { broker, server } = yield* directory.wellKnown
      const url = broker.tcp[0]
      if (url === undefined) return yield* new Problem({ code: "record_invalid", detail: `${server} names no broker` })
      return addEndpoint(Endpoint.nats(primary, url, broker.websocket[0]))
    }
    return names("iroh") || transport.isAbsent === true ? undefined : addEndpoint(Endpoint.iroh(primary))
  })

  const publish = Effect.fnUntraced(function* (identity: Identity.Identity, row: Rows.AccountRow) {
    const { head } = yield* extend(identity, (chain) => missingEndpoint(identity.primary, chain))
    const published: Rows.AccountRow = { ...row, step: "published", ...(head === undefined ? {} : { head }) }
    yield* note(published)
    return published
  })

  const append: Accounts["append"] = Effect.fnUntraced(function* (identity, next) {
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
          transaction.put(key.account, Rows.Account, { ...row, head })
        })
      )
    }
    return chain
  })

  /**
   * Events kept here that follow the end of a chain as the sig-server shows it, and how many of it are kept. A fork of
   * one's own chain is an error.
   */
  const heldBeyond = Effect.fnUntraced(function* (chain: Chain) {
    const events = yield* ownEvents
    const shared = Math.min(events.length, chain.envelopes.length)
    for (let seq = 0; seq < shared; seq++) {
      if (Envelope.encodeText(events[seq]!) === Envelope.encodeText(chain.envelopes[seq]!)) continue
      // Only an event that was never acknowledged may give way.
      const head = (yield* noted)?.head
      if (head === undefined || seq > head.seq) {
        yield* forgetEvents(seq === 0 ? undefined : { seq: seq - 1, hash: "" })
        return { count: seq, missing: [] }
      }
      return yield* new Problem({
        code: "chain_fork",
        detail: `event ${seq} of your own sigchain is another one at the sig-server than here`
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

  const forgetAccount = ledger.transact((transaction) => Effect.sync(() => transaction.delete(key.account)))

  const finish: Accounts["finish"] = Effect.fnUntraced(function* (identity) {
    let row: Rows.AccountRow = yield* current
    if (row.step === "created") row = yield* register(identity, row)
    if (row.step === "registered") row = yield* publish(identity, row)
    return row
  })

  const accounts: Accounts = {
    current,
    create: Effect.fnUntraced(function* (name, words) {
      const seed = yield* seedOf(words)
      const identity = yield* identityOf(seed)
      const { server } = yield* directory.wellKnown
      const handle = yield* Effect.fromResult(Handle.parseMention(name, server))
      if (handle.server !== server) {
        return yield* new Problem({ code: "wrong_server", detail: `this home is ${server}, not ${handle.server}` })
      }
      const row = yield* noted
      // A handle that turned out to be taken may be replaced; one that is registered may not.
      if (row !== undefined && row.step !== "created" && row.handle !== handle.text) {
        return yield* new AccountExists({ handle: row.handle })
      }
      const isNewSeed = yield* keepSeed(seed, identity)
      if (row === undefined || row.handle !== handle.text) {
        yield* note({
          handle: handle.text,
          primary: identity.primary,
          server,
          device: row?.device ?? (yield* newDevice),
          step: "created",
          createdAt: yield* Clock.currentTimeMillis
        })
      }
      yield* finish(identity).pipe(
        Effect.tapErrorTag("Problem", (problem) =>
          row === undefined && isNewSeed && refusals.has(problem.code)
            ? Effect.andThen(forgetAccount, vault.clear)
            : Effect.void
        )
      )
      return identity
    }),
    restore: Effect.fnUntraced(function* (words) {
      const seed = yield* seedOf(words)
      const identity = yield* identityOf(seed)
      const row = yield* noted
      if (row !== undefined && row.primary !== identity.primary) return yield* new AccountExists({ handle: row.handle })
      if (row === undefined || row.step === "created") {
        const { server } = yield* directory.wellKnown
        const { record } = yield* introductions.byPrimary(identity.primary, server)
        yield* keepSeed(seed, identity)
        yield* note({
          handle: record.handle,
          primary: identity.primary,
          server,
          device: row?.device ?? (yield* newDevice),
          step: "registered",
          createdAt: yield* Clock.currentTimeMillis
        })
      } else yield* keepSeed(seed, identity)
      yield* finish(identity)
      return identity
    }),
    open: Effect.gen(function* () {
      const row = yield* current
      const seed = yield* vault.load
      if (Option.isNone(seed)) return yield* new NoAccount()
      const identity = yield* identityOf(seed.value)
      if (identity.primary !== row.primary) {
        const foreign = foreignStore(row, identity.primary)
        ledger.refuse(foreign)
        return yield* foreign
      }
      return identity
    }),
    finish,
    append,
    words: Effect.flatMap(vault.load, (seed) =>
      Option.isNone(seed)
        ? Effect.fail(new NoAccount())
        : Effect.succeed(Redacted.make(Mnemonic.fromSeed(Redacted.value(seed.value)), { label: "words" }))
    ),
    revoke: Effect.fnUntraced(function* (identity) {
      const row = yield* current
      const handle = yield* Effect.fromResult(Handle.parse(row.handle))
      const createdAt = yield* Clock.currentTimeMillis
      const statement = { handle: handle.local, server: handle.server, createdAt }
      yield* Effect.flatMap(identity.signDeletion(statement), directory.delete).pipe(
        Effect.catchTag("Problem", (problem) =>
          // Cut off last time after the server had deleted it, unknown to a server that was set up anew, or never known
          // to be registered: it is gone in every case.
          problem.code === "handle_deleted" || problem.code === "handle_not_found" || row.step === "created"
            ? Effect.void
            : explainSkew(problem)
        )
      )
    })
  }
  return accounts
})
