/** The CLI in scenarios of every topic; all of them take too long: shims/cli/README.md says how. */
import { join } from "node:path"
import { expect, it } from "vitest"
import { bundled } from "../../../deploy/local/Bundles.ts"
import { runClients } from "../../src/clients/Run.ts"
import { allScenarios } from "../../src/clients/scenarios/All.ts"
import { selected } from "../../src/suite/Checks.ts"

const some = [
  "client/accounts#begins",
  "client/chains#rollback",
  "client/contacts#trim",
  "client/devices#four-of-yesterday",
  "client/fetching#other-bytes",
  "client/frames#forged-author-live",
  "client/key-changes#safety-numbers",
  "client/logins#reconnects",
  "client/mailbox#block-noted-again",
  "client/manifests#same-path",
  "client/receipts#delivered",
  "client/records#text-float-number",
  "client/sending#queued-offline",
  "client/serving#wrong-copy",
  "client/sharing#refused-by-home"
]

it("kez-chat passes a scenario of every topic", async () => {
  const node = [process.execPath, "--conditions=kez-source"]
  const shim = join(import.meta.dirname, "../../shims/cli/shim.ts")
  const command = [...node, shim, process.execPath, await bundled("kez-chat")]
  const { results } = await runClients(selected(allScenarios, some), {
    command,
    seed: 1,
    parallel: 3,
    timeoutMillis: 60_000
  })
  expect(results).toHaveLength(some.length)
  expect(results.filter(({ verdict }) => verdict !== "pass")).toEqual([])
})
