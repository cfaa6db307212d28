/**
 * Who holds which handle (spec: registration).
 *
 * A handle and its key are bound to each other once and for good: a deletion or revocation leaves a tombstone, so
 * nobody inherits somebody else's name. The consequences of an end (closing connections, purging the inbox) are written
 * as `removals` in the same transaction and carried out by `Removals`.
 */
import { SignedEnvelope } from "@kez-chat/sdk/crypto"
import { Envelope, Handle, Limits, Problem, Registration, Timestamp } from "@kez-chat/sdk/protocol"
import { Crypto } from "@kez-chat/sdk/services"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { Database, type Migration } from "./Database.ts"
import { reservedHandles } from "./ReservedHandles.ts"

export const migrations: ReadonlyArray<Migration> = [
  {
    id: "registry-001-accounts",
    sql: `
      CREATE TABLE accounts (
        handle TEXT NOT NULL PRIMARY KEY,
        primary_hex TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL CHECK (state IN ('active', 'deleted', 'revoked')),
        registered_at TEXT NOT NULL,
        -- JCS of the registration envelope; erased with a deletion.
        registration TEXT,
        ended_at TEXT
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE reserved (
        handle TEXT NOT NULL PRIMARY KEY,
        -- 0 lifts an entry of the built-in list.
        reserved INTEGER NOT NULL CHECK (reserved IN (0, 1)),
        note TEXT NOT NULL,
        changed_at TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE removals (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        primary_hex TEXT NOT NULL,
        purge INTEGER NOT NULL CHECK (purge IN (0, 1)),
        requested_at TEXT NOT NULL
      ) STRICT;`
  },
  {
    // Counting by state is asked for with every scrape of the metrics; the table itself holds whole envelopes.
    id: "registry-002-states",
    sql: "CREATE INDEX accounts_state ON accounts (state)"
  }
]

export type State = "active" | "deleted" | "revoked"

/** An account as the registry keeps it. */
export interface Account {
  /** The local part. */
  readonly handle: string
  /** 64 hex digits. */
  readonly primaryHex: string
  readonly state: State
  /** RFC 3339. */
  readonly registeredAt: string
  readonly endedAt: string | null
}

/** An active account with the envelope that took its handle, as JCS text. */
export interface ActiveAccount extends Account {
  readonly state: "active"
  readonly registration: string
}

/** A pending removal of an ended account from the broker. */
export interface Removal {
  readonly id: number
  readonly primaryHex: string
  readonly purge: boolean
}

interface Row {
  readonly handle: string
  readonly primary_hex: string
  readonly state: State
  readonly registered_at: string
  readonly registration: string | null
  readonly ended_at: string | null
}

const fromRow = (row: Row): Account => ({
  handle: row.handle,
  primaryHex: row.primary_hex,
  state: row.state,
  registeredAt: row.registered_at,
  endedAt: row.ended_at
})

const gone = (detail: string) => new Problem.Problem({ code: "handle_deleted", detail })
const refuse = (code: Problem.Code, detail: string) => new Problem.Problem({ code, detail })

const reserved = (handle: string) => refuse("handle_reserved", `${handle} cannot be registered here`)

const inWindow = (statement: Registration.Statement, now: number): void => {
  const result = Registration.checkWindow(statement, now)
  if (Result.isFailure(result)) throw result.failure
}

export class Registry extends Context.Service<Registry, Effect.Success<ReturnType<typeof make>>>()(
  "@kez-chat/server/Registry"
) {
  static layer(serverName: string): Layer.Layer<Registry, never, Database | Crypto> {
    return Layer.effect(Registry, make(serverName))
  }
}

