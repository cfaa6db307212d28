/**
 * How long the built program takes from start to end for what needs neither passphrase nor network: `--version` and
 * `whoami`, against a Node that does nothing. The commands take turns, so that a busy machine slows all of them alike.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { median, report } from "../../sdk/bench/Report.ts"

const rounds = 20
/** What a person does not yet feel as waiting, in milliseconds. */
const aim = 300

const program = path.join(import.meta.dirname, "..", "bin", "kez-chat.js")
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-bench-"))
const profile = path.join(folder, "profiles", "default")
fs.mkdirSync(profile, { recursive: true })
fs.writeFileSync(
  path.join(profile, "profile.json"),
  JSON.stringify({
    version: 1,
    handle: "alice@kez.lat",
    primary: `ed25519:${"0".repeat(64)}`,
    home: "https://kez.lat",
    step: "published",
    vault: { kind: "file" }
  })
)

const commands: ReadonlyArray<readonly [name: string, args: ReadonlyArray<string>]> = [
  ["node, nothing", ["-e", "0"]],
  ["kez-chat --version", [program, "--version"]],
  ["kez-chat whoami", [program, "whoami"]]
]

const run = (args: ReadonlyArray<string>): number => {
  const began = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { env: { ...process.env, KEZ_CHAT_DIR: folder } })
  if (status !== 0) throw new Error(`it exited ${status}: ${String(stderr)}`)
  return performance.now() - began
}

const times = commands.map(() => [] as Array<number>)
try {
  for (let round = 0; round <= rounds; round++) {
    commands.forEach(([, args], index) => {
      const millis = run(args)
      // The first round only warms the file cache.
      if (round > 0) times[index]!.push(millis)
    })
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}

const figures = commands.map(([name], index) => ({
  name,
  value: median(times[index]!),
  unit: "ms",
  against: `median of ${rounds} starts, best ${Math.min(...times[index]!).toFixed(0)} ms`,
  ...(index === 0 ? {} : { aim: { atMost: aim } })
}))
report("Start of the CLI", figures)
