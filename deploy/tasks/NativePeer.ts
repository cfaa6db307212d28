/**
 * The native iroh-blobs peer of conformance/peers/rust: whether it can be built here, and where it lies when it is.
 *
 * Built into CARGO_TARGET_DIR, else into the repository's cache. Nothing here installs Rust.
 */
import { execFile, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { cache, Refusal, root } from "./paths.mjs"

const run = promisify(execFile)
const folder = join(root, "conformance", "peers", "rust")
/** What iroh-blobs asks for (`rust-version` in Cargo.toml). */
const MINIMUM = [1, 91]

const environment = (env) => ({
  ...env,
  CARGO_TARGET_DIR: resolve(env.CARGO_TARGET_DIR ?? join(cache, "native-peer")),
  CARGO_TERM_COLOR: "never"
})

const binary = (env) => {
  const name = process.platform === "win32" ? "kez-chat-native-peer.exe" : "kez-chat-native-peer"
  return join(environment(env).CARGO_TARGET_DIR, "release", name)
}

/** The peer that was built before, whatever it was built from; undefined where there is none. */
export const findNativePeer = (env = process.env) => {
  const path = binary(env)
  return existsSync(path) ? path : undefined
}

/** Why the peer cannot be built here, in a few words; undefined where it can: cargo is there, and so are its crates. */
export async function whyNoNativePeer(env = process.env) {
  let version
  try {
    version = (await run("cargo", ["--version"], { env: environment(env), timeout: 60_000 })).stdout
  } catch {
    return "cargo is not installed"
  }
  const [major, minor] = (/(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number)
  if (major === undefined || major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
    return `${version.trim()} is older than ${MINIMUM.join(".")}`
  }
  try {
    await run("cargo", ["fetch", "--locked"], { cwd: folder, env: environment(env), timeout: 300_000 })
  } catch (error) {
    const lines = String(error.stderr ?? error).split("\n")
    const line = lines.find((text) => text.startsWith("error")) ?? lines[0]
    return `cargo does not get its crates: ${line}`
  }
  return undefined
}

/** Builds the peer, about twelve minutes of one core's work the first time, and gives its path. */
export async function buildNativePeer() {
  const child = spawn("cargo", ["build", "--release", "--locked", "--jobs", "2"], {
    cwd: folder,
    env: environment(process.env),
    stdio: ["ignore", "ignore", "pipe"]
  })
  let said = ""
  child.stderr.setEncoding("utf8").on("data", (text) => (said = (said + text).slice(-4000)))
  const stop = () => child.kill()
  process.once("exit", stop)
  const code = await new Promise((done) => child.once("error", done).once("close", done))
  process.off("exit", stop)
  if (code !== 0) throw new Refusal(`The native peer does not build; run cargo build in ${folder}.\n${said}`)
  return binary(process.env)
}
