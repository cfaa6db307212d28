/**
 * The shims written from the specification alone, ready to start. Packages and builds are kept in the user's cache
 * folder. What needs a shim whose tools or packages cannot be had here is skipped, and fails with KEZ_NO_SKIP.
 */
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { TestContext } from "vitest"

/** A first build of the Rust shim takes two minutes of one core. */
export const buildMillis = 900_000

const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "kez-chat")

const program = process.platform === "win32" ? "kez-shim.exe" : "kez-shim"
const folder = (language: string) => fileURLToPath(new URL(`../../shims/${language}`, import.meta.url))

const run = (program: string, args: ReadonlyArray<string>, cwd: string, env: NodeJS.ProcessEnv = {}) =>
  promisify(execFile)(program, args, {
    cwd,
    env: { ...process.env, ...env },
    timeout: buildMillis,
    maxBuffer: 64 * 1024 * 1024
  })

/** Each prepares a shim and resolves with the command that starts it; a rejection says why there is none. */
export const shims = {
  python: async () => {
    const home = folder("python")
    const { stdout: version } = await run("python3", ["--version"], home)
    const required = readFileSync(join(home, "requirements.txt"))
    const key = createHash("sha256").update(version).update(required).digest("hex").slice(0, 16)
    const place = join(cache, `python-shim-${key}`)
    const python = join(place, process.platform === "win32" ? "Scripts/python.exe" : "bin/python")
    const done = join(place, "complete")
    if (!existsSync(done)) {
      mkdirSync(cache, { recursive: true })
      rmSync(place, { recursive: true, force: true })
      await run("python3", ["-m", "venv", place], home)
      await run(python, ["-m", "pip", "install", "--quiet", "--requirement", "requirements.txt"], home)
      writeFileSync(done, "")
    }
    return [python, "-B", join(home, "shim.py")]
  },
  rust: async () => {
    const target = resolve(process.env["CARGO_TARGET_DIR"] ?? join(cache, "rust-shim"))
    const env = { CARGO_TARGET_DIR: target, CARGO_TERM_COLOR: "never" }
    await run("cargo", ["build", "--locked"], folder("rust"), env)
    return [join(target, "debug", program)]
  },
  go: async () => {
    const built = join(cache, "go-shim", program)
    await run("go", ["build", "-buildvcs=false", "-o", built, "."], folder("go"))
    return [built]
  }
}

/** The last line that a program wrote, or why there was none. */
const reasonOf = (error: unknown): string => {
  const { code, message, stderr = "" } = error as Error & { readonly code?: string; readonly stderr?: string }
  if (code === "ENOENT") return message
  const lines = stderr.trim().split("\n")
  return lines.find((line) => /^error/i.test(line)) ?? lines.at(-1) ?? message
}

/** The command that starts a shim; skips the test where there is none. */
export const commandOf = (language: keyof typeof shims, skip: TestContext["skip"]): Promise<ReadonlyArray<string>> =>
  shims[language]().catch((error: unknown) => {
    const sentence = `The shim in ${language} is not run: ${reasonOf(error)}`
    if (process.env["KEZ_NO_SKIP"]) throw new Error(sentence)
    process.stderr.write(`${sentence}\n`)
    return skip(sentence)
  })
