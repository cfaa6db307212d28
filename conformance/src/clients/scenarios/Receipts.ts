/** Receipts: which a client sends, how often, and which it believes. */
import type { Client } from "../Client.ts"
import { equals, holds, pause, until } from "../Expect.ts"
import { group } from "../Scenario.ts"
import { idOf, type Person } from "../world/Person.ts"

interface Receipt {
  readonly status: unknown
  readonly ids: ReadonlyArray<string>
  readonly at: number
}

/** The receipts that somebody got. */
const receiptsOf = (person: Person): ReadonlyArray<Receipt> =>
  person.received
    .filter(({ body }) => body["type"] === "receipt")
    .map(({ body, stored }) => ({
      status: body["status"],
      ids: body["ids"] as ReadonlyArray<string>,
      at: stored.timeMillis
    }))

/** Syncs until receipts for all these ids have come. */
const receipted = (alice: Client, person: Person, ids: ReadonlyArray<string>) =>
  until(
    async () => {
      await alice.sync(2_000)
      return receiptsOf(person)
    },
    (receipts) => ids.every((id) => receipts.some((receipt) => receipt.ids.includes(id))),
    "not every message is receipted",
    20_000
  )

/** How late a receipt may reach the suite on a busy machine. */
const lateMillis = 3_000

