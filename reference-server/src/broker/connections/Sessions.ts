/**
 * The connections that accounts may keep: those of accounts that ended or flood are closed, and of each account all but
 * the newest few.
 *
 * Logins answered here are remembered, so that a revocation closes them at once. Those of other instances, or from
 * before a restart, are found by asking the broker.
 */
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as FiberSet from "effect/FiberSet"
import { every } from "../../process/Every.ts"
import type { ActiveKeys } from "../../storage/ActiveKeys.ts"
import type { BrokerDown } from "./BrokerDown.ts"
import type { RoleConnection } from "./RoleConnection.ts"
import * as UserConnections from "./UserConnections.ts"
import type { Listed, UserConnection } from "./UserConnections.ts"

export interface SessionsOptions {
  readonly sys: RoleConnection
  /** How long a login holds, in seconds. */
  readonly sessionSeconds: number
  /** Connections an account may have; the oldest beyond them are closed. */
  readonly perAccount: number
  readonly activeKeys: ActiveKeys["Service"]
}

/** Interval of the comparison with the registry, the safety net under revocations. */
const sweepMillis = 300_000
const countMillis = 10_000
/** Accounts are counted less often, since every connection has to be listed for it. */
const countAccountsMillis = 30_000
/** Time from accepting a login until the broker lists its connection. */
const registeredMillis = 200
/** Connections are remembered this much longer than their login holds. */
const slackMillis = 60_000

export const make = Effect.fnUntraced(function* (options: SessionsOptions) {
  const { activeKeys, perAccount, sys } = options
  const known = new Map<string, Map<string, { readonly connection: UserConnection; readonly until: number }>>()
  const fork = yield* FiberSet.makeRuntime()
  /** The waits before accounts are counted. They end before the counting, so that a login during it is counted anew. */
  const forkWait = yield* FiberMap.makeRuntime<never, string>()
  let userConnections = 0
  let connectedUsers = 0

  /** Returns how many connections of this account are remembered, some of which may have ended. */
  const remember = (hex: string, connection: UserConnection): number => {
    let own = known.get(hex)
    if (own === undefined) known.set(hex, (own = new Map()))
    own.set(UserConnections.nameOf(connection), {
      connection,
      until: Date.now() + options.sessionSeconds * 1_000 + slackMillis
    })
    return own.size
  }

  const prune = (): void => {
    const now = Date.now()
    for (const [hex, own] of known) {
      for (const [name, { until }] of own) if (until < now) own.delete(name)
      if (own.size === 0) known.delete(hex)
    }
  }

  const closeOldest = (hex: string) =>
    withSys(
      Effect.fnUntraced(function* (connection) {
        const listed = yield* UserConnections.list(connection, hex)
        const open = new Set(listed.map((entry) => UserConnections.nameOf(entry.connection)))
        const own = known.get(hex)
        for (const name of own?.keys() ?? []) if (!open.has(name)) own?.delete(name)
        yield* UserConnections.closeAll(connection, beyond(listed, perAccount))
      }),
      "connections of an account not counted"
    )

  /** Does nothing while the broker is down, and logs failures while it is up. */
  const withSys = (
    f: (connection: NonNullable<ReturnType<RoleConnection["current"]>>) => Effect.Effect<void, BrokerDown>,
    message: string
  ): Effect.Effect<void> =>
    Effect.suspend(() => {
      const connection = sys.current()
      if (connection === undefined) return Effect.void
      return Effect.catchTag(f(connection), "BrokerDown", ({ detail }) =>
        sys.current() === connection ? Effect.annotateLogs(Effect.logWarning(message), { reason: detail }) : Effect.void
      )
    })

  /** Closes the connections of accounts that are not active, and of each account all but the newest. */
  const sweep = Effect.suspend(() => {
    prune()
    return withSys(
      Effect.fnUntraced(function* (connection) {
        const listed = yield* UserConnections.list(connection)
        // Without the registry nobody's connection is closed.
        if ((yield* Effect.result(activeKeys.refresh))._tag === "Failure") return
        const excess = [...Map.groupBy(listed, ({ hex }) => hex)].flatMap(([hex, own]) =>
          beyond(own, activeKeys.mayFetch(hex) ? perAccount : 0)
        )
        yield* UserConnections.closeAll(connection, excess)
      }),
      "connections not compared with the registry"
    )
  })

  // Both keep the last number if the broker does not answer.
  const countConnections = sys.get.pipe(
    Effect.flatMap(UserConnections.count),
    Effect.map((counted) => (userConnections = counted)),
    Effect.ignore
  )
  const countAccounts = sys.get.pipe(
    Effect.flatMap((connection) => UserConnections.list(connection)),
    Effect.map((listed) => (connectedUsers = new Set(listed.map(({ hex }) => hex)).size)),
    Effect.ignore
  )
  yield* every(sweepMillis, "connections not compared with the registry", sweep)
  yield* every(countMillis, "connections not counted", countConnections)
  yield* every(countAccountsMillis, "connected accounts not counted", countAccounts)

  /** Closes the connections of an account whose logins were answered here. */
  const closeRemembered = Effect.fn("Sessions.closeRemembered")(function* (hex: string) {
    const connection = yield* sys.get
    const remembered = [...(known.get(hex)?.values() ?? [])].map(connectionOf)
    known.delete(hex)
    yield* UserConnections.closeAll(connection, remembered)
  })

  return {
    /** Notes an accepted login; closes the account's oldest connections if it has too many. For the hot path. */
    loggedIn: (hex: string, connection: UserConnection) => {
      // Half the limit, since another chat-server may have let in as many; the sweep finds what this does not.
      if (remember(hex, connection) <= perAccount / 2) return
      const count = Effect.sync(() => fork(closeOldest(hex)))
      forkWait(hex, Effect.delay(count, registeredMillis), { onlyIfMissing: true })
    },
    closeRemembered,
    /** Closes all connections of an account: those remembered and those that the broker lists. */
    close: Effect.fn("Sessions.close")(function* (hex: string) {
      const connection = yield* sys.get
      yield* closeRemembered(hex)
      yield* UserConnections.closeAll(connection, (yield* UserConnections.list(connection, hex)).map(connectionOf))
    }),
    sweep,
    /** Connections of all users, and the accounts they belong to, as of some seconds ago. */
    counts: () => ({ userConnections, connectedUsers })
  }
})

/** All but the `most` newest. */
const beyond = (listed: ReadonlyArray<Listed>, most: number): ReadonlyArray<UserConnection> =>
  listed.length <= most
    ? []
    : listed
        .toSorted((a, b) => b.since - a.since || b.connection.id - a.connection.id)
        .slice(most)
        .map(connectionOf)

const connectionOf = ({ connection }: { readonly connection: UserConnection }): UserConnection => connection
