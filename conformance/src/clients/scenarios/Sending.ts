/** What a client sends, in what form, and what it makes of the broker's answers. */
import { canonical } from "../crypto/Canonical.ts"
import { hashOf, isSigned } from "../crypto/Keys.ts"
import type { Client } from "../Client.ts"
import { equals, holds, pause, until } from "../Expect.ts"
import { group } from "../Scenario.ts"
import type { Stage } from "../Stage.ts"
import type { Asked } from "../world/Broker.ts"
import type { Person } from "../world/Person.ts"
import type { World } from "../world/World.ts"

/** Less than any client waits for an answer before it sends again. */
const shortMillis = 2_000

/** The sends to bob's inbox. */
export const toBob = (world: World, bob: Person) => world.broker.of("send", bob.keys.hex)

/** Every attempt at one message has the same bytes under the same `Kez-Id`. */
const identical = (attempts: ReadonlyArray<Asked>): void => {
  const forms = new Set(attempts.map(({ kezId, payload }) => `${kezId} ${Buffer.from(payload).toString("base64url")}`))
  equals(forms.size, 1, `how many forms ${attempts.length} attempts at one frame have`)
}

/** Has the broker answer sends to bob in a way of its own until the returned function is called. */
export const answering = (
  world: World,
  bob: Person,
  answer: (usual: () => Uint8Array) => Uint8Array | object | string
) => {
  world.broker.answers.send = (asked, usual) => (asked.account === bob.keys.hex ? answer(usual) : usual())
  return () => void delete world.broker.answers.send
}

/** The broker answers otherwise at first, and then as it must: the message is sent again, and stored. */
const recovers = async (
  stage: Stage,
  answer: (usual: () => Uint8Array) => Uint8Array | object | string,
  options: { readonly reason?: string; readonly holdMillis?: number } = {}
): Promise<void> => {
  const { alice, bob, world } = await stage.pair()
  const restore = answering(world, bob, answer)
  const { id } = await alice.send(bob.handle, "patience")
  await until(
    async () => {
      await alice.sync(500)
      return toBob(world, bob).length
    },
    (length) => length > 0,
    "the message was not sent"
  )
  await pause(options.holdMillis ?? 300)
  const [message] = await alice.messages(bob.handle)
  equals(message?.state, "queued", "the state of a message that the broker did not take")
  if (options.reason !== undefined)
    await alice.shows(
      bob.handle,
      ([first]) => first?.reason === options.reason,
      `the reason ${options.reason} is not shown with the message`
    )
  restore()
  await alice.close()
  await alice.open()
  await alice.reaches(bob.handle, id, "stored")
  identical(toBob(world, bob))
  equals(bob.texts, ["patience"], "what bob received")
}

/** The broker refuses for good: the message fails and is not sent again. */
const fails = async (stage: Stage, code: string): Promise<void> => {
  const { alice, bob, world } = await stage.pair()
  const restore = answering(world, bob, () => ({ e: code }))
  const { id } = await alice.send(bob.handle, "in vain")
  const { reason } = await alice.reaches(bob.handle, id, "failed")
  holds(reason !== undefined, "a message that failed is shown without a reason")
  restore()
  await alice.close()
  await alice.open()
  await alice.sync()
  const next = await alice.send(bob.handle, "next")
  await alice.reaches(bob.handle, next.id, "stored")
  equals(bob.texts, ["next"], "what bob received")
}

/** Answers that are none: the message stays queued (KEZ-NAT-067). */
const noAnswers: Readonly<Record<string, Uint8Array | string | object>> = {
  empty: "",
  text: "OK",
  "ok-2": { ok: 2 },
  "ok-true": { ok: true },
  "ok-string": { ok: "1" },
  array: [],
  "unknown-code": { e: "nonsense" },
  "code-number": { e: 1 },
  "two-values": '{"ok":1}{"ok":1}',
  "twice-named": '{"ok":1,"ok":1}',
  float: '{"ok":1.0}',
  "byte-order-mark": '\u{feff}{"ok":1}',
  "too-long": `{"ok":1,"pad":"${"x".repeat(300)}"}`
}

