/** Sigchains that a sig-server rolls back, forks, cuts off, withholds or makes up. */
import type { Envelope } from "../../../servers/Signing.ts"
import { canonical } from "../../crypto/Canonical.ts"
import { hashOf } from "../../crypto/Keys.ts"
import type { Client, Contact } from "../../Client.ts"
import { equals, holds } from "../../Expect.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"
import { json, problem, type Reply } from "../../world/HttpHost.ts"
import type { Person } from "../../world/Person.ts"
import type { World } from "../../world/World.ts"
import { lies } from "./ChainLies.ts"

type Chain = ReadonlyArray<Envelope>

/** Alice knows bob's chain of three events. */
const known = async (stage: Stage) => {
  const { alice, bob, world } = await stage.pair()
  bob.append("add", { subject: "github:bob" })
  bob.append("add", { subject: "dns:bob.example" })
  const contact = await alice.refresh(bob.handle)
  equals(contact.head, bob.head, "the head that is kept")
  return { alice, bob, world }
}

/** Whatever the server shows, the contact is asked for again. */
const seen = async (alice: Client, bob: Person): Promise<Contact> => {
  await alice.tries("client.refresh", { who: bob.handle })
  return (await alice.contact(bob.primary))!
}

const stops = async (alice: Client, bob: Person, world: World, text = "must not go out"): Promise<void> => {
  const { length } = world.broker.of("send", bob.keys.hex)
  await alice.tries("client.send", { who: bob.handle, text })
  await alice.sync(800)
  equals(world.broker.of("send", bob.keys.hex).length, length, "how many frames were sent to a contact that is stopped")
}

const goesOn = async (alice: Client, bob: Person, text: string): Promise<void> => {
  const { id } = await alice.send(bob.handle, text)
  await alice.reaches(bob.handle, id, "stored", "delivered")
  holds(bob.texts.includes(text), "the message did not arrive", bob.texts)
}

/** Both heads are in the warning: each as its whole hash, or enough of it to be told apart. */
const namesHeads = (
  contact: Contact,
  ...heads: ReadonlyArray<{ readonly seq: number; readonly hash: string }>
): void => {
  for (const { hash, seq } of heads) {
    const short = hash.replace("sha256:", "").slice(0, 8)
    holds(
      contact.warning?.includes(short) === true && new RegExp(`\\b${seq}\\b`).test(contact.warning),
      `the warning does not name the head ${seq} ${short}…`,
      contact.warning
    )
  }
}

/** A chain that is known and not shown is unavailable, never empty: nothing changes. */
const withheld: Readonly<Record<string, { readonly why: string; readonly reply: Reply }>> = {
  "not-found": { why: "404", reply: problem(404, "chain_not_found") },
  empty: { why: "an empty 200", reply: { status: 200, headers: { "content-type": "application/jsonl" }, body: "" } },
  failing: { why: "500", reply: problem(500, "internal") },
  unavailable: { why: "503", reply: problem(503, "unavailable") },
  limited: { why: "429", reply: problem(429, "rate_limited", {}, { "retry-after": "1" }) },
  page: { why: "a page of HTML", reply: { status: 200, headers: { "content-type": "text/html" }, body: "<p>Hello" } },
  array: { why: "an array instead of lines", reply: json([]) }
}

/** Bytes of a chain, of its end that is for rotation and removal alone, and of the largest event here. */
const chainBytes = 4_194_304
const reserveBytes = 262_144
const eventBytes = 60_000

const sizeOf = (event: Envelope): number => Buffer.byteLength(canonical(event)) + 1

/** Extends a chain until it has exactly so many bytes, with events of an operation that nobody knows. */
const fill = (bob: Person, op: string, bytes: number): void => {
  let chain = bob.chain
  let left = bytes - chain.reduce((sum, event) => sum + sizeOf(event), 0)
  while (left > 0) {
    const least = sizeOf(bob.event(op, { subject: "" }, chain))
    const size = left > eventBytes + least ? eventBytes : left
    const event = bob.event(op, { subject: "x".repeat(size - least) }, chain)
    chain = [...chain, event]
    left -= sizeOf(event)
  }
  bob.chain = chain
  bob.show(chain)
}

