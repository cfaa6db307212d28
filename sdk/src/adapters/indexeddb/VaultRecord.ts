/**
 * The record of the vault as text: JSON, and its SHA-256 on a line of its own, which distinguishes damage from a wrong
 * passphrase.
 *
 * A random key of 32 bytes seals the seed, and each slot seals that key: one under a passphrase, one under each passkey.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as Handle from "../../protocol/identity/Handle.ts"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import { overheadBytes } from "./AesGcm.ts"

/** Argon2id (RFC 9106) of new passphrases: 64 MiB, about half a second. */
export const defaultCost = { m: 65_536, t: 3, p: 1 } as const

/** The accepted costs of a record. Less would be easy to guess; more would let a hostile record exhaust memory. */
const costBounds = { m: [47_104, 262_144], t: [1, 8], p: [1, 4] } as const

/** Most passkeys of a vault. */
export const maxPasskeys = 15

/** Most characters of a record that is read. */
export const maxLength = 32_768

const between = ([minimum, maximum]: readonly [number, number]) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const bytes = (min: number, max = min) => Schema.Uint8ArrayFromBase64Url.check(Schema.isBetweenLength(min, max))

const sealed = bytes(32 + overheadBytes)

const PassphraseSlot = Schema.Struct({
  kind: Schema.Literal("passphrase"),
  kdf: Schema.Struct({
    name: Schema.Literal("argon2id"),
    /** Memory in KiB. */
    m: between(costBounds.m),
    /** Passes. */
    t: between(costBounds.t),
    /** Lanes. */
    p: between(costBounds.p),
    salt: bytes(16)
  }),
  sealedKey: sealed
})
export type PassphraseSlot = typeof PassphraseSlot.Type

const PasskeySlot = Schema.Struct({
  kind: Schema.Literal("passkey"),
  credentialId: bytes(1, 1023),
  prfSalt: bytes(32),
  sealedKey: sealed
})
export type PasskeySlot = typeof PasskeySlot.Type

const VaultRecord = Schema.Struct({
  v: Schema.Literal(1),
  handle: Schema.String.check(Schema.makeFilter((text) => Result.isSuccess(Handle.parse(text)))),
  primary: Schema.String.check(Schema.isPattern(PrimaryKey.ed25519Form)),
  sealedSeed: sealed,
  slots: Schema.TupleWithRest(Schema.Tuple([PassphraseSlot]), [PasskeySlot]).check(Schema.isMaxLength(1 + maxPasskeys))
})
export type VaultRecord = typeof VaultRecord.Type

const encodeJson = Schema.encodeSync(Schema.fromJsonString(VaultRecord))
const decodeRecord = Schema.decodeUnknownResult(VaultRecord, { onExcessProperty: "error" })

const checksum = (json: string): string => Bytes.toHex(sha256(Bytes.utf8(json)))

export const encode = (record: VaultRecord): string => {
  const json = encodeJson(record)
  return `${json}\n${checksum(json)}`
}

/** Why a record is not read: damage, or a later version of the format. */
export interface Refusal {
  readonly reason: "damaged" | "newer"
  readonly detail: string
}

const damaged = (detail: string): Result.Result<never, Refusal> => Result.fail({ reason: "damaged", detail })

export const decode = (text: unknown): Result.Result<VaultRecord, Refusal> => {
  if (typeof text !== "string" || text.length > maxLength) return damaged("it is not the text of a vault")
  const end = text.lastIndexOf("\n")
  const json = text.slice(0, Math.max(end, 0))
  if (checksum(json) !== text.slice(end + 1)) return damaged("its checksum does not match")
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return damaged("it is not JSON")
  }
  const version = (value as { readonly v?: unknown } | null)?.v
  if (Number.isInteger(version) && version !== 1) {
    return Result.fail({ reason: "newer", detail: `its version ${String(version)} is not known to this program` })
  }
  return Result.mapError(decodeRecord(value), () => ({
    reason: "damaged",
    detail: "a field has a wrong value or size"
  }))
}

const base64 = Bytes.toBase64Url

/** What the sealed key of a slot is bound to. */
export const slotHeader = (slot: Omit<PassphraseSlot, "sealedKey"> | Omit<PasskeySlot, "sealedKey">): Uint8Array =>
  Bytes.utf8(
    JSON.stringify(
      slot.kind === "passphrase"
        ? [slot.kind, slot.kdf.name, slot.kdf.m, slot.kdf.t, slot.kdf.p, base64(slot.kdf.salt)]
        : [slot.kind, base64(slot.credentialId), base64(slot.prfSalt)]
    )
  )

/** What the sealed seed is bound to. */
export const seedHeader = ({ handle, primary }: Pick<VaultRecord, "handle" | "primary">): Uint8Array =>
  Bytes.utf8(JSON.stringify(["seed", handle, primary]))
