/** The program as its users run it: processes, a real home server, exit codes and JSON. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import type { Home } from "../../deploy/local/Home.ts"
import { as, Machine, type Program, read } from "./kit/Program.ts"
import { useScene } from "./kit/Scene.ts"
import * as Shapes from "./kit/Shapes.ts"

let program: Program
let home: Home
let machine: Machine

useScene((scene) => {
  ;({ program, home, machine } = scene)
})

describe("without an account", () => {
  it("shows version and help, and exits 0", async () => {
    expect((await machine.run(["--version"])).stdout).toMatch(/^kez-chat \d+\.\d+\.\d+\n$/)
    const help = await machine.run(["--help"])
    expect(help.code).toBe(0)
    for (const command of ["register", "restore", "send", "listen", "share", "fetch", "doctor"])
      expect(help.stdout).toContain(command)
    expect(help.stdout).not.toMatch(/\bowner\b/)
    expect((await machine.run([])).code).toBe(0)
  })

  it("prints completions for each shell", async () => {
    for (const shell of ["bash", "zsh", "fish", "powershell"]) {
      const done = await machine.run(["--completions", shell])
      expect(done.code).toBe(0)
      expect(done.stdout).toContain("register")
    }
  })

  it.each([
    [["bogus"], /Unknown subcommand "bogus"/],
    [["send"], /Missing required argument: who/],
    [["history", "bob", "--limit", "many"], /--limit/],
    [["history", "bob", "--limit", "0"], /from 1 to 1000/],
    [["unlock", "--for", "soon"], /30s, 15m, 8h or 2d/],
    [["whoami", "--no-such-flag"], /no-such-flag/],
    [["whoami", "--profile", "../x"], /is not a profile name/],
    [["register", "alice", "--home", "http://kez.lat", "--yes"], /plain http/],
    [["register", "Not A Handle!", "--yes"], /a name has 3 to 32 characters/],
    [["register", "alice@elsewhere.example", "--yes"], /belongs to another/]
  ])("%j is a usage error of one sentence", async (args, message) => {
    const done = await machine.run(args)
    expect(done.code).toBe(2)
    expect(done.stdout).toBe("")
    expect(done.stderr).toMatch(message)
    expect(done.stderr.trim().split("\n")).toHaveLength(1)
    const asJson = await machine.run([...args, "--json"])
    expect(asJson.code).toBe(2)
    expect(asJson.error()).toMatchObject({ exit: 2 })
  })

  it("exits 3 and says what to do", async () => {
    for (const command of [
      ["whoami"],
      ["contacts"],
      ["send", "bob", "hi"],
      ["listen"],
      ["words"],
      ["unlock"],
      ["lock"]
    ]) {
      const done = await machine.run([...command, "--json"])
      expect(done.code).toBe(3)
      expect(done.error()).toMatchObject({ code: "no_account", exit: 3 })
    }
  })

  it("exits 6 when the home does not answer", async () => {
    const done = await machine.run(["register", "nobody", "--yes", "--home", "http://127.0.0.1:9", "--json"])
    expect(done.code).toBe(6)
    expect(done.error().code).toBe("server_unreachable")
  })
})

describe("register and restore", () => {
  it("makes an account, keeps it private, and shows it without passphrase or network", async () => {
    const account = await machine.register("ada")
    expect(account).toMatchObject({ handle: "ada@localhost", step: "published", profile: "ada", vault: "file" })
    for (const file of ["profile.json", "seed.json", "chat.db"]) {
      expect(fs.statSync(path.join(machine.profile("ada"), file)).mode & 0o777).toBe(0o600)
    }
    expect(fs.statSync(machine.profile("ada")).mode & 0o777).toBe(0o700)
    expect(fs.statSync(machine.path("ada.words")).mode & 0o777).toBe(0o600)
    const env = { KEZ_PASSPHRASE_FILE: undefined, KEZ_HOME: undefined }
    expect(await machine.json(Shapes.Whoami, as("ada", "whoami"), { env })).toMatchObject({
      handle: "ada@localhost",
      home: home.urls.home
    })
    const { profiles } = await machine.json(Shapes.Profiles, ["profiles"], { env })
    expect(profiles.map(({ profile }) => profile)).toContain("ada")
  })

  it("takes up the account elsewhere from its words, history included", async () => {
    await machine.registerPair("rena", "rob")
    await machine.json(Shapes.Sent, as("rena", "send", "rob", "before the fire"))
    await machine.json(Shapes.Sent, as("rob", "send", "rena", "from rob"))
    const elsewhere = new Machine(program, home.urls.home)
    try {
      const words = fs.readFileSync(machine.path("rena.words"), "utf8")
      const account = await elsewhere.json(Shapes.Account, ["restore", "--words-fd", "3"], { descriptors: [words] })
      expect(account).toMatchObject({ handle: "rena@localhost", step: "published" })
      const { messages } = await elsewhere.json(Shapes.History, ["history", "rob"])
      expect(messages.map(({ text, direction }) => [direction, text]).toSorted()).toEqual([
        ["in", "from rob"],
        ["out", "before the fire"]
      ])
    } finally {
      await elsewhere.remove()
    }
  })

  it("names the account in what is to be pasted, and says when the store has lost it", async () => {
    const words = ["--words-file", machine.path("nora.words")]
    const done = await machine.run(as("nora", "register", "nora", "--yes", ...words))
    expect(done.stdout).toContain("kez-chat --profile nora add NAME\n")
    fs.truncateSync(path.join(machine.profile("nora"), "chat.db"), 0)
    const lost = await machine.run(as("nora", "history", "nora", "--offline", "--json"))
    expect(lost.code).toBe(1)
    expect(lost.error()).toMatchObject({
      code: "store_empty",
      message: expect.stringContaining("`kez-chat --profile NEW restore` with the 24 words brings nora@localhost back")
    })
  })

  it("refuses the store of another account, and names both", async () => {
    for (const name of ["nina", "noel"]) await machine.register(name)
    const store = (name: string) => path.join(machine.profile(name), "chat.db")
    const own = fs.readFileSync(store("nina"))
    for (const suffix of ["-wal", "-shm"]) fs.rmSync(`${store("nina")}${suffix}`, { force: true })
    fs.copyFileSync(store("noel"), store("nina"))
    for (const args of [
      ["contacts", "--offline"],
      ["history", "noel", "--offline"],
      ["send", "noel", "x"]
    ]) {
      const done = await machine.run(as("nina", ...args, "--json"))
      expect(done.code).toBe(1)
      expect(done.error()).toMatchObject({ code: "store_foreign", message: expect.stringContaining("noel@localhost") })
    }
    fs.writeFileSync(store("nina"), own)
    expect((await machine.run(as("nina", "contacts", "--offline"))).code).toBe(0)
  })

  it("refuses taken handles before words are shown, and leaves nothing behind", async () => {
    await machine.register("tess")
    const done = await machine.run(
      as("tess2", "register", "tess", "--yes", "--words-file", machine.path("tess2.words"), "--json")
    )
    expect(done.code).toBe(5)
    expect(done.error().code).toBe("handle_taken")
    expect(fs.existsSync(machine.path("tess2.words"))).toBe(false)
    expect((await machine.run(as("tess2", "whoami"))).code).toBe(3)
  })

  it("refuses a second account in one profile", async () => {
    await machine.register("uma")
    for (const args of [
      ["register", "uma2", "--yes"],
      ["restore", "--words-file", machine.path("uma.words")]
    ]) {
      const done = await machine.run([...as("uma", ...args), "--json"])
      expect(done.code).toBe(5)
      expect(done.error().code).toBe("account_exists")
    }
  })

  it("names a wrong word by its place and never by itself", async () => {
    const words = `${"abandon ".repeat(22)}secretword art`
    const done = await machine.run(as("wrong", "restore", "--words-fd", "3", "--json"), { descriptors: [words] })
    expect(done.code).toBe(2)
    expect(done.error()).toMatchObject({ code: "mnemonic_invalid", message: expect.stringContaining("word 23") })
    expect(done.stdout + done.stderr).not.toContain("secretword")
  })

  it("keeps nothing of words that have no account", async () => {
    const words = `${"abandon ".repeat(23)}art`
    const done = await machine.run(as("ghost", "restore", "--words-fd", "3", "--json"), { descriptors: [words] })
    expect(done.code).toBe(4)
    expect((await machine.run(as("ghost", "whoami"))).code).toBe(3)
    expect(fs.existsSync(path.join(machine.profile("ghost"), "seed.json"))).toBe(false)
  })

  it("carries on with the same words when the home was away in the middle", async () => {
    await home.processes.sig.kill("SIGTERM")
    try {
      const words = ["--words-file", machine.path("vic.words")]
      const cut = await machine.run(as("vic", "register", "vic", "--yes", ...words, "--json"), {
        withinMillis: 120_000
      })
      expect([0, 6]).toContain(cut.code)
    } finally {
      await home.processes.sig.restart()
    }
    const state = await machine.json(Shapes.Whoami, as("vic", "whoami"))
    if (state.step !== "published") {
      const again = await machine.json(Shapes.Account, as("vic", "register", "vic", "--yes"))
      expect(again).toMatchObject({ primary: state.primary, step: "published" })
    }
    const shown = await machine.run(as("vic", "words"))
    expect(shown.stdout.trim()).toBe(fs.readFileSync(machine.path("vic.words"), "utf8").trim())
  })
})

describe("passphrases and words", () => {
  beforeAll(() => machine.register("pia"))

  const noPassphrase = { env: { KEZ_PASSPHRASE_FILE: undefined } }

  it("exits 7 where nobody can be asked, and where the passphrase is wrong", async () => {
    const missing = await machine.run(as("pia", "unlock", "--json"), noPassphrase)
    expect(missing.code).toBe(7)
    expect(missing.error()).toMatchObject({ code: "vault_locked", message: expect.stringContaining("--passphrase-fd") })
    const wrong = await machine.run(as("pia", "words", "--passphrase-fd", "3"), {
      ...noPassphrase,
      descriptors: ["not it\n"]
    })
    expect(wrong.code).toBe(7)
    expect(wrong.stderr).toContain("the passphrase is wrong")
    expect(wrong.stdout).toBe("")
  })

  it("reads the passphrase from a descriptor, which wins over the file", async () => {
    const done = await machine.run(as("pia", "words", "--passphrase-fd", "3"), {
      env: { KEZ_PASSPHRASE_FILE: machine.path("absent") },
      descriptors: ["correct horse\n"]
    })
    expect(done.code).toBe(0)
    expect(done.stdout).toBe(fs.readFileSync(machine.path("pia.words"), "utf8"))
  })

  it("wants eight characters of a new passphrase", async () => {
    const words = ["--words-file", machine.path("shorty.words")]
    const done = await machine.run(as("shorty", "register", "shorty", "--yes", ...words, "--passphrase-fd", "3"), {
      descriptors: ["seven77\n"]
    })
    expect(done.code).toBe(7)
    expect((await machine.run(as("shorty", "whoami"))).code).toBe(3)
    expect(fs.existsSync(machine.profile("shorty"))).toBe(false)
    expect(fs.existsSync(machine.path("shorty.words"))).toBe(false)
  })

  it("prints no words as JSON, and writes them over no file", async () => {
    expect((await machine.run(as("pia", "words", "--json"))).code).toBe(2)
    const file = machine.path("pia2.words")
    await machine.json(Shapes.WordsWritten, as("pia", "words", "--words-file", file))
    expect(fs.readFileSync(file, "utf8")).toBe(fs.readFileSync(machine.path("pia.words"), "utf8"))
    expect(fs.statSync(file).mode & 0o777).toBe(0o600)
    const other = machine.path("other.txt")
    fs.writeFileSync(other, "something else")
    const again = await machine.run(as("pia", "words", "--words-file", other))
    expect(again.code).toBe(1)
    expect(again.stderr).toContain("it exists already")
    expect(fs.readFileSync(other, "utf8")).toBe("something else")
  })

  it("says that a damaged seed file is damaged, not that the passphrase is wrong", async () => {
    await machine.register("dan")
    const file = path.join(machine.profile("dan"), "seed.json")
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(/"ciphertext": "./, '"ciphertext": "_'))
    const done = await machine.run(as("dan", "unlock", "--json"))
    expect(done.code).toBe(1)
    expect(done.error().code).toBe("vault_damaged")
  })
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
      auto_trim: false
    })
    const changed = { read_receipts: true, inbox: "contacts", auto_trim: true }
    expect(
      await machine.json(
        Shapes.Settings,
        as("alice", "settings", "--read-receipts", "on", "--inbox", "contacts", "--auto-trim", "on")
      )
    ).toEqual(changed)
    expect(await machine.json(Shapes.Settings, as("alice", "settings"))).toEqual(changed)
    const shown = await machine.run(as("alice", "settings", "--auto-trim", "off", "--read-receipts", "off"))
    expect(shown.stdout).toMatch(/auto-trim +off/)
    await machine.json(Shapes.Settings, as("alice", "settings", "--inbox", "everyone"))
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
