/** The rows of accounts, how they are found, and why one cannot be used. */
import { PrimaryKey, Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import type { Sql } from "../Database.ts"

export type State = "active" | "suspended" | "deleted" | "revoked"

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

export interface Row {
  readonly handle: string
  readonly primary_hex: string
  readonly state: Exclude<State, "suspended">
  readonly registered_at: string
  readonly registration: string | null
  readonly ended_at: string | null
  readonly suspended_at: string | null
  readonly invite: string | null
}

export const fromRow = (row: Row): Account => ({
  handle: row.handle,
  primaryHex: row.primary_hex,
  state: stateOf(row),
  registeredAt: row.registered_at,
  endedAt: row.ended_at,
  suspendedAt: row.suspended_at,
  invite: row.invite
})

export const stateOf = ({ state, suspended_at }: Pick<Row, "state" | "suspended_at">): State =>
  state === "active" && suspended_at !== null ? "suspended" : state

export const gone = (detail: string) => new Problem.Problem({ code: "handle_deleted", detail })
export const refuse = (code: Problem.Code, detail: string) => new Problem.Problem({ code, detail })

export const suspended = refuse("account_suspended", "this server's operator has suspended the account")

export const reserved = (handle: string) => refuse("handle_reserved", `${handle} cannot be registered here`)

export const moved = (newHex: string) => refuse("primary_moved", `${PrimaryKey.ofHex(newHex)} has its handle now`)

export const toActive = (row: Row): ActiveAccount => ({
  ...fromRow(row),
  state: "active",
  registration: row.registration as string
})

const first = <A>(found: ReadonlyArray<A>): A | undefined => found[0]

export const byHandle = (within: Sql, handle: string) =>
  Effect.map(
    within<Row>`SELECT handle, primary_hex, state, registered_at, registration, ended_at, suspended_at, invite FROM accounts WHERE handle = ${handle}`,
    first
  )

export const byPrimary = (within: Sql, primaryHex: string) =>
  Effect.map(
    within<Row>`SELECT handle, primary_hex, state, registered_at, registration, ended_at, suspended_at, invite FROM accounts WHERE primary_hex = ${primaryHex}`,
    first
  )
