/** Frames as others put them into the client's inbox: sealed again, addressed to somebody else, damaged, repeated. */
import { randomBytes } from "node:crypto"
import { concat, u8, utf8 } from "../../crypto/Bytes.ts"
import { canonical } from "../../crypto/Canonical.ts"
import type { Reader } from "../../crypto/Keys.ts"
import { pad, sealFrame } from "../../crypto/Messages.ts"
import { equals, holds } from "../../Expect.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"
import type { Person } from "../../world/Person.ts"

/** What arrives; `alice` is the reader, `bob` her contact, and `mallory` anybody. */
interface Parts {
  readonly alice: Reader
  readonly bob: Person
  readonly mallory: Person
  readonly carol: Person
}

interface Hostile {
  readonly id: string
  readonly requirements: ReadonlyArray<string>
  readonly why: string
  readonly frames: (parts: Parts) => ReadonlyArray<Uint8Array>
}

const sealed = (reader: Reader, envelope: unknown): Uint8Array => sealFrame(reader, utf8(canonical(envelope)))
const evil = "this must not be shown"

/** Frames of which nothing may be shown, whether they come live or in a page. */
const unshown: ReadonlyArray<Hostile> = [
  {
    id: "not-a-frame",
    requirements: ["KEZ-DM-013", "KEZ-SEQ-019", "KEZ-NAT-036"],
    why: "bytes that are no frame: too short, of another version, not sealed for this key, damaged",
    frames: ({ alice, bob }) => {
      const frame = sealed(alice, bob.write(alice, evil))
      return [
        new Uint8Array([1]),
        randomBytes(49),
        randomBytes(600),
        concat(u8(2), frame.subarray(1)),
        concat(u8(1), new Uint8Array(32), frame.subarray(33)),
        concat(frame.subarray(0, -1), u8(frame.at(-1)! ^ 1)),
        sealed(bob.keys, bob.write(alice, evil))
      ]
    }
  },
  {
    id: "not-an-envelope",
    requirements: ["KEZ-SIG-001", "KEZ-CAN-005", "KEZ-CAN-006", "KEZ-SEQ-019"],
    why: "what is sealed is no JSON, no object, no envelope, or names a member twice",
    frames: ({ alice, bob }) => {
      const text = canonical(bob.write(alice, evil))
      return [
        "",
        "null",
        "[]",
        "{}",
        "hello",
        `\u{feff}${text}`,
        `${text}x`,
        text.replace("{", '{"kez":"chat_message",')
      ]
        .map(utf8)
        .concat([randomBytes(100)])
        .map((bytes) => sealFrame(alice, bytes))
    }
  },
  {
    id: "other-kinds",
    requirements: ["KEZ-SIG-003", "KEZ-SIG-004", "KEZ-SIG-005", "KEZ-SIG-006"],
    why: "statements of bob that are no messages, and messages of another version",
    frames: ({ alice, bob }) => {
      const message = bob.write(alice, evil)
      return [
        bob.registration(),
        bob.chain[0],
        { ...message, kez: "claim" },
        bob.keys.sign("chat_message", { ...message.payload, version: 2 }),
        bob.keys.sign("chat_message", { ...message.payload, version: "1" }),
        bob.keys.sign("chat_message", { ...message.payload, type: "kez.claim" })
      ].map((envelope) => sealed(alice, envelope))
    }
  },
  {
    id: "forged-author",
    requirements: ["KEZ-SIG-005", "KEZ-SIG-011", "KEZ-SEQ-013"],
    why: "mallory writes in bob's name: under her own signature, under a damaged one of bob's, and under one for another text",
    frames: ({ alice, bob, mallory }) => {
      const message = bob.write(alice, "an honest message")
      const other = bob.write(alice, "another honest message")
      const hers = mallory.keys.sign("chat_message", { ...mallory.write(alice, evil).payload, from: bob.primary })
      return [
        hers,
        { ...hers, signature: { ...hers.signature, key: bob.primary } },
        { ...message, payload: { ...message.payload, created_at: "2026-01-01T00:00:00Z" } },
        { ...message, payload: { ...message.payload, id: other.payload["id"] } },
        { ...message, signature: other.signature },
        { ...message, payload: { ...message.payload, extra: 1 } },
        { ...message, extra: 1 }
      ].map((envelope) => sealed(alice, envelope))
    }
  },
  {
    id: "readdressed",
    requirements: ["KEZ-SEQ-014", "KEZ-DM-011"],
    why: "carol seals to alice what bob wrote to carol, and what carol wrote to bob",
    frames: ({ alice, bob, carol }) => [
      sealed(alice, bob.write(carol.keys, evil)),
      sealed(alice, carol.write(bob.keys, evil))
    ]
  },
  {
    id: "undecryptable",
    requirements: ["KEZ-DM-007", "KEZ-DM-008", "KEZ-SEQ-019"],
    why: "bob signs what was encrypted for carol, under another salt, another id, or not at all",
    frames: ({ alice, bob, carol }) => {
      const { payload } = bob.write(alice, evil)
      const forCarol = bob.write(carol.keys, evil).payload
      return [
        { ...payload, ciphertext: forCarol["ciphertext"] },
        { ...payload, salt: forCarol["salt"] },
        { ...payload, id: forCarol["id"] },
        { ...payload, seq: 4711 },
        { ...payload, extra: 1 },
        { ...payload, ciphertext: randomBytes(100).toString("base64url") }
      ].map((members) => sealed(alice, bob.keys.sign("chat_message", members)))
    }
  },
  {
    id: "malformed-message",
    requirements: ["KEZ-DM-001", "KEZ-DM-002", "KEZ-CAN-002", "KEZ-CAN-003"],
    why: "messages that lack a member or have one of another form",
    frames: ({ alice, bob }) =>
      [
        { id: "short" },
        { id: undefined },
        { device: "x".repeat(22) + "=" },
        { created_at: "yesterday" },
        { created_at: "2026-02-30T00:00:00Z" },
        { seq: -1 },
        { seq: "0" },
        { seq: undefined },
        { prev: "sha256:00" },
        { salt: "AAAA" },
        { to: "alice@home.test" }
      ].map((change) => sealed(alice, bob.write(alice, evil, { payload: change })))
  },
  {
    id: "bad-padding",
    requirements: ["KEZ-DM-009", "KEZ-DM-010"],
    why: "a padding with a byte that is not zero, of another length, and a length that is 0 or beyond the plaintext",
    frames: ({ alice, bob }) => {
      const plain = pad(utf8(canonical({ type: "text", text: evil, chain: bob.head })))
      const withLength = (length: number) => {
        const copy = Buffer.from(plain)
        copy.writeUInt32BE(length)
        return copy
      }
      const dirty = Buffer.from(plain)
      dirty[dirty.length - 1] = 1
      return [
        dirty,
        concat(plain, new Uint8Array(32)),
        withLength(0),
        withLength(plain.length),
        withLength(2 ** 31)
      ].map((plaintext) => sealed(alice, bob.write(alice, "", { plaintext })))
    }
  },
  {
    id: "malformed-body",
    requirements: ["KEZ-DM-018", "KEZ-DM-019", "KEZ-DM-021", "KEZ-DM-022"],
    why: "bodies that are no canonical JSON, have no chain, or whose text is empty or no string",
    frames: ({ alice, bob }) => {
      const chain = canonical(bob.head)
      const raw = [
        "hello",
        `{"text":"${evil}","type":"text","chain":${chain}}`,
        `{"chain":${chain}, "text":"${evil}","type":"text"}`,
        `{"chain":${chain},"text":"${evil}","text":"${evil}","type":"text"}`,
        `{"chain":${chain},"text":"\\ud800","type":"text"}`,
        `{"chain":${chain},"__proto__":1,"text":"${evil}","type":"text"}`,
        `{"chain":${chain},"n":1.5,"text":"${evil}","type":"text"}`,
        `{"chain":${chain},"n":${"[".repeat(40)}${"]".repeat(40)},"text":"${evil}","type":"text"}`
      ].map((text) => sealed(alice, bob.write(alice, "", { plaintext: pad(utf8(text)) })))
      const bodies = [
        { chain: undefined },
        { chain: { seq: 0 } },
        { chain: { seq: -1, hash: bob.head.hash } },
        { type: undefined },
        { type: "" },
        { text: "" },
        { text: 1 },
        { text: null },
        { fallback: 1 }
      ].map((body) => sealed(alice, bob.write(alice, evil, { body })))
      return [...raw, ...bodies]
    }
  }
]

