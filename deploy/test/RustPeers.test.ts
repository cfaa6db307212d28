import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, it } from "vitest"
import { findPeer, irohPeer, whyNoPeer } from "../tasks/RustPeers.ts"

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "rust-peers-"))))
afterEach(() => rmSync(folder, { recursive: true }))

/** A cargo of this version that cannot fetch crates. */
const cargo = (version: string) => {
  const script = `#!/bin/sh\n[ "$1" = --version ] && echo "${version}" && exit\necho "error: no network" >&2\nexit 101\n`
  writeFileSync(join(folder, "cargo"), script)
  chmodSync(join(folder, "cargo"), 0o755)
}

it("says why the native peer cannot be built", async () => {
  assert.strictEqual(await whyNoPeer(irohPeer, { PATH: folder }), "cargo is not installed")
  cargo("cargo 1.90.0 (abc 2025-01-01)")
  assert.include(await whyNoPeer(irohPeer, { PATH: folder }), "older than 1.91")
  cargo("cargo 1.91.0 (abc 2025-12-01)")
  assert.strictEqual(await whyNoPeer(irohPeer, { PATH: folder }), "cargo does not get its crates: error: no network")
})

it("finds a peer that was built before", () => {
  const env = { CARGO_TARGET_DIR: folder }
  assert.isUndefined(findPeer(irohPeer, env))
  const path = join(
    folder,
    "release",
    process.platform === "win32" ? "kez-chat-native-peer.exe" : "kez-chat-native-peer"
  )
  mkdirSync(join(folder, "release"))
  writeFileSync(path, "")
  assert.strictEqual(findPeer(irohPeer, env), path)
})
