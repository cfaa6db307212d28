/** A home that swaps a contact's key, and the person at the command line who compares numbers. */
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { Result } from "effect"
import * as fs from "node:fs"
import { afterAll, describe, expect, it } from "vitest"
import type { Home } from "../../../deploy/local/Home.ts"
import { accomplice, type Impostor, impostor, type Liar, startLiar } from "../kit/Liar.ts"
import { as, type Machine } from "../kit/Program.ts"
import { useScene } from "../kit/Scene.ts"
import * as Shapes from "../kit/Shapes.ts"

let home: Home
let liar: Liar
let machine: Machine

afterAll(() => liar?.close())
useScene(
  (scene) => {
    ;({ home, machine } = scene)
  },
  {
    front: async (started) => {
      liar = await startLiar(started.urls.home)
      return liar.url
    }
  }
)

/** Two accounts that know each other; the home then names an impostor's key for the second one. */
const attacked = async (a: string, b: string): Promise<{ readonly real: string; readonly false: Impostor }> => {
  await Promise.all([machine.register(a), machine.register(b)])
  const { contact } = await machine.json(Shapes.ContactResult, as(a, "add", b))
  await machine.json(Shapes.ContactResult, as(b, "add", a))
  const who = await impostor(b, home.urls.sigServer)
  liar.lie(b, who)
  return { real: contact.primary, false: who }
}

