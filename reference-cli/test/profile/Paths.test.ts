import { describe, expect, it } from "vitest"
import { isProfileName, ofProfile, roots } from "../../src/profile/Paths.ts"

const on = (platform: NodeJS.Platform, env: Record<string, string> = {}, homeDirectory = "/home/ada") => ({
  platform,
  env,
  homeDirectory
})

describe("Paths", () => {
  it("follows XDG on Linux, with its defaults", () => {
    expect(roots(on("linux"))).toEqual({
      config: "/home/ada/.config/kez-chat",
      data: "/home/ada/.local/share/kez-chat",
      state: "/home/ada/.local/state/kez-chat"
    })
    expect(roots(on("linux", { XDG_CONFIG_HOME: "/c", XDG_DATA_HOME: "/d", XDG_STATE_HOME: "/s" }))).toEqual({
      config: "/c/kez-chat",
      data: "/d/kez-chat",
      state: "/s/kez-chat"
    })
  })

  it("ignores relative XDG values, as the specification says", () => {
    expect(roots(on("linux", { XDG_DATA_HOME: "data" })).data).toBe("/home/ada/.local/share/kez-chat")
  })

  it("uses Application Support on macOS", () => {
    const all = "/Users/ada/Library/Application Support/kez-chat"
    expect(roots(on("darwin", {}, "/Users/ada"))).toEqual({ config: all, data: all, state: all })
  })

  it("uses APPDATA and LOCALAPPDATA on Windows, with their defaults", () => {
    const env = { APPDATA: "C:\\Users\\ada\\AppData\\Roaming", LOCALAPPDATA: "C:\\Users\\ada\\AppData\\Local" }
    const expected = {
      config: "C:\\Users\\ada\\AppData\\Roaming\\kez-chat",
      data: "C:\\Users\\ada\\AppData\\Local\\kez-chat",
      state: "C:\\Users\\ada\\AppData\\Local\\kez-chat"
    }
    expect(roots(on("win32", env, "C:\\Users\\ada"))).toEqual(expected)
    expect(roots(on("win32", {}, "C:\\Users\\ada"))).toEqual(expected)
  })

  it("lets KEZ_CHAT_DIR win on every platform", () => {
    expect(roots(on("linux", { KEZ_CHAT_DIR: "/x", XDG_DATA_HOME: "/d" }))).toEqual({
      config: "/x",
      data: "/x",
      state: "/x"
    })
    expect(roots(on("darwin", { KEZ_CHAT_DIR: "/x" })).config).toBe("/x")
  })

  it("gives each profile folders of its own", () => {
    const alice = ofProfile(on("linux", { KEZ_CHAT_DIR: "/x" }), "alice")
    expect(alice.folders).toEqual(["/x/profiles/alice"])
    expect(alice).toMatchObject({
      profile: "/x/profiles/alice/profile.json",
      seed: "/x/profiles/alice/seed.json",
      store: "/x/profiles/alice/chat.db",
      blobs: "/x/profiles/alice/blobs",
      saved: "/x/profiles/alice/saved.jsonl",
      lock: "/x/profiles/alice/owner.lock"
    })
    expect(ofProfile(on("linux"), "bob").folders).toHaveLength(3)
  })

  it.each(["default", "alice", "a", "work-2", "a.b_c"])("takes %s as a profile's name", (name) => {
    expect(isProfileName(name)).toBe(true)
  })

  it.each(["", "..", ".hidden", "../x", "a/b", "a\\b", "Alice", "a b", "x".repeat(33), "a\n"])(
    "refuses %j as a profile's name",
    (name) => {
      expect(isProfileName(name)).toBe(false)
    }
  )
})
