/**
 * Builds the Rust programs of conformance/peers and the addon of sdk/native into CARGO_TARGET_DIR or the repository's
 * cache. Nothing here installs Rust.
 */
import { execFile, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { cache, Refusal, root } from "./paths.mjs"

const run = promisify(execFile)

export interface RustPeer {
  /** Below the root of the repository. */
  readonly folder: string
  readonly binary: string
  /** Whether it is a library to load instead of a program. */
  readonly isLibrary?: boolean
  /** The minor version of Rust 1 that it needs (`rust-version` in Cargo.toml). */
  readonly minimumMinor: number
  readonly isRelease: boolean
}

/** Exchanges files as native iroh-blobs does. The first build takes about twelve minutes of one core. */
export const irohPeer: RustPeer = {
  folder: "conformance/peers/iroh",
  binary: "kez-chat-native-peer",
  minimumMinor: 91,
  isRelease: true
}

/** A sig-server of another make. The first build takes about three minutes of one core. */
export const sigServerPeer: RustPeer = {
  folder: "conformance/peers/sig-server",
  binary: "kez-sig-server-peer",
  minimumMinor: 88,
  isRelease: false
}

/** Iroh for Node. Less than a minute where the Iroh peer was built into the same folder, else about ten minutes. */
export const irohAddon: RustPeer = {
  folder: "sdk/native",
  binary: "kez_chat_iroh_native",
  isLibrary: true,
  minimumMinor: 91,
  isRelease: true
}

const folderOf = ({ folder }: RustPeer) => join(root, folder)

const targetFolder = (env: NodeJS.ProcessEnv) => resolve(env["CARGO_TARGET_DIR"] ?? join(cache, "native-peer"))

const environment = (env: NodeJS.ProcessEnv) => ({
  ...env,
  CARGO_TARGET_DIR: targetFolder(env),
  CARGO_TERM_COLOR: "never"
})

const fileOf = ({ binary, isLibrary = false }: RustPeer) => {
  if (process.platform === "win32") return `${binary}.${isLibrary ? "dll" : "exe"}`
  return isLibrary ? `lib${binary}.${process.platform === "darwin" ? "dylib" : "so"}` : binary
}

const pathOf = (peer: RustPeer, env: NodeJS.ProcessEnv) =>
  join(targetFolder(env), peer.isRelease ? "release" : "debug", fileOf(peer))

/** The peer from an earlier build, however old; undefined when there is none. */
export const findPeer = (peer: RustPeer, env: NodeJS.ProcessEnv = process.env): string | undefined => {
  const path = pathOf(peer, env)
  return existsSync(path) ? path : undefined
}

/** Why the peer cannot be built here, in a few words; undefined when cargo and the crates are available. */
export async function whyNoPeer(peer: RustPeer, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  let version: string
  try {
    version = (await run("cargo", ["--version"], { env: environment(env), timeout: 60_000 })).stdout
  } catch {
    return "cargo is not installed"
  }
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number)
  if (major < 1 || (major === 1 && minor < peer.minimumMinor))
    return `${version.trim()} is older than 1.${peer.minimumMinor}`
  try {
    await run("cargo", ["fetch", "--locked"], { cwd: folderOf(peer), env: environment(env), timeout: 300_000 })
  } catch (error) {
    const stderr = error instanceof Error && "stderr" in error ? error.stderr : undefined
    const lines = String(stderr ?? error).split("\n")
    const line = lines.find((text) => text.startsWith("error")) ?? lines[0]
    return `cargo does not get its crates: ${line}`
  }
  return undefined
}

/** Builds the peer and resolves with its path. */
export async function buildPeer(peer: RustPeer): Promise<string> {
  const cwd = folderOf(peer)
  const profile = peer.isRelease ? ["--release"] : []
  // With the features of the peer, the crates of both are the same and are compiled once.
  const features = peer === irohAddon && findPeer(irohPeer) !== undefined ? ["--features", "beside-the-peer"] : []
  const child = spawn("cargo", ["build", ...profile, ...features, "--locked", "--jobs", "2"], {
    cwd,
    env: environment(process.env),
    stdio: ["ignore", "ignore", "pipe"]
  })
  let output = ""
  child.stderr.setEncoding("utf8").on("data", (text) => (output = (output + text).slice(-4000)))
  const stop = () => child.kill()
  process.once("exit", stop)
  const code = await new Promise((done) => child.once("error", done).once("close", done))
  process.off("exit", stop)
  if (code !== 0) throw new Refusal(`${peer.binary} does not build; run cargo build in ${cwd}.\n${output}`)
  return pathOf(peer, process.env)
}
