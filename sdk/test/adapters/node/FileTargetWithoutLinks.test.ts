/** Saving on a file system that knows no links, such as FAT. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Stream } from "effect"
import { assert, it } from "@effect/vitest"
import { vi } from "vitest"
import { FileTarget } from "@kez-chat/sdk/node"
import { FileError } from "@kez-chat/sdk/services"
import { folder } from "../../kits/Disks.ts"

vi.mock(import("node:fs/promises"), async (original) => ({
  ...(await original()),
  link: () => Promise.reject(Object.assign(new Error("operation not permitted"), { code: "EPERM" }))
}))

const bytes = Stream.make(Uint8Array.of(1, 2, 3))
const reasonOf = <A>(effect: Effect.Effect<A, FileError>) => Effect.map(Effect.flip(effect), ({ reason }) => reason)

it.live("saves a file whole, and replaces nothing that came in the meantime", () =>
  Effect.gen(function* () {
    const dir = yield* folder
    const { path } = yield* FileTarget.saveFile({ folder: dir, name: "a", bytes })
    assert.deepEqual(new Uint8Array(readFileSync(path)), Uint8Array.of(1, 2, 3))

    const target = yield* FileTarget.prepare({ folder: dir, name: "b" })
    writeFileSync(join(dir, "b"), "mine")
    assert.strictEqual(yield* reasonOf(FileTarget.save(target, bytes)), "exists")
    assert.strictEqual(readFileSync(join(dir, "b"), "utf8"), "mine")

    const taken = yield* FileTarget.prepare({ folder: dir, name: "c" })
    mkdirSync(join(dir, "c"))
    assert.strictEqual(yield* reasonOf(FileTarget.save(taken, bytes)), "exists")
    assert.deepStrictEqual(readdirSync(dir).toSorted(), ["a", "b", "c"])
  })
)
