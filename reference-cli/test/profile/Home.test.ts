import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { it } from "@effect/vitest"
import { afterAll, beforeAll, describe, expect } from "vitest"
import { CurrentSettings, defaults } from "../../src/Flags.ts"
import { Host } from "../../src/Host.ts"
import { discover, normalise } from "../../src/profile/Home.ts"

let folder: string
let checkout: string
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-home-"))
  checkout = path.join(folder, "checkout")
  fs.mkdirSync(path.join(checkout, ".kez"), { recursive: true })
  fs.mkdirSync(path.join(checkout, "a", "b"), { recursive: true })
  fs.writeFileSync(
    path.join(checkout, ".kez", "run.json"),
    JSON.stringify({ version: 1, urls: { home: "http://127.0.0.1:8080" } })
  )
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const find = (options: {
  readonly flag?: string
  readonly env?: Record<string, string>
  readonly profile?: string
  readonly server?: string
  readonly cwd?: string
}) =>
  discover({ profile: options.profile, server: options.server }).pipe(
    Effect.provideService(CurrentSettings, { ...defaults, home: options.flag }),
    Effect.provideService(
      Host,
      Host.of({
        env: options.env ?? {},
        platform: "linux",
        cwd: options.cwd ?? folder,
        homeDirectory: folder,
        temporary: folder
      })
    )
  )

const all = {
  flag: "https://flag.example",
  env: { KEZ_HOME: "https://env.example" },
  profile: "https://profile.example",
  server: "handle.example"
}

describe("discover", () => {
  it.live("asks in its order: flag, KEZ_HOME, profile, run file, handle", () =>
    Effect.gen(function* () {
      const cwd = path.join(checkout, "a", "b")
      const { flag: _flag, ...noFlag } = all
      const { env: _env, ...noEnv } = noFlag
      const { profile: _profile, ...handleOnly } = noEnv
      expect((yield* find({ ...all, cwd })).url).toBe("https://flag.example")
      expect((yield* find({ ...noFlag, cwd })).url).toBe("https://env.example")
      expect((yield* find({ ...noEnv, cwd })).url).toBe("https://profile.example")
      expect(yield* find({ ...handleOnly, cwd })).toEqual({
        url: "http://127.0.0.1:8080",
        source: path.join(checkout, ".kez", "run.json")
      })
      expect((yield* find(handleOnly)).url).toBe("https://handle.example")
    })
  )

  it.live("says what to do where nothing names a home", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(find({}))).toMatchObject({ code: "home_unknown", exit: 2 })
    })
  )

  it.live("says where a home that cannot be used came from", () =>
    Effect.gen(function* () {
      expect((yield* Effect.flip(find({ env: { KEZ_HOME: "http://kez.lat" } }))).message).toMatch(
        /from KEZ_HOME.*plain http/
      )
    })
  )

  it.live("passes over a run file that is damaged", () =>
    Effect.gen(function* () {
      const broken = path.join(folder, "broken")
      fs.mkdirSync(path.join(broken, ".kez"), { recursive: true })
      for (const text of ["", "{", "null", "[]", '{"urls":{"home":7}}']) {
        fs.writeFileSync(path.join(broken, ".kez", "run.json"), text)
        expect((yield* find({ cwd: broken, server: "kez.lat" })).url).toBe("https://kez.lat")
      }
    })
  )
})

describe("normalise", () => {
  it.each([
    ["https://kez.lat", "https://kez.lat"],
    ["https://kez.lat/", "https://kez.lat"],
    ["kez.lat", "https://kez.lat"],
    ["kez.lat:8443", "https://kez.lat:8443"],
    ["HTTPS://KEZ.LAT", "https://kez.lat"],
    ["http://localhost:8080", "http://localhost:8080"],
    ["http://127.0.0.1:8080/", "http://127.0.0.1:8080"],
    ["http://[::1]:8080", "http://[::1]:8080"]
  ])("takes %s as %s", (text, url) => {
    expect(normalise(text)).toEqual({ url })
  })

  it.each([
    "http://kez.lat",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "ftp://kez.lat",
    "https://user:secret@kez.lat",
    "https://kez.lat/path",
    "https://kez.lat?x",
    "https://",
    ""
  ])("refuses %j", (text) => {
    expect(normalise(text)).toHaveProperty("problem")
  })
})
