/** Users who are logged in to a test broker over raw connections. */
import { expect } from "vitest"
import { type Account, kezId, makeAccount } from "./Account.ts"
import { headerBlock, openRaw, type Port, type RawClient } from "./RawClient.ts"
import type { TestBroker } from "./TestBroker.ts"

export interface RawUser {
  readonly client: RawClient
  readonly account: Account
  readonly hex: string
}

/** The first node's port of a kind. */
export const portOf = (broker: TestBroker, kind: Port): number =>
  broker.nodes[0]![kind === "tcp" ? "tcpPort" : "websocketPort"]

/** Registers an account and logs it in. */
export const loginRaw = async (broker: TestBroker, kind: Port, account: Account = makeAccount()): Promise<RawUser> => {
  broker.register(account.hex)
  const client = await openRaw({ kind, port: portOf(broker, kind) })
  expect(await client.login(account)).toBeUndefined()
  return { client, account, hex: account.hex }
}

/** Sends a frame to an account; gives the answer as text. */
export const sendRaw = async (
  client: RawClient,
  to: string,
  payload: string | Uint8Array = "frame",
  id = kezId()
): Promise<string> =>
  (await client.request(`kez.inbox.${to}`, payload, headerBlock(`Kez-Id: ${id}`))).payload.toString()
