/** Which strangers may write: what the policy of a client holds back, shows or drops. */
import type { Client, Held } from "../Client.ts"
import { equals, holds, until } from "../Expect.ts"
import { group } from "../Scenario.ts"
import type { Stage } from "../Stage.ts"
import type { Person } from "../world/Person.ts"
import type { World } from "../world/World.ts"

const isHeld = async (alice: Client, who: Person, messages?: number): Promise<void> => {
  await until(
    async () => {
      await alice.sync(1_000)
      return alice.does<ReadonlyArray<Held>>("client.held")
    },
    (held) => held.some((one) => one.primary === who.primary && (messages ?? one.messages) === one.messages),
    "who is held back is not listed"
  )
  equals(await alice.texts(who.primary), [], "what is shown of somebody who is held back")
}

const isHeldNoMore = async (alice: Client, who: Person): Promise<void> => {
  const held = await alice.does<ReadonlyArray<Held>>("client.held")
  holds(!held.some(({ primary }) => primary === who.primary), "somebody is listed as held who is not any more", held)
}

const sentTo = (world: World, who: Person) => world.broker.of("send", who.keys.hex).length

/** Alice, who has bob as a contact and asks strangers for proofs, and carol, who has none. */
const asking = async (stage: Stage) => {
  const { alice, bob, world } = await stage.pair()
  const carol = world.person("carol")
  await alice.does("client.inbox", { from: "proven" })
  return { alice, bob, carol, world }
}

/** A message of the contact, after which what came before it was judged. */
const fence = async (alice: Client, bob: Person, text = "fence"): Promise<void> => {
  bob.send(alice.keys, text)
  await alice.showsText(bob.handle, text)
}

export const requests = group(
  "requests",
  [
    {
      id: "held",
      requirements: ["KEZ-PRF-160"],
      why: "proofs are asked for and a stranger has none: held back, listed, neither shown nor receipted, over a restart",
      run: async (stage: Stage) => {
        const { alice, bob, carol, world } = await asking(stage)
        for (const text of ["one", "two"]) carol.send(alice.keys, text)
        await isHeld(alice, carol, 2)
        await stage.kill()
        await fence(alice, bob)
        await isHeld(alice, carol, 2)
        equals(sentTo(world, carol), 0, "how many frames were sent to somebody who is held back")
      }
    },
    {
      id: "let-in",
      requirements: ["KEZ-PRF-160"],
      why: "the user lets a stranger in who is held back: their messages are shown, in order, and receipted",
      run: async (stage: Stage) => {
        const { alice, carol, world } = await asking(stage)
        for (const text of ["one", "two"]) carol.send(alice.keys, text)
        await isHeld(alice, carol, 2)
        await alice.does("client.accept", { who: carol.primary })
        await alice.showsText(carol.primary, "two")
        equals(await alice.texts(carol.primary), ["one", "two"], "what is shown")
        await isHeldNoMore(alice, carol)
        await until(
          async () => {
            await alice.sync(1_000)
            return sentTo(world, carol)
          },
          (count) => count > 0,
          "no receipt goes to somebody who was let in"
        )
      }
    },
    {
      id: "introduced",
      requirements: ["KEZ-PRF-160"],
      why: "a contact introduces the stranger: shown as a request where the user wants that, and held where not",
      run: async (stage: Stage) => {
        const { alice, bob, carol } = await asking(stage)
        const body = { text: undefined, type: "introduction", primary: carol.primary, fallback: "an introduction" }
        bob.send(alice.keys, "", { body })
        carol.send(alice.keys, "bob knows me")
        await fence(alice, bob)
        await isHeld(alice, carol)
        await alice.does("client.inbox", { from: "proven", introductions: true })
        await alice.showsText(carol.primary, "bob knows me")
        equals((await alice.contact(carol.primary))?.state, "requested", "the state of who was introduced")
      }
    },
    {
      id: "claim-without-proof",
      requirements: ["KEZ-PRF-160", "KEZ-PRF-162"],
      why: "the stranger's chain claims what no place proves: held back",
      run: async (stage: Stage) => {
        const { alice, bob, carol } = await asking(stage)
        carol.append("add", { subject: "web:https://127.0.0.1:1/carol.json" })
        carol.send(alice.keys, "I am proven")
        await fence(alice, bob)
        await isHeld(alice, carol)
      }
    },
    {
      id: "policy-changes",
      requirements: ["KEZ-PRF-166"],
      why: "the user lets everybody write: what was held is shown",
      run: async (stage: Stage) => {
        const { alice, carol } = await asking(stage)
        carol.send(alice.keys, "hello")
        await isHeld(alice, carol)
        await alice.does("client.inbox", { from: "everyone" })
        await alice.showsText(carol.primary, "hello")
        equals((await alice.contact(carol.primary))?.state, "requested", "the state of who was held back")
        await isHeldNoMore(alice, carol)
      }
    },
    {
      id: "contacts-only",
      requirements: ["KEZ-PRF-167"],
      why: "nobody but contacts may write: a stranger is neither shown nor receipted, and contacts are",
      run: async (stage: Stage) => {
        const { alice, bob, carol, world } = await asking(stage)
        await alice.does("client.inbox", { from: "contacts" })
        carol.send(alice.keys, "hello")
        await fence(alice, bob)
        await stage.kill()
        await fence(alice, bob, "again")
        equals(await alice.texts(carol.primary), [], "what is shown of a stranger")
        equals(sentTo(world, carol), 0, "how many frames were sent to a stranger")
      }
    },
    {
      id: "held-and-contacts-only",
      requirements: ["KEZ-PRF-166", "KEZ-PRF-167"],
      why: "the user lets nobody but contacts write: what was held is not shown",
      run: async (stage: Stage) => {
        const { alice, bob, carol } = await asking(stage)
        carol.send(alice.keys, "hello")
        await isHeld(alice, carol)
        await alice.does("client.inbox", { from: "contacts" })
        await fence(alice, bob)
        equals(await alice.texts(carol.primary), [], "what is shown of a stranger")
      }
    },
    ...(["contacts", "proven"] as const).map((from) => ({
      id: `shown-stay-${from}`,
      requirements: ["KEZ-PRF-168"],
      why: `a request is shown already when the policy becomes ${from}: it stays, and further messages are shown`,
      run: async (stage: Stage) => {
        const { alice, world } = await stage.pair()
        const carol = world.person("carol")
        carol.send(alice.keys, "first")
        await alice.showsText(carol.primary, "first")
        await alice.does("client.inbox", { from })
        await stage.kill()
        carol.send(alice.keys, "second")
        await alice.showsText(carol.primary, "second")
        equals((await alice.contact(carol.primary))?.state, "requested", "the state of the request")
      }
    })),
    {
      id: "held-and-blocked",
      requirements: ["KEZ-PRF-160", "KEZ-SEQ-036"],
      why: "the user blocks a stranger who is held back: nothing of what they wrote is shown, whatever the policy becomes",
      run: async (stage: Stage) => {
        const { alice, bob, carol } = await asking(stage)
        carol.send(alice.keys, "hello")
        await isHeld(alice, carol)
        await alice.does("client.block", { who: carol.primary })
        await isHeldNoMore(alice, carol)
        await alice.does("client.inbox", { from: "everyone" })
        await fence(alice, bob)
        equals(await alice.texts(carol.primary), [], "what is shown of somebody who was held and blocked")
        equals((await alice.contact(carol.primary))?.state, "blocked", "the state of who was blocked")
      }
    }
  ].map((one) => ({ ...one, needs: "inboxPolicy" as const }))
)
