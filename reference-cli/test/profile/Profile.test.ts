/** Profiles beside each other: one that is damaged or not this user's hides no other, and is never used. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { it } from "@effect/vitest"
import { afterAll, beforeEach, describe, expect } from "vitest"
import { Host } from "../../src/Host.ts"
import * as Ownership from "../../src/profile/Ownership.ts"
import * as Profile from "../../src/profile/Profile.ts"

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-profiles-"))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const root = path.join(folder, "kez")
const of = (name: string, ...parts: ReadonlyArray<string>) => path.join(root, "profiles", name, ...parts)

const host = Host.of({
  env: { KEZ_CHAT_DIR: root },
  platform: process.platform,
  cwd: folder,
  homeDirectory: folder,
  temporary: folder
})

const run = <A, E>(effect: Effect.Effect<A, E, Host>) => Effect.result(Effect.provideService(effect, Host, host))

const whole = {
  version: 1,
  handle: "alice@localhost",
  primary: `ed25519:${"0".repeat(64)}`,
  home: "http://localhost:1",
  step: "published",
  vault: { kind: "file" }
}

beforeEach(() => {
  fs.rmSync(root, { recursive: true, force: true })
  for (const name of ["good", "other"]) {
    fs.mkdirSync(of(name), { recursive: true, mode: 0o700 })
    fs.writeFileSync(of(name, "profile.json"), JSON.stringify(whole))
  }
})

const codeOf = (name: string) =>
  Effect.map(run(Profile.named(name)), (found) => (found._tag === "Success" ? undefined : found.failure.code))

describe("profiles", () => {
  it.live.each<[string, string]>([
    ["cut off", '{"version": 1, "ha'],
    ["empty", ""],
    ["of another form", '{"version": 1}'],
    ["too large", " ".repeat(20_000)]
  ])("one that is %s is listed beside the others", ([, text]) =>
    Effect.gen(function* () {
      fs.writeFileSync(of("other", "profile.json"), text)
      expect(yield* run(Profile.names)).toMatchObject({ success: ["good", "other"] })
      expect(yield* codeOf("good")).toBeUndefined()
      expect(yield* codeOf("other")).toMatch(/^(profile_damaged|file)$/)
    })
  )

  it.live("are none where there is no folder, and an error where it cannot be read", () =>
    Effect.gen(function* () {
      fs.rmSync(root, { recursive: true })
      expect(yield* run(Profile.names)).toMatchObject({ success: [] })
      fs.mkdirSync(root)
      fs.writeFileSync(path.join(root, "profiles"), "a file")
      expect(yield* run(Profile.names)).toMatchObject({ failure: { code: "file" } })
    })
  )

  it.live.runIf(process.getuid !== undefined)("are refused where every user can change them", () =>
    Effect.gen(function* () {
      fs.chmodSync(of("other"), 0o777)
      const found = yield* run(Profile.named("other"))
      expect(found).toMatchObject({
        failure: { code: "profile_insecure", message: expect.stringContaining(`can change ${of("other")}`) }
      })
      expect(yield* codeOf("good")).toBeUndefined()
      fs.chmodSync(of("other"), 0o700)
      fs.chmodSync(path.join(root, "profiles"), 0o777)
      expect(yield* codeOf("good")).toBe("profile_insecure")
      // As /tmp is: nobody takes away there what is somebody else's.
      fs.chmodSync(path.join(root, "profiles"), 0o1777)
      expect(yield* codeOf("good")).toBeUndefined()
    })
  )

  it.live.runIf(process.getuid?.() === 0)("are refused where they belong to another user", () =>
    Effect.gen(function* () {
      fs.chownSync(of("other"), 12_345, 12_345)
      const found = yield* run(Profile.named("other"))
      expect(found).toMatchObject({ failure: { message: expect.stringContaining("belongs to another user (12345)") } })
      expect(yield* codeOf("good")).toBeUndefined()
    })
  )
})

describe("a folder", () => {
  it.runIf(process.getuid !== undefined)("is no file, whoever may write to that", () => {
    const folders = ["/dev/null/profiles/default"]
    expect(Ownership.problemOf({ folders })).toBe("/dev/null is not a folder: name one by KEZ_CHAT_DIR")
  })

  it("is judged by its owner and by who may change it", () => {
    const judge = (mode: number, uid: number, isOwn: boolean) => Ownership.judge("/f", { mode, uid }, 1000, isOwn)
    expect(judge(0o40700, 1000, true)).toBeUndefined()
    expect(judge(0o40755, 1000, true)).toBeUndefined()
    expect(judge(0o41777, 1000, true)).toContain("every user")
    expect(judge(0o41777, 0, false)).toBeUndefined()
    expect(judge(0o40777, 0, false)).toContain("every user")
    expect(judge(0o40755, 0, true)).toContain("another user")
    expect(judge(0o40755, 1001, false)).toContain("another user")
  })
})
