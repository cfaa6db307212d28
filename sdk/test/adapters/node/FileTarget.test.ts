import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join, resolve, sep } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import * as fc from "fast-check"
import { FileTarget } from "@kez-chat/sdk/node"
import { FileError } from "@kez-chat/sdk/services"
import { canMount, disk, folder } from "../../kits/Disks.ts"
import { checkProperty } from "../../kits/Property.ts"
import { bytesOf } from "../../kits/blobs/ArrivingBlobs.ts"

const content = bytesOf(3_000_000, 1)

/** Content in pieces, all from one buffer that is used again. */
const pieces = (bytes: Uint8Array = content): Stream.Stream<Uint8Array> => {
  const buffer = new Uint8Array(70_000)
  return Stream.range(0, Math.ceil(bytes.length / buffer.length) - 1).pipe(
    Stream.rechunk(1),
    Stream.mapEffect((index) =>
      Effect.sync(() => {
        const part = bytes.subarray(index * buffer.length, (index + 1) * buffer.length)
        buffer.set(part)
        return buffer.subarray(0, part.length)
      })
    )
  )
}

const reasonOf = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(Effect.flip(effect), (error) => (error instanceof FileError ? error.reason : error))

const isContent = (path: string) => readFileSync(path).equals(content)

describe("saveFile", () => {
  it.live("saves bytes under a name and in a folder of its own", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      const saved = yield* FileTarget.saveFile({ folder: dir, subfolder: "a/b", name: "report.pdf", bytes: pieces() })
      assert.deepStrictEqual(saved, { path: join(dir, "a", "b", "report.pdf"), size: content.length })
      assert.isTrue(isContent(saved.path))
      assert.strictEqual(statSync(saved.path).mode & 0o777, 0o666 & ~process.umask())
      assert.strictEqual(statSync(saved.path).nlink, 1)
      assert.deepStrictEqual(readdirSync(join(dir, "a", "b")), ["report.pdf"])
      const empty = yield* FileTarget.saveFile({ folder: dir, name: "empty", bytes: Stream.empty })
      assert.strictEqual(statSync(empty.path).size, 0)
    })
  )

  it.live("replaces nothing unless it is asked to, and no folder at all", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      writeFileSync(join(dir, "report.pdf"), "mine")
      const options = { folder: dir, name: "report.pdf" }
      assert.strictEqual(yield* reasonOf(FileTarget.prepare(options)), "exists")
      assert.strictEqual(readFileSync(join(dir, "report.pdf"), "utf8"), "mine")

      // It may come while the bytes arrive, too.
      const target = yield* FileTarget.prepare({ folder: dir, name: "late.pdf" })
      const late = Stream.concat(
        pieces(),
        Stream.drain(Stream.fromEffect(Effect.sync(() => linkSync(join(dir, "report.pdf"), join(dir, "late.pdf")))))
      )
      assert.strictEqual(yield* reasonOf(FileTarget.save(target, late)), "exists")
      assert.strictEqual(readFileSync(join(dir, "late.pdf"), "utf8"), "mine")

      yield* FileTarget.saveFile({ ...options, overwrite: true, bytes: pieces() })
      assert.isTrue(isContent(join(dir, "report.pdf")))
      assert.strictEqual(readFileSync(join(dir, "late.pdf"), "utf8"), "mine")

      mkdirSync(join(dir, "taken"))
      for (const overwrite of [true, false]) {
        const over = FileTarget.saveFile({ folder: dir, name: "taken", overwrite, bytes: pieces() })
        assert.strictEqual(yield* reasonOf(over), "not_a_file")
      }
      assert.deepStrictEqual(readdirSync(dir).toSorted(), ["late.pdf", "report.pdf", "taken"])
    })
  )

  it.live("keeps nothing when the bytes fail or it is interrupted", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      const failing = Stream.concat(pieces(), Stream.fail("no more" as const))
      assert.strictEqual(yield* reasonOf(FileTarget.saveFile({ folder: dir, name: "a", bytes: failing })), "no more")
      const arrived = yield* Deferred.make<void>()
      const hanging = Stream.concat(
        pieces(),
        Stream.fromEffect(Effect.andThen(Deferred.succeed(arrived, undefined), Effect.never))
      )
      const saving = yield* Effect.forkChild(FileTarget.saveFile({ folder: dir, name: "a", bytes: hanging }))
      yield* Deferred.await(arrived)
      assert.match(readdirSync(dir).join(), /^\.kez-[0-9a-f]+\.part$/)
      yield* Fiber.interrupt(saving)
      assert.deepStrictEqual(readdirSync(dir), [])
    })
  )

  it.live("removes what a dead process left, and what nobody else did", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      const [old, young] = [`.kez-${"0".repeat(24)}.part`, `.kez-${"1".repeat(24)}.part`]
      for (const name of [old, young, ".kez-notes.part"]) writeFileSync(join(dir, name), "x")
      for (const name of [old, ".kez-notes.part"]) utimesSync(join(dir, name), 1, 1)
      yield* FileTarget.saveFile({ folder: dir, name: "a", bytes: pieces() })
      assert.deepStrictEqual(readdirSync(dir).toSorted(), [young, ".kez-notes.part", "a"].toSorted())
    })
  )

  it.live("follows no link that lies in the folder", () =>
    Effect.gen(function* () {
      const [dir, outside] = [yield* folder, yield* folder]
      symlinkSync(outside, join(dir, "link"))
      for (const subfolder of ["link", "link/deeper"]) {
        const saving = FileTarget.saveFile({ folder: dir, subfolder, name: "a", bytes: pieces() })
        assert.strictEqual(yield* reasonOf(saving), "not_a_file")
      }
      // One that appears after everything was looked at.
      const target = yield* FileTarget.prepare({ folder: dir, subfolder: "late", name: "a" })
      symlinkSync(outside, join(dir, "late"))
      assert.strictEqual(yield* reasonOf(FileTarget.save(target, pieces())), "not_a_file")

      // A link with the name of the file is replaced, not followed.
      writeFileSync(join(outside, "victim"), "mine")
      symlinkSync(join(outside, "victim"), join(dir, "b"))
      assert.strictEqual(yield* reasonOf(FileTarget.saveFile({ folder: dir, name: "b", bytes: pieces() })), "exists")
      yield* FileTarget.saveFile({ folder: dir, name: "b", overwrite: true, bytes: pieces() })
      assert.isTrue(isContent(join(dir, "b")))
      assert.strictEqual(readFileSync(join(outside, "victim"), "utf8"), "mine")
      assert.deepStrictEqual(readdirSync(outside), ["victim"])

      // The folder that somebody chose may be a link itself.
      symlinkSync(outside, join(dir, "chosen"))
      yield* FileTarget.saveFile({ folder: join(dir, "chosen"), name: "c", bytes: pieces() })
      assert.isTrue(isContent(join(outside, "c")))
    })
  )

  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc
      .array(fc.constantFrom("..", ".", "/", "\\", "~", "C:", "\u0000", "\u202e", "con", "aux.txt", " ", "a", "%2e"), {
        maxLength: 8
      })
      .map((parts) => parts.join("")),
    fc.constantFrom("/etc/passwd", "../../../tmp/x", "x".repeat(10_000), "é".repeat(300), "")
  )

  it.live("KEZ-FIL-010 never leaves the folder, whatever it is told", () =>
    checkProperty(
      [hostile, hostile],
      (name, subfolder) =>
        Effect.gen(function* () {
          const above = yield* folder
          const dir = join(above, "target")
          mkdirSync(dir)
          const bytes = Stream.make(Uint8Array.of(1, 2, 3))
          const { path } = yield* FileTarget.saveFile({ folder: dir, name, subfolder, bytes })
          assert.isTrue(resolve(path).startsWith(`${dir}${sep}`), path)
          assert.isTrue(statSync(path).isFile())
          assert.deepStrictEqual(readdirSync(above), ["target"])
        }).pipe(Effect.scoped),
      { numRuns: 60 }
    )
  )

  it.live("says before anything is there what will not work", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      writeFileSync(join(dir, "file"), "x")
      const prepare = (options: FileTarget.TargetOptions) => reasonOf(FileTarget.prepare(options))
      assert.strictEqual(yield* prepare({ folder: join(dir, "none"), name: "a" }), "missing")
      assert.strictEqual(yield* prepare({ folder: join(dir, "file"), name: "a" }), "not_a_file")
      assert.strictEqual(yield* prepare({ folder: dir, subfolder: "file", name: "a" }), "not_a_file")
      assert.strictEqual(yield* prepare({ folder: dir, name: "a", size: 2 ** 52 }), "full")
      yield* FileTarget.prepare({ folder: dir, subfolder: "new/er", name: "a", size: 1 })
      assert.deepStrictEqual(readdirSync(dir), ["file"])
    })
  )

  it.live.runIf(process.getuid?.() !== 0)("says `denied` for a folder that may not be written", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      const target = yield* FileTarget.prepare({ folder: dir, name: "a" })
      chmodSync(dir, 0o500)
      assert.strictEqual(yield* reasonOf(FileTarget.prepare({ folder: dir, subfolder: "b", name: "a" })), "denied")
      assert.strictEqual(yield* reasonOf(FileTarget.save(target, pieces())), "denied")
      assert.deepStrictEqual(readdirSync(dir), [])
    })
  )

  it.live.runIf(canMount)("leaves nothing on a disk that gets full, and says so", () =>
    Effect.gen(function* () {
      const { path } = yield* disk(2_000_000)
      const error = yield* Effect.flip(FileTarget.saveFile({ folder: path, name: "a", bytes: pieces() }))
      assert.strictEqual(error.reason, "full")
      assert.include(error.message, "no space is left")
      assert.deepStrictEqual(readdirSync(path), [])
      yield* FileTarget.saveFile({ folder: path, name: "small", bytes: pieces(content.subarray(0, 1_000_000)) })
      assert.strictEqual(statSync(join(path, "small")).size, 1_000_000)
    })
  )

  it.live.runIf(canMount)("says `read_only` for a disk that cannot be written", () =>
    Effect.gen(function* () {
      const { freeze, path } = yield* disk(2_000_000)
      const target = yield* FileTarget.prepare({ folder: path, name: "a" })
      const below = yield* FileTarget.prepare({ folder: path, subfolder: "b/c", name: "a" })
      freeze()
      assert.strictEqual(yield* reasonOf(FileTarget.save(below, pieces())), "read_only")
      assert.strictEqual(yield* reasonOf(FileTarget.prepare({ folder: path, name: "a" })), "read_only")
      assert.strictEqual(yield* reasonOf(FileTarget.save(target, pieces())), "read_only")
      assert.isFalse(existsSync(target.path))
    })
  )
})
