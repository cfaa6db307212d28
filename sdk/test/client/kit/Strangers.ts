/** Alice, Bob and a stranger: what tests of the inbox policy begin with. */
import { Effect } from "effect"
import type { Identity } from "@kez-chat/sdk/crypto"
import { Encoding } from "@kez-chat/sdk/protocol"
import { makeMemoryProofs } from "../../doubles/MemoryProofs.ts"
import { append } from "./Liar.ts"
import { identityOf, join, makeWorld, twoFriends, type World } from "./People.ts"

export const start = Date.parse("2026-03-01T00:00:00Z")
export const hour = 3_600_000
export const day = 24 * hour

export const proofOf = (identity: Identity.Identity, subject: string, more: { readonly expiresAt?: number } = {}) =>
  Effect.map(identity.signClaim({ subject, createdAt: start, ...more }), (claim) => Encoding.encodeCompact(claim))

/** Alice and Bob are friends; Carol knows Alice, who does not know her. */
export const met = (now?: () => number) =>
  Effect.gen(function* () {
    const proofs = makeMemoryProofs()
    const world = makeWorld({ proofs: proofs.layer, ...(now === undefined ? {} : { now }) })
    const friends = yield* twoFriends(world)
    const carol = yield* join(world, "carol")
    yield* carol.chat.addContact("alice")
    return { proofs, world, ...friends, carol, identity: yield* identityOf(carol.words) }
  })

export const claim = (world: World, identity: Identity.Identity, subject: string) =>
  append(world, identity, { op: "add", payload: { subject } })
