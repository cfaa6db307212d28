/** The native binding of Iroh: what every transport must do, and what an addon must not. */
import { execFile } from "node:child_process"
import { createRequire } from "node:module"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { Result } from "effect"
import { assert, describe, it } from "vitest"
import type * as Addon from "@kez-chat/iroh-native"
import { IrohBlobTransport } from "@kez-chat/sdk/iroh"
import { Blake3, BlobAnswer, Bytes, ChunkRanges } from "@kez-chat/sdk/protocol"
import { native } from "../kits/blobs/Bindings.ts"
import { type Blob, encoded, makeBlob } from "../kits/blobs/Blobs.ts"
import { blobTransportAttacks } from "../kits/blobs/BlobTransportAttacks.ts"
import { blobTransportKit, type MakeTransport } from "../kits/blobs/BlobTransportKit.ts"

const options = { relay: "direct", bind: "127.0.0.1:0" } as const
const make: MakeTransport = (limits) => ({
  transport: IrohBlobTransport.make(options, limits),
  network: (secret) => IrohBlobTransport.network(options, secret, limits)
})

const group = 16 * 1024
const sizes = [0, 1, 1024, 1025, group - 1, group, group + 1, 2 * group, 2 * group + 1, 5 * group + 7]

/** Numbers from 0 up to 1, the same for a seed. */
const randomOf = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** What the SDK's own decoder makes of an answer. */
const bySdk = ({ tree }: Blob, ranges: ChunkRanges.ChunkRanges, answer: Uint8Array) => {
  const decoder = BlobAnswer.decoder({ hash: tree.hash, size: tree.size, ranges, hasher: Blake3.subtree })
  const found: Array<string> = []
  const pushed = decoder.push(answer, (item) => {
    if (item.kind === "size") found.push(`0 ${item.size} `)
    else if (item.kind === "parent") found.push(`1 ${item.index} ${Bytes.toHex(item.pair)}`)
    else found.push(`2 ${item.offset} ${Bytes.toHex(item.bytes)}`)
  })
  const ended = Result.isFailure(pushed) ? pushed : decoder.finish()
  return { found, verdict: Result.isFailure(ended) ? ended.failure.code : "whole" }
}

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
    return { ours, theirs, from, to, close: () => Promise.all([here.close(), there.close()]) }
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

  it("throws for answers of what is no blob", async () => {
    const { close, ours } = await streams()
    const [hash, none, all] = [new Uint8Array(32), new Uint8Array(0), Float64Array.of(0)]
    for (const wrong of [
      () => ours.recv.answer(new Uint8Array(31), 5, all),
      () => ours.recv.answer(hash, -1, all),
      () => ours.recv.answer(hash, 0.5, all),
      () => ours.recv.answer(hash, Number.NaN, all),
      () => ours.recv.answer(hash, 2 ** 53, all),
      () => ours.recv.answer(hash, 5, Float64Array.of(1, 1)),
      () => ours.recv.answer(hash, 5, Float64Array.of(0, Number.POSITIVE_INFINITY)),
      () => ours.recv.answer(hash, 5, Float64Array.of(-1)),
      () => ours.recv.answer(hash, 5, [0] as never),
      () => ours.send.answer(hash, 5, new Uint8Array(64), all),
      () => ours.send.answer(hash, 100_000, none, all),
      () => ours.send.answer(hash, 2 ** 53 - 1, none, all)
    ]) {
      await rejects(wrong, /./)
    }
    const writer = ours.send.answer(hash, 20_000, new Uint8Array(64), all)
    await rejects(() => writer.run(), /^mismatch: /)
    const small = ours.send.answer(hash, 5, none, all)
    await rejects(() => small.write(none), /^mismatch: /)
    assert.deepEqual(small.run(), { offset: 0, length: 5 })
    await rejects(() => small.write(new Uint8Array(4)), /^mismatch: /)
    await close()
  })

  it("writes and reads answers as the SDK does, and finds the same wrong", { timeout: 120_000 }, async () => {
    const { close, to, from } = await streams()
    const pair = async () => {
      const ours = await from.openBi()
      await ours.send.writeAll(Uint8Array.of(1))
      const theirs = await to.acceptBi()
      await theirs.recv.read(1)
      // A connection has a limited number of streams that are open in either direction.
      await Promise.all([theirs.send.finish(), ours.recv.stop(0n)])
      return { reader: theirs.recv, writer: ours.send }
    }
    const random = randomOf(20_261_201)
    const below = (most: number) => Math.floor(random() * most)
    for (let round = 0; round < 150; round++) {
      const blob = makeBlob(round < 20 ? sizes[round % sizes.length]! : below(600_000))
      const chunks = ChunkRanges.chunkCount(blob.bytes.length)
      const boundaries = [...new Set(Array.from({ length: 1 + below(6) }, () => below(chunks + 3)))]
      const ranges = round % 5 === 0 ? ChunkRanges.all : { boundaries: boundaries.sort((a, b) => a - b) }
      const within = Float64Array.from(ChunkRanges.within(ranges, blob.bytes.length).boundaries)
      if (within.length === 0) continue
      const right = encoded(blob, ranges)

      const { reader, writer } = await pair()
      const answer = writer.answer(blob.tree.hash, blob.tree.size, blob.tree.outboard, within)
      const sent = (async () => {
        for (let run = answer.run(); run !== null; run = answer.run()) {
          await answer.write(blob.bytes.slice(run.offset, run.offset + run.length))
        }
        await writer.finish()
      })()
      const parts: Array<Uint8Array> = []
      for (let part = await reader.read(65_536); part.length > 0; part = await reader.read(65_536)) parts.push(part)
      await sent
      assert.isTrue(Bytes.equal(Bytes.concat(...parts), right), `${blob.bytes.length} bytes, ${boundaries.join()}`)

      // The right answer; with one bit flipped; cut; or with a byte too many.
      const at = below(right.length)
      const kind = round % 4
      const given = [
        right,
        right.map((byte, i) => (i === at ? byte ^ (1 << below(8)) : byte)),
        right.subarray(0, at),
        Bytes.concat(right, Uint8Array.of(0))
      ][kind]!
      const other = await pair()
      const wrote = (async () => {
        for (let i = 0; i < given.length;) {
          const length = 1 + below(70_000)
          // Refused once the reader has stopped.
          await other.writer.writeAll(given.subarray(i, i + length)).catch(() => undefined)
          i += length
        }
        await other.writer.finish().catch(() => undefined)
      })()
      const native = other.reader.answer(blob.tree.hash, blob.tree.size, within)
      const found: Array<string> = []
      let verdict: string
      try {
        let isWhole = false
        for (let part = await native.next(); part !== null; part = await native.next()) {
          isWhole = part.isWhole
          let start = 0
          for (let i = 0; i < part.items.length; i += 3) {
            const [what, place, length = 0] = part.items.subarray(i, i + 3)
            found.push(`${what} ${place} ${Bytes.toHex(part.bytes.subarray(start, start + length))}`)
            start += length
          }
        }
        verdict = isWhole ? "whole" : "blob_incomplete"
      } catch (error) {
        assert.match((error as Error).message, /^mismatch: /)
        verdict = "blob_mismatch"
      }
      await other.reader.stop(0n)
      await wrote
      assert.deepEqual({ found, verdict }, bySdk(blob, ranges, given))
    }
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
