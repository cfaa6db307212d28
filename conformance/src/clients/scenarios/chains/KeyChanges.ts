/** A home server that names another key, or nobody, for a contact; rotations; and the words of the user. */
import { createHash } from "node:crypto"
import { Keys, type Reader } from "../../crypto/Keys.ts"
import type { Client, Contact } from "../../Client.ts"
import { equals, holds } from "../../Expect.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"
import { problem } from "../../world/HttpHost.ts"
import type { Person } from "../../world/Person.ts"
import type { World } from "../../world/World.ts"

/** The safety number of two keys. */
const numberOf = (a: Reader, b: Reader): string => {
  const pair = [a.ed25519, b.ed25519].toSorted(Buffer.compare)
  const digest = createHash("sha512")
    .update(Buffer.concat([Buffer.from("kez.chat.safety-number/1\0"), ...pair]))
    .digest()
  return Array.from({ length: 12 }, (_, index) =>
    String(digest.readUIntBE(5 * index, 5) % 100_000).padStart(5, "0")
  ).join(" ")
}

const digits = (text: string) => text.replaceAll(/\D/g, "")

/** The home names `to` for bob's handle, who is somebody with a chain of their own. */
const takesOver = (world: World, bob: Person, keys = new Keys()): Person => world.person(bob.local, keys)

const changed = async (stage: Stage) => {
  const { alice, bob, world } = await stage.pair()
  bob.send(alice.keys, "hello")
  await alice.showsText(bob.handle, "hello")
  const eve = takesOver(world, bob)
  await alice.tries("client.refresh", { who: bob.primary })
  return { alice, bob, eve, world, contact: (await alice.contact(bob.primary))! }
}

const seen = async (alice: Client, bob: Person): Promise<Contact> => {
  await alice.tries("client.refresh", { who: bob.primary })
  return (await alice.contact(bob.primary))!
}

const sentTo = (world: World, one: Person) => world.broker.of("send", one.keys.hex).length

const stops = async (alice: Client, world: World, who: string, ...people: ReadonlyArray<Person>): Promise<void> => {
  const before = people.map((one) => sentTo(world, one))
  await alice.tries("client.send", { who, text: "must not go out" })
  await alice.sync(800)
  equals(
    people.map((one) => sentTo(world, one)),
    before,
    "how many frames were sent while the contact is stopped"
  )
}

const goesOn = async (alice: Client, to: Person, text: string): Promise<void> => {
  const { id } = await alice.send(to.primary, text)
  await alice.reaches(to.primary, id, "stored", "delivered")
  holds(to.texts.includes(text), "the message did not arrive", to.texts)
}

