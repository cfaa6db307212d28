import { execFileSync } from "node:child_process"
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { FileSource, FileTarget } from "@kez-chat/sdk/node"
import { FileError } from "@kez-chat/sdk/services"
import { bytesOf } from "../../kits/blobs/ArrivingBlobs.ts"
import { folder } from "../../kits/Disks.ts"

const read = async (source: FileSource.PathSource): Promise<Uint8Array> => {
  const pieces: Array<Uint8Array> = []
  for await (const piece of source.bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}

const failureOf = (run: () => Promise<unknown>) =>
  Effect.promise(() =>
    run().then(
      () => undefined,
      (error: unknown) => (error instanceof FileError ? error.reason : error)
    )
  )

const reasonOf = <A>(effect: Effect.Effect<A, FileError>) => Effect.map(Effect.flip(effect), ({ reason }) => reason)

describe("fileSource", () => {
  it.live("reads a file of any size, as often as one likes, with its name, size and type", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      for (const size of [0, 1, 256 * 1024, 256 * 1024 + 1, 1_000_000]) {
        const bytes = bytesOf(size, size)
        const path = join(dir, `report ${size}.pdf`)
        writeFileSync(path, bytes)
        const source = yield* FileSource.fileSource(path)
        const { name, mediaType } = source
        assert.deepStrictEqual(
          { name, mediaType, size: source.size, path: source.path },
          { name: `report ${size}.pdf`, mediaType: "application/pdf", size, path }
        )
        assert.isUndefined(source.folder)
        for (const _ of [1, 2]) assert.isTrue(Buffer.from(bytes).equals(yield* Effect.promise(() => read(source))))
      }
    })
  )

  it.live("gives names that an offer can carry, and no type to what it does not know", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      for (const [name, carried, type] of [
        ["a\\b\u0007.txt", "a_b.txt", "text/plain"],
        ["PHOTO.JPG", "PHOTO.JPG", "image/jpeg"],
        [".env", ".env", "application/octet-stream"],
        ["README", "README", "application/octet-stream"],
        ["archive.tar.gz", "archive.tar.gz", "application/gzip"]
      ] as const) {
        writeFileSync(join(dir, name), "x")
        const source = yield* FileSource.fileSource(join(dir, name))
        assert.strictEqual(source.name, carried)
        assert.strictEqual(source.mediaType, type)
      }
    })
  )

  it.live("refuses what is no file before anything is read, and waits for no pipe", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      assert.strictEqual(yield* reasonOf(FileSource.fileSource(join(dir, "none"))), "missing")
      assert.strictEqual(yield* reasonOf(FileSource.fileSource(dir)), "not_a_file")
      assert.strictEqual(yield* reasonOf(FileSource.fileSource("/dev/null")), "not_a_file")
      execFileSync("mkfifo", [join(dir, "pipe")])
      assert.strictEqual(yield* reasonOf(FileSource.fileSource(join(dir, "pipe"))), "not_a_file")
      writeFileSync(join(dir, "file"), "x")
      symlinkSync(join(dir, "file"), join(dir, "link"))
      assert.strictEqual((yield* FileSource.fileSource(join(dir, "link"))).size, 1)

      // What was a file when it was looked at may be a pipe when it is read.
      const source = yield* FileSource.fileSource(join(dir, "file"))
      execFileSync("rm", [join(dir, "file")])
      assert.strictEqual(yield* failureOf(() => read(source)), "missing")
      execFileSync("mkfifo", [join(dir, "file")])
      assert.strictEqual(yield* failureOf(() => read(source)), "not_a_file")
    })
  )

  it.live("takes an empty path for none, and never for the current folder", () =>
    Effect.gen(function* () {
      for (const blank of ["", " ", "\u200b"]) {
        assert.strictEqual(yield* reasonOf(FileSource.fileSource(blank)), "missing")
        assert.strictEqual(yield* reasonOf(FileSource.folderSources(blank)), "missing")
        assert.strictEqual(yield* reasonOf(FileTarget.prepare({ folder: blank, name: "x" })), "missing")
      }
    })
  )

  it.live.runIf(process.platform === "linux")("reads what the kernel makes, and refuses what has an untrue size", () =>
    Effect.gen(function* () {
      const source = yield* FileSource.fileSource("/proc/version")
      assert.strictEqual(source.size, 0)
      assert.strictEqual(
        Buffer.from(yield* Effect.promise(() => read(source))).toString(),
        readFileSync("/proc/version", "utf8")
      )
      const untrue = "/sys/kernel/mm/transparent_hugepage/enabled"
      if (!existsSync(untrue)) return
      assert.strictEqual(
        yield* failureOf(async () => read(await Effect.runPromise(FileSource.fileSource(untrue)))),
        "not_a_file"
      )
    })
  )

  it.live("says `denied` for what may not be read", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "secret")
      writeFileSync(path, "x")
      chmodSync(path, 0)
      // Root may read everything.
      if (process.getuid?.() === 0) assert.strictEqual((yield* FileSource.fileSource(path)).size, 1)
      else assert.strictEqual(yield* reasonOf(FileSource.fileSource(path)), "denied")
    })
  )

  it.live("says `changed` when somebody writes to the file while it is read", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "log.txt")
      const writes: ReadonlyArray<() => void> = [
        () => appendFileSync(path, "more"),
        () => truncateSync(path, 300_000),
        () => truncateSync(path, 0),
        () => utimesSync(path, 1, 1)
      ]
      for (const write of writes) {
        writeFileSync(path, bytesOf(900_000, 1))
        const source = yield* FileSource.fileSource(path)
        const failure = failureOf(async () => {
          const pieces = source.bytes[Symbol.asyncIterator]()
          await pieces.next()
          write()
          while (!(await pieces.next()).done);
        })
        assert.strictEqual(yield* failure, "changed")
      }
    })
  )

  it.live("closes the file of who stops reading", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "file")
      writeFileSync(path, bytesOf(900_000, 1))
      const source = yield* FileSource.fileSource(path)
      yield* Effect.promise(async () => {
        for await (const piece of source.bytes) {
          assert.isAbove(piece.length, 0)
          break
        }
      })
      const open = execFileSync("ls", ["-l", `/proc/${process.pid}/fd`]).toString()
      assert.notInclude(open, path)
    })
  )
})

