/** Dials with nats.js and maps its errors. */
import { errors, type NatsConnection, type ConnectionOptions } from "@nats-io/nats-core"
import { Problem } from "../../protocol/index.ts"
import { BrokerUnavailable } from "../../services/Broker.ts"
import type { Target } from "./Target.ts"

/** A connect function of nats.js with the options of its transport. */
export type Connect = (target: Target, options: ConnectionOptions) => Promise<NatsConnection>

/** Time limit of a dial, in milliseconds. */
export const dialTimeoutMillis = 10_000
/** Interval of pings on an idle connection, in milliseconds; two missed answers end it. */
const pingMillis = 20_000

/**
 * A broker that refuses a login answers at once. If its login service does not answer, the broker gives up after two
 * seconds with the same error text, which is an outage and not a refusal. This time, in milliseconds, tells them apart.
 */
const refusalMillis = 1_500

export interface DialOptions {
  readonly authenticator: NonNullable<ConnectionOptions["authenticator"]>
  readonly inboxPrefix: string
}

/** Opens one connection without automatic reconnects; rejects with {@link BrokerUnavailable}. */
export const dial = async (connect: Connect, target: Target, options: DialOptions): Promise<NatsConnection> => {
  const began = performance.now()
  try {
    return await inTurn(() =>
      connect(target, {
        servers: [target.url],
        authenticator: options.authenticator,
        inboxPrefix: options.inboxPrefix,
        reconnect: false,
        ignoreClusterUpdates: true,
        resolve: false,
        timeout: dialTimeoutMillis,
        pingInterval: pingMillis,
        maxPingOut: 2,
        noAsyncTraces: true
      })
    )
  } catch (cause) {
    throw explain(cause, performance.now() - began)
  }
}

/**
 * nats.js keeps its transport in one global variable and reads it a few microseconds after `connect` is called. So only
 * one dial starts per turn of the event loop, which lets one process mix TCP and WebSocket.
 */
const inTurn = (connect: () => Promise<NatsConnection>): Promise<NatsConnection> => {
  const begun = turn.then(() => ({ connected: connect() }))
  turn = begun.then(nextTurn, nextTurn)
  return begun.then(({ connected }) => connected)
}
let turn: Promise<void> = Promise.resolve()
const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

/** The home named an address that it may not name. */
export const forbidden = (problem: Problem.Problem): BrokerUnavailable =>
  new BrokerUnavailable({ reason: "forbidden", detail: problem.detail, cause: problem })

const explain = (cause: unknown, elapsedMillis: number): BrokerUnavailable => {
  if (cause instanceof Problem.Problem) return forbidden(cause)
  if (cause instanceof errors.AuthorizationError) {
    return elapsedMillis < refusalMillis && !/timeout/i.test(cause.message)
      ? new BrokerUnavailable({ reason: "unauthorized", detail: "the login was refused", cause })
      : new BrokerUnavailable({ reason: "timeout", detail: "the login was not answered in time", cause })
  }
  if (cause instanceof errors.TimeoutError || isNamed(cause, "TimeoutError")) {
    return new BrokerUnavailable({ reason: "timeout", detail: "no answer in time", cause })
  }
  const detail = cause instanceof Error && cause.message !== "" ? cause.message : "the connection failed"
  return new BrokerUnavailable({ reason: "unreachable", detail, cause })
}

const isNamed = (cause: unknown, name: string): boolean => cause instanceof Error && cause.name === name

/** Why a request over an open connection got no answer. */
export const explainRequest = (cause: unknown): BrokerUnavailable => {
  if (cause instanceof errors.RequestError && cause.isNoResponders()) {
    const detail = "the home server is not serving its broker at the moment"
    return new BrokerUnavailable({ reason: "unreachable", detail, cause })
  }
  return explain(cause, 0)
}

/** The error of a request that older homes do not support. */
export const orOlder = (error: BrokerUnavailable): BrokerUnavailable => {
  const { cause } = error
  if (!(cause instanceof errors.RequestError && cause.isNoResponders())) return error
  const detail = "the home server does not answer this request; it may be an older version"
  return new BrokerUnavailable({ reason: "unreachable", detail, cause })
}

/** Whether a connection ended because its login expired, which is not a fault. */
export const isExpiry = (cause: unknown): boolean => cause instanceof errors.UserAuthenticationExpiredError
