/** Whatever arrives on a port, only the calls of the table are made, and the next caller is answered. */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { servePort } from "@kez-chat/sdk/port"
import { clientWith } from "./PortKit.ts"

/** Sends messages to a served client with one call, `account`, and gives its answers up to that of the last question. */
const answersTo = async (messages: ReadonlyArray<unknown>, calls: Array<unknown> = []) => {
  const { port1, port2 } = new MessageChannel()
  const client = new Proxy(clientWith({ account: async () => "fine" }), {
    get: (target, name) => {
      calls.push(name)
      return Reflect.get(target, name)
    }
  })
  const stop = servePort(port1, client)
  const answers: Array<Readonly<Record<string, unknown>>> = []
  const last = 987_654_321
  await new Promise<void>((resolve) => {
    port2.addEventListener("message", ({ data }) => {
      answers.push(data)
      if (data.id === last) resolve()
    })
    port2.start()
    for (const message of messages) port2.postMessage(message)
    port2.postMessage({ id: last, name: "account", args: [] })
  })
  stop()
  port2.close()
  assert.deepEqual(answers.pop(), { id: last, value: "fine" })
  return answers
}

const names = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "close",
  "share",
  "matches",
  "then",
  "",
  7,
  null,
  {}
]

const message = fc.record(
  {
    id: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.anything()),
    name: fc.oneof(fc.constantFrom(...names, "account", "events"), fc.string(), fc.anything()),
    args: fc.oneof(fc.array(fc.anything(), { maxLength: 3 }), fc.anything()),
    signalAt: fc.oneof(fc.integer(), fc.anything()),
    more: fc.oneof(fc.integer(), fc.double()),
    stop: fc.oneof(fc.boolean(), fc.anything())
  },
  { requiredKeys: [] }
)

describe("a served port", () => {
  it.each(names)("refuses %j as a name", async (name) => {
    const calls: Array<unknown> = []
    const [answer] = await answersTo([{ id: 1, name, args: [] }], calls)
    assert.deepEqual(answer, {
      id: 1,
      error: { _tag: "CallRefused", name: "CallRefused", message: "this port has no such call" }
    })
    assert.deepEqual(calls, ["account"])
  })

  it("survives any messages", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(message, fc.anything()), { maxLength: 12 }), async (messages) => {
        const cloneable = messages.filter((each) => (each as { closed?: unknown } | null)?.closed !== true)
        for (const { id } of await answersTo(cloneable)) assert.isNumber(id)
      }),
      { numRuns: 300 }
    )
  })
})
