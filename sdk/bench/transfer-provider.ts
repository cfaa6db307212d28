/**
 * The sending half of transfer.bench.ts, in a process of its own: one endpoint that serves a blob from memory, and one
 * that writes as many bytes on a raw stream of the same binding. Ends with its parent.
 *
 * usage: transfer-provider.ts MEBIBYTES native|compatible
 */
import { createHash, randomBytes, randomFillSync } from "node:crypto"
import process from "node:process"
import iroh from "@number0/iroh/index.js"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { IrohBlobTransport } from "@kez-chat/sdk/iroh"
import { FastBlake3 } from "@kez-chat/sdk/crypto"
import { Blake3Tree, Bytes } from "@kez-chat/sdk/protocol"
import type { Addresses } from "@kez-chat/sdk/services"

/** What the parent is told: once where everything is, and its memory whenever it asks. */
export interface Said {
  readonly hash?: string
  readonly addresses?: Addresses
  readonly rawId?: ReadonlyArray<number>
  readonly rawAddresses?: ReadonlyArray<string>
  /** Most memory this process ever had, in MiB. */
  readonly peakMiB?: number
}

export const rawAlpn: ReadonlyArray<number> = Array.from(Bytes.utf8("kez-bench/raw"))
/** Bytes handed over at a time, by our provider too. */
export const rawPieceBytes = 65_536
export const providerSeed = createHash("sha256").update("provider of the bench").digest()

/** A transport on loopback without relays. */
export const transportOver = (binding: "native" | "compatible") =>
  IrohBlobTransport.make({
    relay: "direct",
    bind: "127.0.0.1:0",
    ...(binding === "native" ? {} : { binding })
  })

/** An endpoint on loopback without relays. */
export const bindRaw = (): Promise<iroh.Endpoint> => {
  const builder = iroh.Endpoint.builder()
  iroh.presetMinimal(builder)
  builder.relayMode(iroh.RelayMode.disabled())
  builder.alpns([Array.from(rawAlpn)])
  builder.bindAddr("127.0.0.1:0")
  return builder.bind()
}

const serveRaw = async (endpoint: iroh.Endpoint, size: number): Promise<void> => {
  const piece = Array.from(randomBytes(rawPieceBytes))
  const arriving = await endpoint.acceptNext()
  if (arriving === null) return
  const connection = await (await arriving.accept()).connect()
  for (;;) {
    const { recv, send } = await connection.acceptBi()
    await recv.readToEnd(1)
    for (let written = 0; written < size; written += piece.length) await send.writeAll(piece)
    await send.finish()
  }
}

const main = async (size: number): Promise<void> => {
  const bytes = randomFillSync(new Uint8Array(size))
  const tree = Blake3Tree.build(bytes, await Effect.runPromise(FastBlake3.load))
  const hash = Bytes.toHex(tree.hash)
  const read = (offset: number, length: number) => Effect.sync(() => bytes.slice(offset, offset + length))
  const raw = await bindRaw()
  void serveRaw(raw, size).catch(() => undefined)
  const say = (said: Said) => process.send?.(said)
  process.on("message", () => say({ peakMiB: process.resourceUsage().maxRSS / 1024 }))
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const transport = transportOver(process.argv[3] === "native" ? "native" : "compatible")
        const endpoint = yield* transport.open(Redacted.make(Uint8Array.from(providerSeed)))
        yield* endpoint.serve({ open: () => Effect.succeed({ tree, read }), sent: () => Effect.void })
        say({
          hash,
          addresses: yield* endpoint.addresses,
          rawId: raw.id().toBytes(),
          rawAddresses: raw.addr().directAddresses()
        })
        yield* Effect.never
      })
    )
  )
}

if (import.meta.main) {
  process.once("disconnect", () => process.exit(0))
  await main(Number(process.argv[2]) * 2 ** 20)
}
