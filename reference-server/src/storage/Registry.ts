/**
 * Who holds which handle (spec: registration).
 *
 * A handle and its key are bound to each other once and for good: a deletion or revocation leaves a tombstone, so
 * nobody inherits somebody else's name. Only both keys together can put another key in the place of the first, which then
 * is a moved key for good. The consequences of an end (closing connections, purging the inbox) are written
 * as `removals` in the same transaction and carried out by `Removals`.
 */
import { SignedEnvelope, VerifiedTransfer } from "@kez-chat/sdk/crypto"
import { Envelope, Handle, type Json, Limits, Problem, Registration, Timestamp } from "@kez-chat/sdk/protocol"
import { Crypto } from "@kez-chat/sdk/services"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Result from "effect/Result"
import * as Audit from "./Audit.ts"
import { Database, oneOf, type Sql } from "./Database.ts"
import * as Invites from "./Invites.ts"
import {
  type ActiveAccount,
  byHandle,
  byPrimary,
  fromRow,
  gone,
  refuse,
  type Removal,
  reserved,
  type Row,
  type State,
  stateOf,
  suspended,
  toActive
} from "./accounts/Accounts.ts"
import * as MovedKeys from "./accounts/MovedKeys.ts"
import { recentAccounts } from "./accounts/RecentAccounts.ts"
import { reservedHandles } from "./ReservedHandles.ts"

/** Who may register, and the invite that came with the registration. */
export interface Admission {
  readonly mode: Registration.Admission
  readonly invite?: string | undefined
}

export type { Account, ActiveAccount, Removal, State } from "./accounts/Accounts.ts"

export class Registry extends Context.Service<Registry, Effect.Success<ReturnType<typeof make>>>()(
  "@kez-chat/server/Registry"
) {
  static layer(serverName: string): Layer.Layer<Registry, never, Database | Crypto> {
    return Layer.effect(Registry, make(serverName))
  }
}

/** Changes of accounts and of the reserved handles, which decide about each other. */
const lock = "accounts"

