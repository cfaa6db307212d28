/** Three accounts that tests are played with, and short ways to what their verbs give. */
import { Effect, Redacted, type Result } from "effect"
import { NodeCrypto } from "../../src/adapters/node/index.ts"
import { Identity, SealedMessage } from "../../src/crypto/index.ts"
import type { Body, Problem, Sigchain } from "../../src/protocol/index.ts"
import type { Crypto } from "../../src/services/Crypto.ts"

export const seed = (fill: number) => Redacted.make(new Uint8Array(32).fill(fill))

/** A constant of a test file that an effect makes, on the node backend. What a test itself does is an effect. */
export const fixture = <A, E>(effect: Effect.Effect<A, E, Crypto>): Promise<A> =>
  Effect.runPromise(Effect.provide(effect, NodeCrypto.layer))

/** The code an effect fails with, or `accepted`. */
export const codeOf = <A, R>(effect: Effect.Effect<A, Problem.Problem, R>): Effect.Effect<string, never, R> =>
  Effect.match(effect, { onFailure: (problem): string => problem.code, onSuccess: () => "accepted" })

export const [alice, bob, carol] = await fixture(
  Effect.all([Identity.fromSeed(seed(1)), Identity.fromSeed(seed(2)), Identity.fromSeed(seed(3))])
)

/** 2026-01-01T00:00:00Z. */
export const time = 1_767_225_600_000

export const head: Sigchain.Head = { seq: 1, hash: `sha256:${"5e".repeat(32)}` }

export const text = (said: string): Body.Text => ({ type: "text", text: said, chain: head })

/** 22 characters of a valid id, different for different numbers. */
export const id = (n: number): string => `${String(n).padStart(21, "0")}A`

export const draft = (to: Identity.Identity, body: Body.Known, n = 1): SealedMessage.Draft => ({
  to: to.key,
  id: id(n),
  device: id(77),
  createdAt: time,
  seq: 0,
  body
})

/** A message of `from`, sealed to `reader`. */
export const frame = (from: Identity.Identity, message: SealedMessage.Draft, reader: Identity.Identity) =>
  Effect.flatMap(SealedMessage.encrypt(from, message), (signed) => SealedMessage.sealFrame(signed.encoded, reader.key))

/** The success of a result, or the test fails with its problem. */
export const ok = <A>(result: Result.Result<A, Problem.Problem>): A => {
  if (result._tag === "Failure") throw result.failure
  return result.success
}
