/** The native binding of Iroh: what every transport must do, and what an addon must not. */
import { execFile } from "node:child_process"
import { createRequire } from "node:module"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"
import type * as Addon from "@kez-chat/iroh-native"
import { IrohBlobTransport } from "@kez-chat/sdk/iroh"
import { native } from "../kits/blobs/Bindings.ts"
import { blobTransportAttacks } from "../kits/blobs/BlobTransportAttacks.ts"
import { blobTransportKit, type MakeTransport } from "../kits/blobs/BlobTransportKit.ts"

const options = { relay: "direct", bind: "127.0.0.1:0" } as const
const make: MakeTransport = (limits) => ({
  transport: IrohBlobTransport.make(options, limits),
  network: (secret) => IrohBlobTransport.network(options, secret, limits)
})

if (native !== undefined) {
  blobTransportKit("iroh, native", make)
  blobTransportAttacks("iroh, native", make)
}

describe.skipIf(native === undefined)("the addon", () => {
  const addon = () => createRequire(import.meta.url)("@kez-chat/iroh-native") as typeof Addon
  const alpn = [...Buffer.from("kez-test/0")]

  const endpoint = async () => {
    const { Endpoint, RelayMode, presetMinimal } = addon()
    const builder = Endpoint.builder()
    presetMinimal(builder)
    builder.relayMode(RelayMode.disabled())
    builder.alpns([alpn])
    builder.bindAddr("127.0.0.1:0")
    return builder.bind()
  }

  /** A stream and its other end, on a connection between two endpoints. */
  const streams = async () => {
    const [here, there] = [await endpoint(), await endpoint()]
    const arriving = there.acceptNext().then(async (incoming) => (await incoming!.accept()).connect())
    const from = await here.connect(there.addr(), alpn)
    const to = await arriving
    const ours = await from.openBi()
    await ours.send.writeAll(Uint8Array.of(1))
    const theirs = await to.acceptBi()
    assert.deepEqual(await theirs.recv.read(10), Uint8Array.of(1))
    return { ours, theirs, to, close: () => Promise.all([here.close(), there.close()]) }
  }

  const rejects = async (call: () => unknown, message: RegExp) => {
    try {
      await call()
    } catch (error) {
      assert.match((error as Error).message, message)
      return
    }
    assert.fail("it was taken")
  }

  it("closes everything: a program that used it ends by itself, and Node has nothing to warn of", async () => {
    const program = fileURLToPath(new URL("../adapters/iroh/IrohProgram.ts", import.meta.url))
    const { stderr, stdout } = await promisify(execFile)(
      process.execPath,
      ["--conditions=kez-source", program, "native"],
      { timeout: 60_000 }
    )
    assert.deepStrictEqual(JSON.parse(stdout), { binding: "native", whole: true })
    assert.strictEqual(stderr, "")
  })

  it("throws, or rejects, for what it does not take, and goes on", async () => {
    const { Endpoint, EndpointAddr, EndpointId, RelayMode, presetMinimal } = addon()
    const builder = Endpoint.builder()
    const id = (await endpoint()).id()
    for (const wrong of [
      () => EndpointId.fromBytes([]),
      () => EndpointId.fromBytes(Array.from({ length: 33 }, () => 1)),
      () => EndpointId.fromBytes("key" as never),
      () => new EndpointAddr({} as never, null, []),
      () => new EndpointAddr(id, "no url", []),
      () => new EndpointAddr(id, null, ["example.org:1"]),
      () => RelayMode.customFromUrls(["no url"]),
      () => builder.secretKey([1, 2, 3]),
      () => builder.bindAddr("nonsense"),
      () => builder.bind(),
      () => presetMinimal({} as never)
    ]) {
      await rejects(wrong, /./)
    }
    const { close, ours, to } = await streams()
    for (const wrong of [
      () => ours.recv.read(0),
      () => ours.recv.read(2 ** 20 + 1),
      () => ours.send.writeAll(new Uint8Array(2 ** 20 + 1)),
      () => ours.send.writeAll([1, 2] as never),
      () => ours.send.writeAll("text" as never),
      () => ours.send.writeAll(undefined as never),
      () => ours.recv.stop(-1n),
      () => ours.recv.stop(2n ** 62n),
      () => ours.send.reset(2n ** 200n),
      () => to.setReceiveWindow(-5n),
      () => to.close(2n ** 63n, [])
    ]) {
      await rejects(wrong, /./)
    }
    await ours.send.writeAll(Uint8Array.of(2))
    await close()
  })

  it("copies what it is given before it returns", async () => {
    const { close, ours, theirs } = await streams()
    const bytes = new Uint8Array(1000).fill(7)
    const written = ours.send.writeAll(bytes)
    bytes.fill(8)
    structuredClone(bytes, { transfer: [bytes.buffer] })
    await written
    await ours.send.finish()
    const parts: Array<Uint8Array> = []
    for (let part = await theirs.recv.read(300); part.length > 0; part = await theirs.recv.read(300)) parts.push(part)
    assert.deepEqual(Buffer.concat(parts), Buffer.alloc(1000, 7))
    assert.isTrue(parts.every(({ length }) => length <= 300))
    await close()
  })

  it("ends a read and a write under way when they are abandoned", async () => {
    const { close, ours, theirs } = await streams()
    const read = rejects(() => ours.recv.read(10), /^ClosedStream$/)
    await ours.recv.stop(5n)
    await read
    const full = async () => {
      for (;;) await ours.send.writeAll(new Uint8Array(2 ** 20))
    }
    const write = rejects(full, /^ClosedStream$/)
    await ours.send.reset(6n)
    await write
    await rejects(async () => {
      while ((await theirs.recv.read(65_536)).length > 0);
    }, /^Reset\(6\)$/)
    await rejects(async () => {
      for (;;) await theirs.send.writeAll(new Uint8Array(1000))
    }, /^Stopped\(5\)$/)
    await close()
  })

  it("ends what waits when the endpoint closes", async () => {
    const { close, ours, to } = await streams()
    const alone = await endpoint()
    const waiting = [rejects(() => ours.recv.read(10), /ConnectionLost/), rejects(() => to.acceptBi(), /./)]
    const next = alone.acceptNext()
    await Promise.all([close(), alone.close()])
    await Promise.all(waiting)
    assert.isNull(await next)
  })
})
