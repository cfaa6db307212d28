/** What the operations of the vectors have in common: reading the members of a case's input. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { Identity } from "@kez-chat/sdk/crypto"
import { Bytes, Json, type Problem } from "@kez-chat/sdk/protocol"
import { Crypto, type DecryptionFailed, type ZeroSharedSecret } from "@kez-chat/sdk/services"

export type Input = Readonly<Record<string, Json.Json>>
type Failure = Problem.Problem | ZeroSharedSecret | DecryptionFailed | { readonly code: string }
export type Operation = (input: Input) => Effect.Effect<unknown, Failure, Crypto>

export const text = (input: Input, name: string): string => {
  const value = input[name]
  if (typeof value !== "string") throw new TypeError(`the case has no ${name}`)
  return value
}
export const number = (input: Input, name: string): number => {
  const value = input[name]
  if (typeof value !== "number") throw new TypeError(`the case has no ${name}`)
  return value
}
export const object = (value: Json.Json | undefined): Input => {
  if (!Json.isObject(value)) throw new TypeError("the case lacks an object")
  return value
}
export const list = (value: Json.Json | undefined): ReadonlyArray<Json.Json> => {
  if (!Array.isArray(value)) throw new TypeError("the case lacks a list")
  return value
}
export const fromHex = (value: string): Uint8Array => Result.getOrThrow(Bytes.fromHex(value))
export const fromBase64Url = (value: string): Uint8Array => Result.getOrThrow(Bytes.fromBase64Url(value))

export const identityOf = (input: Input) => Identity.fromSeed(Redacted.make(fromHex(text(input, "seed"))))
export const pure =
  (f: (input: Input) => Result.Result<unknown, Failure>): Operation =>
  (input) =>
    Effect.fromResult(f(input))
export const sha256 = (data: Uint8Array) =>
  Effect.map(
    Crypto.use((crypto) => crypto.sha256(data)),
    Bytes.toHex
  )
