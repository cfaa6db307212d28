import { assert, describe, it } from "vitest"
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import * as Bytes from "../../../src/protocol/encoding/Bytes.ts"
import * as Hpke from "../../../src/protocol/messages/Hpke.ts"

const hex = Bytes.toHex
const ascii = (text: string) => hex(Bytes.utf8(text))

describe("HPKE's byte strings (RFC 9180 sections 4, 4.1 and 5.1)", () => {
  const a = new Uint8Array(32).fill(0xaa)
  const b = new Uint8Array(32).fill(0xbb)
  it("label every input with the version, the suite and a name", () => {
    const kem = ascii("HPKE-v1") + ascii("KEM") + "0020"
    const suite = ascii("HPKE-v1") + ascii("HPKE") + "002000010003"
    assert.strictEqual(hex(Hpke.sharedSecretIkm(a)), kem + ascii("eae_prk") + hex(a))
    assert.strictEqual(hex(Hpke.sharedSecretInfo(a, b)), `0020${kem}${ascii("shared_secret")}${hex(a)}${hex(b)}`)
    assert.strictEqual(hex(Hpke.infoHashIkm(Bytes.utf8("i"))), suite + ascii("info_hash") + ascii("i"))
    assert.strictEqual(hex(Hpke.secretIkm), suite + ascii("secret"))
    assert.strictEqual(hex(Hpke.keyInfo(b)), `0020${suite}${ascii("key")}${hex(b)}`)
    assert.strictEqual(hex(Hpke.nonceInfo(b)), `000c${suite}${ascii("base_nonce")}${hex(b)}`)
  })
  it("hold the hash of Base mode's empty PSK id", () => {
    assert.deepStrictEqual(Hpke.pskIdHash, hmac(sha256, new Uint8Array(0), Hpke.pskIdHashIkm))
    assert.strictEqual(hex(Hpke.keyScheduleContext(a)), `00${hex(Hpke.pskIdHash)}${hex(a)}`)
  })
})
