/** Accounts that store manifests at a chat-server, and requests to its manifest routes. */
import { Identity } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Canonical } from "@kez-chat/sdk/protocol"
import type { Crypto } from "@kez-chat/sdk/services"
import { Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { expect } from "vitest"
import { manifestOf } from "../../../sdk/test/kits/ManifestStoreKit.ts"
import { get, post, registration, type Running, signedManifest } from "./Servers.ts"

/** Runs an effect of the SDK. */
export const effect = <A, E>(program: Effect.Effect<A, E, Crypto>) =>
  Effect.runPromise(Effect.provide(program, NodeCrypto.layer))
export const identityOf = (seed: Uint8Array) => Identity.fromSeed(Redacted.make(new Uint8Array(seed)))

/** A new account, with its seed to sign what no client would. */
export const account = async (at: Running) => {
  const seed = new Uint8Array(randomBytes(32))
  const identity = await effect(identityOf(seed))
  const handle = `m-${randomBytes(8).toString("hex")}`
  expect((await post(`${at.url}/v1/register`, await registration(identity, handle))).status).toBe(201)
  return { seed, identity, handle, url: urlOf(identity, at) }
}
export type Account = Awaited<ReturnType<typeof account>>

export const urlOf = ({ key }: Identity.Identity, at: Running) => `${at.url}/v1/manifests/ed25519/${key.hex}`
export const pathOf = ({ key }: Identity.Identity) => `/v1/manifests/ed25519/${key.hex}`

export const signed = ({ identity }: Pick<Account, "identity">, revision: number) =>
  effect(manifestOf(identity, revision))

export const json = { "content-type": "application/json" }
export const put = (url: string, body: Uint8Array | string, headers: Record<string, string> = json) =>
  get(url, { method: "PUT", body: typeof body === "string" ? body : new Uint8Array(body), headers })

export const bytesOf = async (url: string) => new Uint8Array(await (await fetch(url)).arrayBuffer())

export const codesOf = (answers: ReadonlyArray<{ status: number; json: Readonly<Record<string, unknown>> }>) =>
  answers.map(({ json, status }) => [status, json["code"]])

/** The envelope that this account's key signs over any payload at all. */
export const signedPayload = ({ identity, seed }: Account, payload: unknown): string =>
  signedManifest(identity.primary, seed, typeof payload === "string" ? payload : Canonical.encodeText(payload as never))

export const payloadOf = ({ identity }: Account, change: Readonly<Record<string, unknown>> = {}) => ({
  created_at: "2026-05-25T00:00:00Z",
  entries: [],
  primary: identity.primary,
  revision: 1,
  type: "kez.chat.shared_files",
  version: 1,
  ...change
})
