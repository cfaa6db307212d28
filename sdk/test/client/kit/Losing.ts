/**
 * Two accounts whose programs die at any step, or whose devices lose their power, and with it whatever was not on the
 * disk, of programs that died before too: nothing that was
 * acknowledged to others is missing afterwards, nothing is there twice, and no published `seq` is used again.
 */
import { Effect, Option } from "effect"
import { assert } from "@effect/vitest"
import type { Message } from "@kez-chat/sdk"
import { SealedMessage } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { type Death, mortal } from "./Mortal.ts"
import { identityOf, makeWorld, newWords, textsOf, type World } from "./People.ts"
import { powered } from "./PowerLoss.ts"

/** The end of a program, and perhaps with its device's power. */
export interface End extends Death {
  readonly losesPower: boolean
}

/** How programs end, and how many of the commits that are not on the disk are there all the same without power. */
export interface Ends {
  readonly deaths: ReadonlyArray<End>
  readonly kept: number
}

/** The messages that the frames of an account's stream carry, as the account reads them. */
const published = Effect.fnUntraced(function* (world: World, identity: Effect.Success<ReturnType<typeof identityOf>>) {
  return yield* Effect.forEach(world.broker.stored(identity.key), ({ frame }) =>
    SealedMessage.openFrame(identity, frame)
  )
})

/** Sends `count` messages each way. */
export const lose = (ofAlice: Ends, ofBob: Ends, count: number) =>
  Effect.gen(function* () {
    const world = makeWorld()
    const words = { alice: newWords(), bob: newWords() }
    const identities = { alice: yield* identityOf(words.alice), bob: yield* identityOf(words.bob) }
    const person = (handle: "alice" | "bob", peer: "alice" | "bob", { deaths, kept }: Ends) => {
      const { device, losePower } = powered()
      const check = Effect.fnUntraced(function* ({ losesPower }: End) {
        if (!losesPower) return
        yield* losePower(kept)
        for (const { body, message } of yield* published(world, identities[peer])) {
          if (body.type !== "receipt" || message.from.hex !== identities[handle].key.hex) continue
          for (const id of body.ids) {
            const held = yield* device.store.get(`seen/${identities[peer].key.hex}/${id}`)
            assert.isTrue(Option.isSome(held), "a message that a receipt named is lost")
          }
        }
      })
      return {
        handle,
        words: words[handle],
        ...mortal(world, device, deaths, (end) => Effect.provide(check(end), NodeCrypto.layer))
      }
    }
    const people = [person("alice", "bob", ofAlice), person("bob", "alice", ofBob)] as const
    const [alice, bob] = people
    yield* Effect.forEach(people, ({ handle, live, words }) => live(({ chat }) => chat.create({ handle, words })), {
      concurrency: 2
    })
    yield* alice.live(({ chat }) => chat.addContact("bob"))
    yield* bob.live(({ chat }) => chat.addContact("alice"))

    const acknowledged = { alice: new Set<string>(), bob: new Set<string>() }
    const talk = (own: (typeof people)[number], peer: (typeof people)[number], sent: Set<string>) => {
      const progress = { next: 0 }
      return own.live(({ chat }) =>
        Effect.gen(function* () {
          // What was being sent when the power failed is not sent again: nobody was told that it was taken.
          const send = Effect.suspend(() => {
            const text = `${own.handle} ${progress.next++}`
            return Effect.map(chat.send(peer.handle, text), () => sent.add(text))
          })
          // What an earlier program left goes out before anything else is written.
          yield* chat.flush
          while (progress.next < count) {
            const size = Math.min(8, count - progress.next)
            yield* Effect.all(
              Array.from({ length: size }, () => send),
              { concurrency: "unbounded" }
            )
            if (progress.next % 3 === 0) yield* chat.sync
          }
          yield* Effect.andThen(chat.sync, chat.flush)
        })
      )
    }
    yield* Effect.all([talk(alice, bob, acknowledged.alice), talk(bob, alice, acknowledged.bob)], { concurrency: 2 })

    const settle = Effect.forEach(people, ({ live }) => live(({ chat }) => Effect.andThen(chat.sync, chat.flush)))
    yield* settle
    // Receipts, and what one settling sent to the other.
    yield* settle
    const histories = yield* Effect.forEach([["bob"], ["alice"]] as const, ([peer], index) =>
      people[index]!.live(({ chat }) => chat.history(peer, { limit: 10 * count }))
    )
    const of = (history: ReadonlyArray<Message>, direction: "in" | "out") =>
      history.filter((message) => message.direction === direction)
    for (const [index, sent] of [acknowledged.alice, acknowledged.bob].entries()) {
      const written = of(histories[index]!, "out")
      const read = of(histories[1 - index]!, "in")
      assert.deepStrictEqual(textsOf(read), textsOf(written), "in the order in which they were written")
      assert.strictEqual(new Set(textsOf(read)).size, read.length, "twice in the history")
      for (const text of sent) assert.include(textsOf(read), text, "acknowledged by send, and lost")
      for (const message of written) assert.include(["stored", "delivered"], message.state)
      for (const message of read) assert.isTrue(message.gap === undefined && message.fork === undefined)
    }

    // Everything that was ever published, receipts too, as its recipients can read it.
    const slots = new Map<string, string>()
    for (const identity of Object.values(identities)) {
      for (const { hash, message } of yield* published(world, identity)) {
        const slot = `${message.from.hex} ${message.to.hex} ${message.device} ${message.seq}`
        assert.strictEqual(slots.get(slot) ?? hash, hash, `a seq was used twice: ${slot}`)
        slots.set(slot, hash)
      }
    }
  }).pipe(Effect.provide(NodeCrypto.layer), Effect.scoped, Effect.timeout("60 seconds"))
