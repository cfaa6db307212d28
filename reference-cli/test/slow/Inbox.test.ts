/** The inbox at the home as its owner and those who write to it see it, with a home that keeps little. */
import { describe, expect, it } from "vitest"
import { as, type Machine } from "../kit/Program.ts"
import { useScene } from "../kit/Scene.ts"
import * as Shapes from "../kit/Shapes.ts"

let machine: Machine

useScene(
  (scene) => {
    ;({ machine } = scene)
  },
  { flags: { chat: ["--inbox-bytes", "1048576", "--self-bytes", "25000"] } }
)

const inboxOf = (name: string, ...args: ReadonlyArray<string>) => machine.json(Shapes.Inbox, as(name, "inbox", ...args))
describe("kez-chat inbox", () => {
  it("KEZ-SEQ-072 says how full the inbox is and makes room in it; what is here stays, and does not come back with the words", async () => {
    await machine.registerPair("alice", "bob")
    const { inbox } = await inboxOf("alice")
    expect(inbox).toEqual({
      mail: { used_bytes: 0, limit_bytes: 1_048_576, strangers: { used_bytes: 0, limit_bytes: 131_072 } },
      sent: { used_bytes: 0, limit_bytes: 25_000 }
    })
    for (const text of ["one", "two"]) expect((await machine.run(as("bob", "send", "alice", text))).code).toBe(0)
    expect((await inboxOf("alice")).inbox.mail.used_bytes).toBeGreaterThan(1_500)

    const trimmed = await machine.run(as("alice", "inbox", "--trim"))
    expect(trimmed.code).toBe(0)
    expect(trimmed.stderr).toMatch(/does not come back with your words/)
    expect(trimmed.stdout).toMatch(/Removed at the home: mail/)
    expect(trimmed.stdout).toMatch(/mail +0 B of 1.0 MB \(0 %\)/)
    const again = await machine.run(as("alice", "inbox", "--trim", "--json"))
    expect(again.code).toBe(6)
    expect(again.error()).toMatchObject({ code: "trimmed_lately" })
    expect(again.error().message).toMatch(/once a minute: try again at \d\d:\d\d/)

    const { messages } = await machine.json(Shapes.History, as("alice", "history", "bob"))
    expect(messages.map(({ text }) => text)).toEqual(["one", "two"])
    const restore = as("alice-again", "restore", "--words-file", machine.path("alice.words"))
    expect((await machine.run(restore)).code).toBe(0)
    expect((await machine.run(as("alice-again", "contacts"))).stdout).not.toMatch(/bob/)
  })

  it("warns when a box is almost full: in inbox and listen", async () => {
    await machine.register("erik")
    for (let i = 0; i < 2; i++) {
      expect((await machine.run(as("erik", "send", "erik", "x".repeat(7_000)))).code).toBe(0)
    }
    const warning = /copies of what you send is \d+ % full.*inbox --trim --sent/
    expect((await machine.run(as("erik", "inbox"))).stderr).toMatch(warning)
    const listening = machine.start(as("erik", "listen", "--no-serve"))
    for (let i = 0; i < 300 && !warning.test(listening.stderr()); i++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(listening.stderr()).toMatch(warning)
    await listening.kill("SIGINT")
    expect((await inboxOf("erik", "--trim", "--sent")).trimmed).toBe("sent")
    expect((await inboxOf("erik")).inbox.sent.used_bytes).toBe(0)
  })
})

describe("block", () => {
  it("has the home keep nothing of somebody, who sees no difference", async () => {
    await machine.registerPair("fred", "greta")
    expect((await machine.json(Shapes.ContactResult, as("fred", "block", "greta"))).contact.state).toBe("blocked")
    const sent = await machine.json(Shapes.Sent, as("greta", "send", "fred", "unseen"))
    expect(sent.message.state).toBe("stored")
    expect((await inboxOf("fred")).inbox.mail.used_bytes).toBe(0)
    expect((await machine.json(Shapes.ContactResult, as("fred", "unblock", "greta"))).contact.state).toBe("accepted")
    expect((await machine.run(as("greta", "send", "fred", "seen"))).code).toBe(0)
    expect((await inboxOf("fred")).inbox.mail.used_bytes).toBeGreaterThan(500)
    const { messages } = await machine.json(Shapes.History, as("fred", "history", "greta"))
    expect(messages.map(({ text }) => text)).toEqual(["seen"])
  })
})

describe("a stranger", () => {
  it("is told why a message waits, and until when", async () => {
    await Promise.all([machine.register("hank"), machine.register("ida")])
    await machine.json(Shapes.ContactResult, as("hank", "add", "ida"))
    expect((await machine.run(as("hank", "send", "ida", "x".repeat(9_000)))).code).toBe(0)
    const second = await machine.run(as("hank", "send", "ida", "y".repeat(9_000), "--timeout", "3s"))
    expect(second.code).toBe(9)
    expect(second.stderr).toMatch(/limit for today is reached.*retried after \d{4}-\d\d-\d\d \d\d:\d\d/)
    const { messages } = await machine.json(Shapes.History, as("hank", "history", "ida"))
    expect(messages.at(-1)).toMatchObject({ state: "queued", waiting: { reason: "slow" } })
    expect(Date.parse(messages.at(-1)!.waiting!.until!) % 86_400_000).toBe(0)
  })
})
