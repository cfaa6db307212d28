/** The program as its users run it: processes, a real home server, exit codes and JSON. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { beforeAll, describe, expect, it } from "vitest"
import type { Home } from "../../deploy/local/Home.ts"
import { as, Machine, read } from "./kit/Program.ts"
import { useScene } from "./kit/Scene.ts"
import * as Shapes from "./kit/Shapes.ts"

let home: Home
let machine: Machine

useScene((scene) => {
  ;({ home, machine } = scene)
})

describe("people and messages", () => {
  // Alice's commands go through a background owner, Bob's own the profile themselves.
  beforeAll(async () => {
    await machine.registerPair("alice", "bob")
    await machine.json(Shapes.Unlocked, as("alice", "unlock"))
  })

  it("sends, waits until it is stored, and shows it on the other side", async () => {
    const { message } = await machine.json(Shapes.Sent, as("alice", "send", "bob", "hello", "bob"))
    expect(message).toMatchObject({ direction: "out", text: "hello bob", state: "stored" })
    const { messages } = await machine.json(Shapes.History, as("bob", "history", "alice"))
    expect(messages.at(-1)).toMatchObject({ id: message.id, direction: "in", text: "hello bob" })
  })

  it("reads the text from standard input, byte for byte", async () => {
    const text = "eins\nzwei  \n\u001b[31mrot 👩‍👩‍👧‍👦"
    const { message } = await machine.json(Shapes.Sent, as("bob", "send", "alice", "-"), { input: `${text}\n` })
    expect(message.text).toBe(text)
    const shown = await machine.run(as("alice", "history", "bob"))
    expect(shown.stdout).toContain("␛[31mrot 👩‍👩‍👧‍👦")
    expect(shown.stdout).not.toContain("\u001b[31m")
  })

  it("takes text that looks like a flag after --", async () => {
    const done = await machine.run(as("alice", "--json", "send", "bob", "--", "--json", "is", "a flag"))
    expect(done.json(Shapes.Sent).message.text).toBe("--json is a flag")
  })

  it("refuses empty and oversized texts, and people it does not know", async () => {
    expect((await machine.run(as("alice", "send", "bob", ""))).code).toBe(2)
    expect((await machine.run(as("alice", "send", "bob", "-"), { input: "" })).code).toBe(2)
    const large = await machine.run(as("alice", "send", "bob", "-", "--json"), { input: "x".repeat(41_000) })
    expect(large.code).toBe(2)
    expect(large.error().code).toBe("message_too_large")
    const unknown = await machine.run(as("alice", "send", "nobody", "hi", "--json"))
    expect(unknown.code).toBe(4)
    expect(unknown.error().code).toBe("contact_unknown")
    expect((await machine.run(as("alice", "add", "nobody", "--json"))).error()).toMatchObject({
      code: "handle_not_found",
      exit: 4
    })
  })

  it("pages back through history", async () => {
    for (const text of ["one", "two", "three"]) await machine.json(Shapes.Sent, as("alice", "send", "bob", text))
    const newest = await machine.json(Shapes.History, as("alice", "history", "bob", "--limit", "2"))
    expect(newest.messages.map(({ text }) => text)).toEqual(["two", "three"])
    const older = await machine.json(
      Shapes.History,
      as("alice", "history", "bob", "--limit", "1", "--before", String(newest.before))
    )
    expect(older.messages.map(({ text }) => text)).toEqual(["one"])
  })

  it("KEZ-DM-104 KEZ-DM-105 shows a message to others with proof, and what that does not show", async () => {
    const { message } = await machine.json(Shapes.Sent, as("alice", "send", "bob", "the rent is paid"))
    expect(message.accepted_at).toBeDefined()
    const file = machine.path("rent.json")
    const made = await machine.run(as("alice", "evidence", message.id, "-o", file))
    expect(made.code).toBe(0)
    expect(made.stderr).toContain("can read that message")
    // Somebody else, without an account.
    const own = ["--home", home.urls.home, "evidence", "--check", file]
    const shown = await machine.run(as("nobody", ...own))
    expect(shown.code).toBe(0)
    expect(shown.stdout).toMatch(/accepted {2}.* by localhost; key ed25519:[0-9a-f]{64}, named by them now/)
    expect(shown.stdout).toContain("the rent is paid")
    expect(shown.stdout).toContain("does not tell a lost message from a blocked, expired or trimmed one")
    const { evidence } = await machine.json(Shapes.Evidence, as("nobody", ...own))
    expect(evidence).toMatchObject({ id: message.id, acceptance: { server: "localhost", named: true } })
    const { check } = await machine.json(Shapes.HistoryCheck, as("alice", "history", "bob", "--check"))
    expect(check).toMatchObject({ missing: [], gaps: [] })
  })

  it("shows safety numbers that are the same on both sides, and keeps the confirmation", async () => {
    const alices = await machine.json(Shapes.Verification, as("alice", "verify", "bob"))
    const bobs = await machine.json(Shapes.Verification, as("bob", "verify", "alice"))
    expect(alices.safety_number).toBe(bobs.safety_number)
    expect(alices.events).toHaveLength(2)
    expect(alices.endpoints).toMatchObject([
      { protocol: "nats", url: home.urls.nats },
      { protocol: "iroh", node_id: alices.contact.primary.slice("ed25519:".length) }
    ])
    expect(alices.contact.verified).toBe(false)
    expect(
      (await machine.json(Shapes.Verification, as("alice", "verify", "bob", "--confirm", "--yes"))).contact.verified
    ).toBe(true)
    const confirmed = await machine.run(as("alice", "verify", "bob", "--offline"))
    expect(confirmed.stdout).toContain("You have confirmed")
    expect(confirmed.stdout).not.toContain("--confirm")
    const { contacts } = await machine.json(Shapes.Contacts, as("alice", "contacts", "--offline"))
    expect(contacts.find(({ handle }) => handle === "bob@localhost")?.verified).toBe(true)
    expect(
      (await machine.json(Shapes.Verification, as("alice", "verify", "bob", "--unconfirm"))).contact.verified
    ).toBe(false)
  })

  it("shows strangers as requests, accepts, blocks, unblocks and removes them", async () => {
    await machine.register("sid")
    await machine.json(Shapes.ContactResult, as("sid", "add", "alice"))
    await machine.json(Shapes.Sent, as("sid", "send", "alice", "you do not know me"))
    const { requests } = await machine.json(Shapes.Requests, as("alice", "requests"))
    expect(requests.map(({ contact, messages }) => [contact.handle, messages.map(({ text }) => text)])).toEqual([
      ["sid@localhost", ["you do not know me"]]
    ])
    const early = await machine.run(as("alice", "send", "sid", "hi", "--json"))
    expect(early.code).toBe(5)
    expect(early.error().code).toBe("send_blocked_requested")
    expect((await machine.json(Shapes.ContactResult, as("alice", "accept", "sid"))).contact.state).toBe("accepted")
    expect((await machine.json(Shapes.ContactResult, as("alice", "block", "sid"))).contact.state).toBe("blocked")
    expect((await machine.json(Shapes.ContactResult, as("alice", "unblock", "sid"))).contact.state).toBe("accepted")
    const removed = await machine.json(Shapes.Removed, as("alice", "remove", "sid", "--with-messages"))
    expect(removed).toMatchObject({ removed: { handle: "sid@localhost" }, with_messages: true })
    expect((await machine.run(as("alice", "history", "sid", "--offline"))).code).toBe(4)
  })

  it("keeps settings", async () => {
    expect(await machine.json(Shapes.Settings, as("alice", "settings"))).toEqual({
      read_receipts: false,
      inbox: "everyone",
      proven_by: { systems: [], domains: [] },
      introductions: false,
      auto_trim: false
    })
    const proven_by = { systems: ["dns"], domains: ["example.org"] }
    const changed = { read_receipts: true, inbox: "proven", proven_by, introductions: true, auto_trim: true }
    expect(
      await machine.json(
        Shapes.Settings,
        as(
          "alice",
          "settings",
          ...[
            "--read-receipts",
            "on",
            "--inbox",
            "proven:dns,Example.org",
            "--introductions",
            "on",
            "--auto-trim",
            "on"
          ]
        )
      )
    ).toEqual(changed)
    expect(await machine.json(Shapes.Settings, as("alice", "settings"))).toEqual(changed)
    const shown = await machine.run(as("alice", "settings", "--auto-trim", "off", "--read-receipts", "off"))
    expect(shown.stdout).toMatch(/auto-trim +off/)
    for (const wrong of ["friends", "proven:", "proven:org", "proven:dns,,github"]) {
      expect((await machine.run(as("alice", "settings", "--inbox", wrong))).code, wrong).toBe(2)
    }
    const widened = await machine.run(as("alice", "settings", "--inbox", "proven"))
    expect(widened.stdout).toMatch(/any proof that holds.*\n +before +proven: .*dns, example\.org/)
    await machine.json(Shapes.Settings, as("alice", "settings", "--inbox", "everyone", "--introductions", "off"))
  })

  it("exports everything but the seed as JSON lines", async () => {
    const done = await machine.run(as("alice", "export"))
    const items = done.stdout
      .trim()
      .split("\n")
      .map((line) => read(Shapes.ExportItem, line))
    expect(new Set(items.map(({ kind }) => kind))).toContain("message")
    const words = fs.readFileSync(machine.path("alice.words"), "utf8").trim()
    expect(done.stdout).not.toContain(words.split(" ").slice(0, 3).join(" "))
    const file = machine.path("alice.jsonl")
    expect((await machine.run(as("alice", "export", "--output", file))).code).toBe(0)
    expect(fs.statSync(file).mode & 0o777).toBe(0o600)
    expect(fs.readFileSync(file, "utf8").trim().split("\n")).toHaveLength(items.length)
    const again = await machine.run(as("alice", "export", "--output", file))
    expect(again.code).toBe(1)
    expect(again.stderr).toContain(`cannot write ${file}: it exists already`)
    expect(again.stderr).not.toContain("EEXIST")
  })

  it("finds nothing wrong with a healthy account", async () => {
    const { ok, checks } = await machine.json(Shapes.Doctor, as("alice", "doctor"))
    expect(checks.filter(({ status }) => status === "fail")).toEqual([])
    expect(ok).toBe(true)
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["clock", "broker login", "inbox", "handle", "blobs", "transfers"])
    )
  })

  it("finds what is wrong where the home is away, and exits 1", async () => {
    const done = await machine.run(as("alice", "doctor", "--json", "--home", "http://127.0.0.1:9"))
    expect(done.code).toBe(1)
    const { checks } = done.json(Shapes.Doctor)
    expect(checks.find(({ name }) => name === "home")).toMatchObject({ status: "fail", advice: expect.any(String) })
  })

  it("queues when it cannot send, says so with exit code 9, and sends with the next command", async () => {
    await machine.json(Shapes.Locked, as("alice", "lock"))
    await home.processes.nats.kill("SIGTERM")
    let id: string
    try {
      const waited = await machine.run(as("alice", "send", "bob", "into the dark", "--timeout", "2s", "--json"))
      expect(waited.code).toBe(9)
      expect(waited.error()).toMatchObject({ code: "queued", message: expect.stringContaining("refused") })
      id = waited.json(Shapes.Sent).message.id
      const { message } = await machine.json(Shapes.Sent, as("alice", "send", "bob", "me too", "--no-wait"))
      expect(message.state).toBe("queued")
    } finally {
      await home.processes.nats.restart()
    }
    const { messages } = await machine.json(Shapes.History, as("alice", "history", "bob", "--offline"))
    expect(messages.find((message) => message.id === id)?.state).toBe("queued")
    await machine.json(Shapes.Sent, as("alice", "send", "bob", "and now", "--timeout", "50s"))
    const texts = (await machine.json(Shapes.History, as("bob", "history", "alice"))).messages.map(({ text }) => text)
    expect(texts.filter((text) => ["into the dark", "me too", "and now"].includes(text))).toEqual([
      "into the dark",
      "me too",
      "and now"
    ])
  })

  it("does not wait for a home whose name does not exist", async () => {
    await machine.json(Shapes.Locked, as("alice", "lock"))
    // Far longer than a test may take: it ends because the name is unknown, or not at all.
    const mistyped = ["--home", "https://no-such-home.invalid", "--timeout", "1h", "--json"]
    const done = await machine.run(as("alice", "send", "bob", "to nobody's home", ...mistyped))
    expect(done.error()).toMatchObject({ code: "queued", exit: 9, message: expect.stringContaining("name is unknown") })
    await machine.json(Shapes.Sent, as("alice", "send", "bob", "home again", "--timeout", "50s"))
    const { messages } = await machine.json(Shapes.History, as("alice", "history", "bob", "--offline"))
    expect(messages.find(({ text }) => text === "to nobody's home")?.state).not.toBe("queued")
  })

  it("deletes the account only when its handle is typed", async () => {
    await machine.register("gone")
    const wrong = await machine.run(as("gone", "delete-account", "--confirm", "gone"))
    expect(wrong.code).toBe(2)
    const nobody = await machine.run(as("gone", "delete-account", "--json"))
    expect(nobody.error().code).toBe("input_needed")
    expect(await machine.json(Shapes.Deleted, as("gone", "delete-account", "--confirm", "gone@localhost"))).toEqual({
      deleted: "gone@localhost"
    })
    expect((await machine.run(as("gone", "whoami"))).code).toBe(3)
    expect(fs.existsSync(machine.profile("gone"))).toBe(false)
    const again = await machine.run(as("gone", "register", "gone", "--yes", "--json"))
    expect(again.code).toBe(5)
    expect(again.error().code).toBe("handle_deleted")
  })
})

// The pseudo terminal comes from `script` of util-linux.
const hasTerminal = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0

/** What stays on the screen: without the alternate screens and what stood there. */
// eslint-disable-next-line no-control-regex
const lasting = (text: string): string => text.replace(/\u001b\[\?1049h[^]*?\u001b\[\?1049l/g, "")

describe.runIf(hasTerminal)("on a terminal", () => {
  beforeAll(() => machine.register("ada"))

  it("registers: passphrase twice, the words, three of them back; neither stays on the screen", async () => {
    const terminal = machine.onTerminal(as("zoe", "register", "zoe"))
    await terminal.read(/Choose a passphrase.*: $/)
    terminal.type("correct horse\r")
    await terminal.read(/Once more: $/)
    terminal.type("correct horse\r")
    const screen = await terminal.read(/they then leave this screen\. /)
    const words = new Map([...screen.matchAll(/(\d+) {2}([a-z]+)/g)].map(([, place, word]) => [Number(place), word!]))
    expect(words.size).toBe(24)
    terminal.type("\r")
    for (let asked = 0; asked < 3; asked++) {
      const question = await terminal.read(/Word +\d+: /)
      terminal.type(`${words.get(Number(/Word +(\d+)/.exec(question)![1]))}\r`)
    }
    await terminal.read(/Registered/)
    expect(await terminal.ended).toBe(0)
    expect(terminal.text).not.toContain("correct horse")
    const left = lasting(terminal.text)
    expect(left).toContain("zoe@localhost")
    for (const word of words.values())
      expect(left).not.toMatch(new RegExp(`\\b${word}\\b.*\\b${word}\\b|^ *\\d+ +${word}\\b`, "m"))
    const kept = await machine.run(as("zoe", "words"))
    expect(kept.stdout.trim().split(" ")).toEqual([...words].toSorted(([a], [b]) => a - b).map(([, word]) => word))
  })

  it("asks three times for a passphrase, and mentions unlock", async () => {
    const terminal = machine.onTerminal(as("zoe", "contacts"))
    for (let attempt = 0; attempt < 3; attempt++) {
      await terminal.read(/Passphrase: $/)
      terminal.type("not it at all\r")
    }
    expect(await terminal.ended).toBe(7)
    expect(terminal.text.match(/kez-chat --profile zoe unlock/g)).toHaveLength(1)
    expect(terminal.text).not.toContain("not it at all")
  })

  it("takes the words in several lines, with corrections", async () => {
    const words = fs.readFileSync(machine.path("ada.words"), "utf8").trim().split(" ")
    const env = { KEZ_PASSPHRASE_FILE: machine.path("passphrase") }
    const terminal = machine.onTerminal(as("ada-again", "restore"), env)
    await terminal.read(/> /)
    terminal.type(`${words.slice(0, 10).join(" ")}\r`)
    await terminal.read(/> /)
    terminal.type(`${words.slice(10).join(" ")}xx\u007f\u007f\r`)
    await terminal.read(/Restored/)
    expect(await terminal.ended).toBe(0)
    expect(lasting(terminal.text)).not.toContain(words.slice(0, 3).join(" "))
  })

  it("ends with 130 when a question is answered with Ctrl-C", async () => {
    for (const args of [as("zoe", "contacts"), as("zoe", "delete-account")]) {
      const terminal = machine.onTerminal(args)
      await terminal.read(/(?:Passphrase|to delete it): /)
      terminal.type("\u0003")
      expect(await terminal.ended).toBe(130)
    }
    expect((await machine.run(as("zoe", "whoami"))).code).toBe(0)
  })

  it("talks both ways in `chat`", async () => {
    await machine.introduce("zoe", "ada")
    const terminal = machine.onTerminal(as("zoe", "chat", "ada"), { KEZ_PASSPHRASE_FILE: machine.path("passphrase") })
    await terminal.read(/\/quit leaves[^]*> /)
    terminal.type("hello ada\r")
    await terminal.read(/you\S* {2}hello ada/)
    await machine.json(Shapes.Sent, as("ada", "send", "zoe", "hello zoe"))
    await terminal.read(/ada@localhost\S* {2}hello zoe/)
    terminal.type("/quit\r")
    expect(await terminal.ended).toBe(0)
    const { messages } = await machine.json(Shapes.History, as("ada", "history", "zoe"))
    expect(messages.map(({ text }) => text).toSorted()).toEqual(["hello ada", "hello zoe"])
  })
})
