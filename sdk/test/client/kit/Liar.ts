/** Homes that lie about keys, and then tell the truth: the attack that key changes are about. */
import { Effect } from "effect"
import type { Identity } from "@kez-chat/sdk/crypto"
import { Endpoint, Sigchain } from "@kez-chat/sdk/protocol"
import { ghost } from "./Ghost.ts"
import type { World } from "./People.ts"

/** Appends an event to a chain, in place of what follows `at` (the end unless told). */
export const append = (
  world: Pick<World, "home">,
  identity: Identity.Identity,
  operation: Exclude<Sigchain.Operation, { readonly op: "rotate" }>,
  at = (world.home.chains.get(identity.primary) ?? []).length
) =>
  Effect.gen(function* () {
    const chain = (world.home.chains.get(identity.primary) ?? []).slice(0, at)
    const last = chain.at(-1)
    const { hash } = yield* ghost(1)
    const after = last === undefined ? undefined : { seq: at - 1, hash: yield* hash(last) }
    const event = yield* identity.signSigchainEvent({ after, operation, createdAt: Date.now() })
    world.home.chains.set(identity.primary, [...chain, event])
    return { seq: at, hash: yield* hash(event) }
  })

/** Ends a chain in favour of another key. */
export const rotate = (world: Pick<World, "home">, identity: Identity.Identity, successor: Identity.Identity) =>
  Effect.gen(function* () {
    const chain = world.home.chains.get(identity.primary)!
    const { hash } = yield* ghost(1)
    const after = { seq: chain.length - 1, hash: yield* hash(chain.at(-1)!) }
    const event = yield* identity.signRotation({ after, successor, createdAt: Date.now() })
    world.home.chains.set(identity.primary, [...chain, event])
  })

/**
 * A key that the home can put in anybody's place: it has signed a registration for the handle and has a chain with an
 * inbox. `takesOver` has the home name it; what that gives puts the truth back.
 */
export const impostor = (world: Pick<World, "home">, handle: string, fill: number) =>
  Effect.gen(function* () {
    const who = yield* ghost(fill)
    const { server } = world.home
    const registration = yield* who.identity.signRegistration({ handle, server, createdAt: Date.now() })
    const payload = Endpoint.nats(who.primary, `nats://${server}:4222`)
    const head = yield* append(world, who.identity, { op: "add_endpoint", payload }, 0)
    const record = {
      handle: `${handle}@${server}`,
      primary: who.primary,
      registered_at: "2026-01-01T00:00:00Z",
      sigchain_url: "http://sig.test/",
      endpoints: [],
      registration
    }
    const takesOver = () => {
      const truth = world.home.records.get(handle)
      world.home.records.set(handle, record)
      return () => {
        if (truth === undefined) world.home.records.delete(handle)
        else world.home.records.set(handle, truth)
      }
    }
    return { ...who, head, takesOver }
  })
