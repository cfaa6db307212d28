/**
 * Builds the native iroh-blobs peer of conformance/peers/iroh into CARGO_TARGET_DIR or the repository's cache. Nothing
 * here installs Rust.
 */
import { execFile, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { cache, Refusal, root } from "./paths.mjs"

const run = promisify(execFile)
const folder = join(root, "conformance", "peers", "iroh")
/** The minor version of Rust 1 that iroh-blobs needs (`rust-version` in Cargo.toml). */
const MINIMUM_MINOR = 91

const targetFolder = (env: NodeJS.ProcessEnv) => resolve(env["CARGO_TARGET_DIR"] ?? join(cache, "native-peer"))

const environment = (env: NodeJS.ProcessEnv) => ({
  ...env,
  CARGO_TARGET_DIR: targetFolder(env),
  CARGO_TERM_COLOR: "never"
})

const binary = (env: NodeJS.ProcessEnv) => {
  const name = process.platform === "win32" ? "kez-chat-native-peer.exe" : "kez-chat-native-peer"
  return join(targetFolder(env), "release", name)
}

/** The peer from an earlier build, however old; undefined when there is none. */
export const findNativePeer = (env: NodeJS.ProcessEnv = process.env): string | undefined => {
  const path = binary(env)
  return existsSync(path) ? path : undefined
}

/** Why the peer cannot be built here, in a few words; undefined when cargo and the crates are available. */
export async function whyNoNativePeer(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  let version: string
  try {
    version = (await run("cargo", ["--version"], { env: environment(env), timeout: 60_000 })).stdout
  } catch {
    return "cargo is not installed"
  }
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number)
  if (major < 1 || (major === 1 && minor < MINIMUM_MINOR)) return `${version.trim()} is older than 1.${MINIMUM_MINOR}`
  try {
    await run("cargo", ["fetch", "--locked"], { cwd: folder, env: environment(env), timeout: 300_000 })
  } catch (error) {
    const stderr = error instanceof Error && "stderr" in error ? error.stderr : undefined
    const lines = String(stderr ?? error).split("\n")
    const line = lines.find((text) => text.startsWith("error")) ?? lines[0]
    return `cargo does not get its crates: ${line}`
  }
  return undefined
}

/** Builds the peer and resolves with its path. The first build takes about twelve minutes of one core. */
export async function buildNativePeer(): Promise<string> {
  const child = spawn("cargo", ["build", "--release", "--locked", "--jobs", "2"], {
    cwd: folder,
    env: environment(process.env),
    stdio: ["ignore", "ignore", "pipe"]
  })
  let output = ""
  child.stderr.setEncoding("utf8").on("data", (text) => (output = (output + text).slice(-4000)))
  const stop = () => child.kill()
  process.once("exit", stop)
  const code = await new Promise((done) => child.once("error", done).once("close", done))
  process.off("exit", stop)
  if (code !== 0) throw new Refusal(`The native peer does not build; run cargo build in ${folder}.\n${output}`)
  return binary(process.env)
}
