import { Effect, Exit, Option, Redacted } from "effect"
import * as fc from "fast-check"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { costBounds, make, maxFileBytes } from "../../../src/adapters/node/FileVault.ts"
import { VaultError } from "../../../src/services/Vault.ts"
import { vaultKit } from "../../kits/VaultKit.ts"

let folder: string
let count = 0
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-vault-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const passphrase = (text: string) => () => Effect.succeed(Redacted.make(text))
const newFile = () => path.join(folder, `${count++}`, "seed.json")
const seed = Redacted.make(new Uint8Array(32).fill(9))
const vault = (file: string, text = "correct horse") => make({ path: file, passphrase: passphrase(text) })

const written = async () => {
  const file = newFile()
  await Effect.runPromise(vault(file).save(seed))
  return file
}

const reasonOf = async (file: string, text = "correct horse") => {
  const error = await Effect.runPromise(Effect.flip(vault(file, text).load))
  expect(error).toBeInstanceOf(VaultError)
  return error.reason
}

const edit = (file: string, change: (json: { [field: string]: string } & { kdf: object }) => void) => {
  const json = JSON.parse(fs.readFileSync(file, "utf8"))
  change(json)
  fs.writeFileSync(file, JSON.stringify(json))
}

vaultKit("encrypted file", {
  place: Effect.sync(() => {
    const file = newFile()
    return { open: Effect.sync(() => vault(file)), durable: true }
  })
})

describe("FileVault", () => {
  it("encrypts nothing under an empty passphrase", async () => {
    const file = newFile()
    for (const empty of ["", " ", "\u200b"]) {
      const error = await Effect.runPromise(Effect.flip(vault(file, empty).save(seed)))
      expect(error).toMatchObject({ reason: "locked", detail: expect.stringContaining("empty passphrase") })
    }
    expect(fs.existsSync(file)).toBe(false)
  })

  it("writes 0600 in a 0700 folder and leaves no draft behind", async () => {
    const file = await written()
    expect(fs.statSync(file).mode & 0o777).toBe(0o600)
    expect(fs.statSync(path.dirname(file)).mode & 0o777).toBe(0o700)
    expect(fs.readdirSync(path.dirname(file))).toEqual(["seed.json"])
    expect(JSON.parse(fs.readFileSync(file, "utf8"))).toMatchObject({
      kez_vault: 1,
      kdf: { name: "scrypt", log_n: 17, r: 8, p: 1 },
      cipher: "chacha20-poly1305"
    })
  })

  it("tells a wrong passphrase from damage", async () => {
    const file = await written()
    expect(await reasonOf(file, "another")).toBe("wrong_passphrase")
    const whole = fs.readFileSync(file, "utf8")
    for (const field of ["ciphertext", "nonce", "checksum"]) {
      fs.writeFileSync(file, whole)
      edit(file, (json) => {
        const value = json[field]!
        json[field] = (value.startsWith("0") ? "1" : "0") + value.slice(1)
      })
      expect(await reasonOf(file)).toBe("damaged")
    }
    fs.writeFileSync(file, whole.slice(0, -40))
    expect(await reasonOf(file)).toBe("damaged")
    fs.writeFileSync(file, "")
    expect(await reasonOf(file)).toBe("damaged")
    fs.writeFileSync(file, whole)
    expect(Option.isSome(await Effect.runPromise(vault(file).load))).toBe(true)
  })

  it("takes a passphrase in either Unicode form", async () => {
    const file = newFile()
    await Effect.runPromise(vault(file, "caf\u00e9 noir").save(seed))
    expect(Option.isSome(await Effect.runPromise(vault(file, "cafe\u0301 noir").load))).toBe(true)
  })

  it("refuses a file that asks for too much work, before asking for the passphrase", async () => {
    const file = await written()
    const whole = fs.readFileSync(file, "utf8")
    const asked = make({ path: file, passphrase: () => Effect.die("asked") })
    for (const kdf of [
      { log_n: costBounds.logN[1] + 1 },
      { log_n: costBounds.logN[0] - 1 },
      { log_n: 17.5 },
      { log_n: "17" },
      { r: 1024 },
      { p: 2 ** 30 },
      { p: 0 },
      { name: "none" },
      { salt: "" }
    ]) {
      fs.writeFileSync(file, whole)
      edit(file, (json) => Object.assign(json.kdf, kdf))
      const exit = await Effect.runPromise(Effect.flip(asked.load))
      expect(exit.reason).toBe("damaged")
    }
  })

  it("reads no more than its limit", async () => {
    const file = await written()
    fs.appendFileSync(file, " ".repeat(maxFileBytes))
    expect(await reasonOf(file)).toBe("damaged")
  })

  it("answers every content with damage or a refusal, never with a defect", async () => {
    const file = newFile()
    fs.mkdirSync(path.dirname(file), { recursive: true })
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.jsonValue().map((v) => JSON.stringify({ kez_vault: 1, kdf: v }))
        ),
        async (text) => {
          fs.writeFileSync(file, text)
          const exit = await Effect.runPromiseExit(vault(file).load)
          expect(Exit.isFailure(exit) && exit.cause.reasons.every((reason) => reason._tag === "Fail")).toBe(true)
        }
      ),
      { numRuns: 100 }
    )
  })

  it("says which file and why when it cannot be written", async () => {
    const file = path.join(folder, "a-file", "seed.json")
    fs.writeFileSync(path.join(folder, "a-file"), "")
    const error = await Effect.runPromise(Effect.flip(vault(file).save(seed)))
    expect(error.reason).toBe("io")
    expect(error.message).toContain(file)
  })

  it("keeps the old file when a save has no passphrase", async () => {
    const file = await written()
    const before = fs.readFileSync(file, "utf8")
    const locked = make({
      path: file,
      passphrase: () => Effect.fail(new VaultError({ reason: "locked", detail: "no terminal" }))
    })
    expect((await Effect.runPromise(Effect.flip(locked.save(seed)))).reason).toBe("locked")
    expect(fs.readFileSync(file, "utf8")).toBe(before)
  })
})
