import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { IrohBlobTransport } from "@kez-chat/sdk/iroh"
import { ChunkRanges } from "@kez-chat/sdk/protocol"
import { collect, makeBlob, person } from "../../kits/blobs/Blobs.ts"
import { blobTransportAttacks } from "../../kits/blobs/BlobTransportAttacks.ts"
import { blobTransportKit, type MakeTransport } from "../../kits/blobs/BlobTransportKit.ts"

const options = { relay: "direct", bind: "127.0.0.1:0", binding: "compatible" } as const

const make: MakeTransport = (limits) => ({
  transport: IrohBlobTransport.make(options, limits),
  network: (secret) => IrohBlobTransport.network(options, secret, limits)
})

blobTransportKit("iroh", make)
blobTransportAttacks("iroh", make)

/** Runs a program of its own to its end; it is killed only when the test's time is over. */
const program = (env: NodeJS.ProcessEnv) =>
  promisify(execFile)(
    process.execPath,
    ["--conditions=kez-source", fileURLToPath(new URL("IrohProgram.ts", import.meta.url)), "compatible"],
    { env: { ...process.env, ...env }, timeout: 60_000 }
  )

describe("the Iroh adapter", () => {
  it(
    "closes everything: a program that used it ends by itself, and Node has nothing to warn of",
    { timeout: 90_000 },
    async () => {
      const { stderr, stdout } = await program({})
      assert.deepStrictEqual(JSON.parse(stdout), { binding: "compatible", whole: true })
      assert.strictEqual(stderr, "")
    }
  )

  it("says what to install where its binary is missing", { timeout: 90_000 }, async () => {
    const { stdout } = await program({ NAPI_RS_NATIVE_LIBRARY_PATH: "/nowhere.node" })
    assert.deepStrictEqual(JSON.parse(stdout), {
      error: "BlobTransportError",
      message:
        "sending and fetching files needs the package @number0/iroh, which does not load here: npm install @number0/iroh"
    })
  })

  it.live("listens on loopback alone where it is told a loopback address, in both families", () =>
    Effect.gen(function* () {
      const { direct, relayUrl } = yield* (yield* IrohBlobTransport.make(options).open(person(1).secret)).addresses
      assert.isUndefined(relayUrl)
      assert.isAtLeast(direct.length, 1)
      for (const address of direct) assert.match(address, /^(127\.0\.0\.1|\[::1\]):\d+$/)
    })
  )

  it.live("is unavailable, in a sentence, for what it cannot keep to", () =>
    Effect.gen(function* () {
      const failed = (of: IrohBlobTransport.IrohOptions) =>
        Effect.map(
          Effect.flip(IrohBlobTransport.make({ ...of, binding: "compatible" }).open(person(1).secret)),
          ({ message, reason }) => {
            assert.notInclude(message, "\n")
            return reason
          }
        )
      assert.deepStrictEqual(
        [
          yield* failed({ relay: "direct", relayOnly: true }),
          yield* failed({ relay: "default", relayOnly: true, bind: "0.0.0.0:0" }),
          yield* failed({ relay: "direct", bind: "nonsense" }),
          yield* failed({ relay: { urls: ["nonsense"] } })
        ],
        ["unavailable", "unavailable", "unavailable", "unavailable"]
      )
    })
  )

  it.live("relay only: neither tells nor uses direct addresses", () =>
    Effect.gen(function* () {
      const nobody = { urls: ["http://127.0.0.1:9/"] }
      const hidden = yield* IrohBlobTransport.make({ relay: nobody, relayOnly: true, binding: "compatible" }).open(
        person(1).secret
      )
      const other = yield* IrohBlobTransport.make(options).open(person(2).secret)
      // The other could be reached, were its direct address used.
      const { direct } = yield* other.addresses
      const blob = makeBlob(10)
      const fetch = hidden.fetch({
        peer: person(2).key,
        addresses: { direct },
        hash: blob.hash,
        size: 10,
        ranges: ChunkRanges.all
      })
      assert.deepInclude(yield* Effect.flip(collect(fetch)), { reason: "unreachable" })
      assert.deepInclude(yield* Effect.flip(hidden.addresses), { reason: "unavailable" })
    })
  )
})
