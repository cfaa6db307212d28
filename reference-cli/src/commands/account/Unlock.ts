/** A background process that holds the account open, so that other commands need no passphrase. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { Bytes, Limits } from "@kez-chat/sdk/protocol"
import { fail, type Failure } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import * as CoreDumps from "../../owner/CoreDumps.ts"
import type { OwnerInfo } from "../../owner/Server.ts"
import { findOwner, lockOrOwner, own, type Services } from "../../owner/Session.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import type { ProfilePaths } from "../../profile/Paths.ts"
import * as Profile from "../../profile/Profile.ts"
import * as ProfileVault from "../../profile/ProfileVault.ts"
import { Json, result, Show } from "../../terminal/output/index.ts"
import { Signals } from "../../Signals.ts"
import { attempt } from "../../SystemError.ts"

/** How long the background process may take to start, and `lock` waits for its end, in milliseconds. */
const readyMillis = 60_000
const pollMillis = 50

const ownerJson = ({ pid, command, since, until }: OwnerInfo) => ({
  pid,
  command,
  since: Json.time(since),
  ...(until === undefined ? {} : { until: Json.time(until) })
})

const until = (info: OwnerInfo): string =>
  info.until === undefined ? "" : ` until ${Show.day(info.until)} ${Show.clock(info.until)}`

const lastLine = (file: string): string => {
  try {
    return fs.readFileSync(file, "utf8").trim().split("\n").at(-1) ?? ""
  } catch {
    return ""
  }
}

/** Starts `kez-chat owner` detached from this terminal and passes the seed on its standard input. */
const start = Effect.fnUntraced(function* (paths: ProfilePaths, seed: Redacted.Redacted<Uint8Array>, millis: number) {
  const { home, relay } = yield* settings
  return yield* attempt("owner_start", "the background process cannot be started", () => {
    const log = fs.openSync(paths.log, "w", 0o600)
    try {
      const program = [...process.execArgv, process.argv[1] ?? ""]
      const flags = [
        ...["--profile", paths.name],
        ...(home === undefined ? [] : ["--home", home]),
        ...(relay === undefined ? [] : ["--relay", relay])
      ]
      const [file, ...args] = CoreDumps.limited(process.platform, [
        process.execPath,
        ...program,
        ...flags,
        "owner",
        "--for-millis",
        String(millis)
      ])
      const child = spawn(file, args, {
        detached: true,
        windowsHide: true,
        stdio: ["pipe", log, log]
      })
      child.stdin?.on("error", () => {})
      child.stdin?.end(Buffer.from(Redacted.value(seed)).toString("hex"))
      child.unref()
      return child
    } finally {
      fs.closeSync(log)
    }
  })
})

const notStarted = (why: string) => fail("owner_start", "failed", `the background process ${why}`)

/** Waits until an owner answers, or the child has exited without becoming one. */
const ready = Effect.fnUntraced(function* (paths: ProfilePaths, hasEnded: () => boolean) {
  const began = Date.now()
  for (;;) {
    const owner = yield* Effect.scoped(Effect.map(findOwner(paths), (found) => found?.info))
    if (owner !== undefined) return owner
    if (hasEnded()) {
      const why = lastLine(paths.log).replace(/^kez-chat: /, "")
      return yield* fail("owner_start", "failed", `the background process ended at once: ${why || `see ${paths.log}`}`)
    }
    if (Date.now() - began > readyMillis) {
      return yield* notStarted(`is not ready after a minute: see ${paths.log}`)
    }
    yield* Effect.sleep(pollMillis)
  }
})

export const unlock = Effect.fn("Unlock.unlock")(function* (input: {
  readonly time: Duration.Duration
}): Effect.fn.Return<void, Failure, Services> {
  const { paths, profile } = yield* Profile.required
  const running = yield* Effect.scoped(Effect.map(findOwner(paths), (found) => found?.info))
  if (running !== undefined) {
    return yield* result({
      json: () => ({ unlocked: true, already: true, owner: ownerJson(running) }),
      text: () =>
        `Already open: \`kez-chat ${running.command}\` (process ${running.pid}) holds ${profile.handle}${until(running)}.`
    })
  }
  const vault = yield* ProfileVault.of(paths, profile.vault)
  const seed = yield* ProfileVault.seedOf(vault, paths)
  yield* Profile.makeFolders(paths)
  const child = yield* start(paths, seed, Duration.toMillis(input.time))
  const owner = yield* ready(paths, () => child.exitCode !== null || child.signalCode !== null)
  yield* result({
    json: () => ({ unlocked: true, already: false, owner: ownerJson(owner) }),
    text: (style) =>
      `${style.good("Open")}${until(owner)}. ${style.dim(`End it with: ${CommandLine.line(paths.name, "lock")}`)}`
  })
})

export const lock = Effect.fn("lock")(function* () {
  const { paths } = yield* Profile.required
  const ended = yield* Effect.scoped(
    Effect.gen(function* () {
      const found = yield* findOwner(paths)
      if (found === undefined) return undefined
      const { command, pid } = found.info
      if (command !== "unlock") {
        return yield* fail(
          "profile_busy",
          "busy",
          `\`kez-chat ${command}\` (process ${pid}) holds the account: end it in its terminal`
        )
      }
      yield* found.shutdown
      return found.info
    })
  )
  // The lock is free once the process is gone, and with it the seed.
  yield* Effect.scoped(lockOrOwner(paths))
  yield* result({
    json: () => ({ unlocked: false, already: ended === undefined }),
    text: () => (ended === undefined ? "Locked already." : "Locked.")
  })
})

const readSeed = Effect.gen(function* () {
  const noSeed = fail("input", "usage", "no seed on standard input: this command is started by `kez-chat unlock`")
  const text = yield* Effect.try({ try: () => fs.readFileSync(0, "utf8").trim(), catch: () => noSeed })
  if (!Bytes.isHex(text, Limits.keyBytes)) return yield* noSeed
  return Redacted.make(new Uint8Array(Buffer.from(text, "hex")), { label: "seed" })
})

/** The background process itself. */
export const owner = Effect.fn("Unlock.owner")(function* (input: { readonly forMillis: number }) {
  const seed = yield* readSeed
  const { paths, profile } = yield* Profile.required
  const signals = yield* Signals
  // If another process became the owner first, the account is open all the same.
  if ((yield* lockOrOwner(paths)) !== "locked") return
  const vault = ProfileVault.holding(yield* ProfileVault.of(paths, profile.vault), seed)
  const { forMillis } = input
  const { stopped } = yield* own(paths, profile, { command: "unlock", answering: true, vault, forMillis })
  const over = Effect.sleep(forMillis)
  yield* signals.untilSignal(Effect.raceFirst(stopped, over))
}, Effect.scoped)