const make = Effect.fnUntraced(function* (serverName: string) {
  const { sqlite, write } = yield* Database
  const context = yield* Effect.context<Crypto>()

  const byHandle = sqlite.prepare<[string], Row>("SELECT * FROM accounts WHERE handle = ?")
  const byPrimary = sqlite.prepare<[string], Row>("SELECT * FROM accounts WHERE primary_hex = ?")
  const active = sqlite
    .prepare<[string], 1>("SELECT 1 FROM accounts WHERE primary_hex = ? AND state = 'active'")
    .pluck()
  const insert = sqlite.prepare<[string, string, string, string]>(
    "INSERT INTO accounts (handle, primary_hex, state, registered_at, registration) VALUES (?, ?, 'active', ?, ?)"
  )
  const end = sqlite.prepare<[State, string, number, string]>(
    "UPDATE accounts SET state = ?, ended_at = ?, registration = iif(?, NULL, registration) WHERE handle = ?"
  )
  const reservation = sqlite.prepare<[string], number>("SELECT reserved FROM reserved WHERE handle = ?").pluck()
  const reserve = sqlite.prepare<[string, number, string, string]>(
    "INSERT OR REPLACE INTO reserved (handle, reserved, note, changed_at) VALUES (?, ?, ?, ?)"
  )
  const addRemoval = sqlite.prepare<[string, number, string]>(
    "INSERT INTO removals (primary_hex, purge, requested_at) VALUES (?, ?, ?)"
  )
  const removals = sqlite.prepare<[], { id: number; primary_hex: string; purge: number }>(
    "SELECT id, primary_hex, purge FROM removals ORDER BY purge, id LIMIT 256"
  )
  const countRemovals = sqlite.prepare<[], number>("SELECT count(*) FROM removals").pluck()
  const dropRemoval = sqlite.prepare<[number]>("DELETE FROM removals WHERE id = ?")
  const counts = sqlite.prepare<[], { state: State; n: number }>(
    "SELECT state, count(*) AS n FROM accounts GROUP BY state"
  )

  const signedFor = sqlite
    .prepare<[], string>(
      "SELECT registration ->> '$.payload.server' FROM accounts WHERE registration IS NOT NULL LIMIT 1"
    )
    .pluck()

  const activeOf = (row: Row | undefined): Effect.Effect<ActiveAccount, Problem.Problem> => {
    if (row === undefined) return Effect.fail(refuse("handle_not_found", "nobody has registered it"))
    return row.state === "active" ? Effect.succeed(toActive(row)) : Effect.fail(gone("it was given up or revoked"))
  }

  const isReserved = (handle: string): boolean => {
    const own = reservation.get(handle)
    return own === undefined ? reservedHandles.has(handle) : own === 1
  }

  /** The checks that a registration and a deletion share; nothing is decided before the signature holds. */
  const checked = Effect.fnUntraced(function* (
    envelope: Envelope.Envelope,
    parse: (envelope: Envelope.Envelope) => Result.Result<Registration.Statement, Problem.Problem>
  ) {
    const statement = yield* Effect.fromResult(parse(envelope))
    yield* Effect.provideContext(SignedEnvelope.verify(envelope), context)
    if (statement.server !== serverName) {
      return yield* refuse(
        "wrong_server",
        `this server is ${serverName}, the statement was made for ${statement.server}`
      )
    }
    return statement
  })

  return {
    /** Whether a key may use the broker. Synchronous, for the hot path. */
    isActive: (primaryHex: string) => active.get(primaryHex) !== undefined,
    /** The active account of a local part, or undefined. Synchronous, for the hot path. */
    activeSync: (handle: string) => {
      const row = byHandle.get(handle)
      return row?.state === "active" ? toActive(row) : undefined
    },
    /** The active account; else `handle_not_found` or `handle_deleted`. */
    byHandle: (handle: string) => Effect.suspend(() => activeOf(byHandle.get(handle))),
    /** As `byHandle`, but `handle_reserved` for a reserved handle that nobody holds. */
    lookUp: (handle: string) =>
      Effect.suspend(() => {
        const row = byHandle.get(handle)
        return row === undefined && isReserved(handle) ? Effect.fail(reserved(handle)) : activeOf(row)
      }),
    /** The active account; else `handle_not_found` or `handle_deleted`. */
    byPrimary: (primaryHex: string) => Effect.suspend(() => activeOf(byPrimary.get(primaryHex))),

    /** Takes a handle; `created` is false for the repeat of an active registration. */
    register: Effect.fnUntraced(function* (envelope: Envelope.Envelope) {
      const statement = yield* checked(envelope, Registration.parseRegistration)
      const text = Envelope.encodeText(envelope)
      if (Buffer.byteLength(text) > Limits.registrationBytes) {
        return yield* refuse("too_large", `a registration may have ${Limits.registrationBytes} bytes`)
      }
      const now = yield* Clock.currentTimeMillis
      return yield* write(() => {
        const holder = byHandle.get(statement.handle)
        if (holder?.primary_hex === statement.key.hex && holder.state === "active") {
          return { created: false, account: toActive(holder) }
        }
        if (holder !== undefined) {
          if (holder.state !== "active") throw gone("it was given up or revoked and is not handed out again")
          throw refuse("handle_taken", `${statement.handle}@${serverName} belongs to another key`)
        }
        const other = byPrimary.get(statement.key.hex)
        if (other !== undefined) {
          if (other.state !== "active") throw gone("this key had a handle here that was given up or revoked")
          throw refuse("primary_taken", "this key already has a handle here")
        }
        if (isReserved(statement.handle)) {
          throw reserved(statement.handle)
        }
        inWindow(statement, now)
        insert.run(statement.handle, statement.key.hex, Timestamp.fromMillis(now), text)
        return { created: true, account: toActive(byHandle.get(statement.handle) as Row) }
      })
    }),

    /** Gives a handle up; repeating one's own deletion succeeds. `handle` is the one in the URL, if any. */
    delete: Effect.fnUntraced(function* (envelope: Envelope.Envelope, handle?: string) {
      const statement = yield* checked(envelope, Registration.parseDeletion)
      if (handle !== undefined && handle !== statement.handle) {
        return yield* refuse("request_malformed", "the URL and the statement name different handles")
      }
      const now = yield* Clock.currentTimeMillis
      yield* write(() => {
        const holder = byHandle.get(statement.handle)
        if (holder === undefined) throw refuse("handle_not_found", "nobody has registered it")
        if (holder.primary_hex !== statement.key.hex) throw refuse("unauthorized", "the handle belongs to another key")
        if (holder.state === "deleted") return
        inWindow(statement, now)
        const time = Timestamp.fromMillis(now)
        end.run("deleted", time, 1, holder.handle)
        addRemoval.run(holder.primary_hex, 1, time)
      })
    }),

    /** Takes an account away (an operator's decision); the handle stays a tombstone. */
    revoke: Effect.fnUntraced(function* (handle: string) {
      const now = yield* Clock.currentTimeMillis
      return yield* write(() => {
        const holder = byHandle.get(handle)
        if (holder === undefined) throw refuse("handle_not_found", "nobody has registered it")
        if (holder.state === "active") {
          const time = Timestamp.fromMillis(now)
          end.run("revoked", time, 0, handle)
          addRemoval.run(holder.primary_hex, 0, time)
        }
        return fromRow(byHandle.get(handle) as Row)
      })
    }),

    /** Puts a handle on the reserved list, or lifts it. */
    setReserved: Effect.fnUntraced(function* (handle: string, reserved: boolean, note: string) {
      yield* Effect.fromResult(Handle.parse(`${handle}@${serverName}`))
      const now = yield* Clock.currentTimeMillis
      yield* write(() => reserve.run(handle, reserved ? 1 : 0, note, Timestamp.fromMillis(now)))
    }),

    /** Accounts in handle order. */
    list: ({ after = "", limit, state }: { readonly state?: State; readonly after?: string; readonly limit: number }) =>
      Effect.sync(() =>
        sqlite
          .prepare<[string, State | null, State | null, number], Row>(
            "SELECT * FROM accounts WHERE handle > ? AND (? IS NULL OR state = ?) ORDER BY handle LIMIT ?"
          )
          .all(after, state ?? null, state ?? null, limit)
          .map(fromRow)
      ),
    /** The operator's own entries; the built-in list is `ReservedHandles`. */
    listReserved: Effect.sync(() =>
      sqlite
        .prepare<[], { handle: string; reserved: number; note: string }>(
          "SELECT handle, reserved, note FROM reserved ORDER BY handle"
        )
        .all()
        .map((row) => ({ ...row, reserved: row.reserved === 1 }))
    ),
    /** Pending removals: revocations first, which only close connections; then the oldest. */
    removals: Effect.sync(() =>
      removals.all().map(({ id, primary_hex, purge }) => ({ id, primaryHex: primary_hex, purge: purge === 1 }))
    ),
    /** Deletes a removal that was carried out. */
    removed: (id: number) => Effect.asVoid(write(() => dropRemoval.run(id))),
    /** The server name that the registrations here were signed for; undefined while there is none. */
    registeredAt: Effect.sync(() => signedFor.get()),
    /** Number of pending removals, for metrics. */
    pendingRemovals: () => countRemovals.get() as number,
    /** Accounts by state, for metrics. */
    counts: () => {
      const found = { active: 0, deleted: 0, revoked: 0 }
      for (const { n, state } of counts.all()) found[state] = n
      return found
    }
  }
})

const toActive = (row: Row): ActiveAccount => ({
  ...fromRow(row),
  state: "active",
  registration: row.registration as string
})
