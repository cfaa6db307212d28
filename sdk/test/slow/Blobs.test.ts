import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { putKilled, receiveKilled, runWriter } from "../adapters/node/blobs/KilledWriter.ts"
import { folder } from "../kits/Disks.ts"

const random = (count: number, most: number) =>
  Array.from({ length: count }, () => 1 + Math.floor(Math.random() * most))

it.live("loses nothing of a blob of 64 MB whose receiver is killed 40 times", () =>
  Effect.flatMap(folder, (path) => Effect.promise(() => receiveKilled(path, 64_000_000, random(40, 24))))
)

it.live("has only whole blobs after 40 kills of who puts them", () =>
  Effect.flatMap(folder, (path) => Effect.promise(() => putKilled(path, 3_000_001, random(40, 8))))
)

it.live("needs no more memory for a gibibyte", () =>
  Effect.gen(function* () {
    const path = yield* folder
    const { lines } = yield* Effect.promise(() => runWriter("measure", path, 1024 ** 3))
    const [small, large] = lines.map(({ maxRss }) => maxRss ?? NaN)
    // The outboard is 4 MiB, and is there a few times.
    assert.isBelow(large! - small!, 96 * 1024 * 1024)
  })
)