export const keyChanges = group("key-changes", [
  {
    id: "another-key",
    requirements: ["KEZ-SEQ-034", "KEZ-REG-023", "KEZ-SEQ-041", "KEZ-SEQ-046", "KEZ-DM-017"],
    why: "the home names another key for a contact's handle: sending stops, the pinned key stays, the other is unexplained",
    run: async (stage) => {
      const { alice, bob, contact, eve, world } = await changed(stage)
      equals([contact.state, contact.name, contact.primary], ["changed", "offered", bob.primary], "state, name and key")
      equals(contact.offered, { primary: eve.primary, origin: "unexplained" }, "the key that is offered")
      await stops(alice, world, bob.handle, bob, eve)
      await stage.kill()
      await stops(alice, world, bob.handle, bob, eve)
    }
  },
  {
    id: "queued-before",
    requirements: ["KEZ-SEQ-034", "KEZ-DM-017", "KEZ-DM-025"],
    why: "what was written before the change waits, fails when the user accepts the other key, and is never encrypted anew",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      world.broker.answers.send = () => ({ e: "retry" })
      const { id } = await alice.send(bob.handle, "for bob alone")
      await alice.sync(500)
      const eve = takesOver(world, bob)
      equals((await seen(alice, bob)).state, "changed", "the state of the contact")
      delete world.broker.answers.send
      await alice.sync(1_000)
      equals(bob.texts, [], "what went out while the contact is stopped")
      const accepted = await alice.does<Contact>("client.accept", { who: bob.handle, primary: eve.primary })
      equals([accepted.primary, accepted.state, accepted.verified], [eve.primary, "accepted", false], "the contact")
      await alice.sync(1_000)
      const shown = [...(await alice.messages(bob.primary)), ...(await alice.messages(eve.primary))]
      equals(shown.find((one) => one.id === id)?.state, "failed", "the state of what was written for the old key")
      equals([bob.texts, eve.texts], [[], []], "what was received")
      await goesOn(alice, eve, "for the new key")
    }
  },
  {
    id: "accept-what-is-not-offered",
    requirements: ["KEZ-SEQ-043", "KEZ-SEQ-041"],
    why: "the user accepts a key that is not the one offered: refused",
    run: async (stage) => {
      const { alice, bob } = await changed(stage)
      await alice.refuses("client.accept", { who: bob.handle, primary: new Keys().primary })
      const contact = (await alice.contact(bob.primary))!
      equals([contact.state, contact.primary], ["changed", bob.primary], "state and key")
    }
  },
  {
    id: "accept-asks-again",
    requirements: ["KEZ-SEQ-043"],
    why: "the home offers a third key by the time the user accepts the second: refused",
    run: async (stage) => {
      const { alice, bob, eve, world } = await changed(stage)
      takesOver(world, bob)
      await alice.refuses("client.accept", { who: bob.handle, primary: eve.primary })
      equals((await alice.contact(bob.primary))?.state, "changed", "the state of the contact")
    }
  },
  {
    id: "accept",
    requirements: ["KEZ-SEQ-041", "KEZ-SEQ-040"],
    why: "the user accepts the offered key: it is pinned, over a restart, and messages go to it alone",
    run: async (stage) => {
      const { alice, bob, eve, world } = await changed(stage)
      await alice.does("client.accept", { who: bob.handle, primary: eve.primary })
      await stage.kill()
      const before = sentTo(world, bob)
      await goesOn(alice, eve, "to the new key")
      equals(sentTo(world, bob), before, "how many frames were sent to the old key")
      const contact = await alice.contact(eve.primary)
      equals([contact?.state, contact?.handle, contact?.name], ["accepted", bob.handle, undefined], "the contact")
    }
  },
  {
    id: "keep",
    requirements: ["KEZ-SEQ-047", "KEZ-SEQ-040"],
    why: "the user keeps the pinned key: messages go to it and no other, and the offer stays visible",
    run: async (stage) => {
      const { alice, bob, eve, world } = await changed(stage)
      const kept = await alice.does<Contact>("client.keep", { who: bob.handle })
      equals(
        [kept.state, kept.primary, kept.kept, kept.name],
        ["accepted", bob.primary, true, "offered"],
        "the contact"
      )
      const before = sentTo(world, eve)
      // The home still stores for the old key.
      world.home.handles.set("bob-of-old", bob.registration({ handle: "bob-of-old" }))
      await goesOn(alice, bob, "to the pinned key")
      equals(sentTo(world, eve), before, "how many frames were sent to the offered key")
      equals((await seen(alice, bob)).state, "accepted", "the state after the home was asked again")
    }
  },
  {
    id: "keep-unknown",
    requirements: ["KEZ-SEQ-048"],
    why: "while the user keeps a key that the home does not know, `unknown` leaves the message queued",
    run: async (stage) => {
      const { alice, bob } = await changed(stage)
      await alice.does("client.keep", { who: bob.handle })
      const { id } = await alice.send(bob.primary, "waits for bob")
      await alice.sync(1_500)
      const message = (await alice.messages(bob.primary)).find((one) => one.id === id)
      equals(message?.state, "queued", "the state of the message")
    }
  },
  {
    id: "heals",
    requirements: ["KEZ-SEQ-050", "KEZ-SEQ-040"],
    why: "the home names the pinned key again: the contact heals by itself",
    run: async (stage) => {
      const { alice, bob, world } = await changed(stage)
      world.home.handles.set(bob.local, bob.registration())
      const contact = await seen(alice, bob)
      equals([contact.state, contact.name, contact.offered], ["accepted", undefined, undefined], "the contact")
      await goesOn(alice, bob, "welcome back")
    }
  },
  ...[
    { id: "gone-404", reply: problem(404, "handle_not_found") },
    { id: "gone-410", reply: problem(410, "handle_deleted") }
  ].map(({ id, reply }) => ({
    id,
    requirements: ["KEZ-SEQ-034", "KEZ-SEQ-040"],
    why: `the home names nobody (${reply.status}): sending stops, and heals when it names the key again`,
    run: async (stage: Stage) => {
      const { alice, bob, world } = await stage.pair()
      const restore = world.home.http.when(/^GET \/v1\/(?:u|by-primary)\//, () => reply)
      const contact = await seen(alice, bob)
      equals([contact.state, contact.name], ["changed", "gone"], "state and name")
      await stops(alice, world, bob.handle, bob)
      restore()
      equals((await seen(alice, bob)).state, "accepted", "the state after the home names the key again")
    }
  })),
  {
    id: "safety-numbers",
    requirements: ["KEZ-SEQ-042", "KEZ-KEY-013"],
    why: "while a key is offered, its safety number is shown beside that of the pinned key",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const ask = () =>
        alice.does<{ number: string; offered?: { primary: string; number?: string } }>("client.safetyNumber", {
          who: bob.handle
        })
      const first = await ask()
      equals(digits(first.number), digits(numberOf(alice.keys, bob.keys)), "the safety number")
      equals(first.offered, undefined, "an offered key where none is")
      const eve = takesOver(world, bob)
      await seen(alice, bob)
      const { number, offered } = await ask()
      equals(digits(number), digits(numberOf(alice.keys, bob.keys)), "the number of the pinned key")
      equals(offered?.primary, eve.primary, "the offered key")
      equals(digits(offered?.number ?? ""), digits(numberOf(alice.keys, eve.keys)), "the number of the offered key")
    }
  },
  {
    id: "confirm",
    requirements: ["KEZ-SEQ-037", "KEZ-SEQ-044", "KEZ-SEQ-052"],
    why: "a contact is verified by the user's comparison alone, loses that with the change, and has it again when it heals",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      equals((await alice.contact(bob.handle))?.verified, false, "verified before any comparison")
      await alice.refuses("client.confirm", { who: bob.handle, primary: new Keys().primary })
      await alice.does("client.confirm", { who: bob.handle, primary: bob.primary })
      equals((await alice.contact(bob.handle))?.verified, true, "verified after the comparison")
      const eve = takesOver(world, bob)
      equals((await seen(alice, bob)).verified, false, "verified while another key is offered")
      await alice.refuses("client.confirm", { who: bob.handle, primary: eve.primary })
      await alice.refuses("client.confirm", { who: bob.handle, primary: bob.primary })
      await alice.does("client.accept", { who: bob.handle, primary: eve.primary })
      equals((await alice.contact(eve.primary))?.verified, false, "verified after another key was accepted")
    }
  },
  {
    id: "new-key-writes",
    requirements: ["KEZ-SEQ-045", "KEZ-SEQ-035"],
    why: "the key that the home names writes: a request under its own key, without the contact's handle",
    run: async (stage) => {
      const { alice, bob, eve } = await changed(stage)
      eve.send(alice.keys, "it is me, bob")
      await alice.showsText(eve.primary, "it is me, bob")
      equals(await alice.texts(bob.primary), ["hello"], "what is shown of bob")
      const request = await alice.contact(eve.primary)
      equals(request?.state, "requested", "the state of who wrote")
      holds(request?.handle !== bob.handle, "the handle of the contact is shown for another key", request)
    }
  },
  {
    id: "named-stranger",
    requirements: ["KEZ-SEQ-045"],
    why: "a stranger writes whom the home names by the handle of a contact that is not changed",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const eve = world.stranger(bob.local)
      const record = world.home.record(eve.registration())
      world.home.http.when(new RegExp(`^GET /v1/by-primary/ed25519(?::|%3A)${eve.keys.hex}`), (usual) => ({
        ...usual,
        status: 200,
        body: JSON.stringify(record)
      }))
      eve.send(alice.keys, "it is me, bob")
      await alice.showsText(eve.primary, "it is me, bob")
      await alice.sync()
      const request = await alice.contact(eve.primary)
      holds(request?.handle !== bob.handle, "the handle of the contact is shown for another key", request)
      equals(await alice.texts(bob.primary), [], "what is shown of bob")
    }
  },
  {
    id: "rotated",
    requirements: ["KEZ-SIG-120", "KEZ-SEQ-034", "KEZ-SEQ-051", "KEZ-SEQ-041"],
    why: "a contact's chain ends in a rotation: nothing follows by itself, sending stops, and it stays rotated",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const next = world.stranger("bob2")
      const before = bob.chain
      bob.extend(bob.rotation(next.keys))
      const contact = await seen(alice, bob)
      equals([contact.state, contact.chain, contact.primary], ["changed", "rotated", bob.primary], "the contact")
      equals(contact.offered, { primary: next.primary, origin: "handed_over" }, "the key that is offered")
      await stops(alice, world, bob.handle, bob, next)
      bob.show(before)
      equals((await seen(alice, bob)).chain, "rotated", "the chain after the server shows an older one")
    }
  },
  {
    id: "handed-over",
    requirements: ["KEZ-SEQ-046", "KEZ-SEQ-041"],
    why: "a rotation and the home name the same key: it is handed over, and the user can accept it",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const next = new Keys()
      bob.extend(bob.rotation(next))
      const person = takesOver(world, bob, next)
      const contact = await seen(alice, bob)
      equals(contact.offered, { primary: next.primary, origin: "handed_over" }, "the key that is offered")
      await stops(alice, world, bob.handle, bob, person)
      await alice.does("client.accept", { who: bob.handle, primary: next.primary })
      const before = sentTo(world, bob)
      await goesOn(alice, person, "to your new key")
      equals(sentTo(world, bob), before, "how many frames were sent to the old key")
    }
  },
  {
    id: "rotation-not-accepted",
    requirements: ["KEZ-SIG-118", "KEZ-SEQ-046", "KEZ-SEQ-041"],
    why: "a rotation that the other key never accepted hands nothing over: that key is not offered, or unexplained where the home names it",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const next = world.stranger("bob2")
      const new_sig = bob.keys.signPayload({ no: "acceptance" })
      const rotation = bob.event("rotate", { new_primary: next.primary, new_sig })
      bob.show([...bob.chain, rotation])
      const contact = await seen(alice, bob)
      equals([contact.offered, contact.head], [undefined, bob.head], "the key that is offered, and the head")
      const eve = takesOver(world, bob, next.keys)
      bob.show([...bob.chain, rotation])
      const { offered } = await seen(alice, bob)
      equals(offered, { primary: eve.primary, origin: "unexplained" }, "the key that is offered once the home names it")
      await stops(alice, world, bob.handle, bob, eve)
    }
  },
  {
    id: "old-key-writes",
    requirements: ["KEZ-SEQ-121"],
    why: "the old key writes after the user accepted the one it handed over to: never shown as the contact's own without the mark",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const next = new Keys()
      bob.extend(bob.rotation(next))
      const person = takesOver(world, bob, next)
      await seen(alice, bob)
      await alice.does("client.accept", { who: bob.handle, primary: next.primary })
      const { head } = (await alice.contact(next.primary))!
      bob.send(alice.keys, "it is still me")
      person.send(alice.keys, "it is me")
      const shown = await alice.showsText(bob.handle, "it is me")
      const marks = shown.filter(({ text }) => text === "it is still me").map(({ retired }) => retired)
      holds(!marks.includes(undefined), "a message of the old key is shown as one of the contact", shown)
      const contact = (await alice.contact(next.primary))!
      equals([contact.state, contact.primary, contact.head], ["accepted", next.primary, head], "state, key and head")
    }
  },
  {
    id: "rotation-and-another-name",
    requirements: ["KEZ-SEQ-046"],
    why: "the chain hands over to one key and the home names another: that one is unexplained",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      bob.extend(bob.rotation(new Keys()))
      const eve = takesOver(world, bob)
      const contact = await seen(alice, bob)
      equals(contact.offered, { primary: eve.primary, origin: "unexplained" }, "the key that is offered")
      await stops(alice, world, bob.handle, bob, eve)
    }
  },
  {
    id: "rotated-kept",
    requirements: ["KEZ-SEQ-047", "KEZ-SEQ-051", "KEZ-SEQ-052"],
    why: "the user keeps a key that was rotated away: sending goes on, and a comparison from before does not count",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      await alice.does("client.confirm", { who: bob.handle, primary: bob.primary })
      bob.extend(bob.rotation(new Keys()))
      await seen(alice, bob)
      const kept = await alice.does<Contact>("client.keep", { who: bob.handle })
      equals([kept.state, kept.chain, kept.verified], ["accepted", "rotated", false], "state, chain and verified")
      await goesOn(alice, bob, "to your old key")
    }
  }
])
