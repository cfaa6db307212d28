/** Contacts whose key was handed over: what was written meanwhile, and blocks that follow. */
import type { Contact } from "../../Client.ts"
import { equals, holds, until } from "../../Expect.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"
import type { Person } from "../../world/Person.ts"

/** The home's record and the chain are two requests, and one comes first. */
const isOffered = ({ offered, state }: Contact) => state === "changed" && offered?.origin === "handed_over"

export const handedOver = group(
  "key-changes",
  [
    {
      id: "moved",
      requirements: ["KEZ-SEQ-120", "KEZ-SEQ-046"],
      why: "the broker answers that the contact's key handed over: the message waits, the key is looked up, and nothing is sent again",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const next = bob.handOver()
        const { id } = await alice.send(bob.handle, "to the old key")
        const contact = await alice.becomes(bob.primary, isOffered, "the next key is not offered as handed over")
        equals(contact?.offered, { primary: next.primary, origin: "handed_over" }, "the key that is offered")
        const message = (await alice.messages(bob.primary)).find((one) => one.id === id)
        equals([message?.state, message?.reason], ["queued", "moved"], "state and reason")
        const sentTo = (one: Person) => world.broker.of("send", one.keys.hex).length
        const before = sentTo(bob)
        await stage.kill()
        await alice.sync(1_000)
        equals([sentTo(bob), sentTo(next)], [before, 0], "how many frames were sent before the user decided")
      }
    },
    {
      id: "queued-for-former",
      requirements: ["KEZ-DM-120", "KEZ-SEQ-120"],
      why: "what waits when the user accepts a key that was handed over to goes out to that key as a new message, once",
      run: async (stage: Stage) => {
        const { alice, bob } = await stage.pair()
        const next = bob.handOver()
        const { id } = await alice.send(bob.handle, "for whoever you are now")
        await alice.becomes(bob.primary, isOffered, "the next key is not offered as handed over")
        await alice.does("client.accept", { who: bob.handle, primary: next.primary })
        await stage.kill()
        const shown = await alice.shows(
          next.primary,
          (all) => all.some(({ state }) => state === "stored" || state === "delivered"),
          "what waited does not go out to the new key"
        )
        equals([next.texts, bob.texts], [["for whoever you are now"], []], "what was received")
        equals(
          shown.map(({ text }) => text),
          ["for whoever you are now"],
          "what is shown of it"
        )
        holds(!shown.some((one) => one.id === id), "the old message is still there", shown)
      }
    },
    ...[1, 2].map((handovers) => ({
      id: `blocked-line-${handovers}`,
      requirements: ["KEZ-SEQ-122", "KEZ-SEQ-036"],
      why: `a blocked contact hands over ${handovers === 1 ? "and" : "twice, and"} writes with the new key: it is blocked like the old one`,
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        await alice.does("client.block", { who: bob.handle })
        await alice.sync()
        let next = bob
        for (let time = 0; time < handovers; time++) next = next.handOver()
        next.send(alice.keys, "it is me with a new key")
        await alice.becomes(next.primary, ({ state }) => state === "blocked", "the new key is not blocked")
        next.send(alice.keys, "let me in")
        await until(
          async () => {
            await alice.sync(1_000)
            return [bob, next].map((one) => world.broker.blocks.has(`${alice.keys.hex} ${one.keys.hex}`))
          },
          ([old, now]) => old === true && now === true,
          "the home is not told to block both keys",
          20_000
        )
        holds(!(await alice.texts(next.primary)).includes("let me in"), "a message of a blocked key is shown")
      }
    }))
  ].map((one) => ({ ...one, needs: "handedOver" as const }))
)