/** Delivers the frames one way, and says what is shown after a last honest message. */
const play = async (stage: Stage, { frames }: Hostile, way: "live" | "fetched"): Promise<void> => {
  const { alice, bob, world } = await stage.pair()
  const mallory = world.person("mallory")
  const carol = world.person("carol")
  bob.send(alice.keys, "before")
  await alice.showsText(bob.handle, "before")
  const all = frames({ alice: alice.keys, bob, mallory, carol })
  for (const frame of all)
    if (way === "live") world.broker.store(alice.keys.hex, frame)
    else world.broker.storeQuietly(alice.keys.hex, frame)
  bob.send(alice.keys, "after")
  await alice.showsText(bob.handle, "after")
  equals(await alice.texts(bob.handle), ["before", "after"], "what is shown of bob")
  for (const one of [mallory, carol]) equals(await alice.texts(one.primary), [], `what is shown of ${one.local}`)
  const known = (await alice.contacts()).map(({ primary }) => primary)
  equals(known, [bob.primary], "the contacts and requests")
  // The position is past all of them: nothing of it is asked for again. The first fetch may be after the position of the
  // other box, which lags where frames came live (KEZ-SEQ-004); its page raises both.
  const { length } = world.broker.asked
  for (let time = 0; time < 2; time++) {
    await alice.close()
    await alice.open()
    await alice.sync()
  }
  const fetch = world.broker.asked.slice(length).findLast(({ kind }) => kind === "fetch")
  const { seq } = world.broker.frames.find(({ frame }) => frame === all[0]) ?? { seq: 0 }
  holds(Number(fetch?.ask["after"]) > seq, "the position did not move past a frame that can never be read", fetch?.ask)
}

