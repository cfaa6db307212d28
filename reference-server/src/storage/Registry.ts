/**
 * Who holds which handle (spec: registration).
 *
 * A handle and its key are bound to each other once and for good: a deletion or revocation leaves a tombstone, so
 * nobody inherits somebody else's name. Only both keys together can put another key in the place of the first, which then
 * is a moved key for good. The consequences of an end (closing connections, purging the inbox) are written
 * as `removals` in the same transaction and carried out by `Removals`.
 */
import { SignedEnvelope, VerifiedTransfer } from "@kez-chat/sdk/crypto"
import {
  Envelope,
  Handle,
  type Json,
  Limits,
  PrimaryKey,
  Problem,
  Registration,
  Timestamp,
  Transfer
} from "@kez-chat/sdk/protocol"
import { Crypto } from "@kez-chat/sdk/services"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Result from "effect/Result"
import * as Audit from "./Audit.ts"
import { Database, oneOf, type Sql } from "./Database.ts"
import * as Invites from "./Invites.ts"
import { reservedHandles } from "./ReservedHandles.ts"

export type State = "active" | "suspended" | "deleted" | "revoked"

/** Who may register, and the invite that came with the registration. */
export interface Admission {
  readonly mode: Registration.Admission
  readonly invite?: string | undefined
}

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
  readonly suspendedAt: string | null
  /** Id of the invite that it registered with. */
  readonly invite: string | null
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
  readonly state: Exclude<State, "suspended">
  readonly registered_at: string
  readonly registration: string | null
  readonly ended_at: string | null
  readonly suspended_at: string | null
  readonly invite: string | null
}

const fromRow = (row: Row): Account => ({
  handle: row.handle,
  primaryHex: row.primary_hex,
  state: stateOf(row),
  registeredAt: row.registered_at,
  endedAt: row.ended_at,
  suspendedAt: row.suspended_at,
  invite: row.invite
})

const stateOf = ({ state, suspended_at }: Pick<Row, "state" | "suspended_at">): State =>
  state === "active" && suspended_at !== null ? "suspended" : state

const gone = (detail: string) => new Problem.Problem({ code: "handle_deleted", detail })
const refuse = (code: Problem.Code, detail: string) => new Problem.Problem({ code, detail })

const suspended = refuse("account_suspended", "this server's operator has suspended the account")

const reserved = (handle: string) => refuse("handle_reserved", `${handle} cannot be registered here`)

const moved = (newHex: string) => refuse("primary_moved", `it handed its handle over to ${PrimaryKey.ofHex(newHex)}`)

