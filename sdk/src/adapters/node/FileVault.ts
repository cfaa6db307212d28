/**
 * The seed in one file encrypted under a passphrase, for machines without an OS keychain: a key by scrypt (RFC 7914),
 * ChaCha20-Poly1305 (RFC 8439), the header as associated data. Damage breaks the SHA-256 over the rest of the file, a
 * wrong passphrase only the tag.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as crypto from "node:crypto"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as Blank from "../../protocol/encoding/Blank.ts"
import { Vault, VaultError } from "../../services/Vault.ts"
import { syncFolder } from "./DurableFile.ts"

/** scrypt's cost. Memory is 128 * 2^logN * r bytes: at least 128 MiB. */
export interface ScryptCost {
  readonly logN: number
  readonly r: number
  readonly p: number
}

/** The cost of new files: 2^17, 8, 1 (OWASP's choice for scrypt), about half a second. */
export const defaultCost: ScryptCost = { logN: 17, r: 8, p: 1 }

/** The accepted costs of a file. Less would be easy to guess; more would let a hostile file exhaust memory. */
export const costBounds = { logN: [17, 19], r: [8, 8], p: [1, 4] } as const

/** Maximum bytes of a vault file that is read; a real one has about 400. */
export const maxFileBytes = 4096

/** Gives the passphrase of an existing file (`open`) or a `new` one; `VaultError` `locked` if nobody can be asked. */
export type AskPassphrase = (purpose: "open" | "new") => Effect.Effect<Redacted.Redacted<string>, VaultError>

export interface FileVaultOptions {
  /** The file. Its folder is created (0700) if missing. */
  readonly path: string
  readonly passphrase: AskPassphrase
  /** Cost of newly written files; within {@link costBounds}. */
  readonly cost?: ScryptCost
}

interface Header {
  readonly kez_vault: 1
  readonly kdf: {
    readonly name: "scrypt"
    readonly log_n: number
    readonly r: number
    readonly p: number
    readonly salt: string
  }
  readonly cipher: "chacha20-poly1305"
  readonly nonce: string
}

interface VaultFile {
  readonly header: Header
  /** Seed and tag, 48 bytes. */
  readonly sealed: Buffer
}

const within = (value: unknown, [min, max]: readonly [number, number]): value is number =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max

/** The bytes depend on the header alone, so they can serve as associated data and checksum input. */
const headerText = ({ kez_vault, kdf, cipher, nonce }: Header): string =>
  JSON.stringify({
    kez_vault,
    kdf: { name: kdf.name, log_n: kdf.log_n, r: kdf.r, p: kdf.p, salt: kdf.salt },
    cipher,
    nonce
  })

const checksum = (header: Header, ciphertext: string): string =>
  crypto.createHash("sha256").update(headerText(header)).update("\n").update(ciphertext).digest("hex")

const encode = ({ header, sealed }: VaultFile): string => {
  const ciphertext = sealed.toString("base64url")
  return JSON.stringify({ ...header, ciphertext, checksum: checksum(header, ciphertext) }, null, 2) + "\n"
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const bytes = (value: unknown, length: number): Buffer | undefined => {
  if (typeof value !== "string") return undefined
  const decoded = Buffer.from(value, "base64url")
  return decoded.length === length && decoded.toString("base64url") === value ? decoded : undefined
}

/** The parsed file, or the rule it breaks. */
const parse = (text: string): VaultFile | string => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return "it is not JSON"
  }
  if (!isRecord(json)) return "it is not a JSON object"
  if (json["kez_vault"] !== 1) {
    return Number.isInteger(json["kez_vault"])
      ? `its version ${String(json["kez_vault"])} is not known to this program`
      : "it is not a kez-chat vault"
  }
  const { kdf, cipher, nonce, ciphertext } = json
  if (!isRecord(kdf) || kdf["name"] !== "scrypt" || cipher !== "chacha20-poly1305") return "it names unknown algorithms"
  const { log_n, r, p, salt } = kdf
  if (!within(log_n, costBounds.logN) || !within(r, costBounds.r) || !within(p, costBounds.p)) {
    return "its scrypt parameters are outside the accepted range"
  }
  const sealed = bytes(ciphertext, 48)
  if (bytes(salt, 32) === undefined || bytes(nonce, 12) === undefined || sealed === undefined)
    return "a field has the wrong size"
  const header: Header = {
    kez_vault: 1,
    kdf: { name: "scrypt", log_n, r, p, salt: salt as string },
    cipher: "chacha20-poly1305",
    nonce: nonce as string
  }
  return checksum(header, ciphertext as string) === json["checksum"]
    ? { header, sealed }
    : "its checksum does not match"
}

const vaultError = (reason: VaultError["reason"], detail: string, cause?: unknown): VaultError =>
  new VaultError({ reason, detail, ...(cause === undefined ? {} : { cause }) })

const codeOf = (error: unknown): string =>
  isRecord(error) && typeof error["code"] === "string"
    ? error["code"]
    : error instanceof Error
      ? error.message
      : "unknown error"

