/**
 * One device of a test of networks. `serve SIZE RELAY` gives a blob to everybody until its input ends; `fetch SIZE RELAY
 * ADDRESSES` fetches it. RELAY is `direct` or a URL. One JSON value a line.
 */
import * as process from "node:process"
import { Effect, Stream } from "effect"
import { IrohBlobTransport } from "@kez-chat/sdk/iroh"
import { ChunkRanges } from "@kez-chat/sdk/protocol"
import type { Addresses, BlobTransportError } from "@kez-chat/sdk/services"
import { library, makeBlob, person } from "../blobs/Blobs.ts"

const [what, size = "0", relay = "direct", addresses = "{}"] = process.argv.slice(2)
const [owner, reader] = [person(1), person(2)]
const blob = makeBlob(Number(size))
const { open } = IrohBlobTransport.make({ relay: relay === "direct" ? relay : { urls: [relay] } })
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)

const inputEnds = Effect.callback<void>((resume) => {
  process.stdin.on("end", () => resume(Effect.void)).resume()
})

const serve = Effect.gen(function* () {
  const endpoint = yield* open(owner.secret)
  yield* endpoint.serve(library([blob]).provider)
  say(yield* endpoint.addresses)
  yield* inputEnds
})

/** Fetches what is missing, also after the connection was lost, as the client does. */
const fetch = Effect.gen(function* () {
  const endpoint = yield* open(reader.secret)
  let missing = ChunkRanges.within(ChunkRanges.all, blob.bytes.length)
  let told = 0
  const attempt = Stream.unwrap(
    Effect.sync(() =>
      endpoint.fetch({
        peer: owner.key,
        addresses: JSON.parse(addresses) as Addresses,
        hash: blob.hash,
        size: blob.bytes.length,
        ranges: missing
      })
    )
  ).pipe(
    Stream.runForEach((items) =>
      Effect.sync(() => {
        for (const item of items) {
          if (item.kind !== "leaf") continue
          missing = ChunkRanges.difference(missing, ChunkRanges.ofBytes(item.offset, item.offset + item.bytes.length))
          if (
            !blob.bytes
              .subarray(item.offset, item.offset + item.bytes.length)
              .every((byte, i) => byte === item.bytes[i])
          )
            throw new Error("other bytes than were asked for")
        }
        const have = 1 - ChunkRanges.bytesIn(missing, blob.bytes.length) / blob.bytes.length
        if (have >= told + 0.05) say({ have: (told = have) })
      })
    )
  )
  const isWorthAnother = (error: { readonly _tag: string; readonly reason?: BlobTransportError["reason"] }) =>
    error.reason === "unreachable" && told > 0
  const began = performance.now()
  yield* Effect.retry(attempt, { times: 5, while: isWorthAnother })
  say({
    whole: ChunkRanges.isEmpty(missing),
    path: endpoint.pathTo?.(owner.key),
    millis: Math.round(performance.now() - began)
  })
})

await Effect.runPromise(
  Effect.scoped(what === "serve" ? serve : fetch).pipe(
    Effect.catch((error) => Effect.sync(() => say({ error: error.message, millis: Math.round(performance.now()) })))
  )
)