/** A key that handed its handle over. */
export interface MovedKey {
  readonly primaryHex: string
  /** RFC 3339. */
  readonly movedAt: string
  /** RFC 3339; until then it can fetch the mail that it has. */
  readonly fetchUntil: string
}

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
  const { sql, transaction } = yield* Database
  const context = yield* Effect.context<Crypto>()
  const recent = recentAccounts()

  const byHandle = (handle: string, within: Sql = sql) =>
    Effect.map(
      within<Row>`SELECT handle, primary_hex, state, registered_at, registration, ended_at, suspended_at, invite FROM accounts WHERE handle = ${handle}`,
      first
    )
  const byPrimary = (primaryHex: string, within: Sql = sql) =>
    Effect.map(
      within<Row>`SELECT handle, primary_hex, state, registered_at, registration, ended_at, suspended_at, invite FROM accounts WHERE primary_hex = ${primaryHex}`,
      first
    )

  /** The account of a handle or key that handed over, as it is now; undefined for any other key. */
  const movedKey = (primaryHex: string, within: Sql = sql) =>
    Effect.map(
      within<{
        new_hex: string
        state: string
      }>`SELECT new_hex, state FROM moved_keys WHERE primary_hex = ${primaryHex}`,
      first
    )
  /** Fails if a key handed its handle over. */
  const checkNotMoved = Effect.fnUntraced(function* (primaryHex: string, within: Sql = sql) {
    const found = yield* movedKey(primaryHex, within)
    if (found === undefined) return
    return yield* found.state === "ended"
      ? gone("this key had a handle here that was given up or revoked")
      : moved(found.new_hex)
  })

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
     * The account of a local part, if it was active when it was looked up lately. It stays the same as long as its key
     * is active (ActiveKeys). Synchronous, for the hot path.
     */
    recent: recent.get,
    /** The active account; else `handle_not_found` or `handle_deleted`. */
    byHandle: (handle: string) => Effect.flatMap(byHandle(handle), activeOf),
    /** As `byHandle`, but `handle_reserved` for a reserved handle that nobody holds. */
    lookUp: Effect.fnUntraced(function* (handle: string) {
      const row = yield* byHandle(handle)
      if (row === undefined && (yield* isReserved(handle, sql))) return yield* reserved(handle)
      const account = yield* activeOf(row)
      recent.set(account)
      return account
    }),
    /** The active account; else `handle_not_found`, `handle_deleted` or `primary_moved`. */
    byPrimary: Effect.fnUntraced(function* (primaryHex: string) {
      const row = yield* byPrimary(primaryHex)
      if (row === undefined) yield* checkNotMoved(primaryHex)
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
        { lock },
        Effect.fnUntraced(function* (within) {
          const holder = yield* byHandle(handle, within)
          if (holder?.primary_hex === key.hex && holder.state === "active") {
            if (holder.suspended_at !== null) return yield* suspended
            return { created: false, account: toActive(holder) }
          }
          yield* checkNotMoved(key.hex, within)
          if (holder !== undefined) {
            return yield* holder.state === "active"
              ? refuse("handle_taken", `${handle}@${serverName} belongs to another key`)
              : gone("it was given up or revoked and is not handed out again")
          }
          const other = yield* byPrimary(key.hex, within)
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
      yield* transaction(
        { lock },
        Effect.fnUntraced(function* (within) {
          const holder = yield* byHandle(statement.handle, within)
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
     *
     * The sig-server is not asked for the `rotate` event that the statement names: who can sign this can sign that event,
     * so it would prove nothing more, and an account whose key was stolen must not wait for another server. A contact who
     * sees no such event is warned of the new key as of any other.
     */
    transfer: Effect.fnUntraced(function* (json: Json.Json, fetchMillis: number) {
      const statement = yield* Effect.provideContext(VerifiedTransfer.verify(json), context)
      const { handle, old, request, server } = statement
      if (server !== serverName) {
        return yield* refuse("wrong_server", `this server is ${serverName}, the statement was made for ${server}`)
      }
      const now = yield* Clock.currentTimeMillis
      const registration = Envelope.encodeText(request.registration)
      return yield* transaction(
        { lock },
        Effect.fnUntraced(function* (within) {
          const holder = yield* byHandle(handle, within)
          if (holder === undefined) return yield* refuse("handle_not_found", "nobody has registered it")
          if (holder.state !== "active") return yield* gone("it was given up or revoked")
          if (holder.suspended_at !== null) return yield* suspended
          const before = yield* movedKey(old.hex, within)
          const isRepeat = before?.new_hex === statement.new.hex && holder.primary_hex === statement.new.hex
          if (isRepeat) return toActive(holder)
          if (before !== undefined) return yield* moved(before.new_hex)
          if (holder.primary_hex !== old.hex) return yield* refuse("unauthorized", "the handle belongs to another key")
          yield* checkNotMoved(statement.new.hex, within)
          const other = yield* byPrimary(statement.new.hex, within)
          if (other !== undefined) {
            return yield* other.state === "active"
              ? refuse("primary_taken", "the new key already has a handle here")
              : gone("the new key had a handle here that was given up or revoked")
          }
          yield* Effect.fromResult(Transfer.checkWindow(statement, now))
          const time = Timestamp.fromMillis(now)
          const until = Timestamp.fromMillis(now + fetchMillis)
          // Names `state` as well, so that every server hears of the change (ActiveKeys).
          yield* within`UPDATE accounts SET primary_hex = ${statement.new.hex}, registration = ${registration}, state = 'active'
            WHERE handle = ${handle}`
          yield* within`INSERT INTO moved_keys (primary_hex, handle, new_hex, moved_at, fetch_until, transfer, state)
            VALUES (${old.hex}, ${handle}, ${statement.new.hex}, ${time}, ${until},
              ${Envelope.encodeText(request.transfer)}, 'active')`
          // Reports are about accounts, whichever key they name.
          yield* within`UPDATE reports SET reporter_hex = ${statement.new.hex} WHERE reporter_hex = ${old.hex}`
          yield* within`UPDATE reports SET reported_hex = ${statement.new.hex} WHERE reported_hex = ${old.hex}`
          // At once its connections lose the rights that they had; after retention nothing of it is left.
          yield* within`INSERT INTO removals (primary_hex, purge, requested_at) VALUES (${old.hex}, 0, ${time})`
          yield* within`INSERT INTO removals (primary_hex, purge, requested_at, not_before)
            VALUES (${old.hex}, 1, ${time}, ${until})`
          const note = `${PrimaryKey.format(old)} to ${PrimaryKey.format(statement.new)}`
          yield* Audit.record(within, "transfer", handle, { actor: "owner", note })
          return toActive({ ...holder, primary_hex: statement.new.hex, registration })
        })
      )
    }),

    /** Takes an account away (an operator's decision); the handle stays a tombstone. */
    revoke: Effect.fnUntraced(function* (handle: string, by: Audit.By) {
      const time = Timestamp.fromMillis(yield* Clock.currentTimeMillis)
      return yield* transaction(
        { lock },
        Effect.fnUntraced(function* (within) {
          const holder = yield* byHandle(handle, within)
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
      return yield* transaction(
        { lock },
        Effect.fnUntraced(function* (within) {
          const holder = yield* byHandle(handle, within)
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
      const row = yield* byHandle(handle)
      return row === undefined ? yield* refuse("handle_not_found", "nobody has registered it") : fromRow(row)
    }),

    /** The keys that an account had before, the newest first. */
    formerKeys: (handle: string) =>
      sql<MovedKey>`SELECT primary_hex AS "primaryHex", moved_at AS "movedAt", fetch_until AS "fetchUntil" FROM moved_keys
        WHERE handle = ${handle} ORDER BY version DESC`,

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
    movedKeys: Effect.map(sql<{ n: number }>`SELECT count(*) AS n FROM moved_keys`, ([found]) => found?.n ?? 0),
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

const first = <A>(found: ReadonlyArray<A>): A | undefined => found[0]

const toActive = (row: Row): ActiveAccount => ({
  ...fromRow(row),
  state: "active",
  registration: row.registration as string
})

/** Accounts that are remembered; each takes a kilobyte or two. */
const mostRecent = 4_096

/** Active accounts by handle, those looked up last. */
const recentAccounts = () => {
  const byHandle = new Map<string, ActiveAccount>()
  return {
    get: (handle: string) => byHandle.get(handle),
    set: (account: ActiveAccount) => {
      // In order of insertion; the oldest goes.
      byHandle.delete(account.handle)
      byHandle.set(account.handle, account)
      if (byHandle.size > mostRecent) byHandle.delete(byHandle.keys().next().value as string)
    }
  }
}