/** NFKC, so that one passphrase is the same from every keyboard. */
const deriveKey = (passphrase: Redacted.Redacted<string>, { kdf }: Header): Effect.Effect<Buffer, VaultError> =>
  Effect.callback((resume) => {
    const N = 2 ** kdf.log_n
    crypto.scrypt(
      Redacted.value(passphrase).normalize("NFKC"),
      Buffer.from(kdf.salt, "base64url"),
      32,
      { N, r: kdf.r, p: kdf.p, maxmem: 128 * kdf.r * (N + kdf.p + 2) + 1024 },
      (error, key) =>
        resume(
          error === null ? Effect.succeed(key) : Effect.fail(vaultError("io", `scrypt failed: ${codeOf(error)}`, error))
        )
    )
  })

const seal = (seed: Uint8Array, key: Buffer, header: Header): Buffer => {
  const cipher = crypto.createCipheriv("chacha20-poly1305", key, Buffer.from(header.nonce, "base64url"), {
    authTagLength: 16
  })
  cipher.setAAD(Buffer.from(headerText(header)), { plaintextLength: seed.length })
  return Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()])
}

const open = ({ header, sealed }: VaultFile, key: Buffer): Buffer | undefined => {
  const decipher = crypto.createDecipheriv("chacha20-poly1305", key, Buffer.from(header.nonce, "base64url"), {
    authTagLength: 16
  })
  decipher.setAAD(Buffer.from(headerText(header)), { plaintextLength: 32 })
  decipher.setAuthTag(sealed.subarray(32))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, 32)), decipher.final()])
  } catch {
    return undefined
  }
}

const ENOENT = (error: unknown): boolean => isRecord(error) && error["code"] === "ENOENT"

const readBounded = async (file: string): Promise<string | undefined> => {
  const handle = await fs.open(file, "r").catch((error: unknown) => {
    if (ENOENT(error)) return undefined
    throw error
  })
  if (handle === undefined) return undefined
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(maxFileBytes + 1), 0, maxFileBytes + 1, 0)
    return bytesRead > maxFileBytes ? "" : buffer.toString("utf8", 0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** Written beside the target and renamed over it: a reader finds the old file or the new one, each whole. */
const replaceFile = async (file: string, text: string): Promise<void> => {
  const folder = path.dirname(file)
  await fs.mkdir(folder, { recursive: true, mode: 0o700 })
  const draft = path.join(folder, `.${path.basename(file)}.${crypto.randomBytes(6).toString("hex")}`)
  try {
    const handle = await fs.open(draft, "wx", 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await fs.rename(draft, file)
  } catch (error) {
    await fs.rm(draft, { force: true })
    throw error
  }
  await syncFolder(folder)
}

/** Makes the vault; reads nothing until the seed is requested. */
export const make = (options: FileVaultOptions): Vault["Service"] => {
  const { path: file, passphrase, cost = defaultCost } = options
  const io = <A>(what: string, run: () => Promise<A>): Effect.Effect<A, VaultError> =>
    Effect.tryPromise({
      try: run,
      catch: (cause) => vaultError("io", `cannot ${what} ${file}: ${codeOf(cause)}`, cause)
    })

  return {
    description: `encrypted file ${file}`,
    load: Effect.gen(function* () {
      const text = yield* io("read", () => readBounded(file))
      if (text === undefined) return Option.none()
      const parsed = parse(text)
      if (typeof parsed === "string") {
        return yield* vaultError("damaged", `${file} is damaged: ${parsed}. Restore the account from its words`)
      }
      const key = yield* deriveKey(yield* passphrase("open"), parsed.header)
      const seed = open(parsed, key)
      key.fill(0)
      if (seed === undefined) return yield* vaultError("wrong_passphrase", "the passphrase is wrong")
      return Option.some(Redacted.make(new Uint8Array(seed), { label: "seed" }))
    }),
    save: Effect.fnUntraced(function* (seed) {
      const header: Header = {
        kez_vault: 1,
        kdf: {
          name: "scrypt",
          log_n: cost.logN,
          r: cost.r,
          p: cost.p,
          salt: crypto.randomBytes(32).toString("base64url")
        },
        cipher: "chacha20-poly1305",
        nonce: crypto.randomBytes(12).toString("base64url")
      }
      const chosen = yield* passphrase("new")
      if (Blank.isBlank(Redacted.value(chosen))) {
        return yield* new VaultError({ reason: "locked", detail: "an empty passphrase protects nothing: choose one" })
      }
      const key = yield* deriveKey(chosen, header)
      const sealed = seal(Redacted.value(seed), key, header)
      key.fill(0)
      yield* io("write", () => replaceFile(file, encode({ header, sealed })))
    }),
    clear: io("remove", async () => {
      await fs.rm(file, { force: true })
      await syncFolder(path.dirname(file)).catch((error: unknown) => {
        if (!ENOENT(error)) throw error
      })
    })
  }
}

/** A `Vault` in a passphrase-encrypted file. */
export const layer = (options: FileVaultOptions): Layer.Layer<Vault> => Layer.succeed(Vault, make(options))
