/** The copy of a message that its author keeps at the home, and notes to self. */
import type { Client } from "../Client.ts"
import { openFrame } from "../crypto/Messages.ts"
import { equals, holds, until } from "../Expect.ts"
import { group } from "../Scenario.ts"
import type { Asked } from "../world/Broker.ts"
import type { Person } from "../world/Person.ts"
import { answering, toBob } from "./Sending.ts"

const opened = (alice: Client, bob: Person, asked: Asked) =>
  openFrame(asked.account === bob.keys.hex ? bob.keys : alice.keys, asked.payload)

export const ownCopies = group("sending", [
  {
    id: "two-copies",
    requirements: ["KEZ-DM-015", "KEZ-NAT-026", "KEZ-SEQ-014"],
    why: "a message is sealed to its addressee and to its author, each under a `Kez-Id` of its own, and shown once",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const { id } = await alice.send(bob.handle, "twice sealed")
      await alice.reaches(bob.handle, id, "stored")
      const own = () => world.broker.of("send", alice.keys.hex)
      await until(
        async () => {
          await alice.sync(500)
          return own().length
        },
        (length) => length > 0,
        "no copy was sent to the own inbox"
      )
      const [mine] = own()
      const [his] = toBob(world, bob)
      holds(mine!.kezId !== his!.kezId, "both copies have one Kez-Id")
      for (const { kezId } of [mine!, his!])
        holds(/^[A-Za-z0-9_-]{22}$/.test(kezId), "the Kez-Id is not 22 characters of base64url", kezId)
      equals(opened(alice, bob, mine!)?.text, opened(alice, bob, his!)?.text, "the envelope of the own copy")
      await alice.sync()
      equals(await alice.texts(bob.handle), ["twice sealed"], "what is shown")
    }
  },
  {
    id: "own-copy-last",
    requirements: ["KEZ-SEQ-074", "KEZ-SEQ-031"],
    why: "the home takes no frame for the addressee: no own copy goes out, which other devices would show as stored",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      answering(world, bob, () => ({ e: "full" }))
      const { id } = await alice.send(bob.handle, "never to be had")
      await alice.shows(bob.handle, ([first]) => first?.reason === "full", "the reason full is not shown")
      await alice.sync(1_000)
      equals(world.broker.of("send", alice.keys.hex).length, 0, "how many own copies went before the addressee's")
      answering(world, bob, () => ({ e: "unknown" }))
      await alice.close()
      await alice.open()
      await alice.reaches(bob.handle, id, "failed")
      await alice.sync()
      equals(world.broker.of("send", alice.keys.hex).length, 0, "how many own copies of a message that failed went")
    }
  },
  {
    id: "note",
    requirements: ["KEZ-DM-015"],
    why: "a note to self is sealed and sent once, and shown once",
    run: async (stage) => {
      const { alice, world } = await stage.pair()
      const { id } = await alice.send(alice.handle, "remember")
      await alice.reaches(alice.handle, id, "stored")
      await alice.sync()
      equals(world.broker.of("send").length, 1, "how many frames a note needs")
      equals(await alice.texts(alice.handle), ["remember"], "what is shown")
    }
  }
])
