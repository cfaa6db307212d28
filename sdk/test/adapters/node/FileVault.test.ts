import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Option, Redacted } from "effect"
import * as fc from "fast-check"
import { costBounds, make, maxFileBytes } from "../../../src/adapters/node/FileVault.ts"
import { VaultError } from "../../../src/services/Vault.ts"
import { checkProperty } from "../../kits/Property.ts"
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

const written = Effect.suspend(() => {
  const file = newFile()
  return Effect.as(vault(file).save(seed), file)
})

const reasonOf = (file: string, text = "correct horse") =>
  Effect.map(Effect.flip(vault(file, text).load), (error) => {
    expect(error).toBeInstanceOf(VaultError)
    return error.reason
  })

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
  it.live("encrypts nothing under an empty passphrase", () =>
    Effect.gen(function* () {
      const file = newFile()
      for (const empty of ["", " ", "\u200b"]) {
        const error = yield* Effect.flip(vault(file, empty).save(seed))
        expect(error).toMatchObject({ reason: "locked", detail: expect.stringContaining("empty passphrase") })
      }
      expect(fs.existsSync(file)).toBe(false)
    })
  )

  it.live("writes 0600 in a 0700 folder and leaves no draft behind", () =>
    Effect.gen(function* () {
      const file = yield* written
      expect(fs.statSync(file).mode & 0o777).toBe(0o600)
      expect(fs.statSync(path.dirname(file)).mode & 0o777).toBe(0o700)
      expect(fs.readdirSync(path.dirname(file))).toEqual(["seed.json"])
      expect(JSON.parse(fs.readFileSync(file, "utf8"))).toMatchObject({
        kez_vault: 1,
        kdf: { name: "scrypt", log_n: 17, r: 8, p: 1 },
        cipher: "chacha20-poly1305"
      })
    })
  )

  it.live("tells a wrong passphrase from damage", () =>
    Effect.gen(function* () {
      const file = yield* written
      expect(yield* reasonOf(file, "another")).toBe("wrong_passphrase")
      const whole = fs.readFileSync(file, "utf8")
      for (const field of ["ciphertext", "nonce", "checksum"]) {
        fs.writeFileSync(file, whole)
        edit(file, (json) => {
          const value = json[field]!
          json[field] = (value.startsWith("0") ? "1" : "0") + value.slice(1)
        })
        expect(yield* reasonOf(file)).toBe("damaged")
      }
      fs.writeFileSync(file, whole.slice(0, -40))
      expect(yield* reasonOf(file)).toBe("damaged")
      fs.writeFileSync(file, "")
      expect(yield* reasonOf(file)).toBe("damaged")
      fs.writeFileSync(file, whole)
      expect(Option.isSome(yield* vault(file).load)).toBe(true)
    })
  )

  it.live("takes a passphrase in either Unicode form", () =>
    Effect.gen(function* () {
      const file = newFile()
      yield* vault(file, "caf\u00e9 noir").save(seed)
      expect(Option.isSome(yield* vault(file, "cafe\u0301 noir").load)).toBe(true)
    })
  )

  it.live("refuses a file that asks for too much work, before asking for the passphrase", () =>
    Effect.gen(function* () {
      const file = yield* written
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
        const exit = yield* Effect.flip(asked.load)
        expect(exit.reason).toBe("damaged")
      }
    })
  )

  it.live("reads no more than its limit", () =>
    Effect.gen(function* () {
      const file = yield* written
      fs.appendFileSync(file, " ".repeat(maxFileBytes))
      expect(yield* reasonOf(file)).toBe("damaged")
    })
  )

  it.live("answers every content with damage or a refusal, never with a defect", () =>
    Effect.gen(function* () {
      const file = newFile()
      fs.mkdirSync(path.dirname(file), { recursive: true })
      yield* checkProperty(
        [
          fc.oneof(
            fc.json(),
            fc.string(),
            fc.jsonValue().map((v) => JSON.stringify({ kez_vault: 1, kdf: v }))
          )
        ],
        Effect.fnUntraced(function* (text) {
          fs.writeFileSync(file, text)
          const exit = yield* Effect.exit(vault(file).load)
          expect(Exit.isFailure(exit) && exit.cause.reasons.every((reason) => reason._tag === "Fail")).toBe(true)
        }),
        { numRuns: 100 }
      )
    })
  )

  it.live("says which file and why when it cannot be written", () =>
    Effect.gen(function* () {
      const file = path.join(folder, "a-file", "seed.json")
      fs.writeFileSync(path.join(folder, "a-file"), "")
      const error = yield* Effect.flip(vault(file).save(seed))
      expect(error.reason).toBe("io")
      expect(error.message).toContain(file)
    })
  )

  it.live("keeps the old file when a save has no passphrase", () =>
    Effect.gen(function* () {
      const file = yield* written
      const before = fs.readFileSync(file, "utf8")
      const locked = make({
        path: file,
        passphrase: () => Effect.fail(new VaultError({ reason: "locked", detail: "no terminal" }))
      })
      expect((yield* Effect.flip(locked.save(seed))).reason).toBe("locked")
      expect(fs.readFileSync(file, "utf8")).toBe(before)
    })
  )
})
