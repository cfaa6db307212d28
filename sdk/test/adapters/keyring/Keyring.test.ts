import { Effect, Redacted } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { detect, layer, make } from "../../../src/adapters/keyring/index.ts"
import { ask, findLibrary } from "../../../src/adapters/keyring/KeychainProcess.ts"
import { Vault } from "../../../src/services/Vault.ts"
import { vaultKit } from "../../kits/VaultKit.ts"

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

vaultKit("keyring", {
  place: Effect.sync(() => {
    const account = `account-${count++}`
    return { open: Effect.sync(() => make(library, { account })), durable: true }
  })
})

describe("Keyring", () => {
  it("calls an entry that is no seed damaged and does not repeat it", async () => {
    fs.writeFileSync(path.join(folder, "kez-chat-odd"), "somebody's password")
    const error = await Effect.runPromise(Effect.flip(make(library, { account: "odd" }).load))
    expect(error.reason).toBe("damaged")
    expect(error.message).not.toContain("somebody's password")
  })

  it("is unavailable where the native module cannot be loaded", async () => {
    const error = await Effect.runPromise(Effect.flip(make(path.join(folder, "absent"), { account: "x" }).load))
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
        Effect.runPromise(
          Vault.use((vault) => vault.save(Redacted.make(new Uint8Array(32)))).pipe(
            Effect.provide(layer({ account: "x" })),
            Effect.flip
          )
        )
      )
      expect(error).toMatchObject({ _tag: "VaultError", reason: "unavailable" })
    })

    it("gives up on a bus that never answers", async () => {
      const socket = path.join(folder, "silent")
      const server = net.createServer((connection) => connection.on("error", () => {}))
      await new Promise<void>((resolve) => server.listen(socket, resolve))
      const sockets: Array<net.Socket> = []
      server.on("connection", (connection) => sockets.push(connection))
      try {
        const error = await withBus(`unix:path=${socket}`, () =>
          findLibrary.pipe(
            Effect.flatMap((found) => ask(found, { op: "probe", service: "kez-chat", account: "x" }, 2_000)),
            Effect.flip,
            Effect.runPromise
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
