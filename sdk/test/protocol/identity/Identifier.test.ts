import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Identifier from "../../../src/protocol/identity/Identifier.ts"
import { codeOf, fuzzText } from "../../kits/DecoderKit.ts"

const npub = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg"
const hex = "2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"

/** As written -> in normal form. */
const forms: ReadonlyArray<readonly [string, string]> = [
  ["github:octocat", "github:octocat"],
  ["github:@Octo-Cat", "github:octo-cat"],
  ["dns:Kez.Lat.", "dns:kez.lat"],
  ["web:kez.lat", "web:https://kez.lat"],
  ["web:https://KEZ.lat/", "web:https://kez.lat"],
  ["web:https://kez.lat:8443/~chris/", "web:https://kez.lat:8443/~chris"],
  [`nostr:${npub}`, `nostr:${npub}`],
  [`ed25519:${hex}`, `ed25519:${hex}`],
  ["bluesky:@Alice.bsky.social", "bluesky:alice.bsky.social"],
  ["ap:@Alice@Social.example", "ap:alice@social.example"],
  ["mastodon:alice@social.example", "ap:alice@social.example"],
  ["did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:plc:ewvi7nxzyoun6zhxrhs64oiz"],
  ["farcaster:fid:12", "farcaster:fid:12"],
  ["constructor:x", "constructor:x"]
]

describe("identifiers (KEZ-PRF-001, KEZ-PRF-002, KEZ-PRF-012)", () => {
  it("have a normal form, which is its own", () => {
    for (const [text, normal] of forms) {
      const parsed = Result.getOrThrow(Identifier.parse(text))
      assert.strictEqual(parsed.text, normal)
      assert.strictEqual(`${parsed.system}:${parsed.id}`, normal)
      assert.strictEqual(Result.getOrThrow(Identifier.parse(normal)).text, normal)
      assert.isTrue(Identifier.same(text, normal))
    }
    assert.isFalse(Identifier.same("github:octocat", "dns:octocat.example"))
    assert.isFalse(Identifier.same("nonsense", "nonsense"))
  })
  it("need a system, and an id without white space and control characters", () => {
    for (const text of [
      "",
      "octocat",
      ":octocat",
      "github:",
      "GitHub:octocat",
      "1x:a",
      "git hub:a",
      "x: a",
      "x:a b",
      "x:a\n",
      "x:a\u0000",
      "x:\u202ea",
      "x:a\u00a0",
      "x:\ud800",
      `${"x".repeat(33)}:a`
    ]) {
      assert.strictEqual(codeOf(Identifier.parse(text)), "identifier_malformed", text)
    }
  })
  it("are refused where a known system cannot have them", () => {
    for (const text of [
      "github:-a",
      "github:a--b",
      "github:a-",
      `github:${"a".repeat(40)}`,
      "github:a_b",
      "github:@@a",
      "dns:localhost",
      "dns:kez_lat",
      "dns:1.2.3.4",
      "dns:kez.lat/x",
      "web:http://kez.lat",
      "web:ftp://kez.lat",
      "web:https://u@kez.lat",
      "web:https://kez.lat/?q",
      "web:https://kez.lat/#f",
      "web:https://127.0.0.1",
      "web:https://[::1]",
      "web:https://localhost",
      "nostr:npub1x",
      `nostr:${hex}`,
      "ed25519:00",
      "bluesky:alice",
      "ap:alice",
      "ap:alice@",
      "ap:@social.example",
      "ap:alice@b@c.d",
      "mastodon:alice@localhost"
    ]) {
      assert.strictEqual(codeOf(Identifier.parse(text)), "identifier_malformed", text)
    }
  })
  it("have at most 512 characters (KEZ-LIM-007)", () => {
    assert.isTrue(Result.isSuccess(Identifier.parse(`x:${"a".repeat(510)}`)))
    assert.strictEqual(codeOf(Identifier.parse(`x:${"a".repeat(511)}`)), "identifier_malformed")
  })
  it("never throw", () =>
    fuzzText(
      Identifier.parse,
      fc.oneof(
        ...forms.map(([text]) => fc.constant(text)),
        fc.webUrl().map((url) => `web:${url}`)
      ),
      1000
    ))
})
