import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { ask, findLibrary } from "../../../src/adapters/keyring/KeychainProcess.ts"
import { detect, layer, make } from "../../../src/adapters/keyring/index.ts"
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
const withBus = <A, E, R>(address: string | undefined, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const set = (value: string | undefined) =>
    Effect.sync(() => {
      const before = process.env["DBUS_SESSION_BUS_ADDRESS"]
      if (value === undefined) delete process.env["DBUS_SESSION_BUS_ADDRESS"]
      else process.env["DBUS_SESSION_BUS_ADDRESS"] = value
      return before
    })
  return Effect.acquireUseRelease(set(address), () => effect, set)
}

/** A server that takes connections and never answers, until the scope closes. */
const silentServer = (socket: string) => {
  const connections: Array<net.Socket> = []
  const server = net.createServer((connection) => connections.push(connection.on("error", () => {})))
  return Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(socket, () => resume(Effect.void))),
    () =>
      Effect.callback<void>((resume) => {
        for (const connection of connections) connection.destroy()
        server.close(() => resume(Effect.void))
      })
  )
}

vaultKit("keyring", {
  place: Effect.sync(() => {
    const account = `account-${count++}`
    return { open: Effect.sync(() => make(library, { account })), durable: true }
  })
})

describe("Keyring", () => {
  it.live("calls an entry that is no seed damaged and does not repeat it", () =>
    Effect.gen(function* () {
      fs.writeFileSync(path.join(folder, "kez-chat-odd"), "somebody's password")
      const error = yield* Effect.flip(make(library, { account: "odd" }).load)
      expect(error.reason).toBe("damaged")
      expect(error.message).not.toContain("somebody's password")
    })
  )

  it.live("is unavailable where the native module cannot be loaded", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(make(path.join(folder, "absent"), { account: "x" }).load)
      expect(error.reason).toBe("unavailable")
    })
  )

  describe.runIf(process.platform === "linux")("on Linux", () => {
    it.live("has no keychain without a session bus", () =>
      Effect.gen(function* () {
        expect(yield* withBus(undefined, detect)).toMatchObject({ available: false })
      })
    )

    it.live("has no keychain when the bus is gone, and does not fall back to the kernel's keyring", () =>
      Effect.gen(function* () {
        const dead = `unix:path=${path.join(folder, "nobody")}`
        expect(yield* withBus(dead, detect)).toMatchObject({ available: false })
        const error = yield* withBus(
          dead,
          Vault.use((vault) => vault.save(Redacted.make(new Uint8Array(32)))).pipe(
            Effect.provide(layer({ account: "x" })),
            Effect.flip
          )
        )
        expect(error).toMatchObject({ _tag: "VaultError", reason: "unavailable" })
      })
    )

    it.live("gives up on a bus that never answers", () =>
      Effect.gen(function* () {
        const socket = path.join(folder, "silent")
        yield* silentServer(socket)
        const error = yield* withBus(
          `unix:path=${socket}`,
          findLibrary.pipe(
            Effect.flatMap((found) => ask(found, { op: "probe", service: "kez-chat", account: "x" }, 2_000)),
            Effect.flip
          )
        )
        expect(error).toMatchObject({ reason: "unavailable" })
        expect(error.message).toContain("did not answer within 2 s")
      })
    )
  })
})
