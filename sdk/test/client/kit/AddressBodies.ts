/** The two bodies about addresses: `address_request` and `address`, sent by ghosts and read from their inboxes. */
import { Effect } from "effect"
import { SealedMessage } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import type { Body, KeyAdmission } from "@kez-chat/sdk/protocol"
import { ghost } from "./Ghost.ts"
import { type join, keyOf, type World } from "./People.ts"

export const chain = { seq: 0, hash: `sha256:${"1".repeat(64)}` }

type Ghost = Effect.Success<ReturnType<typeof ghost>>

export const nonceOf = (fill: number): Uint8Array => new Uint8Array(16).fill(fill)
export const request = (fill: number): Body.Known => ({ type: "address_request", nonce: nonceOf(fill), chain })

/** What was sent to a ghost, opened. */
export const inboxOf = (world: World, { identity, key }: Ghost) =>
  Effect.forEach(
    world.broker.stored(key).filter(({ subject }) => subject === "inbox"),
    ({ frame }) => SealedMessage.openFrame(identity, frame)
  ).pipe(
    Effect.map((all) => all.map(({ body }) => body)),
    Effect.provide(NodeCrypto.layer),
    Effect.orDie
  )

export const answersTo = (world: World, asker: Ghost) =>
  Effect.map(inboxOf(world, asker), (bodies) => bodies.filter((body) => body.type === "address"))

/** Waits for a number of answers. */
export const answered = (world: World, asker: Ghost, count: number) =>
  Effect.gen(function* () {
    let answers = yield* answersTo(world, asker)
    while (answers.length < count) {
      yield* Effect.sleep(5)
      answers = yield* answersTo(world, asker)
    }
    return answers
  })

/** Puts a body of a ghost into somebody's inbox. */
export const say = (
  world: World,
  from: Ghost,
  to: KeyAdmission.AdmittedKey,
  body: Body.Known,
  createdAt = Date.now()
) => Effect.map(from.frame({ to, body, createdAt }), (frame) => world.broker.store(to, frame))

/** A ghost whom somebody has accepted after a first message. */
export const friendOf = (world: World, person: Effect.Success<ReturnType<typeof join>>, fill: number) =>
  Effect.gen(function* () {
    const friend = yield* ghost(fill)
    const to = keyOf(person.account.primary)
    world.broker.store(to, yield* friend.frame({ to, text: `it is me, ${fill}` }))
    yield* person.program.event("Request", ({ contact }) => contact.primary === friend.primary)
    yield* person.chat.accept(friend.primary)
    yield* person.program.event(
      "Contact",
      ({ contact }) => contact.primary === friend.primary && contact.state === "accepted"
    )
    return friend
  })
