/** A seed is found in whatever form it leaves a client, and nothing else is taken for one. */
import { describe, expect, it } from "vitest"
import { Keys } from "../../src/clients/crypto/Keys.ts"
import { findSecret } from "../../src/clients/Secrets.ts"

const keys = new Keys(Uint8Array.from({ length: 32 }, (_, index) => (index * 37 + 201) % 256))
const seed = Buffer.from(keys.seed)
const find = (bytes: Uint8Array | string) => findSecret(keys, [{ where: "a request", bytes: Buffer.from(bytes) }])

const written: Readonly<Record<string, Uint8Array | string>> = {
  raw: Buffer.concat([Buffer.from("..."), seed, Buffer.from("...")]),
  hexadecimal: `{"s":"${seed.toString("hex")}"}`,
  "upper-case hexadecimal": seed.toString("hex").toUpperCase(),
  base64: seed.toString("base64"),
  "base64, a byte before it": Buffer.concat([Buffer.from("x"), seed]).toString("base64"),
  "base64url, two bytes before it": Buffer.concat([Buffer.from("xy"), seed, Buffer.from("z")]).toString("base64url"),
  "a list of numbers": JSON.stringify({ seed: [...keys.seed] }, null, 2),
  words: `words: ${keys.words}!`,
  "words in a query": `/v1/u?q=${encodeURIComponent(keys.words)}`,
  "a list of words": JSON.stringify(keys.words.split(" ")),
  "half of the words": keys.words.split(" ").slice(12).join(" ")
}

describe("a secret", () => {
  it.each(Object.entries(written))("is found as %s", (_, bytes) => {
    expect(find(bytes)).toMatch(/^a request has (?:the seed|its words)/)
  })

  it("is not what its public parts are", () => {
    for (const text of [
      keys.primary,
      keys.nkey,
      keys.signPayload({ a: 1 }),
      keys.words.split(" ").slice(0, 5).join(" ")
    ])
      expect(find(text)).toBeUndefined()
  })
})