export const chains = group("chains", [
  {
    id: "full",
    requirements: ["KEZ-SIG-140", "KEZ-SIG-103"],
    why: "the last 256 KiB of a chain are for rotation and removal: an event of another kind there is refused, up to the bound it is not",
    run: async (stage) => {
      const { alice, bob } = await known(stage)
      fill(bob, "x_note", chainBytes - reserveBytes)
      const { head } = bob
      equals((await alice.refresh(bob.handle)).head, head, "the head of a chain up to the bound")
      const { chain } = bob
      bob.append("x_note", { subject: "y" })
      equals((await seen(alice, bob)).head, head, "the head after an event beyond the bound")
      bob.chain = chain
      bob.append("revoke", { subject: "github:bob" })
      equals((await alice.refresh(bob.handle)).head, bob.head, "the head after a revocation beyond the bound")
      fill(bob, "remove_note", chainBytes)
      const whole = bob.head
      equals((await alice.refresh(bob.handle)).head, whole, "the head of a chain of 4 MiB")
      bob.append("revoke", { subject: "dns:bob.example" })
      equals((await seen(alice, bob)).head, whole, "the head after an event beyond 4 MiB")
    }
  },
  {
    id: "rollback",
    requirements: ["KEZ-SIG-121", "KEZ-SIG-122", "KEZ-SIG-124", "KEZ-SEQ-034"],
    why: "the server shows less than it did: the contact is stopped, the kept head stays, and the warning names both",
    run: async (stage) => {
      const { alice, bob, world } = await known(stage)
      const shorter = bob.chain.slice(0, 2)
      bob.show(shorter)
      const contact = await seen(alice, bob)
      equals([contact.state, contact.chain], ["changed", "behind"], "state and chain of the contact")
      equals(contact.head, bob.head, "the head that is kept")
      namesHeads(contact, bob.head, { seq: 1, hash: hashOf(shorter[1]!) })
      await stops(alice, bob, world)
    }
  },
  {
    id: "rollback-after-restart",
    requirements: ["KEZ-SIG-121", "KEZ-SIG-122"],
    why: "the kept head survives a kill",
    run: async (stage) => {
      const { alice, bob, world } = await known(stage)
      await stage.kill()
      bob.show(bob.chain.slice(0, 1))
      equals((await seen(alice, bob)).chain, "behind", "the chain of the contact")
      await stops(alice, bob, world)
    }
  },
  {
    id: "rollback-heals",
    requirements: ["KEZ-SEQ-050", "KEZ-SIG-124"],
    why: "the server shows the whole chain again: the contact heals, and what waited goes out to the pinned key",
    run: async (stage) => {
      const { alice, bob, world } = await known(stage)
      bob.show(bob.chain.slice(0, 2))
      await seen(alice, bob)
      await stops(alice, bob, world)
      bob.show(bob.chain)
      const contact = await seen(alice, bob)
      equals([contact.state, contact.chain], ["accepted", undefined], "state and chain of the contact")
      await goesOn(alice, bob, "after the outage")
    }
  },
  {
    id: "rollback-kept",
    requirements: ["KEZ-SEQ-047", "KEZ-SEQ-040"],
    why: "the user keeps the key of a contact whose chain is behind: sending goes on, and the cause stays visible",
    run: async (stage) => {
      const { alice, bob } = await known(stage)
      bob.show(bob.chain.slice(0, 2))
      await seen(alice, bob)
      const kept = await alice.does<Contact>("client.keep", { who: bob.handle })
      equals([kept.state, kept.chain, kept.kept], ["accepted", "behind", true], "state, chain and kept")
      await goesOn(alice, bob, "nevertheless")
    }
  },
  {
    id: "fork",
    requirements: ["KEZ-SIG-122", "KEZ-SIG-124", "KEZ-SEQ-051"],
    why: "the server shows another event at the kept place: the contact is stopped, and stays so when the old one is back",
    run: async (stage) => {
      const { alice, bob, world } = await known(stage)
      const base = bob.chain.slice(0, 2)
      const forked = [...base, bob.event("add", { subject: "github:other" }, base)]
      bob.show(forked)
      const contact = await seen(alice, bob)
      equals([contact.state, contact.chain], ["changed", "forked"], "state and chain of the contact")
      namesHeads(contact, bob.head, { seq: 2, hash: hashOf(forked[2]!) })
      await stops(alice, bob, world)
      bob.show(bob.chain)
      equals((await seen(alice, bob)).chain, "forked", "the chain after the server shows the old one again")
    }
  },
  {
    id: "fork-longer",
    requirements: ["KEZ-SIG-122"],
    why: "a forked chain that is longer than the known one is a fork, and no extension",
    run: async (stage) => {
      const { alice, bob, world } = await known(stage)
      let forked: Chain = bob.chain.slice(0, 1)
      for (let index = 0; index < 4; index++)
        forked = [...forked, bob.event("add", { subject: `github:other${index}` }, forked)]
      bob.show(forked)
      const contact = await seen(alice, bob)
      equals([contact.state, contact.chain], ["changed", "forked"], "state and chain of the contact")
      await stops(alice, bob, world)
    }
  },
  {
    id: "fork-kept",
    requirements: ["KEZ-SEQ-047", "KEZ-SEQ-051"],
    why: "the user keeps the key of a forked contact: sending goes on with the chain shown, and `forked` stays",
    run: async (stage) => {
      const { alice, bob } = await known(stage)
      const base = bob.chain.slice(0, 2)
      bob.show([...base, bob.event("add", { subject: "github:other" }, base)])
      await seen(alice, bob)
      const kept = await alice.does<Contact>("client.keep", { who: bob.handle })
      equals([kept.state, kept.chain, kept.kept], ["accepted", "forked", true], "state, chain and kept")
      await goesOn(alice, bob, "nevertheless")
      const again = await seen(alice, bob)
      equals([again.state, again.chain, again.kept], ["accepted", "forked", true], "state, chain and kept afterwards")
    }
  },
  {
    id: "head-in-message",
    requirements: ["KEZ-SIG-125", "KEZ-SEQ-034"],
    why: "a message names a head beyond the chain that the server shows: asked once more, it counts as rollback",
    run: async (stage) => {
      const { alice, bob, world } = await known(stage)
      const shown = bob.chain
      bob.append("revoke", { subject: "github:bob" })
      bob.show(shown)
      bob.send(alice.keys, "I revoked something")
      await alice.showsText(bob.handle, "I revoked something")
      const contact = await alice.becomes(bob.primary, ({ state }) => state === "changed", "the contact is not stopped")
      equals(contact?.chain, "behind", "the chain of the contact")
      await stops(alice, bob, world)
    }
  },
  {
    id: "head-in-message-shown",
    requirements: ["KEZ-SIG-125", "KEZ-SIG-121"],
    why: "a message names a newer head, and the server shows it when asked: nothing is wrong",
    run: async (stage) => {
      const { alice, bob } = await known(stage)
      bob.append("revoke", { subject: "github:bob" })
      bob.send(alice.keys, "I revoked something")
      await alice.showsText(bob.handle, "I revoked something")
      await alice.becomes(bob.primary, ({ head }) => head?.seq === bob.head.seq, "the new head is not kept")
      await goesOn(alice, bob, "fine")
    }
  },
  {
    id: "fork-in-message",
    requirements: ["KEZ-SIG-125"],
    why: "a message names another event at the seq of the kept head",
    run: async (stage) => {
      const { alice, bob, world } = await known(stage)
      bob.send(alice.keys, "from my other chain", {
        body: { chain: { seq: bob.head.seq, hash: `sha256:${"ab".repeat(32)}` } }
      })
      await alice.showsText(bob.handle, "from my other chain")
      const contact = await alice.becomes(bob.primary, ({ state }) => state === "changed", "the contact is not stopped")
      equals(contact?.chain, "forked", "the chain of the contact")
      await stops(alice, bob, world)
    }
  },
  {
    id: "unknown-ops",
    requirements: ["KEZ-SIG-108", "KEZ-SIG-109"],
    why: "operations of later versions, and KEZ's without effect, are kept, counted and ignored",
    run: async (stage) => {
      const { alice, bob } = await known(stage)
      bob.append("x_future", { anything: [1, { deep: true }] })
      bob.append("add_device", { device: "phone" })
      bob.append("add", { no: "subject" })
      bob.append("revoke", { subject: "github:never" })
      bob.append("add", { subject: "github:again" })
      const contact = await seen(alice, bob)
      equals([contact.state, contact.chain, contact.head], ["accepted", undefined, bob.head], "state, chain and head")
      await goesOn(alice, bob, "fine")
    }
  },
  ...lies.map(({ chain, id, requirements, why }) => ({
    id,
    requirements,
    why: `${why}: nothing of it is used`,
    run: async (stage: Stage) => {
      const { alice, bob, world } = await known(stage)
      const mallory = world.person("mallory")
      const before = bob.head
      bob.show(chain(bob, mallory))
      const contact = await seen(alice, bob)
      equals([contact.head, contact.primary], [before, bob.primary], "head and key of the contact")
      bob.show(bob.chain)
      equals((await seen(alice, bob)).head, before, "the head afterwards")
    }
  })),
  ...lies.map(({ chain, id, requirements, why }) => ({
    id: `first-${id}`,
    requirements,
    why: `${why}, when the contact is first looked up: it is refused`,
    run: async (stage: Stage) => {
      const { world } = stage
      const bob = world.person("bob")
      bob.append("add", { subject: "github:bob" })
      bob.append("add", { subject: "dns:bob.example" })
      const alice = await stage.opened()
      bob.show(chain(bob, world.person("mallory")))
      await alice.tries("client.add", { who: bob.handle })
      const head = (await alice.contact(bob.primary))?.head
      equals(head, undefined, "the head of a chain that does not verify")
    }
  })),
  ...Object.entries(withheld).map(([id, { reply, why }]) => ({
    id: `withheld-${id}`,
    requirements: ["KEZ-SIG-123"],
    why: `the server answers ${why} for a chain that the client knows: it is unavailable, and nothing changes`,
    run: async (stage: Stage) => {
      const { alice, bob, world } = await known(stage)
      const before = bob.head
      const restore = world.sig.http.when(/^GET \/v1\/sigchains\//, () => reply)
      const contact = await seen(alice, bob)
      equals([contact.state, contact.chain, contact.head], ["accepted", undefined, before], "state, chain and head")
      restore()
      await goesOn(alice, bob, "still there")
    }
  })),
  ...["not-found", "empty"].map((id) => ({
    id: `no-chain-${id}`,
    requirements: ["KEZ-SIG-134", "KEZ-SIG-117"],
    why: `${id === "empty" ? "an empty 200" : "a 404"} for a chain of which nothing is known: there is none, and no inbox to send to`,
    run: async (stage: Stage) => {
      const { world } = stage
      const alice = await stage.opened()
      const bob = world.person("bob")
      world.sig.http.when(new RegExp(`^GET /v1/sigchains/ed25519/${bob.keys.hex}`), () => withheld[id]!.reply)
      await alice.tries("client.add", { who: bob.handle })
      await alice.tries("client.send", { who: bob.handle, text: "to nowhere" })
      await alice.sync(500)
      equals(world.broker.of("send", bob.keys.hex).length, 0, "how many frames were sent to a contact without an inbox")
    }
  })),
  {
    id: "no-endpoint",
    requirements: ["KEZ-SIG-117", "KEZ-SIG-113"],
    why: "a contact whose chain takes its inbox back cannot be written to",
    run: async (stage) => {
      const { alice, bob, world } = await known(stage)
      bob.append("remove_endpoint", { protocol: "nats", url: world.broker.nats.url })
      await seen(alice, bob)
      await alice.refuses("client.send", { who: bob.handle, text: "to nowhere" }, "contact_unreachable")
      await alice.sync(500)
      equals(world.broker.of("send", bob.keys.hex).length, 0, "how many frames were sent")
    }
  },
  {
    id: "other-broker",
    requirements: ["KEZ-SIG-116"],
    why: "a contact's chain names another broker: the client does not connect to it",
    run: async (stage) => {
      const { alice, bob, world } = await known(stage)
      const url = world.elsewhere.url.replace("http:", "nats:")
      bob.append("add_endpoint", bob.endpoint({ url, ws_url: world.elsewhere.url.replace("http:", "ws:") }))
      await seen(alice, bob)
      await alice.tries("client.send", { who: bob.handle, text: "through my own home" })
      await alice.sync(1_000)
      equals(world.elsewhere.connections, 0, "how often the client connected to the broker of a contact's chain")
    }
  }
])
