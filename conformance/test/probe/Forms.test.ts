/** What this project writes is as it assumes, and other forms are recognised. */
import { Zstd } from "@kez-chat/sdk/node"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { deflateRawSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { facts } from "../../src/probe/Facts.ts"
import { vectorChecks } from "../../src/suite/Checks.ts"
import { otherwise, primary, claimed, signed, claim, chainOf, linked, lines, compact } from "./ProbeKit.ts"

describe("what this project writes is as it assumes", () => {
  // These have a kind and no more, or show what else is kept.
  const isBare = (id: string) => /#(kind-.*|ignored-claims)$/.test(id)
  const ofOperation = (operation: string) =>
    vectorChecks()
      .filter((check) => check.operation === operation && check.kind === "valid" && !isBare(check.id))
      .map(({ case: { input }, id }) => [id, input] as const)

  it.each(ofOperation("envelope.verify"))("%s", async (_, { json }) => {
    expect(await otherwise(Buffer.from(String(json), "base64url").toString())).toEqual({})
  })
  it.each(ofOperation("sigchain.verify"))("%s", async (_, { events }) => {
    expect(await otherwise(lines(events as ReadonlyArray<unknown>))).toEqual({})
  })
  it.each([...ofOperation("encoding.decode"), ...ofOperation("encoding.decodeBundle")])("%s", async (_, { text }) => {
    expect(await otherwise(String(text))).toEqual({})
  })
  it.each(ofOperation("encoding.decodeTxt"))("%s", async (_, { segments }) => {
    const printed = (segments as ReadonlyArray<string>).map((segment) => JSON.stringify(segment)).join(" ")
    expect(await otherwise(printed)).toEqual({})
  })
})

describe("another form is recognised", () => {
  it.each([
    [
      "deflate",
      `kez:zd1:${deflateRawSync(JSON.stringify(claim)).toString("base64url")}`,
      { compression: "kez:zd1: with deflate-raw" }
    ],
    [
      "padding",
      `kez:z1:${Buffer.from(Zstd.compress(Buffer.from(JSON.stringify(claim)))).toString("base64")}==`,
      { alphabet: expect.stringContaining("padding") }
    ],
    [
      "a bundle as an array",
      compact(JSON.stringify(chainOf(linked)), "kez:zc1:"),
      { content: "a JSON array in kez:zc1:" }
    ],
    ["TXT with a name", `"v=kez1; ${compact(JSON.stringify(claim))}"`, { txt: expect.stringContaining("v=kez1") }],
    [
      "a time with a fraction",
      JSON.stringify(signed({ ...claimed, created_at: "2026-05-25T00:00:00.123456+00:00" })),
      { "time-form": "6 digits of a second, +00:00", accepted: expect.any(String) }
    ],
    [
      "null",
      JSON.stringify(signed({ ...claimed, expires_at: null })),
      { "absent-members": "expires_at is null", accepted: expect.any(String) }
    ],
    [
      "a number with a fraction",
      JSON.stringify(claim).replace('"version":1', '"version":1.0'),
      { "strict-json": expect.any(String), accepted: expect.any(String) }
    ],
    [
      "another kind",
      JSON.stringify(signed({ ...claimed, type: "kez.attestation" }, "attestation")),
      { kind: '"attestation" with "kez.attestation"', accepted: expect.any(String) }
    ]
  ])("%s", async (_, text, expected) => {
    expect(await otherwise(text)).toEqual(expected)
  })

  it("the text of a page around it", async () => {
    const page = `Me\nPrimary: ${primary}\n\n\`\`\`kez\n${JSON.stringify(claim)}\n\`\`\`\n`
    expect(await otherwise(page)).toEqual({})
    expect(await otherwise(page.replace(`Primary: ${primary}`, "Primary: ed25519:00"))).toEqual({
      "fence-primary": "a line Primary: with ed25519:00"
    })
    expect(await otherwise(`find me at ${compact(JSON.stringify(claim))} or so`)).toEqual({})
  })
})

const root = join(import.meta.dirname, "../../..")
it("every fact names a line that is there once, and vectors", () => {
  for (const [name, fact] of Object.entries(facts)) {
    if (!("sdk" in fact)) continue
    const [file, line] = fact.sdk
    const text = readFileSync(join(root, file), "utf8").replace(/\s+/g, " ")
    expect(text.split(line), `${name}: ${file}`).toHaveLength(2)
    expect(existsSync(join(root, fact.vectors)), `${name}: ${fact.vectors}`).toBe(true)
  }
})
