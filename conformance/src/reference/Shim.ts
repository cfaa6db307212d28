/** The reference implementation behind the shim protocol: the SDK's public entries, on node:crypto. */
import { NodeCrypto } from "@kez-chat/sdk/node"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { createInterface } from "node:readline"
import { parse } from "../commands/Options.ts"
import type { Request, Response, Started } from "../shim/Protocol.ts"
import { profiles } from "../suite/Checks.ts"
import { suiteVersion } from "../suite/Versions.ts"
import { answer } from "./Answer.ts"
import type { Input } from "./CaseInput.ts"
import { clientOperations, Clients } from "./ClientOperations.ts"
import { operations } from "./Operations.ts"

const started: Started = {
  protocol: 1,
  implementation: { name: "@kez-chat/sdk", version: suiteVersion, language: "TypeScript" },
  profiles,
  ops: [...Object.keys(operations), ...clientOperations],
  features: ["clock", "handedOver", "inboxPolicy", "rotates", "trimsItself", "websocket"],
  limits: { maxParallel: 8 }
}

/** Reads requests from standard input until `stop` or its end. */
export const referenceShim = async (args: ReadonlyArray<string>): Promise<number> => {
  parse(args, {})
  const runtime = ManagedRuntime.make(NodeCrypto.layer)
  const clients = new Clients()
  const answerTo = (cmd: string, input: Request["args"]) =>
    clientOperations.includes(cmd) ? clients.answer(cmd, input) : runtime.runPromise(answer(cmd, input as Input))
  const write = (response: Response) => process.stdout.write(`${JSON.stringify(response)}\n`)
  for await (const line of createInterface({ input: process.stdin })) {
    const { args: input, cmd, seq } = JSON.parse(line) as Request
    if (cmd === "start") write({ seq, ok: started })
    else if (cmd === "stop") {
      write({ seq, ok: {} })
      break
    } else void answerTo(cmd, input).then((response) => write({ seq, ...response }))
  }
  await clients.closeAll()
  await runtime.dispose()
  return 0
}
