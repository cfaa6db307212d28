/** Message requests, blocks, and what others claim about them. */
import type { Contact } from "../Client.ts"
import { equals, holds, until } from "../Expect.ts"
import { Keys } from "../crypto/Keys.ts"
import { group } from "../Scenario.ts"

/** Bodies that are never shown, and that only a note to self may bring. */
const hidden = [
  { type: "block_list", entries: [] as ReadonlyArray<unknown>, fallback: "blocks" },
  { type: "device_position", epoch: "AAAAAAAAAAAAAAAAAAAAAA", up_to: 1, fallback: "position" },
  { type: "address_request", nonce: "AAAAAAAAAAAAAAAAAAAAAA" },
  { type: "address", nonce: "AAAAAAAAAAAAAAAAAAAAAA", addrs: ["127.0.0.1:1"], expires_at: "2030-01-01T00:00:00Z" }
]

export const contacts = group("contacts", [
  {
    id: "request",
    requirements: ["KEZ-SEQ-035", "KEZ-SEQ-027", "KEZ-DM-017"],
    why: "a stranger's message is a request, apart, and nothing goes to them before the user accepts",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const carol = world.person("carol")
      carol.send(alice.keys, "hello, I am carol")
      await alice.showsText(carol.primary, "hello, I am carol")
      equals((await alice.contact(carol.primary))?.state, "requested", "the state of a stranger")
      equals(await alice.texts(bob.primary), [], "what is shown of bob")
      await alice.refuses("client.send", { who: carol.primary, text: "not yet" }, "send_stopped")
      equals(world.broker.of("send", carol.keys.hex).length, 0, "how many frames were sent to a stranger")
      const accepted = await alice.does<Contact>("client.accept", { who: carol.primary })
      equals(accepted.state, "accepted", "the state after the user accepted")
      const { id } = await alice.send(carol.primary, "hello carol")
      await alice.reaches(carol.primary, id, "stored", "delivered")
    }
  },
  {
    id: "blocked",
    requirements: ["KEZ-SEQ-036", "KEZ-NAT-065", "KEZ-DM-017", "KEZ-SEQ-027"],
    why: "nothing of a blocked account is shown, even if the home delivers it, and nothing is sent to it",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      bob.send(alice.keys, "before")
      await alice.showsText(bob.handle, "before")
      await alice.does("client.block", { who: bob.handle })
      await alice.sync()
      const { length } = world.broker.of("send", bob.keys.hex)
      bob.send(alice.keys, "let me in")
      await alice.sync()
      await stage.kill()
      await alice.sync()
      holds(!(await alice.texts(bob.primary)).includes("let me in"), "a message of a blocked account is shown")
      equals((await alice.contact(bob.primary))?.state, "blocked", "the state of the contact")
      await alice.refuses("client.send", { who: bob.primary, text: "no" }, "send_stopped")
      equals(world.broker.of("send", bob.keys.hex).length, length, "how many frames were sent to a blocked account")
      await alice.does("client.unblock", { who: bob.primary })
      bob.send(alice.keys, "thank you")
      await alice.showsText(bob.primary, "thank you")
    }
  },
  {
    id: "block-at-home",
    requirements: ["KEZ-NAT-065", "KEZ-NAT-061"],
    why: "a block is told to the home until that confirms it: a lost answer, and one to another request, confirm nothing",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const answers: ReadonlyArray<object | "silent"> = [
        { ok: 1, n: "AAAAAAAAAAAAAAAAAAAAAA" },
        { ok: 1 },
        { e: "retry" }
      ]
      let turn = 0
      world.broker.answers.block = (_, usual) => answers[turn++] ?? usual()
      await alice.does("client.block", { who: bob.handle })
      await until(
        async () => {
          await alice.sync(1_000)
          return world.broker.blocks.has(`${alice.keys.hex} ${bob.keys.hex}`)
        },
        (blocked) => blocked,
        "the home was not told until it confirmed",
        45_000
      )
      const asked = world.broker.of("block")
      equals(new Set(asked.map(({ ask }) => ask["n"])).size, asked.length, "how many different n the requests have")
      for (const { ask } of asked) equals([ask["op"], ask["who"]], ["add", bob.keys.hex], "op and who")
    }
  },
  {
    id: "hidden-bodies",
    requirements: ["KEZ-DM-024", "KEZ-DM-030", "KEZ-DM-032"],
    why: "bodies for devices are not shown, and a block list from somebody else blocks nobody",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const carol = world.person("carol")
      await alice.add(carol.handle)
      for (const body of hidden) bob.send(alice.keys, "", { body: { text: undefined, ...body } })
      bob.send(alice.keys, "", {
        body: {
          text: undefined,
          type: "block_list",
          entries: [{ who: carol.primary, blocked: true, rev: 9 }],
          fallback: "blocks"
        }
      })
      bob.send(alice.keys, "done")
      await alice.showsText(bob.handle, "done")
      equals(await alice.texts(bob.handle), ["done"], "what is shown")
      equals((await alice.contact(carol.primary))?.state, "accepted", "the state of carol")
    }
  },
  {
    id: "block-list-of-another-device",
    requirements: ["KEZ-DM-030", "KEZ-DM-031", "KEZ-DM-032"],
    why: "another device of the account blocks: the note counts by its `rev`, and is not shown",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const device = world.stranger("alice", alice.keys)
      device.chain = world.sig.chains.get(alice.keys.hex) ?? []
      const note = (blocked: boolean, rev: number) =>
        device.deliver(
          alice.keys,
          device.write(alice.keys, "", {
            body: {
              text: undefined,
              type: "block_list",
              entries: [{ who: bob.primary, blocked, rev }],
              fallback: "blocks"
            }
          }),
          "self"
        )
      note(true, 5)
      await alice.becomes(bob.primary, ({ state }) => state === "blocked", "the contact is not blocked")
      note(false, 4)
      note(false, 5)
      device.deliver(alice.keys, device.write(alice.keys, "marker"), "self")
      await alice.showsText(alice.handle, "marker")
      equals((await alice.contact(bob.primary))?.state, "blocked", "the state after an older decision")
      note(false, 6)
      await alice.becomes(bob.primary, ({ state }) => state !== "blocked", "the newer decision does not count")
      equals(await alice.texts(alice.handle), ["marker"], "the notes that are shown")
    }
  },
  {
    id: "unknown-types",
    requirements: ["KEZ-DM-020"],
    why: "bodies of unknown and reserved types are kept, and shown by their fallback or a sentence",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      bob.send(alice.keys, "", { body: { text: undefined, type: "poll", fallback: "a poll", options: ["a", "b"] } })
      bob.send(alice.keys, "", { body: { text: undefined, type: "reaction", fallback: "likes it" } })
      bob.send(alice.keys, "", { body: { text: undefined, type: "x".repeat(64) } })
      bob.send(alice.keys, "done")
      const shown = await alice.showsText(bob.handle, "done")
      equals(
        shown.map(({ type }) => type),
        ["poll", "reaction", "x".repeat(64), "text"],
        "the types"
      )
      equals(
        shown.slice(0, 2).map(({ text }) => text),
        ["a poll", "likes it"],
        "what is shown"
      )
      holds(shown[2]!.text !== "", "a type without fallback is shown as nothing", shown[2])
    }
  },
  {
    id: "introduction",
    requirements: ["KEZ-PRF-173", "KEZ-PRF-171"],
    why: "an introduction is shown by the key or handle that it names, not by its fallback, and makes nobody a contact",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      const newcomer = new Keys().primary
      const body = { text: undefined, type: "introduction", primary: newcomer, handle: "carol@home.test" }
      bob.send(alice.keys, "", { body: { ...body, fallback: "I introduce the operator." } })
      bob.send(alice.keys, "done")
      const [shown] = await alice.showsText(bob.handle, "done")
      equals(shown?.type, "introduction", "the type")
      holds(!shown!.text.includes("operator"), "the fallback is shown", shown)
      holds(/carol@home\.test/.test(shown!.text) || shown!.text.includes(newcomer), "nobody is named", shown)
      equals(await alice.contact(newcomer), undefined, "the newcomer as a contact")
    }
  },
  {
    id: "revoked-claim",
    requirements: ["KEZ-SIG-111"],
    why: "a claim that is revoked changes no message, neither those before nor those after",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      bob.append("add", { subject: "github:bob" })
      const before = bob.send(alice.keys, "before")
      await alice.showsText(bob.handle, "before")
      bob.append("revoke", { subject: "github:bob" })
      bob.send(alice.keys, "after")
      const shown = await alice.showsText(bob.handle, "after")
      equals(
        shown.map(({ text }) => text),
        ["before", "after"],
        "what is shown"
      )
      equals(shown[0]?.id, before.payload["id"], "the id of the first")
      equals((await alice.contact(bob.primary))?.state, "accepted", "the state of the contact")
    }
  },
  {
    id: "hostile-texts",
    requirements: ["KEZ-CAN-011", "KEZ-DM-021", "KEZ-DM-036"],
    why: "texts with what terminals and pages may take for more than text are kept, and end nothing",
    run: async (stage) => {
      const { alice, bob } = await stage.pair()
      const texts = [
        "\u{1b}]0;owned\u{7}\u{1b}[2J",
        "<img src=x onerror=alert(1)>",
        "\u{202e}txt.exe",
        "e\u{301} \u{e9}",
        "\u{0}\u{ffff}\u{10ffff}",
        "   ",
        "=HYPERLINK(1)",
        "$(reboot) `reboot` %s%n",
        "a\r\nPUB kez.inbox 0\r\n\r\n",
        "x".repeat(40_000)
      ]
      for (const text of texts) bob.send(alice.keys, text)
      bob.send(alice.keys, "done")
      const shown = await alice.showsText(bob.handle, "done")
      equals(shown.length, texts.length + 1, "how many messages are shown")
      holds(shown[3]!.text === texts[3], "composed and decomposed characters were made equal", shown[3]!.text)
    }
  },
  {
    id: "offer-fetches-nothing",
    requirements: ["KEZ-FIL-009"],
    why: "an offered file is not fetched, nor its relay asked, before the user wants it",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const file = world.offer(bob, alice.keys, `${world.elsewhere.url}/`)
      bob.send(alice.keys, "", { body: { text: undefined, ...file } })
      bob.send(alice.keys, "done")
      const shown = await alice.showsText(bob.handle, "done")
      equals(
        shown.map(({ type }) => type),
        ["file_share", "text"],
        "the types"
      )
      await alice.sync(1_000)
      equals(world.elsewhere.connections, 0, "how often the relay of an offer was asked")
      equals(
        bob.received.filter(({ body }) => body["type"] === "address_request").length,
        0,
        "how often the owner was asked for an address"
      )
    }
  },
  {
    id: "foreign-ticket",
    requirements: ["KEZ-FIL-008"],
    why: "an offer whose ticket names somebody else's device is refused, and the message with it",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      const mallory = world.person("mallory")
      bob.send(alice.keys, "", { body: { text: undefined, ...world.offer(mallory, alice.keys) } })
      bob.send(alice.keys, "done")
      await alice.showsText(bob.handle, "done")
      equals(await alice.texts(bob.handle), ["done"], "what is shown")
    }
  },
  {
    id: "trim",
    requirements: ["KEZ-SEQ-070", "KEZ-NAT-061"],
    why: "the client has nothing removed beyond its own position, names the epoch, and takes no answer to another request",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      bob.send(alice.keys, "held")
      await alice.showsText(bob.handle, "held")
      const { lastSeq } = world.broker
      world.broker.answers.fetch = () => ({ e: "retry" })
      world.broker.live = () => undefined
      bob.send(alice.keys, "not held yet")
      await alice.does("client.trim", { box: "inbox" })
      const trims = world.broker.of("trim").filter(({ ask }) => ask["upTo"] !== undefined)
      holds(trims.length > 0, "nothing was trimmed")
      for (const { ask } of trims) {
        holds(Number(ask["upTo"]) <= lastSeq, "the client trims beyond what it holds", ask)
        equals(ask["epoch"], world.broker.epoch.toString("base64url"), "the epoch of the trim")
      }
      world.broker.answers.trim = ({ ask }) => ({
        ok: 1,
        n: "AAAAAAAAAAAAAAAAAAAAAA",
        epoch: ask["epoch"] ?? world.broker.epoch.toString("base64url"),
        used: 1,
        limit: 2
      })
      await alice.refuses("client.trim", { box: "self" })
    }
  }
])