describe("a contact's key that the home server swapped", () => {
  it("is not confirmed by the number that the real peer reads out, and keeping undoes it", async () => {
    const { real, false: impostor } = await attacked("ann", "ben")
    const bens = await machine.json(Shapes.Verification, as("ben", "verify", "ann"))

    const seen = await machine.run(as("ann", "verify", "ben", "--json"))
    expect(seen.code).toBe(10)
    expect(seen.error()).toMatchObject({ code: "key_changed", exit: 10 })
    const both = seen.json(Shapes.Verification)
    expect(both).toMatchObject({
      state: "changed",
      safety_number_of: "offered",
      contact: { primary: real, changed_to: impostor.primary, verified: false },
      pinned: { primary: real, safety_number: bens.safety_number },
      offered: { primary: impostor.primary, origin: "unexplained" }
    })
    expect(both.safety_number).toBe(both.offered?.safety_number)
    expect(both.safety_number).not.toBe(bens.safety_number)

    const text = await machine.run(as("ann", "verify", "ben"))
    expect(text.code).toBe(10)
    expect(text.stdout).toContain("UNEXPLAINED")
    expect(text.stdout.indexOf("OFFERED")).toBeLessThan(text.stdout.indexOf("of the key you hold"))
    expect(text.stdout).toContain(`accept ben@localhost --new-key ${impostor.primary}`)
    expect(text.stdout).not.toContain("--confirm")

    const confirmed = await machine.run(as("ann", "verify", "ben", "--confirm", "--yes", "--json"))
    expect(confirmed.code).toBe(10)
    expect(confirmed.json(Shapes.Verification).contact.verified).toBe(false)
    expect(confirmed.error().message).toContain("nothing was confirmed")

    const sent = await machine.run(as("ann", "send", "ben", "hello", "--json"))
    expect(sent.code).toBe(10)
    expect(sent.error()).toMatchObject({ code: "send_blocked_changed", exit: 10 })
    const added = await machine.run(as("ann", "add", "ben", "--json"))
    expect(added.code).toBe(10)
    expect(added.json(Shapes.ContactResult).contact.state).toBe("changed")
    const listed = await machine.run(as("ann", "contacts"))
    expect(listed.stdout).toMatch(/ben@localhost.*key changed\n.*verify ben@localhost/)
    const past = await machine.run(as("ann", "history", "ben", "--json"))
    expect(past.code).toBe(0)
    expect(past.json(Shapes.History).contact).toMatchObject({ state: "changed", offered: { origin: "unexplained" } })
    expect(past.stderr).toContain("nothing is sent to ben@localhost")
    const accepted = await machine.run(as("ann", "accept", "ben", "--json"))
    expect(accepted.code).toBe(10)
    const old = await machine.run(as("ann", "accept", "ben", "--new-key", real, "--json"))
    expect(old.code).toBe(5)
    expect(old.error().code).toBe("key_not_offered")

    const { contact } = await machine.json(Shapes.ContactResult, as("ann", "keep", "ben"))
    expect(contact).toMatchObject({ state: "accepted", kept: true, primary: real })
    await machine.json(Shapes.Sent, as("ann", "send", "ben", "for ben alone"))
    const bensHistory = await machine.json(Shapes.History, as("ben", "history", "ann"))
    expect(bensHistory.messages.map(({ text }) => text)).toEqual(["for ben alone"])
    const kept = await machine.json(Shapes.Verification, as("ann", "verify", "ben", "--confirm", "--yes"))
    expect(kept).toMatchObject({ safety_number_of: "pinned", contact: { verified: true, kept: true } })

    liar.lie("ben")
    const healed = await machine.json(Shapes.Verification, as("ann", "verify", "ben"))
    expect(healed.contact).toMatchObject({ state: "accepted", verified: true })
    expect(healed.contact).not.toHaveProperty("kept")
  })

  it("is compared without the home and its sigchain as well", async () => {
    await Promise.all([machine.register("abe"), machine.register("bea")])
    await machine.json(Shapes.ContactResult, as("abe", "add", "bea"))
    const away = ["--home", "http://127.0.0.1:9"]
    const online = await machine.json(Shapes.Verification, as("abe", "verify", "bea"))
    const offline = await machine.json(Shapes.Verification, as("abe", "verify", "bea", "--offline", ...away))
    expect(offline).toMatchObject({ safety_number: online.safety_number, events: [] })
    const shown = await machine.run(as("abe", "verify", "bea", ...away))
    expect(shown.code).toBe(0)
    expect(shown.stderr).toContain("this is what was known before")
    expect(shown.stdout).toContain("Sigchain  not here")
  })

  it("is taken only by its own name, and verified only after that", async () => {
    const { false: first } = await attacked("cat", "dan")
    expect((await machine.run(as("cat", "verify", "dan"))).code).toBe(10)
    const second = await impostor("dan", home.urls.sigServer)
    liar.lie("dan", second)
    const swapped = await machine.run(as("cat", "accept", "dan", "--new-key", first.primary, "--json"))
    expect(swapped.code).toBe(5)
    expect(swapped.error().code).toBe("key_not_offered")
    const digits = second.primary.slice("ed25519:".length)
    const { contact } = await machine.json(Shapes.ContactResult, as("cat", "accept", "dan", "--new-key", digits))
    expect(contact).toMatchObject({ primary: second.primary, state: "accepted", verified: false })
    const { contact: verified } = await machine.json(
      Shapes.Verification,
      as("cat", "verify", "dan", "--confirm", "--yes")
    )
    expect(verified).toMatchObject({ primary: second.primary, verified: true })
  })

  it("is shown as it happens, and so is its end", async () => {
    await Promise.all([machine.register("eve"), machine.register("fay")])
    await machine.json(Shapes.ContactResult, as("eve", "add", "fay"))
    const who = await impostor("fay", home.urls.sigServer)
    const listening = machine.start(as("eve", "listen", "--json"))
    try {
      await listening.event(Shapes.Event, (event) => event.event === "connection" && event.state === "online")
      liar.lie("fay", who)
      expect((await machine.run(as("eve", "verify", "fay"))).code).toBe(10)
      const changed = await listening.event(Shapes.Event, (event) => event.event === "key_changed")
      expect(changed).toMatchObject({ contact: { state: "changed", offered: { primary: who.primary } } })
      liar.lie("fay")
      await machine.json(Shapes.Verification, as("eve", "verify", "fay"))
      await listening.event(Shapes.Event, (event) => event.event === "key_healed")
    } finally {
      await listening.kill("SIGINT")
    }
  })

  it("stops a `chat` that is open, which goes on with the key that is decided for", async () => {
    const { false: first } = await attacked("jim", "kim")
    liar.lie("kim")
    const chat = machine.onTerminal(as("jim", "chat", "kim"), { KEZ_PASSPHRASE_FILE: machine.path("passphrase") })
    await chat.read(/leaves/)
    liar.lie("kim", first)
    const seen = await machine.run(as("jim", "verify", "kim", "--json"))
    expect(seen.code).toBe(10)
    expect(seen.error().message).toBe("nothing is sent until you decide: the choices are above")
    await chat.read(/KEY CHANGED: nothing is sent until you decide/)
    // Broken between words, for the 80 columns of the terminal.
    await chat.read(/home server\S*[\r\n]+\S*says so\./)
    chat.type("to whom?\r")
    expect(await chat.read(/not sent to kim@localhost/)).not.toContain("not sent: ")
    await machine.json(Shapes.ContactResult, as("jim", "keep", "kim"))
    await chat.read(/you keep the key of kim@localhost; sending goes on/)
    chat.type("\r")
    await chat.read(/you\S* {2}to whom\?/)
    await machine.json(Shapes.ContactResult, as("jim", "accept", "kim", "--new-key", first.primary))
    await chat.read(/you accepted the new key of kim@localhost/)
    chat.type("to the new key\r")
    await chat.read(/you\S* {2}to the new key/)
    chat.type("\u0003")
    expect(await chat.ended).toBe(0)
    const { messages } = await machine.json(Shapes.History, as("jim", "history", "kim"))
    expect(messages.map(({ peer }) => peer)).toContain(first.primary)
  })

  it("makes a request of the offered key's mail, which says whose place it would take", async () => {
    await Promise.all([machine.register("gil"), machine.register("hal"), machine.register("ivy")])
    await machine.json(Shapes.ContactResult, as("gil", "add", "hal"))
    const { contact: gil } = await machine.json(Shapes.ContactResult, as("ivy", "add", "gil"))
    expect(gil.handle).toBe("gil@localhost")
    // ivy's own key has signed for hal's handle as well: a home and somebody at it who work together.
    const words = fs.readFileSync(machine.path("ivy.words"), "utf8").trim()
    const ivy = await accomplice(Result.getOrThrow(Mnemonic.toSeed(words)), "hal")
    liar.lie("hal", ivy)
    await machine.json(Shapes.Sent, as("ivy", "send", "gil", "it is me, hal"))
    const { requests } = await machine.json(Shapes.Requests, as("gil", "requests"))
    expect(requests).toMatchObject([
      { contact: { handle: ivy.primary, primary: ivy.primary }, offered_for: "hal@localhost" }
    ])
    const shown = await machine.run(as("gil", "requests"))
    expect(shown.stdout).toContain("offers this key for hal@localhost")
    expect(shown.stdout).not.toContain("accept")
    expect((await machine.run(as("gil", "verify", "hal"))).code).toBe(10)
  })
})

describe("a home that does not take the list of what is shared", () => {
  it("is told of by `unshare` too, as long as others see there what was taken back", async () => {
    await machine.register("lea")
    fs.writeFileSync(machine.path("note.txt"), "for everybody")
    expect((await machine.run(as("lea", "share", "--public", machine.path("note.txt")))).stderr).not.toContain(
      "list of"
    )
    liar.refuse("/v1/manifests")
    const refused = await machine.run(as("lea", "unshare", "note.txt"))
    expect(refused.code).toBe(0)
    expect(refused.stderr).toContain("the list of what you share could not be published: others may still see it")
    liar.refuse()
    fs.writeFileSync(machine.path("other.txt"), "for everybody, too")
    await machine.run(as("lea", "share", "--public", machine.path("other.txt")))
    const taken = await machine.run(as("lea", "unshare", "other.txt"))
    expect(taken.code).toBe(0)
    expect(taken.stderr).not.toContain("list of")
  })
})
