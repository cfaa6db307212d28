/** What the home holds for an account, and what a client has it remove or repeats to it: trims, and the block list. */
import { equals, holds, until } from "../Expect.ts"
import { group } from "../Scenario.ts"
import type { Client } from "../Client.ts"
import { openFrame } from "../crypto/Messages.ts"
import type { Broker } from "../world/Broker.ts"
import type { Person } from "../world/Person.ts"
import type { World } from "../world/World.ts"

const daySeconds = 86_400

const removals = ({ broker }: World) => broker.of("trim").filter(({ ask }) => ask["upTo"] !== undefined)

/** Another device of the account tells how far it holds the mail. */
const announces = (device: Person, alice: Client, broker: Broker, upTo: number): void => {
  const body = {
    text: undefined,
    type: "device_position",
    epoch: broker.epoch.toString("base64url"),
    up_to: upTo,
    fallback: "a position"
  }
  device.deliver(alice.keys, device.write(alice.keys, "", { body }), "self")
}

/** The block lists that the account noted behind a position of the stream, newest last. */
const noted = ({ broker }: World, { keys }: Client, after: number) =>
  broker.frames.flatMap(({ account, box, frame, seq }) => {
    const isNew = account === keys.hex && box === "self" && seq > after
    const body = isNew ? openFrame(keys, frame)?.body : undefined
    return body?.["type"] === "block_list"
      ? [body["entries"] as ReadonlyArray<{ readonly who: string; readonly blocked: boolean }>]
      : []
  })

const isBlocked = ({ broker }: World, alice: Client, bob: Person) =>
  broker.blocks.has(`${alice.keys.hex} ${bob.keys.hex}`)

/** Syncs until the home was told of the block. */
const toldHome = (world: World, alice: Client, bob: Person, when: string) =>
  until(
    async () => {
      await alice.sync(1_000)
      return isBlocked(world, alice, bob)
    },
    (blocked) => blocked,
    `the home is not told of the block ${when}`,
    20_000
  )

/** Syncs until the block is noted behind a position of the stream. */
const notedAgain = (world: World, alice: Client, bob: Person, after: number, when: string) =>
  until(
    async () => {
      await alice.sync(1_000)
      return noted(world, alice, after)
    },
    (lists) => lists.some((entries) => entries.some(({ blocked, who }) => blocked && who === bob.primary)),
    `the block is not noted ${when}`,
    20_000
  )

export const mailbox = group("mailbox", [
  {
    id: "not-by-itself",
    requirements: ["KEZ-SEQ-071"],
    why: "the user has not switched it on: nothing is removed, although every device holds it, also after a week and a month",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const device = world.stranger("alice", alice.keys)
      for (const text of ["one", "two", "three"]) bob.send(alice.keys, text)
      await alice.showsText(bob.handle, "three")
      announces(device, alice, world.broker, world.broker.lastSeq)
      await alice.sync()
      await stage.kill()
      await alice.sync()
      for (const days of [8, 22]) if (await stage.later(days * daySeconds)) await alice.sync()
      equals(removals(world).length, 0, "how often the client had something removed")
    }
  },
  {
    id: "by-itself",
    requirements: ["KEZ-SEQ-071", "KEZ-SEQ-070"],
    needs: "trimsItself",
    why: "switched on, the client removes nothing that another device has not announced to hold",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const { broker } = world
      const device = world.stranger("alice", alice.keys)
      device.deliver(alice.keys, device.write(alice.keys, "from my tablet"), "self")
      for (const text of ["one", "two"]) bob.send(alice.keys, text)
      const held = broker.lastSeq
      bob.send(alice.keys, "three")
      await alice.showsText(bob.handle, "three")
      await alice.does("client.trimItself", { on: true })
      await alice.close()
      await alice.open()
      await alice.sync()
      if (await stage.later(8 * daySeconds)) await alice.sync()
      equals(removals(world).length, 0, "how often it removed what a device that announced nothing may not hold")
      announces(device, alice, broker, held)
      await alice.sync()
      if (await stage.later(daySeconds)) {
        await until(
          async () => {
            await alice.sync(1_000)
            return removals(world)
          },
          (trims) => trims.length > 0,
          "nothing was removed, although the user wants it and every device holds it"
        )
        for (const { ask } of removals(world)) {
          holds(Number(ask["upTo"]) <= held, "the client removes what another device does not hold", ask)
          equals(ask["epoch"], broker.epoch.toString("base64url"), "the epoch of the trim")
        }
      }
    }
  },
  {
    id: "block-told-again",
    requirements: ["KEZ-NAT-066"],
    why: "the stream was made anew, and a day passes: the home may have lost the list, and is given it again",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      await alice.does("client.block", { who: bob.handle })
      await toldHome(world, alice, bob, "at first")
      world.broker.renew()
      world.broker.blocks.clear()
      world.broker.nats.dropAll()
      await toldHome(world, alice, bob, "when the stream is another")
      world.broker.blocks.clear()
      if (await stage.later(2 * daySeconds)) await toldHome(world, alice, bob, "after a day")
    }
  },
  {
    id: "block-noted-again",
    requirements: ["KEZ-DM-033"],
    why: "the notes that hold the block list are removed, or about to be: noted anew, it comes back with the words",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      await alice.does("client.block", { who: bob.handle })
      await notedAgain(world, alice, bob, 0, "at first")
      await alice.sync()
      const held = world.broker.lastSeq
      await alice.does("client.trim", { box: "self" })
      await notedAgain(world, alice, bob, held, "after its notes were removed")
      const { lastSeq } = world.broker
      if (await stage.later(29 * daySeconds)) await notedAgain(world, alice, bob, lastSeq, "before retention ends")
    }
  }
])