export const receipts = group("receipts", [
  {
    id: "delivered",
    requirements: ["KEZ-SEQ-027", "KEZ-SEQ-029", "KEZ-SEQ-030", "KEZ-DM-015"],
    why: "a contact's messages are receipted as delivered, once, and never as read where the user did not choose so",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const ids = ["one", "two"].map((text) => idOf(bob.send(alice.keys, text)))
      await alice.showsText(bob.handle, "two")
      await alice.does("client.markRead", { who: bob.handle })
      await receipted(alice, bob, ids)
      await alice.sync()
      await stage.kill()
      await alice.sync()
      const all = receiptsOf(bob)
      equals([...new Set(all.map(({ status }) => status))], ["delivered"], "the status of the receipts")
      equals(all.flatMap((receipt) => receipt.ids).toSorted(), ids.toSorted(), "the ids in the receipts")
      const own = world.broker.of("send", alice.keys.hex)
      equals(own.length, 0, "how many receipts were sealed to their sender")
    }
  },
  {
    id: "spacing",
    requirements: ["KEZ-SEQ-028", "KEZ-SEQ-030"],
    why: "messages that come one after another are receipted together, at most one receipt in two seconds",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      const ids: Array<string> = []
      for (let index = 0; index < 12; index++) {
        ids.push(idOf(bob.send(alice.keys, `message ${index}`)))
        await alice.sync(300)
        await pause(200)
      }
      const all = await receipted(alice, bob, ids)
      const times = all.map(({ at }) => at - all[0]!.at)
      // One may have been held up on its way here, so that the next came close behind it.
      for (const [index, at] of times.entries())
        for (const [before, earlier] of times.slice(0, index).entries())
          holds(
            at - earlier >= (index - before) * 2_000 - lateMillis,
            "there is more than one receipt in two seconds",
            times
          )
    }
  },
  {
    id: "many",
    requirements: ["KEZ-SEQ-030"],
    why: "300 messages at once: no receipt has more than 128 ids, and none is left out",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      await alice.close()
      const ids = Array.from({ length: 300 }, (_, index) => idOf(bob.send(alice.keys, `message ${index}`)))
      await alice.open()
      const all = await receipted(alice, bob, ids)
      for (const receipt of all)
        holds(
          receipt.ids.length >= 1 && receipt.ids.length <= 128,
          "a receipt has another number of ids",
          receipt.ids.length
        )
      equals(all.flatMap((receipt) => receipt.ids).toSorted(), ids.toSorted(), "the ids in the receipts")
    }
  },
  {
    id: "not-for-receipts",
    requirements: ["KEZ-SEQ-027"],
    why: "a receipt is not receipted, nor is a body that is never shown",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      const { id } = await alice.send(bob.handle, "hello")
      await alice.reaches(bob.handle, id, "stored")
      bob.receipt(alice.keys, "delivered", [id])
      bob.send(alice.keys, "", {
        body: { text: undefined, type: "address_request", nonce: "AAAAAAAAAAAAAAAAAAAAAA" }
      })
      await alice.reaches(bob.handle, id, "delivered")
      await pause(2_200)
      await alice.sync()
      equals(receiptsOf(bob), [], "the receipts")
    }
  },
  {
    id: "not-for-requests",
    requirements: ["KEZ-SEQ-027", "KEZ-SEQ-035", "KEZ-DM-023"],
    why: "somebody who is no contact gets neither receipt nor address, until the user accepts",
    run: async (stage) => {
      const { alice, world } = await stage.pair()
      const carol = world.person("carol")
      carol.send(alice.keys, "", {
        body: { text: undefined, type: "address_request", nonce: "AAAAAAAAAAAAAAAAAAAAAA" }
      })
      carol.send(alice.keys, "do you know me?")
      await alice.showsText(carol.primary, "do you know me?")
      await pause(2_200)
      await alice.sync()
      equals(world.broker.of("send", carol.keys.hex).length, 0, "how many frames were sent to a stranger")
      await alice.does("client.accept", { who: carol.primary })
      const id = idOf(carol.send(alice.keys, "thank you"))
      await receipted(alice, carol, [id])
    }
  },
  {
    id: "states",
    requirements: ["KEZ-SEQ-026", "KEZ-SEQ-032"],
    why: "delivered, read, and never back: a late `delivered` changes nothing, and `read` implies delivered",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      const first = await alice.send(bob.handle, "first")
      const second = await alice.send(bob.handle, "second")
      await alice.reaches(bob.handle, second.id, "stored")
      bob.receipt(alice.keys, "delivered", [first.id])
      await alice.reaches(bob.handle, first.id, "delivered")
      bob.receipt(alice.keys, "read", [first.id, second.id])
      await alice.reaches(bob.handle, second.id, "read")
      bob.receipt(alice.keys, "delivered", [first.id, second.id])
      bob.send(alice.keys, "last")
      await alice.showsText(bob.handle, "last")
      const states = (await alice.messages(bob.handle)).slice(0, 2).map(({ state }) => state)
      equals(states, ["read", "read"], "the states")
    }
  },
  {
    id: "of-others",
    requirements: ["KEZ-SEQ-026"],
    why: "carol receipts what went to bob, and bob what he wrote himself: neither counts",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const carol = world.person("carol")
      await alice.add(carol.handle)
      const his = bob.send(alice.keys, "from bob")
      const { id } = await alice.send(bob.handle, "for bob")
      await alice.reaches(bob.handle, id, "stored")
      carol.receipt(alice.keys, "read", [id])
      bob.receipt(alice.keys, "read", [idOf(his), "AAAAAAAAAAAAAAAAAAAAAA"])
      carol.send(alice.keys, "done")
      bob.send(alice.keys, "done")
      await alice.showsText(carol.handle, "done")
      const shown = await alice.showsText(bob.handle, "done")
      equals(
        shown.map(({ state, text }) => [text, state]),
        [
          ["from bob", undefined],
          ["for bob", "stored"],
          ["done", undefined]
        ],
        "what is shown"
      )
    }
  },
  {
    id: "malformed",
    requirements: ["KEZ-SEQ-030", "KEZ-DM-022"],
    why: "receipts without ids, with 129, with an unknown status or ids of another form count for nothing",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      const { id } = await alice.send(bob.handle, "hello")
      await alice.reaches(bob.handle, id, "stored")
      const many = [id, ...Array.from({ length: 128 }, (_, index) => String(index).padStart(22, "A"))]
      bob.receipt(alice.keys, "read", many)
      bob.receipt(alice.keys, "seen", [id])
      bob.receipt(alice.keys, "read", [])
      bob.receipt(alice.keys, "read", [id, "short"])
      bob.send(alice.keys, "done")
      await alice.showsText(bob.handle, "done")
      equals((await alice.messages(bob.handle))[0]?.state, "stored", "the state")
    }
  }
])
