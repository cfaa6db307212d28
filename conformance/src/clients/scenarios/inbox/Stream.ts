/** How a client follows its stream: fetches and pages, live frames, positions and epochs. */
import { base64Url, utf8 } from "../../crypto/Bytes.ts"
import { canonical } from "../../crypto/Canonical.ts"
import { sealFrame } from "../../crypto/Messages.ts"
import { equals, holds, pause, until } from "../../Expect.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"
import type { Live } from "../../world/Broker.ts"
import { afterOf, fetched, fetches } from "./Fetches.ts"

/** Something else is delivered live, with an honest frame behind it. */
const ignores = async (
  stage: Stage,
  deliveries: (usual: Live, own: string, other: string) => ReadonlyArray<Partial<Live>>
): Promise<void> => {
  const { alice, bob, world } = await stage.pair()
  bob.send(alice.keys, "before")
  await alice.showsText(bob.handle, "before")
  const forged = sealFrame(alice.keys, utf8(canonical(bob.write(alice.keys, "not of this stream"))))
  const logins = world.broker.logins.length
  // As the next frame of the inbox: nothing but what is wrong with it keeps it from being taken.
  const held = world.broker.frames.findLast(({ account, box }) => account === alice.keys.hex && box === "inbox")!
  const usual: Live = {
    subject: `kez.dlv.${alice.keys.hex}`,
    headers: {
      "Nats-Stream": "KEZ_INBOX",
      "Nats-Subject": `kez.inbox.${alice.keys.hex}`,
      "Nats-Sequence": String(world.broker.lastSeq + 1),
      "Nats-Last-Sequence": String(held.seq),
      "Nats-Time-Stamp": new Date().toISOString()
    },
    payload: forged
  }
  for (const change of deliveries(usual, alice.keys.hex, bob.keys.hex)) {
    const { headers, payload, subject } = { ...usual, ...change }
    for (const peer of world.broker.nats.of(alice.keys.hex)) peer.deliver(subject, payload, headers)
  }
  await pause(100)
  bob.send(alice.keys, "after")
  await alice.showsText(bob.handle, "after")
  equals(await alice.texts(bob.handle), ["before", "after"], "what is shown")
  equals(world.broker.logins.length, logins, "how often the client logged in")
}

const without = (headers: Live["headers"], name: string): Live["headers"] =>
  Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name))

