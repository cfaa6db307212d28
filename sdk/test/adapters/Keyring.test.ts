import { Effect, Redacted } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { detect, make } from "../../src/adapters/keyring/index.ts"
import { ask } from "../../src/adapters/keyring/keychainProcess.ts"
import { vaultKit } from "../kits/Vault.ts"

const library = path.join(import.meta.dirname, "fixtures", "keyring.cjs")
let folder: string
let count = 0

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-keyring-"))
  process.env["KEZ_TEST_KEYCHAIN"] = folder
})
afterAll(() => {
  delete process.env["KEZ_TEST_KEYCHAIN"]
  fs.rmSync(folder, { recursive: true, force: true })
})

/** Runs with another session bus; on this platform that is all that decides whether there is a Secret Service. */
const withBus = async <A>(address: string | undefined, run: () => Promise<A>): Promise<A> => {
  const before = process.env["DBUS_SESSION_BUS_ADDRESS"]
  if (address === undefined) delete process.env["DBUS_SESSION_BUS_ADDRESS"]
  else process.env["DBUS_SESSION_BUS_ADDRESS"] = address
  try {
    return await run()
  } finally {
    if (before === undefined) delete process.env["DBUS_SESSION_BUS_ADDRESS"]
    else process.env["DBUS_SESSION_BUS_ADDRESS"] = before
  }
}

describe("Keyring", () => {
  vaultKit(async () => {
    const account = `account-${count++}`
    const open = () => make({ account, module: library })
    return { vault: open(), reopen: open }
  })

  it("calls an entry that is no seed damaged and does not repeat it", async () => {
    fs.writeFileSync(path.join(folder, "kez-chat-odd"), "somebody's password")
    const error = await Effect.runPromise(Effect.flip(make({ account: "odd", module: library }).load))
    expect(error.reason).toBe("damaged")
    expect(error.message).not.toContain("somebody's password")
  })

  it("is unavailable where the native module cannot be loaded", async () => {
    const error = await Effect.runPromise(Effect.flip(make({ account: "x", module: path.join(folder, "absent") }).load))
    expect(error.reason).toBe("unavailable")
  })

  describe.runIf(process.platform === "linux")("on Linux", () => {
    it("has no keychain without a session bus", async () => {
      expect(await withBus(undefined, () => Effect.runPromise(detect))).toMatchObject({ available: false })
    })

    it("has no keychain when the bus is gone, and does not fall back to the kernel's keyring", async () => {
      const dead = `unix:path=${path.join(folder, "nobody")}`
      expect(await withBus(dead, () => Effect.runPromise(detect))).toMatchObject({ available: false })
      const error = await withBus(dead, () =>
        Effect.runPromise(Effect.flip(make({ account: "x" }).save(Redacted.make(new Uint8Array(32)))))
      )
      expect(error.reason).toBe("unavailable")
    })

    it("gives up on a bus that never answers", async () => {
      const socket = path.join(folder, "silent")
      const server = net.createServer((connection) => connection.on("error", () => {}))
      await new Promise<void>((resolve) => server.listen(socket, resolve))
      const sockets: Array<net.Socket> = []
      server.on("connection", (connection) => sockets.push(connection))
      try {
        const error = await withBus(`unix:path=${socket}`, () =>
          Effect.runPromise(
            Effect.flip(ask({ op: "probe", service: "kez-chat", account: "x" }, { timeoutMillis: 2_000 }))
          )
        )
        expect(error).toMatchObject({ reason: "unavailable" })
        expect(error.message).toContain("did not answer within 2 s")
      } finally {
        for (const connection of sockets) connection.destroy()
        await new Promise((resolve) => server.close(resolve))
      }
    })
  })
})
