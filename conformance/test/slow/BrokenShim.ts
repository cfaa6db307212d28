/**
 * The reference shim with one fault in what it answers, for the checks that must notice it.
 *
 *     node --conditions=kez-source BrokenShim.ts FAULT
 */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { createInterface } from "node:readline"
import type { Request } from "../../src/shim/Protocol.ts"

type Value = ReturnType<typeof JSON.parse>
interface Fault {
  readonly operation: string
  /** What is answered instead. */
  readonly change: (ok: Value, args: Value) => Value
}

const texts = (change: (text: string) => string): Fault => ({
  operation: "client.messages",
  change: (ok) => ok.map((one: Value) => ({ ...one, text: change(one.text) }))
})

/** The step of a pair that each must fail. */
const faults: Readonly<Record<string, Fault>> = {
  request: {
    operation: "client.contacts",
    change: (ok) => ok.map((one: Value) => ({ ...one, state: "accepted" }))
  },
  answer: texts((text) => text.normalize("NFKD")),
  number: {
    operation: "client.safetyNumber",
    change: ({ number }, { id }) => ({
      number: `${String(id.length + id.charCodeAt(8)).padStart(5, "0")}${number.slice(5)}`
    })
  },
  offline: texts((text) => text.trim()),
  receipt: {
    operation: "client.messages",
    change: (ok) => ok.map((one: Value) => (one.state === "delivered" ? { ...one, state: "stored" } : one))
  },
  files: {
    operation: "client.manifest",
    change: ({ entries, revision }) => ({ revision, entries: entries.filter((one: Value) => one.public) })
  }
}

const fault = faults[process.argv[2] ?? ""]
if (fault === undefined) throw new Error(`there is no fault ${process.argv[2]}`)
const shim = spawn(
  process.execPath,
  [
    "--conditions=kez-source",
    fileURLToPath(new URL("../../src/kez-conformance.ts", import.meta.url)),
    "reference-shim"
  ],
  { stdio: ["pipe", "pipe", "inherit"] }
)
const requests = new Map<number, Request>()
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const request = JSON.parse(line) as Request
    requests.set(request.seq, request)
    shim.stdin.write(`${line}\n`)
  })
  .on("close", () => shim.stdin.end())
for await (const line of createInterface({ input: shim.stdout })) {
  const response = JSON.parse(line)
  const request = requests.get(response.seq)
  const isBroken = request?.cmd === fault.operation && response.ok !== undefined
  const ok = isBroken ? fault.change(response.ok, request.args) : response.ok
  process.stdout.write(`${JSON.stringify({ ...response, ok })}\n`)
  if (request?.cmd === "stop") break
}
process.stdin.destroy()
