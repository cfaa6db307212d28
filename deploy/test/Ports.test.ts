import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "vitest"
import { busySentence, DEFAULT_PORTS, freePorts, holder, isFree, parsePorts } from "../local/Ports.ts"

const refusal = (text: string) => {
  try {
    parsePorts(text)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error(`${text} was accepted`)
}

/** Runs `use` while this process listens on a port of its own. */
const listening = async (use: (port: number) => Promise<void>) => {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  try {
    await use((server.address() as AddressInfo).port)
  } finally {
    await new Promise((done) => server.close(done))
  }
}

describe("--ports", () => {
  it("accepts auto, and names with numbers", () => {
    assert.strictEqual(parsePorts("auto"), "auto")
    assert.deepEqual(parsePorts("home=9080"), { home: 9080 })
    assert.deepEqual(parsePorts("nats=5222, websocket=9443"), { nats: 5222, websocket: 9443 })
  })

  it.each(["", "9080", "home", "home=", "home=x", "web=80", "home=80=90", "automatic"])("refuses %j", (text) => {
    assert.match(refusal(text), /^--ports takes "auto" or a list like home=9080,nats=5222 of .* is neither\.$/)
  })

  it("refuses numbers out of range, and one port twice", () => {
    assert.include(refusal("home=0"), "between 1 and 65535")
    assert.include(refusal("home=65536"), "between 1 and 65535")
    assert.include(refusal("home=9000,nats=9000"), "port 9000 to two listeners")
    assert.include(refusal(`home=${DEFAULT_PORTS.nats}`), "to two listeners")
  })
})

describe("ports", () => {
  it("are free, distinct, and outside the range for outgoing connections", async () => {
    const ports = Object.values(await freePorts())
    assert.strictEqual(new Set(ports).size, Object.keys(DEFAULT_PORTS).length)
    for (const port of ports) {
      assert.isBelow(port, 32_768)
      assert.isTrue(await isFree(port))
    }
  })

  it("that are taken are reported with their holder and a way out", () =>
    listening(async (port) => {
      assert.isFalse(await isFree(port))
      const sentence = busySentence("home", port)
      assert.match(
        sentence,
        new RegExp(`^Port ${port} \\(home\\) is taken.*: stop that, or start with --ports auto, or with`)
      )
      if (process.platform === "linux") assert.include(holder(port), `process ${process.pid}`)
    }))
})
