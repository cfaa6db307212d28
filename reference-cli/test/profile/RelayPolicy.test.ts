import { Effect, Layer } from "effect"
import { it } from "@effect/vitest"
import { describe, expect } from "vitest"
import { CurrentSettings, defaults } from "../../src/Flags.ts"
import { Host } from "../../src/Host.ts"
import * as RelayPolicy from "../../src/profile/RelayPolicy.ts"

describe("parse", () => {
  it.each([
    ["default", { text: "default", relay: "default", relayOnly: false }],
    ["direct", { text: "direct", relay: "direct", relayOnly: false }],
    ["only", { text: "only", relay: "default", relayOnly: true }],
    ["default,only", { text: "only", relay: "default", relayOnly: true }],
    [
      "https://relay.example",
      { text: "https://relay.example/", relay: { urls: ["https://relay.example/"] }, relayOnly: false }
    ],
    [
      "https://a.example, https://b.example,only",
      {
        text: "only,https://a.example/,https://b.example/",
        relay: { urls: ["https://a.example/", "https://b.example/"] },
        relayOnly: true
      }
    ],
    [
      "http://127.0.0.1:3340",
      { text: "http://127.0.0.1:3340/", relay: { urls: ["http://127.0.0.1:3340/"] }, relayOnly: false }
    ]
  ])("reads %s", (text, policy) => {
    expect(RelayPolicy.parse(text)).toEqual(policy)
    // What a process says of itself is understood by the next one.
    expect(RelayPolicy.parse(RelayPolicy.parse(text)!.text)).toEqual(policy)
  })

  it.each([
    "",
    "Default",
    "none",
    "direct,only",
    "only,only",
    "default,https://a.example",
    "relay.example",
    "http://relay.example",
    "https://user:secret@relay.example",
    "https://relay.example/?a=b",
    "ftp://relay.example",
    ",",
    Array.from({ length: 9 }, (_, index) => `https://r${index}.example`).join(",")
  ])("refuses %j", (text) => {
    expect(RelayPolicy.parse(text)).toBeUndefined()
  })
})

const host = (env: Record<string, string>) =>
  Layer.succeed(Host, { env, platform: "linux", cwd: "/", homeDirectory: "/", temporary: "/tmp" })

const wanted = (relay: string | undefined, env: Record<string, string> = {}) =>
  Effect.result(RelayPolicy.wanted).pipe(
    Effect.provideService(CurrentSettings, { ...defaults, relay }),
    Effect.provide(host(env))
  )

describe("wanted", () => {
  it.live("is the flag before the environment, and nothing without either", () =>
    Effect.gen(function* () {
      expect(yield* wanted("direct", { KEZ_RELAY: "only" })).toMatchObject({ success: { text: "direct" } })
      expect(yield* wanted(undefined, { KEZ_RELAY: "only" })).toMatchObject({ success: { text: "only" } })
      expect(yield* wanted(undefined, { KEZ_RELAY: "" })).toMatchObject({ success: undefined })
    })
  )

  it.live("is refused in one sentence that names where it came from", () =>
    Effect.gen(function* () {
      expect(yield* wanted("sometimes")).toMatchObject({
        failure: { exit: 2, message: expect.stringMatching(/^--relay takes .*"sometimes"$/) }
      })
      expect(yield* wanted(undefined, { KEZ_RELAY: "sometimes" })).toMatchObject({
        failure: { message: expect.stringMatching(/^KEZ_RELAY takes/) }
      })
    })
  )
})

describe("ofHome", () => {
  it("uses no relay for a home on this machine, and the public ones else", () => {
    for (const home of ["http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:8080", "https://kez.localhost"]) {
      expect(RelayPolicy.ofHome(home).text).toBe("direct")
    }
    expect(RelayPolicy.ofHome("https://kez.lat").text).toBe("default")
  })
})
