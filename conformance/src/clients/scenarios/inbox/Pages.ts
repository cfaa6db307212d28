/** Pages that are malformed, of others, or no pages at all, and what a client makes of them. */
import { randomBytes } from "node:crypto"
import { concat, utf8 } from "../../crypto/Bytes.ts"
import { canonical } from "../../crypto/Canonical.ts"
import { sealFrame } from "../../crypto/Messages.ts"
import { equals, holds, pause } from "../../Expect.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"
import type { Asked, Broker } from "../../world/Broker.ts"
import type { Person } from "../../world/Person.ts"
import { fetched, fetches } from "./Fetches.ts"

/** Another answer to fetches, while messages wait that only a fetch brings; then the right one. */
const survives = async (
  stage: Stage,
  answer: (asked: Asked, usual: () => Uint8Array, broker: Broker, bob: Person) => Uint8Array | object | string,
  wrongAnswers = 2
): Promise<void> => {
  const { alice, bob, world } = await stage.pair()
  const { broker } = world
  await alice.sync()
  let wrong = wrongAnswers
  broker.answers.fetch = (asked, usual) => (wrong-- > 0 ? answer(asked, usual, broker, bob) : usual())
  broker.storeQuietly(alice.keys.hex, sealFrame(alice.keys, utf8(canonical(bob.write(alice.keys, "kept")))))
  bob.send(alice.keys, "live")
  await alice.shows(
    bob.handle,
    (messages) => messages.length === 2,
    "the messages are not shown once the home answers right",
    60_000
  )
  equals(await alice.texts(bob.handle), ["kept", "live"], "what is shown")
  await alice.close()
  await alice.open()
  await alice.sync()
  equals(await alice.texts(bob.handle), ["kept", "live"], "what is shown after a restart")
}

type Answer = Parameters<typeof survives>[1]

const wrongPages: ReadonlyArray<{ readonly id: string; readonly why: string; readonly answer: Answer }> = [
  {
    id: "other-account",
    why: "a page of another account, as a home that mixes up mailboxes would send",
    answer: (asked, _, broker, bob) => broker.page(asked, { account: bob.keys.hex })
  },
  {
    id: "other-nonce",
    why: "a page with another `n`, as of an earlier request",
    answer: (asked, _, broker) => broker.page(asked, { n: randomBytes(16), frames: [] })
  }
]

const malformedPages: ReadonlyArray<{ readonly id: string; readonly why: string; readonly answer: Answer }> = [
  { id: "empty", why: "no byte at all", answer: () => new Uint8Array(0) },
  { id: "short", why: "a page cut off in a frame", answer: (_, usual) => usual().subarray(0, -1) },
  { id: "long", why: "a page with a byte too many", answer: (_, usual) => concat(usual(), randomBytes(1)) },
  {
    id: "version",
    why: "a page of another version",
    answer: (_, usual) => concat(Uint8Array.of(2), usual().subarray(1))
  },
  {
    id: "count",
    why: "a page that counts more frames than it holds",
    answer: (_, usual) => {
      const page = Buffer.from(usual())
      page.writeUInt16BE(page.readUInt16BE(77) + 1, 77)
      return page
    }
  },
  {
    id: "descending",
    why: "a page whose frames do not ascend",
    answer: (asked, _, broker) => broker.page(asked, { frames: broker.frames.toReversed() })
  },
  {
    id: "repeated-seq",
    why: "a page with one number twice",
    answer: (asked, _, broker) => broker.page(asked, { frames: broker.frames.flatMap((frame) => [frame, frame]) })
  },
  {
    id: "beyond-last",
    why: "a page with a frame beyond its `last_seq`",
    answer: (asked, _, broker) => broker.page(asked, { lastSeq: 0 })
  },
  {
    id: "huge-seq",
    why: "a page with a number above 2^53 - 1",
    answer: (_, usual) => {
      const page = Buffer.from(usual())
      page.writeBigUInt64BE(2n ** 63n, 65)
      return page
    }
  },
  { id: "text", why: "text instead of a page", answer: () => "hello" },
  { id: "unknown-code", why: "a refusal with an unknown code", answer: () => ({ e: "nonsense" }) },
  { id: "ok", why: '`{"ok":1}` instead of a page', answer: () => ({ ok: 1 }) },
  { id: "slow", why: "`slow`: too many fetches", answer: () => ({ e: "slow" }) },
  { id: "retry", why: "`retry`: not just now", answer: () => ({ e: "retry" }) },
  { id: "silent", why: "no answer", answer: () => "silent" }
]

export const pages = group("pages", [
  ...wrongPages.map(({ answer, id, why }) => ({
    id: id,
    requirements: ["KEZ-NAT-031"],
    why,
    run: (stage: Stage) => survives(stage, answer)
  })),
  ...malformedPages.map(({ answer, id, why }) => ({
    id: id,
    requirements: /unknown|ok|slow|retry|silent|text/.test(id) ? ["KEZ-NAT-067"] : ["KEZ-NAT-030"],
    why,
    run: (stage: Stage) => survives(stage, answer, id === "silent" ? 1 : 2)
  })),
  {
    id: "pending-without-frames",
    requirements: ["KEZ-SEQ-075"],
    why: "a page has no frames and says that more is pending: the client does not ask again and again",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const { broker } = world
      await alice.sync()
      broker.answers.fetch = (asked) => broker.page(asked, { frames: [], pending: 3 })
      broker.storeQuietly(alice.keys.hex, sealFrame(alice.keys, utf8(canonical(bob.write(alice.keys, "pending")))))
      broker.nats.dropAll()
      const { length } = broker.asked
      await fetched(alice, broker, length)
      await pause(2_000)
      const asked = fetches(broker, length).length
      // One after it logged in, and one for each sync.
      holds(asked <= 5, "the client asks again and again for what it does not get", asked)
      delete broker.answers.fetch
      await alice.showsText(bob.handle, "pending")
    }
  },
  {
    id: "of-others-shows-nothing",
    requirements: ["KEZ-NAT-031"],
    why: "a page under another account's name brings no frame, even one that would open",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const { broker } = world
      await alice.sync()
      broker.answers.fetch = (asked) => broker.page(asked, { account: bob.keys.hex })
      const envelope = bob.write(alice.keys, "in the wrong page")
      broker.storeQuietly(alice.keys.hex, sealFrame(alice.keys, utf8(canonical(envelope))))
      broker.nats.dropAll()
      const { length } = broker.asked
      await fetched(alice, broker, length)
      await alice.sync(1_000)
      equals(await alice.texts(bob.handle), [], "what is shown")
    }
  }
])
