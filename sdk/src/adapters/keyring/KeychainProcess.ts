/**
 * Makes every call to the OS keychain in a short-lived child process, which can be killed: the native library blocks
 * its thread forever if the D-Bus session accepts and never answers (tested). The seed passes through standard input
 * and output, never through arguments or environment.
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { createRequire } from "node:module"
import { AdapterUnavailable } from "../../services/AdapterUnavailable.ts"
import { VaultError } from "../../services/Vault.ts"

/** The child's request; `secret` is hex and present only for `save`. */
export interface KeychainRequest {
  readonly op: "probe" | "load" | "save" | "clear"
  readonly service: string
  readonly account: string
  readonly secret?: string
}

type Answer = { readonly ok: true; readonly value: string | null } | { readonly ok: false; readonly error: string }

// Runs in the child as CommonJS. On Linux the store is set explicitly: otherwise the library falls back to the kernel's
// keyutils, which lose their content on restart.
const program = `
const answer = (value) => process.stdout.write(JSON.stringify(value))
let text = ""
process.stdin.setEncoding("utf8")
process.stdin.on("data", (part) => { text += part })
process.stdin.on("end", () => {
  try {
    const { Entry } = require(process.argv[1])
    const { op, service, account, secret } = JSON.parse(text)
    const entry = new Entry(service, account, { linux: { store: "secret-service" } })
    if (op === "save") entry.setPassword(secret)
    else if (op === "clear") entry.deletePassword()
    answer({ ok: true, value: op === "load" || op === "probe" ? entry.getPassword() : null })
  } catch (error) {
    answer({ ok: false, error: String(error && error.message || error) })
  }
})`

const unavailable = (detail: string, cause?: unknown): VaultError =>
  new VaultError({ reason: "unavailable", detail, ...(cause === undefined ? {} : { cause }) })

/** Path of the native library, resolved without loading it. */
export const findLibrary: Effect.Effect<string, AdapterUnavailable> = Effect.try({
  try: () => createRequire(import.meta.url).resolve("@napi-rs/keyring"),
  catch: (cause) =>
    new AdapterUnavailable({
      adapter: "the OS keychain",
      package: "@napi-rs/keyring",
      install: "npm install @napi-rs/keyring",
      cause
    })
})

const parseAnswer = (text: string): Answer | undefined => {
  try {
    const value = JSON.parse(text) as Partial<Record<string, unknown>> | null
    if (value?.["ok"] === true && (value["value"] === null || typeof value["value"] === "string")) {
      return { ok: true, value: value["value"] }
    }
    if (value?.["ok"] === false && typeof value["error"] === "string") return { ok: false, error: value["error"] }
  } catch {
    // A truncated answer counts as none.
  }
  return undefined
}

/** Asks the keychain through the native `library`; kills the child after `timeoutMillis`. */
export const ask = Effect.fnUntraced(function* (
  library: string,
  request: KeychainRequest,
  timeoutMillis: number
): Effect.fn.Return<string | null, VaultError> {
  const answer = yield* Effect.callback<Answer | undefined, VaultError>((resume) => {
    const child = spawn(process.execPath, ["-e", program, library], {
      stdio: ["pipe", "pipe", "ignore"],
      windowsHide: true,
      // An Electron host runs the child as plain Node, without the host's NODE_OPTIONS (loaders, inspectors).
      env: { ...process.env, ELECTRON_RUN_AS_NODE: "1", NODE_OPTIONS: "" }
    })
    const parts: Array<Buffer> = []
    child.on("error", (cause) => resume(Effect.fail(unavailable("the keychain helper could not be started", cause))))
    child.stdout.on("data", (part: Buffer) => parts.push(part))
    child.on("close", () => resume(Effect.succeed(parseAnswer(Buffer.concat(parts).toString("utf8")))))
    // The child may end before it has read everything; its answer gives the reason.
    child.stdin.on("error", () => {})
    child.stdin.end(JSON.stringify(request))
    return Effect.sync(() => void child.kill("SIGKILL"))
  }).pipe(
    Effect.timeoutOrElse({
      duration: timeoutMillis,
      orElse: () => Effect.fail(unavailable(`the OS keychain did not answer within ${timeoutMillis / 1000} s`))
    })
  )
  if (answer === undefined) return yield* unavailable("the keychain helper ended without an answer")
  if (!answer.ok) return yield* unavailable(answer.error)
  return answer.value
})