describe("folderSources", () => {
  it.live("finds every file below, in order, with the folder it lies in", () =>
    Effect.gen(function* () {
      const dir = join(yield* folder, "photos")
      mkdirSync(join(dir, "2024", "may"), { recursive: true })
      mkdirSync(join(dir, ".git"))
      for (const name of ["b.jpg", "a.jpg", "2024/c.jpg", "2024/may/d.jpg", ".git/config", ".hidden"]) {
        writeFileSync(join(dir, name), name)
      }
      symlinkSync("/etc/passwd", join(dir, "passwd"))
      symlinkSync("/etc", join(dir, "etc"))
      execFileSync("mkfifo", [join(dir, "pipe")])
      const found = yield* FileSource.folderSources(dir)
      assert.deepStrictEqual(
        found.map(({ folder, name, path }) => [folder, name, path]),
        [
          ["photos/2024", "c.jpg", join(dir, "2024/c.jpg")],
          ["photos/2024/may", "d.jpg", join(dir, "2024/may/d.jpg")],
          ["photos", "a.jpg", join(dir, "a.jpg")],
          ["photos", "b.jpg", join(dir, "b.jpg")]
        ]
      )
    })
  )

  it.live.runIf(process.platform === "linux")("gives every file a name of its own where some cannot be sent", () =>
    Effect.gen(function* () {
      const dir = join(yield* folder, "odd")
      mkdirSync(join(dir, "x\\y"), { recursive: true })
      mkdirSync(join(dir, "x_y"))
      for (const name of ["a\\b.txt", "a_b.txt", "a\nb.txt", "x\\y/1", "x_y/1"]) writeFileSync(join(dir, name), name)
      const sent = (yield* FileSource.folderSources(dir)).map(({ folder, name }) => `${folder}/${name}`)
      assert.deepStrictEqual(sent.toSorted(), [
        "odd/a b.txt",
        "odd/a_b (2).txt",
        "odd/a_b.txt",
        "odd/x_y (2)/1",
        "odd/x_y/1"
      ])
    })
  )

  it.live.runIf(process.platform === "linux")("says which name is not UTF-8, also of a folder further down", () =>
    Effect.gen(function* () {
      const named = (dir: string, name: Uint8Array) => Buffer.concat([Buffer.from(`${dir}/`), name])
      const latin1 = Buffer.from("stra\u00dfe.txt", "latin1")
      const refusal = (dir: string) => Effect.flip(FileSource.folderSources(dir))
      const files = yield* folder
      writeFileSync(join(files, "a.txt"), "x")
      writeFileSync(named(files, latin1), "x")
      assert.match((yield* refusal(files)).message, /stra\ufffde\.txt: its name is not UTF-8.*rename it/)
      const folders = yield* folder
      mkdirSync(join(folders, "b"))
      mkdirSync(named(join(folders, "b"), latin1))
      assert.match((yield* refusal(folders)).message, /\/b\/stra\ufffde\.txt: its name is not UTF-8/)
      // What is not shared may be called what it likes; the replacement character is a character like any other.
      const fine = yield* folder
      writeFileSync(named(fine, Buffer.concat([Buffer.from("."), latin1])), "x")
      writeFileSync(join(fine, "\ufffd.txt"), "x")
      assert.deepStrictEqual(
        (yield* FileSource.folderSources(fine)).map(({ name }) => name),
        ["\ufffd.txt"]
      )
    })
  )

  it.live("refuses a folder that is none, and one that is too deep", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      writeFileSync(join(dir, "file"), "x")
      assert.strictEqual(yield* reasonOf(FileSource.folderSources(join(dir, "file"))), "not_a_file")
      assert.strictEqual(yield* reasonOf(FileSource.folderSources(join(dir, "none"))), "missing")
      const deep = join(dir, "a", ...Array.from({ length: 15 }, () => "d"))
      mkdirSync(deep, { recursive: true })
      writeFileSync(join(deep, "file"), "x")
      assert.strictEqual((yield* FileSource.folderSources(join(dir, "a"))).length, 1)
      mkdirSync(join(deep, "e"))
      assert.strictEqual(yield* reasonOf(FileSource.folderSources(join(dir, "a"))), "not_a_file")
    })
  )
})
