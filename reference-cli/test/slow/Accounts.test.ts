/** Creating, restoring and protecting accounts as users run it: processes, a real home server, exit codes and JSON. */
import * as fs from "node:fs"
import * as path from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { bundled } from "../../../deploy/local/Bundles.ts"
import type { Home } from "../../../deploy/local/Home.ts"
import { as, Machine } from "../kit/Program.ts"
import { useScene } from "../kit/Scene.ts"
import * as Shapes from "../kit/Shapes.ts"

let home: Home
let machine: Machine

useScene((scene) => {
  ;({ home, machine } = scene)
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

  it("registers a key that its owner has already", async () => {
    const file = machine.path("old.words")
    fs.writeFileSync(file, `${"zoo ".repeat(23)}vote\n`, { mode: 0o600 })
    const { handle, primary } = await machine.json(
      Shapes.Account,
      as("olga", "register", "olga", "--existing-words", file)
    )
    expect([handle, primary]).toEqual([
      "olga@localhost",
      // The public key of 32 bytes of 255.
      "ed25519:76a1592044a6e4f511265bca73a604d90b0529d1df602be30a19a9257660d1f5"
    ])
    expect(fs.existsSync(file)).toBe(true)
  })

  it("takes up the account elsewhere from its words, history included", async () => {
    await machine.registerPair("rena", "rob")
    await machine.json(Shapes.Sent, as("rena", "send", "rob", "before the fire"))
    await machine.json(Shapes.Sent, as("rob", "send", "rena", "from rob"))
    const elsewhere = new Machine(await bundled("kez-chat"), home.urls.home)
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