const make = Effect.fnUntraced(function* (serverName: string) {
  const { commitsOfOthers, sql, transaction } = yield* Database
  const context = yield* Effect.context<Crypto>()
  const recent = recentAccounts(commitsOfOthers)

  /** A transaction that may change the account of a handle. */
  const changing = <A, E>(handle: string, f: (within: Sql) => Effect.Effect<A, E>) =>
    Effect.ensuring(
      transaction({ lock }, f),
      Effect.sync(() => recent.changed(handle))
    )

  const activeOf = (row: Row | undefined): Effect.Effect<ActiveAccount, Problem.Problem> => {
    if (row === undefined) return Effect.fail(refuse("handle_not_found", "nobody has registered it"))
    if (row.state !== "active") return Effect.fail(gone("it was given up or revoked"))
    return row.suspended_at === null ? Effect.succeed(toActive(row)) : Effect.fail(suspended)
  }

  const isReserved = Effect.fnUntraced(function* (handle: string, within: Sql) {
    const [own] = yield* within<{ reserved: number }>`SELECT reserved FROM reserved WHERE handle = ${handle}`
    return own === undefined ? reservedHandles.has(handle) : own.reserved === 1
  })

  const end = Effect.fnUntraced(function* (
    within: Sql,
    { handle, primary_hex }: Row,
    state: "deleted" | "revoked",
    time: string
  ) {
    const isDeletion = state === "deleted"
    yield* isDeletion
      ? within`UPDATE accounts SET state = ${state}, ended_at = ${time}, registration = NULL, invite = NULL WHERE handle = ${handle}`
      : within`UPDATE accounts SET state = ${state}, ended_at = ${time} WHERE handle = ${handle}`
    const formerKeys = yield* within<{ primary_hex: string }>`
      UPDATE moved_keys SET state = 'ended' WHERE handle = ${handle} RETURNING primary_hex`
    for (const key of [primary_hex, ...formerKeys.map((former) => former.primary_hex)]) {
      yield* within`INSERT INTO removals (primary_hex, purge, requested_at)
        VALUES (${key}, ${isDeletion ? 1 : 0}, ${time})`
    }
  })

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
    /**
     * The account of a local part, if it was active when it was looked up lately. On SQLite it still is; on PostgreSQL
     * as long as its key is active (ActiveKeys). Synchronous, for the hot path.
     */
    recent: recent.get,
    /** The active account; else `handle_not_found` or `handle_deleted`. */
    byHandle: (handle: string) => Effect.flatMap(byHandle(sql, handle), activeOf),
    /** As `byHandle`, but `handle_reserved` for a reserved handle that nobody holds. */
    lookUp: Effect.fnUntraced(function* (handle: string) {
      const readAt = recent.reading()
      const row = yield* byHandle(sql, handle)
      if (row === undefined && (yield* isReserved(handle, sql))) return yield* reserved(handle)
      const account = yield* activeOf(row)
      recent.set(account, readAt)
      return account
    }),
    /** The active account; else `handle_not_found`, `handle_deleted` or `primary_moved`. */
    byPrimary: Effect.fnUntraced(function* (primaryHex: string) {
      const row = yield* byPrimary(sql, primaryHex)
      if (row === undefined) yield* MovedKeys.check(sql, primaryHex)
      return yield* activeOf(row)
    }),

    /** Takes a handle; `created` is false for the repeat of an active registration. */
    register: Effect.fnUntraced(function* (
      envelope: Envelope.Envelope,
      { invite: code, mode }: Admission = { mode: "open" }
    ) {
      const statement = yield* checked(envelope, Registration.parseRegistration)
      const text = Envelope.encodeText(envelope)
      if (Buffer.byteLength(text) > Limits.registrationBytes) {
        return yield* refuse("too_large", `a registration may have ${Limits.registrationBytes} bytes`)
      }
      const now = yield* Clock.currentTimeMillis
      const { handle, key } = statement
      return yield* transaction(
        { lock, sharesCommit: true },
        Effect.fnUntraced(function* (within) {
          const holder = yield* byHandle(within, handle)
          if (holder?.primary_hex === key.hex && holder.state === "active") {
            if (holder.suspended_at !== null) return yield* suspended
            return { created: false, account: toActive(holder) }
          }
          yield* MovedKeys.check(within, key.hex)
          if (holder !== undefined) {
            return yield* holder.state === "active"
              ? refuse("handle_taken", `${handle}@${serverName} belongs to another key`)
              : gone("it was given up or revoked and is not handed out again")
          }
          const other = yield* byPrimary(within, key.hex)
          if (other !== undefined) {
            if (stateOf(other) === "suspended") return yield* suspended
            return yield* other.state === "active"
              ? refuse("primary_taken", "this key already has a handle here")
              : gone("this key had a handle here that was given up or revoked")
          }
          if (yield* isReserved(handle, within)) return yield* reserved(handle)
          yield* Effect.fromResult(Registration.checkWindow(statement, now))
          const registeredAt = Timestamp.fromMillis(now)
          if (mode === "closed") return yield* refuse("registration_closed", `${serverName} takes no new accounts`)
          const invite = mode === "invite" ? yield* Invites.use(within, code, now) : null
          yield* within`INSERT INTO accounts (handle, primary_hex, state, registered_at, registration, invite)
            VALUES (${handle}, ${key.hex}, 'active', ${registeredAt}, ${text}, ${invite})`
          const account: ActiveAccount = {
            handle,
            primaryHex: key.hex,
            state: "active",
            registeredAt,
            endedAt: null,
            suspendedAt: null,
            invite,
            registration: text
          }
          return { created: true, account }
        })
      )
    }),

    /** Gives a handle up; repeating one's own deletion succeeds. `handle` is the one in the URL, if any. */
    delete: Effect.fnUntraced(function* (envelope: Envelope.Envelope, handle?: string) {
      const statement = yield* checked(envelope, Registration.parseDeletion)
      if (handle !== undefined && handle !== statement.handle) {
        return yield* refuse("request_malformed", "the URL and the statement name different handles")
      }
      const now = yield* Clock.currentTimeMillis
      yield* changing(
        statement.handle,
        Effect.fnUntraced(function* (within) {
          const holder = yield* byHandle(within, statement.handle)
          if (holder === undefined) return yield* refuse("handle_not_found", "nobody has registered it")
          if (holder.primary_hex !== statement.key.hex) {
            return yield* refuse("unauthorized", "the handle belongs to another key")
          }
          if (holder.state === "deleted") return
          yield* Effect.fromResult(Registration.checkWindow(statement, now))
          yield* end(within, holder, "deleted", Timestamp.fromMillis(now))
        })
      )
    }),

    /**
     * Puts another key in the place of a handle's key, as both signed. Repeating it succeeds. The old key can fetch for
     * `fetchMillis` more, as long as mail to it is retained.
     */
    transfer: Effect.fnUntraced(function* (json: Json.Json, fetchMillis: number) {
      const statement = yield* Effect.provideContext(VerifiedTransfer.verify(json), context)
      const { server } = statement
      if (server !== serverName) {
        return yield* refuse("wrong_server", `this server is ${serverName}, the statement was made for ${server}`)
      }
      return yield* changing(statement.handle, (within) => MovedKeys.handOver(within, statement, fetchMillis))
    }),

    /** Takes an account away (an operator's decision); the handle stays a tombstone. */
    revoke: Effect.fnUntraced(function* (handle: string, by: Audit.By) {
      const time = Timestamp.fromMillis(yield* Clock.currentTimeMillis)
      return yield* changing(
        handle,
        Effect.fnUntraced(function* (within) {
          const holder = yield* byHandle(within, handle)
          if (holder === undefined) return yield* refuse("handle_not_found", "nobody has registered it")
          if (holder.state !== "active") return fromRow(holder)
          yield* end(within, holder, "revoked", time)
          yield* Audit.record(within, "revoke", handle, by)
          return { ...fromRow(holder), state: "revoked" as const, endedAt: time }
        })
      )
    }),

    /** Shuts an account out, or lets it in again; nothing of it is removed. `handle_deleted` for one that has ended. */
    setSuspended: Effect.fnUntraced(function* (handle: string, isNowSuspended: boolean, by: Audit.By) {
      const time = Timestamp.fromMillis(yield* Clock.currentTimeMillis)
      return yield* changing(
        handle,
        Effect.fnUntraced(function* (within) {
          const holder = yield* byHandle(within, handle)
          if (holder === undefined) return yield* refuse("handle_not_found", "nobody has registered it")
          if (holder.state !== "active") return yield* gone("it was given up or revoked")
          if ((holder.suspended_at !== null) === isNowSuspended) return fromRow(holder)
          const suspendedAt = isNowSuspended ? time : null
          // Names `state` as well, so that every server hears of the change (ActiveKeys).
          yield* within`UPDATE accounts SET suspended_at = ${suspendedAt}, state = 'active' WHERE handle = ${handle}`
          yield* within`UPDATE moved_keys SET state = ${isNowSuspended ? "suspended" : "active"} WHERE handle = ${handle}`
          if (isNowSuspended) {
            yield* within`INSERT INTO removals (primary_hex, purge, requested_at)
              VALUES (${holder.primary_hex}, 0, ${time})`
          }
          yield* Audit.record(within, isNowSuspended ? "suspend" : "unsuspend", handle, by)
          return fromRow({ ...holder, suspended_at: suspendedAt })
        })
      )
    }),

    /** An account in any state; `handle_not_found` if there never was one. */
    find: Effect.fnUntraced(function* (handle: string) {
      const row = yield* byHandle(sql, handle)
      return row === undefined ? yield* refuse("handle_not_found", "nobody has registered it") : fromRow(row)
    }),

    /** The keys that an account had before, the newest first. */
    formerKeys: (handle: string) => MovedKeys.ofHandle(sql, handle),

    /** Puts a handle on the reserved list, or lifts it. */
    setReserved: Effect.fnUntraced(function* (handle: string, isNowReserved: boolean, by: Audit.By) {
      yield* Effect.fromResult(Handle.parse(`${handle}@${serverName}`))
      const time = Timestamp.fromMillis(yield* Clock.currentTimeMillis)
      yield* transaction(
        { lock },
        Effect.fnUntraced(function* (within) {
          yield* within`INSERT INTO reserved (handle, reserved, note, changed_at)
            VALUES (${handle}, ${isNowReserved ? 1 : 0}, ${by.note}, ${time})
            ON CONFLICT (handle) DO UPDATE SET
              reserved = excluded.reserved, note = excluded.note, changed_at = excluded.changed_at`
          yield* Audit.record(within, isNowReserved ? "reserve" : "unreserve", handle, by)
        })
      )
    }),

    /** Accounts in handle order. */
    list: ({ after = "", limit, state }: { readonly state?: State; readonly after?: string; readonly limit: number }) =>
      Effect.map(
        sql<Row>`SELECT handle, primary_hex, state, registered_at, registration, ended_at, suspended_at, invite FROM accounts
          WHERE handle > ${after}
            AND CASE WHEN state = 'active' AND suspended_at IS NOT NULL THEN 'suspended' ELSE state END
              ${oneOf(state === undefined ? states : [state])}
          ORDER BY handle LIMIT ${limit}`,
        (found) => found.map(fromRow)
      ),
    /** The operator's own entries; the built-in list is `ReservedHandles`. */
    listReserved: Effect.map(
      sql<{ handle: string; reserved: number; note: string }>`
        SELECT handle, reserved, note FROM reserved ORDER BY handle`,
      (found) => found.map((row) => ({ ...row, reserved: row.reserved === 1 }))
    ),
    /** Removals that are due: revocations first, which only close connections; then the oldest. */
    removals: Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.map(
        sql<{ id: number; primary_hex: string; purge: number }>`
          SELECT id, primary_hex, purge FROM removals
          WHERE not_before IS NULL OR not_before <= ${Timestamp.fromMillis(now)} ORDER BY purge, id LIMIT 256`,
        (found) =>
          found.map(({ id, primary_hex, purge }): Removal => ({ id, primaryHex: primary_hex, purge: purge === 1 }))
      )
    ),
    /** Deletes a removal that was carried out. */
    removed: (id: number) => Effect.asVoid(sql`DELETE FROM removals WHERE id = ${id}`),
    /** The server name that the registrations here were signed for; undefined while there is none. */
    registeredAt: Effect.map(
      sql<{ registration: string }>`SELECT registration FROM accounts WHERE registration IS NOT NULL LIMIT 1`,
      ([found]) =>
        found === undefined
          ? undefined
          : (JSON.parse(found.registration) as { payload: { server: string } }).payload.server
    ),
    /** Number of removals that are due, for metrics. */
    pendingRemovals: Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.map(
        sql<{ n: number }>`SELECT count(*) AS n FROM removals
          WHERE not_before IS NULL OR not_before <= ${Timestamp.fromMillis(now)}`,
        ([found]) => found?.n ?? 0
      )
    ),
    /** Number of keys that handed their handle over, for metrics. */
    movedKeys: MovedKeys.count(sql),
    /** Accounts by state, for metrics. */
    counts: Effect.map(
      sql<{ state: Row["state"]; n: number; suspended: number }>`
        SELECT state, count(*) AS n, count(suspended_at) AS suspended FROM accounts GROUP BY state`,
      (found) => {
        const counts = { active: 0, suspended: 0, deleted: 0, revoked: 0 }
        for (const { n, state, suspended } of found) {
          counts[state] = n
          // An account that was suspended when it ended counts as what it is now.
          if (state === "active") {
            counts.active -= suspended
            counts.suspended = suspended
          }
        }
        return counts
      }
    )
  }
})

const states: ReadonlyArray<State> = ["active", "suspended", "deleted", "revoked"]
