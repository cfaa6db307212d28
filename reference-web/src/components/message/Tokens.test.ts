import { describe, expect, it } from "vitest"
import { isEmojiOnly, tokens } from "./Tokens.ts"

const links = (text: string) => tokens(text).flatMap((token) => (token.kind === "link" ? [token.text] : []))
const names = (text: string) => tokens(text).flatMap((token) => (token.kind === "mention" ? [token.name] : []))

describe("tokens", () => {
  it.each([
    ["https://kez.lat/a?b=c#d", ["https://kez.lat/a?b=c#d"]],
    ["see http://localhost:8080.", ["http://localhost:8080"]],
    ["(https://en.wikipedia.org/wiki/Paper_(material))", ["https://en.wikipedia.org/wiki/Paper_(material)"]],
    ["[https://kez.lat/[x]]", ["https://kez.lat/[x]"]],
    ["“https://kez.lat”", ["https://kez.lat"]],
    ["https://one.example, https://two.example!", ["https://one.example", "https://two.example"]],
    ["HTTPS://KEZ.LAT", ["HTTPS://KEZ.LAT"]],
    ["kez.lat www.kez.lat", []],
    ["javascript:alert(1) data:text/html,x file:///etc/passwd", []],
    ["https://", []],
    ["https://[", []],
    ["https://good.example/\u2066evil", ["https://good.example/"]],
    ["https://good.example/<script>", ["https://good.example/"]],
    ['https://good.example/"onclick="x', ["https://good.example/"]]
  ])("finds the links of %j", (text, expected) => expect(links(text)).toEqual(expected))

  it.each([
    ["@mia and @Chris@kez.lat.", ["mia", "chris@kez.lat"]],
    ["mail mia@kez.lat", []],
    ["@ab @-no", []],
    ["https://kez.lat/@mia", []],
    ["(@mia)", ["mia"]]
  ])("finds the names of %j", (text, expected) => expect(names(text)).toEqual(expected))

  it("loses nothing but overrides of the direction", () => {
    const text = "a https://kez.lat, @mia \u2067b\u2069 c\u202ed"
    expect(
      tokens(text)
        .map((token) => token.text)
        .join("")
    ).toBe(text.replace("\u202e", ""))
  })

  // Far above the limit of a message: time that grows with the square of the length would not end within a test.
  it("splits texts of many links and brackets in time that grows with their length", () => {
    expect(links("https://kez.lat/x ".repeat(20_000))).toHaveLength(20_000)
    tokens("(".repeat(400_000))
    tokens(`https://kez.lat/${")".repeat(400_000)}`)
    tokens("@".repeat(400_000))
  })
})

describe("isEmojiOnly", () => {
  it.each([
    ["🎉", true],
    ["👩‍🚀 👍🏽 🇫🇷", true],
    ["🎉🎉🎉🎉", false],
    ["ok 🎉", false],
    ["1", false],
    ["", false]
  ])("tells for %j %s", (text, expected) => expect(isEmojiOnly(text)).toBe(expected))
})
