/** Signatures and chains made by other rules than this project assumes. */
import { ed25519ph } from "@noble/curves/ed25519.js"
import { schnorr, secp256k1 } from "@noble/curves/secp256k1.js"
import { blake3 } from "@noble/hashes/blake3.js"
import { describe, expect, it } from "vitest"
import { vectorChecks } from "../../src/suite/Checks.ts"
import {
  otherwise,
  different,
  primary,
  ed25519,
  jcs,
  hash,
  claimed,
  signedBy,
  claim,
  type Envelope,
  chainOf,
  linked,
  lines
} from "./ProbeKit.ts"

describe("a signature by another rule is recognised", () => {
  const bytes = jcs(claimed)
  const withoutSig = { alg: "ed25519-sha512-jcs", key: primary }
  it.each([
    ["Ed25519 over the bytes themselves", ed25519(bytes), { "ed25519-message": "Ed25519 over the bytes themselves" }],
    [
      "Ed25519ph",
      ed25519ph.sign(bytes, Buffer.alloc(32, 0x42)),
      { "ed25519-message": "Ed25519ph over the bytes themselves" }
    ],
    ["SHA-256", ed25519(hash("sha256", bytes)), { "ed25519-message": "Ed25519 over SHA-256" }],
    [
      "SHA-512 in hexadecimal",
      ed25519(Buffer.from(hash("sha512", bytes).toString("hex"))),
      { "ed25519-message": "Ed25519 over SHA-512 in hexadecimal" }
    ],
    [
      "JSON as it stands",
      ed25519(hash("sha512", JSON.stringify(claimed))),
      {
        "signed-payload":
          "the payload's text as it stands, or the payload without white space, its members in their order"
      }
    ],
    [
      "the envelope without signature",
      ed25519(hash("sha512", jcs({ kez: "claim", payload: claimed }))),
      { "signed-payload": "JCS(envelope without signature)" }
    ],
    [
      "the envelope without sig, unhashed",
      ed25519(jcs({ kez: "claim", payload: claimed, signature: withoutSig })),
      {
        "signed-payload": "JCS(envelope without sig)",
        "ed25519-message": "Ed25519 over the bytes themselves"
      }
    ],
    [
      "a payload without primary",
      ed25519(hash("sha512", jcs({ ...claimed, primary: undefined }))),
      { "signed-payload": "JCS(payload without primary)" }
    ],
    [
      "a payload with null",
      ed25519(hash("sha512", jcs({ ...claimed, expires_at: null }))),
      { "signed-payload": "JCS(payload with expires_at null)" }
    ],
    [
      "a prefix",
      ed25519(hash("sha512", Buffer.concat([Buffer.from("kez.claim\n"), bytes]))),
      { "signed-payload": String.raw`"kez.claim\n" and JCS(payload)` }
    ]
  ])("%s", async (_, signature, expected) => {
    expect(await different(JSON.stringify(signedBy(claimed, signature)))).toEqual(expected)
  })

  it("by the same rule with another spelling", async () => {
    const base64 = {
      ...claim,
      signature: { ...claim.signature, sig: Buffer.from(claim.signature.sig, "hex").toString("base64") }
    }
    expect(Object.keys(await different(JSON.stringify(base64)))).toEqual(["signature-form"])
    const upper = { ...claim, signature: { ...claim.signature, sig: claim.signature.sig.toUpperCase() } }
    expect(Object.keys(await different(JSON.stringify(upper)))).toEqual(["signature-form"])
    const flat = { kez: "claim", payload: claimed, sig: claim.signature.sig }
    expect(Object.keys(await different(JSON.stringify(flat)))).toContain("envelope-members")
  })

  it("of a nostr key", async () => {
    const nostr = vectorChecks().find(({ id }) => id === "envelope/envelope.valid.json#nostr")!
    const envelope = JSON.parse(Buffer.from(String(nostr.case.input["json"]), "base64url").toString()) as Envelope
    const secret = Buffer.alloc(32, 0x42)
    const key = Buffer.from(schnorr.getPublicKey(secret)).toString("hex")
    // Spelt in hexadecimal here, which is itself another form.
    const payload = { ...envelope.payload, primary: `nostr:${key}` }
    const withSignature = (signature: Uint8Array) =>
      JSON.stringify({
        kez: "claim",
        payload,
        signature: { ...envelope.signature, key: `nostr:${key}`, sig: Buffer.from(signature).toString("hex") }
      })
    const right = await different(withSignature(schnorr.sign(hash("sha256", jcs(payload)), secret)))
    expect(Object.keys(right)).toEqual(["key-form"])
    const plain = await different(withSignature(schnorr.sign(jcs(payload), secret)))
    expect(plain["nostr-message"]).toBe("BIP-340 over the bytes themselves")
    const ecdsa = secp256k1.sign(hash("sha256", jcs(payload)), secret, { prehash: false })
    expect((await different(withSignature(ecdsa)))["nostr-message"]).toBe("ECDSA over SHA-256")
  })

  it("and a broken one is not", async () => {
    const broken = { ...claim, payload: { ...claimed, subject: "github:hubot" } }
    expect((await different(JSON.stringify(broken)))["ed25519-message"]).toMatch(/^none of \d{3} rules verifies$/)
  })
})

describe("a chain by another rule is recognised", () => {
  it.each([
    ["over the payload", (before: Envelope) => linked(before.payload), { "prev-input": "JCS(payload)" }],
    [
      "over the text as it stands",
      (before: Envelope) => `sha256:${hash("sha256", JSON.stringify(before)).toString("hex")}`,
      {
        "prev-input":
          "the envelope's text as it stands, or the envelope without white space, its members in their order"
      }
    ],
    [
      "by BLAKE3",
      (before: Envelope) => `blake3:${Buffer.from(blake3(jcs(before))).toString("hex")}`,
      { "prev-form": "blake3:64 lower-case digits", "prev-hash": "BLAKE3" }
    ],
    [
      "without the name of the hash",
      (before: Envelope) => hash("sha256", jcs(before)).toString("hex"),
      { "prev-form": "64 lower-case digits" }
    ],
    ["to nothing", () => `sha256:${"0".repeat(64)}`, { "prev-input": "none of the rules that were tried fits" }]
  ])("%s", async (_, link, expected) => {
    expect(await different(lines(chainOf(link)))).toEqual(expected)
  })

  it("from 1", async () => {
    const found = await different(lines(chainOf(linked, 1)))
    expect(found["first-seq"]).toBe("the first is 1")
  })
  it("in reverse order, or with a gap", async () => {
    const [first, second, third] = chainOf(linked)
    expect((await otherwise(lines([third, second, first])))["first-seq"]).toContain("1 after 2")
    expect((await otherwise(lines([first, third])))["first-seq"]).toBe("2 after 0")
  })
  it("and the rest of a chain shows nothing of its beginning", async () => {
    const [, second, third] = chainOf(linked)
    expect(await otherwise(lines([second, third]))).toEqual({})
  })
  it("as an array, or within an object", async () => {
    expect(await otherwise(JSON.stringify(chainOf(linked)))).toEqual({ list: "a JSON array" })
    expect(await otherwise(JSON.stringify({ events: chainOf(linked) }))).toEqual({
      list: "a JSON object with a list named events"
    })
  })
})
