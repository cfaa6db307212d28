/**
 * Second half of set-up, under Node 24 with the packages installed: a nats-server and the build.
 *
 *   node deploy/tasks/prepare.ts [nats] [build]
 */
import { join } from "node:path"
import { compareVersions, getNatsServer, WANTED } from "../local/NatsServer.ts"
import { isBuilt } from "./BuildStamp.ts"
import { Refusal, root } from "./paths.mjs"
import { endWithParent } from "./processes.mjs"
import { doing, done, fail, warn } from "./say.mjs"
import { quietly, setupStep } from "./setup.mjs"

async function nats() {
  let started: number | undefined
  const server = await getNatsServer({ say: (line) => (started = doing(line)) })
  if (started !== undefined) done(started, `nats-server ${server.version} from ${server.from}`)
  if (compareVersions(server.version, WANTED) < 0)
    warn(
      `nats-server ${server.version} (${server.from}) lacks the security fixes of ${WANTED}: good enough here, not for a public server`
    )
}

async function build() {
  if (isBuilt()) return
  const started = doing("building")
  await quietly("build", process.execPath, [join(root, "deploy", "tasks", "build.ts")])
  done(started, "built")
}

endWithParent()
try {
  await setupStep(async () => {
    if (process.argv.includes("nats")) await nats()
    if (process.argv.includes("build")) await build()
  })
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  fail(error.message)
  process.exitCode = 1
}