export const sending = group("sending", [
  {
    id: "both-ways",
    requirements: ["KEZ-DM-006", "KEZ-DM-011", "KEZ-SEQ-031", "KEZ-NAT-005"],
    why: "a message each way is shown and stored, and the client keeps to its subjects",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      bob.send(alice.keys, "hello alice")
      await alice.showsText(bob.handle, "hello alice")
      const { id } = await alice.send(bob.handle, "hello bob")
      await alice.reaches(bob.handle, id, "stored")
      equals(bob.texts, ["hello bob"], "what bob received")
      equals(world.broker.violations, [], "what the client did outside of its rights")
    }
  },
  {
    id: "form",
    requirements: ["KEZ-DM-001", "KEZ-DM-003", "KEZ-DM-014", "KEZ-DM-018", "KEZ-DM-019", "KEZ-SEQ-011", "KEZ-DM-004"],
    why: "envelopes and bodies are canonical, name the own chain, and count from 0 without a gap over a restart",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const texts = ["one", "two", "three", "four"]
      for (const text of texts) {
        if (text === "three") await stage.kill()
        const { id } = await alice.send(bob.handle, text)
        await alice.reaches(bob.handle, id, "stored")
      }
      const sent = bob.received
      equals(
        sent.map(({ body }) => body["text"]),
        texts,
        "what bob received"
      )
      for (const { body, bodyText, envelope, text } of sent) {
        equals(text, canonical(envelope), "the sealed bytes")
        equals(bodyText, canonical(body), "the body")
        holds(isSigned(envelope), "the signature does not verify", envelope)
        equals(body["chain"], headIn(world, alice), "the member chain")
        const { device, from, id, to, type, version } = envelope.payload
        equals([type, version, from, to], ["kez.chat.message", 1, alice.primary, bob.primary], "type and addresses")
        for (const value of [id, device])
          holds(/^[A-Za-z0-9_-]{22}$/.test(String(value)), "an id is not 16 bytes of base64url", value)
      }
      const payloads = sent.map(({ envelope }) => envelope.payload)
      equals(
        payloads.map(({ seq }) => seq),
        [0, 1, 2, 3],
        "the seq of the messages"
      )
      for (const name of ["id", "salt", "ciphertext"])
        equals(new Set(payloads.map((payload) => payload[name])).size, 4, `how many different ${name} there are`)
      equals(new Set(payloads.map(({ device }) => device)).size, 1, "how many devices one installation has")
    }
  },
  {
    id: "prev",
    requirements: ["KEZ-SEQ-012"],
    why: "`prev` names the newest message of the conversation, and no receipt",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      const first = bob.send(alice.keys, "first")
      await alice.showsText(bob.handle, "first")
      const { id } = await alice.send(bob.handle, "second")
      await alice.reaches(bob.handle, id, "stored")
      bob.receipt(alice.keys, "delivered", [id])
      await alice.reaches(bob.handle, id, "delivered")
      const next = await alice.send(bob.handle, "third")
      await alice.reaches(bob.handle, next.id, "stored")
      const [second, third] = bob.received.filter(({ body }) => body["type"] === "text")
      equals(second?.envelope.payload["prev"], hashOf(first), "prev of the answer")
      equals(third?.envelope.payload["prev"], hashOf(second!.envelope), "prev of the message after it")
    }
  },
  {
    id: "large",
    requirements: ["KEZ-DM-009", "KEZ-DM-012"],
    why: "a body of nearly 40,960 bytes fits a frame; a longer one is refused before it is queued",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const text = "ä".repeat(20_300)
      const { id } = await alice.send(bob.handle, text)
      await alice.reaches(bob.handle, id, "stored")
      equals(bob.texts, [text], "what bob received")
      for (const { payload } of world.broker.of("send"))
        holds(payload.length <= 65_536, "a frame is longer than 65,536 bytes", payload.length)
      await alice.refuses("client.send", { who: bob.handle, text: "ä".repeat(20_600) }, "message_too_large")
    }
  },
  {
    id: "blank",
    requirements: ["KEZ-DM-021", "KEZ-DM-036"],
    why: "a text that shows nothing is not sent: white space, control characters, characters without a sign",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      for (const text of ["", "   \n\t", "\u{200b}\u{2060}", "\u{ad}\u{200e}", "\u{0}\u{7}"])
        await alice.refuses("client.send", { who: bob.handle, text })
      await alice.sync()
      equals(toBob(world, bob).length, 0, "how many frames were sent")
    }
  },
  {
    id: "window",
    requirements: ["KEZ-NAT-054"],
    why: "a broker that takes frames and answers none has no more than 64 of them without an answer",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const people = [bob, ...["carol", "dave", "erin", "frank", "grace"].map((name) => world.person(name))]
      for (const person of people.slice(1)) await alice.add(person.handle)
      world.broker.answers.send = () => "silent"
      for (let index = 0; index < 80; index++) await alice.send(people[index % people.length]!.handle, `text ${index}`)
      await alice.sync(1_500)
      const sends = world.broker.of("send").map(({ at }) => at)
      // A send that was not answered for long is given up and made again: only those of a short time are open together.
      const open = sends.map((at) => sends.filter((other) => other >= at && other < at + shortMillis).length)
      holds(Math.max(0, ...open) <= 64, "more than 64 sends are without an answer", Math.max(0, ...open))
      holds(sends.length > 0, "nothing was sent")
    }
  },
  {
    id: "queued-offline",
    requirements: ["KEZ-SEQ-033", "KEZ-SEQ-031", "KEZ-NAT-007"],
    why: "what is written while nobody can be reached is queued, survives a kill, and goes out once when they can",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      world.isUp = false
      const { id } = await alice.send(bob.handle, "from the tunnel")
      await alice.sync(500)
      equals((await alice.messages(bob.handle))[0]?.state, "queued", "the state of a message that nobody took")
      await stage.kill()
      equals(await alice.texts(bob.handle), ["from the tunnel"], "what is shown after the kill")
      world.isUp = true
      await alice.reaches(bob.handle, id, "stored")
      equals(bob.texts, ["from the tunnel"], "what bob received")
    }
  },
  {
    id: "stored-without-answer",
    requirements: ["KEZ-DM-016", "KEZ-NAT-026", "KEZ-NAT-027", "KEZ-SEQ-031"],
    why: "the broker stores a frame and the connection breaks before its answer: the same bytes are sent again",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      let cuts = 2
      world.broker.answers.send = (asked, usual) => {
        const answer = usual()
        if (asked.account !== bob.keys.hex || cuts-- <= 0) return answer
        for (const peer of world.broker.nats.of(alice.keys.hex)) peer.drop()
        return "silent"
      }
      const { id } = await alice.send(bob.handle, "once")
      await alice.reaches(bob.handle, id, "stored")
      const attempts = toBob(world, bob)
      holds(attempts.length >= 3, "the frame was not sent again", attempts.length)
      identical(attempts)
      equals(bob.texts, ["once"], "what bob received")
    }
  },
  {
    id: "killed-without-answer",
    requirements: ["KEZ-DM-016", "KEZ-NAT-026", "KEZ-SEQ-033"],
    why: "the client is killed between the broker's store and its answer: the same bytes are sent again",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      world.broker.answers.send = (asked, usual) => (usual(), "silent")
      const { id } = await alice.send(bob.handle, "once")
      await until(
        async () => {
          await alice.sync(300)
          return toBob(world, bob).length
        },
        (length) => length > 0,
        "nothing was sent"
      )
      delete world.broker.answers.send
      await stage.kill()
      await alice.reaches(bob.handle, id, "stored")
      holds(toBob(world, bob).length >= 2, "the frame was not sent again")
      identical(toBob(world, bob))
      equals(bob.texts, ["once"], "what bob received")
    }
  },
  {
    id: "no-answer",
    requirements: ["KEZ-NAT-027", "KEZ-SEQ-031"],
    why: "the broker takes a frame and says nothing: it stays queued and is sent again",
    run: (stage) => recovers(stage, () => "silent", { holdMillis: 1_000 })
  },
  ...["full", "slow"].map((code) => ({
    id: `refused-${code}`,
    requirements: ["KEZ-NAT-027", "KEZ-NAT-056"],
    why: `the home answers ${code}: the message stays queued, with the reason`,
    run: (stage: Stage) => recovers(stage, () => ({ e: code, future: [1] }), { reason: code })
  })),
  {
    id: "refused-retry",
    requirements: ["KEZ-NAT-027"],
    why: "the home could not store a frame just now: it stays queued and is sent again",
    run: (stage) => recovers(stage, () => ({ e: "retry" }))
  },
  ...["unknown", "bad", "size"].map((code) => ({
    id: `refused-${code}`,
    requirements: ["KEZ-NAT-027"],
    why: `the home answers ${code}: the message fails, is not sent again, and holds up no other`,
    run: (stage: Stage) => fails(stage, code)
  })),
  {
    id: "refused-until",
    requirements: ["KEZ-NAT-055", "KEZ-NAT-056"],
    why: "a refusal names a time: nothing is sent to that inbox again before it",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const at = `${new Date(Math.ceil(world.now() / 1_000) * 1_000 + 86_400_000).toISOString().slice(0, 19)}Z`
      answering(world, bob, () => ({ e: "slow", at }))
      await alice.send(bob.handle, "tomorrow")
      await alice.shows(bob.handle, ([first]) => first?.reason === "slow", "the reason slow is not shown")
      const { length } = toBob(world, bob)
      await pause(2_000)
      holds(toBob(world, bob).length <= length + 1, "the message is sent again and again", toBob(world, bob).length)
    }
  },
  {
    id: "more-members",
    requirements: ["KEZ-NAT-056", "KEZ-NAT-067"],
    why: "further members of an `ok` are ignored",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      answering(world, bob, () => ({ ok: 1, at: "2026-01-01T00:00:00Z", future: { deep: [1] } }))
      const { id } = await alice.send(bob.handle, "fine")
      await alice.reaches(bob.handle, id, "stored")
    }
  },
  {
    id: "forged-acceptance",
    requirements: ["KEZ-NAT-103"],
    why: "a message whose acceptance does not verify is stored all the same, and not sent again",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const answer = { ok: 1, at: "2026-01-01T00:00:00Z", sig: "A".repeat(86) }
      answering(world, bob, (usual) => (usual(), answer))
      const { id } = await alice.send(bob.handle, "fine")
      await alice.reaches(bob.handle, id, "stored")
      equals(bob.texts, ["fine"], "what bob received")
      equals(toBob(world, bob).length, 1, "how often it was sent")
    }
  },
  ...Object.entries(noAnswers).map(([id, answer]) => ({
    id: `answer-${id}`,
    requirements: ["KEZ-NAT-067", "KEZ-SEQ-031"],
    why: "an answer that is none leaves the message queued",
    run: (stage: Stage) => recovers(stage, (usual) => (usual(), answer))
  })),
  {
    id: "one-full-inbox",
    requirements: ["KEZ-NAT-027"],
    why: "a contact whose inbox is full holds up no message to others",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const carol = world.person("carol")
      await alice.add(carol.handle)
      answering(world, bob, () => ({ e: "full" }))
      await alice.send(bob.handle, "waits")
      const { id } = await alice.send(carol.handle, "goes")
      await alice.reaches(carol.handle, id, "stored")
      equals(carol.texts, ["goes"], "what carol received")
    }
  }
])

const headIn = (world: World, { keys }: Client) => {
  const chain = world.sig.chains.get(keys.hex) ?? []
  return { hash: hashOf(chain.at(-1)!), seq: chain.length - 1 }
}