export const frames = group("frames", [
  ...unshown.flatMap((one) =>
    (["live", "fetched"] as const).map((way) => ({
      id: `${one.id}-${way}`,
      requirements: one.requirements,
      why: `${one.why} (${way === "live" ? "as they are delivered" : "in a page"})`,
      run: (stage: Stage) => play(stage, one, way)
    }))
  ),
  {
    id: "replayed",
    requirements: ["KEZ-SEQ-015", "KEZ-SEQ-016"],
    why: "one envelope is delivered many times: the same frame, sealed again by others, and in the other box",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const envelope = bob.send(alice.keys, "once")
      await alice.showsText(bob.handle, "once")
      const { frame } = world.broker.frames.at(-1)!
      world.broker.store(alice.keys.hex, frame)
      bob.deliver(alice.keys, envelope)
      bob.deliver(alice.keys, envelope, "self")
      world.broker.storeQuietly(alice.keys.hex, frame)
      bob.send(alice.keys, "last")
      const messages = await alice.showsText(bob.handle, "last")
      equals(
        messages.map(({ equivocation, text }) => [text, equivocation]),
        [
          ["once", undefined],
          ["last", undefined]
        ],
        "what is shown"
      )
    }
  },
  {
    id: "replayed-after-restart",
    requirements: ["KEZ-SEQ-015", "KEZ-SEQ-016"],
    why: "an envelope that was shown before a kill is delivered again after it",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      const envelope = bob.send(alice.keys, "once")
      await alice.showsText(bob.handle, "once")
      await stage.kill()
      bob.deliver(alice.keys, envelope)
      bob.send(alice.keys, "last")
      await alice.showsText(bob.handle, "last")
      equals(await alice.texts(bob.handle), ["once", "last"], "what is shown")
    }
  },
  {
    id: "equivocation",
    requirements: ["KEZ-SEQ-017"],
    why: "a second envelope with the id of the first does not replace it, and the first is marked",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      const { payload } = bob.send(alice.keys, "I owe you 100")
      await alice.showsText(bob.handle, "I owe you 100")
      bob.send(alice.keys, "I owe you 10", { payload: { id: payload["id"] } })
      bob.send(alice.keys, "last")
      const messages = await alice.showsText(bob.handle, "last")
      equals(
        messages.map(({ equivocation, text }) => [text, equivocation]),
        [
          ["I owe you 100", true],
          ["last", undefined]
        ],
        "what is shown"
      )
    }
  },
  {
    id: "same-id-elsewhere",
    requirements: ["KEZ-SEQ-018"],
    why: "mallory takes the id of bob's message: hers is another message",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const mallory = world.person("mallory")
      await alice.add(mallory.handle)
      const { payload } = bob.send(alice.keys, "from bob")
      mallory.send(alice.keys, "from mallory", { payload: { id: payload["id"] } })
      const shown = await alice.showsText(mallory.handle, "from mallory")
      equals(await alice.texts(bob.handle), ["from bob"], "what is shown of bob")
      holds(shown[0]?.equivocation === undefined, "the message of another author is shown as equivocation", shown)
    }
  },
  {
    id: "fork",
    requirements: ["KEZ-SEQ-024"],
    why: "two envelopes with one place in the count of a device are both shown, the second as a fork",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      bob.send(alice.keys, "one", { payload: { seq: 0 } })
      bob.send(alice.keys, "other", { payload: { seq: 0 } })
      const messages = await alice.showsText(bob.handle, "other")
      equals(
        messages.map(({ fork, text }) => [text, fork]),
        [
          ["one", undefined],
          ["other", true]
        ],
        "what is shown"
      )
    }
  },
  {
    id: "gap",
    requirements: ["KEZ-SEQ-025", "KEZ-SEQ-022"],
    why: "a message that is held back leaves a visible gap; it is shown where it comes, and the mark stays",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      bob.send(alice.keys, "first")
      const held = [bob.write(alice.keys, "second"), bob.write(alice.keys, "third")]
      bob.send(alice.keys, "fourth")
      await alice.showsText(bob.handle, "fourth")
      for (const envelope of held) bob.deliver(alice.keys, envelope)
      const messages = await alice.showsText(bob.handle, "third")
      equals(
        messages.map(({ gap, text }) => [text, gap]),
        [
          ["first", undefined],
          ["fourth", 2],
          ["second", undefined],
          ["third", undefined]
        ],
        "what is shown"
      )
    }
  },
  {
    id: "suspicious-clock",
    requirements: ["KEZ-SEQ-022", "KEZ-SEQ-023"],
    why: "messages of clocks that are off are kept, marked, and stand where they came",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const at = (seconds: number) => ({
        payload: { created_at: `${new Date(world.now() + seconds * 1_000).toISOString().slice(0, 19)}Z` }
      })
      bob.send(alice.keys, "late", at(20 * 60))
      bob.send(alice.keys, "fine", at(5 * 60))
      bob.send(alice.keys, "old", at(-31 * 86_400))
      const messages = await alice.showsText(bob.handle, "old")
      equals(
        messages.map(({ suspicious, text }) => [text, suspicious]),
        [
          ["late", true],
          ["fine", undefined],
          ["old", true]
        ],
        "what is shown"
      )
    }
  }
])
