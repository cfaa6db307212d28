// A shim for kez-conformance: fill `operations` with calls of your implementation. Runs as it is on Node 24.
import { createInterface } from "node:readline"

/** The input is not acceptable; `code` is one of the specification's codes. */
class Refused extends Error {
  readonly code: string
  constructor(code: string, message = "") {
    super(message)
    this.code = code
  }
}

type Args = Readonly<Record<string, string>>

/** Each takes the `input` of a vector and returns its `result`: kez-conformance list --operations */
const operations: Readonly<Record<string, (args: Args) => unknown>> = {
  "hex.decode": ({ text }) => {
    if (!/^([0-9a-f]{2})*$/.test(text)) throw new Refused("encoding_malformed", "lower-case digits in pairs")
    return Buffer.from(text, "hex").toString("base64url")
  }
}

const start = {
  protocol: 1,
  implementation: { name: "my-kez", version: "0.1.0", language: "TypeScript" },
  profiles: ["identity"],
  ops: Object.keys(operations)
}

const answer = async (cmd: string, args: Args): Promise<object> => {
  if (cmd === "start") return { ok: start }
  if (cmd === "stop") return { ok: {} }
  const operation = operations[cmd]
  if (operation === undefined) return { unsupported: true }
  try {
    return { ok: await operation(args) }
  } catch (error) {
    if (error instanceof Refused) return { error: { code: error.code, message: error.message } }
    return { internal: { message: String(error), trace: error instanceof Error ? error.stack : "" } }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { args, cmd, seq } = JSON.parse(line)
  process.stdout.write(`${JSON.stringify({ seq, ...(await answer(cmd, args)) })}\n`)
  if (cmd === "stop") break
}