export const stream = group("stream", [
  {
    id: "subscribes-first",
    requirements: ["KEZ-SEQ-003"],
    why: "a frame that is stored between subscription and fetch would be missed by a client that fetches first",
    run: async (stage) => {
      const { alice, world } = await stage.pair()
      const { broker } = world
      let early = 0
      broker.answers.fetch = ({ account }, usual) => {
        const subjects = broker.nats.of(account).flatMap((peer) => peer.subjects)
        if (!subjects.includes(`kez.dlv.${account}`)) early += 1
        return usual()
      }
      await alice.close()
      await alice.open()
      await fetched(alice, broker, broker.asked.length - 1)
      broker.nats.dropAll()
      const { length } = broker.asked
      await fetched(alice, broker, length)
      equals(early, 0, "how often the client fetched before it had subscribed")
    }
  },
  {
    id: "names-epoch",
    requirements: ["KEZ-SEQ-038", "KEZ-SEQ-001", "KEZ-SEQ-004", "KEZ-NAT-026"],
    why: "once it knows the epoch, each fetch names it, asks after the position, and has an `n` of its own",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const { broker } = world
      bob.send(alice.keys, "one")
      await alice.showsText(bob.handle, "one")
      await stage.kill()
      const { length } = broker.asked
      world.broker.nats.dropAll()
      const [fetch] = await fetched(alice, broker, length)
      equals(fetch!.ask["epoch"], base64Url(broker.epoch), "the epoch of a fetch")
      holds(afterOf(fetch!) > 0, "a client that holds frames fetches from the beginning", fetch!.ask)
      const nonces = fetches(broker).map(({ ask }) => ask["n"])
      equals(new Set(nonces).size, nonces.length, "how many different n the fetches have")
      for (const nonce of nonces)
        holds(/^[A-Za-z0-9_-]{22}$/.test(String(nonce)), "n is not 16 bytes of base64url", nonce)
    }
  },
  {
    id: "many-pages",
    requirements: ["KEZ-SEQ-005", "KEZ-SEQ-022", "KEZ-NAT-030"],
    why: "more frames than a page holds come in several pages, in order, and each page asks after the last frame",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const { broker } = world
      await alice.close()
      const { length } = broker.asked
      const texts = Array.from({ length: 40 }, (_, index) => `message ${index}`)
      for (const text of texts) bob.send(alice.keys, text)
      broker.answers.fetch = (asked) => {
        const left = broker.frames.filter(({ account, seq }) => account === alice.keys.hex && seq > afterOf(asked))
        return broker.page(asked, { frames: left.slice(0, 7), pending: Math.max(0, left.length - 7) })
      }
      await alice.open()
      await alice.showsText(bob.handle, texts.at(-1)!)
      equals(await alice.texts(bob.handle), texts, "what is shown")
      const asked = fetches(broker, length)
      const seqs = broker.frames.filter(({ account }) => account === alice.keys.hex).map(({ seq }) => seq)
      for (const fetch of asked.slice(1))
        holds([...seqs, 0].includes(afterOf(fetch)), "a fetch does not ask after a frame of the page before", fetch.ask)
    }
  },
  {
    id: "gap-in-live",
    requirements: ["KEZ-SEQ-006"],
    why: "a live frame names a frame before it that did not come: the client fetches, and shows both in order",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      bob.send(alice.keys, "first")
      await alice.showsText(bob.handle, "first")
      const lost = bob.write(alice.keys, "lost on the way")
      world.broker.storeQuietly(alice.keys.hex, sealFrame(alice.keys, utf8(canonical(lost))))
      const { length } = world.broker.asked
      bob.send(alice.keys, "last")
      await alice.showsText(bob.handle, "last")
      equals(await alice.texts(bob.handle), ["first", "lost on the way", "last"], "what is shown")
      holds(fetches(world.broker, length).length > 0, "the client did not fetch")
    }
  },
  {
    id: "boxes-apart",
    requirements: ["KEZ-SEQ-001", "KEZ-SEQ-004", "KEZ-SEQ-006"],
    why: "a frame that is missing in one box is fetched although the other box goes on",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      bob.send(alice.keys, "first")
      await alice.showsText(bob.handle, "first")
      const lost = bob.write(alice.keys, "lost on the way")
      world.broker.storeQuietly(alice.keys.hex, sealFrame(alice.keys, utf8(canonical(lost))))
      const { id } = await alice.send(alice.handle, "note")
      await alice.reaches(alice.handle, id, "stored")
      await stage.kill()
      await alice.showsText(bob.handle, "lost on the way")
    }
  },
  {
    id: "new-epoch",
    requirements: ["KEZ-SEQ-007", "KEZ-SEQ-016"],
    why: "the stream is made anew: the client begins at 0, and what comes again is not shown again",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const { broker } = world
      const envelopes = ["one", "two", "three"].map((text) => bob.send(alice.keys, text))
      await alice.showsText(bob.handle, "three")
      await alice.close()
      broker.renew()
      for (const envelope of envelopes) bob.deliver(alice.keys, envelope)
      bob.send(alice.keys, "four")
      await alice.open()
      await alice.showsText(bob.handle, "four")
      equals(await alice.texts(bob.handle), ["one", "two", "three", "four"], "what is shown")
    }
  },
  {
    id: "new-epoch-while-connected",
    requirements: ["KEZ-SEQ-007", "KEZ-SEQ-039"],
    why: "the stream is made anew under a client that stays connected: a number at or before its position makes it fetch",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      for (const text of ["one", "two", "three"]) bob.send(alice.keys, text)
      await alice.showsText(bob.handle, "three")
      world.broker.renew()
      const quiet = bob.write(alice.keys, "first of the new stream")
      world.broker.storeQuietly(alice.keys.hex, sealFrame(alice.keys, utf8(canonical(quiet))))
      bob.send(alice.keys, "second of the new stream")
      await alice.showsText(bob.handle, "second of the new stream")
      const expected = ["one", "two", "three", "first of the new stream", "second of the new stream"]
      equals(await alice.texts(bob.handle), expected, "what is shown")
    }
  },
  {
    id: "last-seq-went-back",
    requirements: ["KEZ-SEQ-007"],
    why: "a stream of the same epoch ends before the position: the client begins at 0",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const { broker } = world
      for (const text of ["one", "two", "three"]) bob.send(alice.keys, text)
      await alice.showsText(bob.handle, "three")
      await alice.close()
      const { epoch } = broker
      broker.renew()
      broker.epoch = epoch
      const envelope = bob.write(alice.keys, "in what was restored")
      broker.storeQuietly(alice.keys.hex, sealFrame(alice.keys, utf8(canonical(envelope))))
      await alice.open()
      await alice.showsText(bob.handle, "in what was restored")
    }
  },
  {
    id: "restored",
    requirements: ["KEZ-SEQ-010", "KEZ-DM-015", "KEZ-MNE-002", "KEZ-REG-022"],
    why: "an account that is restored from its words takes in all that the home still holds, own messages included",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      bob.send(alice.keys, "from bob")
      await alice.showsText(bob.handle, "from bob")
      const { id } = await alice.send(bob.handle, "from alice")
      await alice.reaches(bob.handle, id, "stored")
      await until(
        async () => {
          await alice.sync(500)
          return world.broker.frames.some(({ account, box }) => account === alice.keys.hex && box === "self")
        },
        (stored) => stored,
        "no own copy was stored"
      )
      await alice.close()
      const { length } = world.broker.asked
      const again = await stage.client("alice", alice.keys, "restored").open()
      await again.shows(bob.primary, (messages) => messages.length === 2, "the messages did not come back")
      equals(await again.texts(bob.primary), ["from bob", "from alice"], "what is shown")
      equals(afterOf(fetches(world.broker, length)[0]!), 0, "where the first fetch begins")
      equals((await again.contact(bob.primary))?.handle, bob.handle, "the handle of a contact that came back")
    }
  },
  {
    id: "killed-while-fetching",
    requirements: ["KEZ-SEQ-002", "KEZ-SEQ-033"],
    why: "a kill in the middle of many frames loses none and shows none twice",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      await alice.close()
      const texts = Array.from({ length: 300 }, (_, index) => `message ${index}`)
      for (const text of texts) bob.send(alice.keys, text)
      await alice.open()
      await until(
        () => fetches(world.broker).length,
        (length) => length > 1,
        "the client did not fetch"
      )
      await pause(20)
      await stage.kill()
      await alice.showsText(bob.handle, texts.at(-1)!)
      equals(await alice.texts(bob.handle), texts, "what is shown")
    }
  },
  {
    id: "foreign-stream",
    requirements: ["KEZ-NAT-035"],
    why: "live frames whose headers name another stream or subject, or none, are dropped",
    run: (stage) =>
      ignores(stage, ({ headers }, own, other) => [
        { headers: { ...headers, "Nats-Stream": "OTHER" } },
        { headers: { ...headers, "Nats-Subject": `kez.inbox.${other}` } },
        { headers: { ...headers, "Nats-Subject": `kez.self.${other}` } },
        { headers: { ...headers, "Nats-Subject": `kez.dlv.${own}` } },
        { headers: without(headers, "Nats-Stream") },
        { headers: without(headers, "Nats-Subject") },
        { headers: {} }
      ])
  },
  {
    id: "malformed-live",
    requirements: ["KEZ-NAT-036"],
    why: "live frames with numbers that are none end neither subscription nor connection",
    run: (stage) =>
      ignores(stage, ({ headers }) => [
        { headers: without(headers, "Nats-Sequence") },
        { headers: { ...headers, "Nats-Sequence": "-1" } },
        { headers: { ...headers, "Nats-Sequence": "1e3" } },
        { headers: { ...headers, "Nats-Sequence": "99999999999999999999" } },
        { headers: { ...headers, "Nats-Last-Sequence": "many" } },
        { headers: { ...headers, "Nats-Sequence": "" } }
      ])
  },
  {
    id: "held-frame-again",
    requirements: ["KEZ-SEQ-039", "KEZ-SEQ-016"],
    why: "a live frame that the client holds is dropped when it is delivered again",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      bob.send(alice.keys, "one")
      await alice.showsText(bob.handle, "one")
      const stored = world.broker.frames.at(-1)!
      for (let time = 0; time < 5; time++) world.broker.deliver(stored)
      bob.send(alice.keys, "two")
      await alice.showsText(bob.handle, "two")
      equals(await alice.texts(bob.handle), ["one", "two"], "what is shown")
    }
  },
  {
    id: "eight-fetches",
    requirements: ["KEZ-NAT-054"],
    why: "a home that answers no fetch has no more than 8 of them without an answer",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      await alice.sync()
      world.broker.answers.fetch = () => "silent"
      const { length } = world.broker.asked
      for (let index = 0; index < 20; index++) {
        const envelope = bob.write(alice.keys, `lost ${index}`)
        world.broker.storeQuietly(alice.keys.hex, sealFrame(alice.keys, utf8(canonical(envelope))))
        bob.send(alice.keys, `seen ${index}`)
      }
      await alice.sync(1_500)
      const open = fetches(world.broker, length)
      holds(open.length > 0, "the client did not fetch")
      holds(open.length <= 8, "more than 8 fetches are without an answer", open.length)
    }
  }
])
