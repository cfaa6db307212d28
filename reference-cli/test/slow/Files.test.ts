/** Sharing, fetching and saving files: real processes, a real home, Iroh between them. */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { canMount, disk } from "../../../sdk/test/kits/Disks.ts"
import { type Finished, read } from "../kit/Program.ts"
import * as Shapes from "../kit/Shapes.ts"
import {
  machine,
  alice,
  bob,
  linesOf,
  file,
  folder,
  online,
  withBobOpen,
  serve,
  share,
  offerOf,
  fetch,
  saved,
  isProgress
} from "../kit/FilesStage.ts"

describe("a file", () => {
  it("is offered, shown to who listens, fetched, and the same at the other end", async () => {
    const { path: report, bytes } = file("report.pdf", 300_000)
    const server = await serve()
    const listening = await online(machine.start(bob("listen", "--json", "--no-serve")))
    const { lines, shares } = await share("@bob", report)
    expect(lines[0]).toEqual({ event: "found", files: 1, total_bytes: 300_000 })
    expect(lines.some(({ event }) => event === "encrypting")).toBe(true)
    expect(shares).toMatchObject([
      { name: "report.pdf", size: 300_000, media_type: "application/pdf", listed: "readers", here: true }
    ])
    const offered = await listening.event(
      Shapes.Event,
      (line) => line.event === "message" && line.message.file?.name === "report.pdf"
    )
    if (offered.event !== "message") throw new Error("no message")
    expect(offered.message).toMatchObject({
      type: "file_share",
      file: { size: 300_000, blob_hash: shares[0]!.blob_hash }
    })
    // Bob's listener owns the account: it fetches and saves for this command.
    const out = folder()
    const done = await machine.run(fetch(offered.message.id.slice(0, 8), "--to", out))
    expect(saved(done)).toMatchObject({ path: path.join(out, "report.pdf"), size: 300_000 })
    expect(fs.readFileSync(path.join(out, "report.pdf")).equals(bytes)).toBe(true)
    const states = linesOf(Shapes.FetchLine, done).flatMap((line) => (line.event === "progress" ? [line.state] : []))
    expect(states.at(-1)).toBe("complete")
    await server.event(
      Shapes.ServeLine,
      (line) =>
        line.event === "served" &&
        line.contact.handle === "bob@localhost" &&
        line.share.id === shares[0]!.id &&
        line.sent_bytes === line.total_bytes
    )
    const mine = await machine.json(Shapes.Shared, alice("shared"))
    expect(mine.serving).toBe(true)
    expect(mine.shares.find(({ id }) => id === shares[0]!.id)).toMatchObject({
      manifest: "published",
      readers: [{ handle: "bob@localhost", fetched_at: expect.any(String) }]
    })
    expect(fs.readdirSync(path.join(machine.profile("bob"), "blobs"))).toEqual([])
    expect((await listening.kill("SIGINT")).code).toBe(0)
    expect((await server.kill("SIGINT")).code).toBe(0)
  })

  it("stays away where there is no room for it, with nothing under its name", async () => {
    const { path: source } = file("large.bin", 3_000_000)
    await serve()
    await share("@bob", source)
    const id = await offerOf("large.bin")
    const out = folder()
    // The shell's limit on a file's size is as good as a full disk: 1 MB.
    const full = spawnSync(
      "bash",
      ["-c", 'ulimit -f 1000; exec "$@"', "-", ...machine.command(fetch(id, "--to", out))],
      {
        env: machine.env(),
        encoding: "utf8"
      }
    )
    expect(full.status).toBe(1)
    expect(read(Shapes.ErrorLine, full.stderr.trim().split("\n").at(-1)!).error.code).toMatch(/^(?:blobs|file)_full$/)
    expect(fs.readdirSync(out)).toEqual([])
    saved(await machine.run(fetch(id, "--to", out)))
  })
})

describe("a saved file", () => {
  withBobOpen()

  it("is not fetched again by mistake: what is there stays, unless another name or --overwrite is said", async () => {
    const { path: source, bytes } = file("once.bin", 70_000)
    await serve()
    await share("@bob", source)
    const id = await offerOf("once.bin")
    const out = folder()
    fs.writeFileSync(path.join(out, "once.bin"), "mine")
    const refused = await machine.run(fetch(id, "--to", out))
    expect(refused.code).toBe(1)
    expect(refused.error()).toMatchObject({
      code: "file_exists",
      message: expect.stringMatching(/once\.bin.*--overwrite/)
    })
    // It was known before a byte was asked for.
    expect(linesOf(Shapes.FetchLine, refused).filter((line) => isProgress(line) && line.have_bytes > 0)).toEqual([])
    expect(fs.readFileSync(path.join(out, "once.bin"), "utf8")).toBe("mine")
    // Nothing was begun that would stay.
    expect(fs.readdirSync(path.join(machine.profile("bob"), "blobs"))).toEqual([])
    for (const name of ["../twice.bin", ".twice", "-rf", ""]) {
      const unfit = await machine.run(fetch(id, "--to", out, `--name=${name}`))
      expect(unfit.error()).toMatchObject({ code: "usage", exit: 2, message: expect.stringContaining("--name") })
    }
    expect(saved(await machine.run(fetch(id, "--to", out, "--name", "twice.bin"))).path).toBe(
      path.join(out, "twice.bin")
    )
    saved(await machine.run(fetch(id, "--to", out, "--overwrite")))
    for (const name of ["once.bin", "twice.bin"]) {
      expect(fs.readFileSync(path.join(out, name)).equals(bytes)).toBe(true)
    }
    expect(fs.readdirSync(out).toSorted()).toEqual(["once.bin", "twice.bin"])
    const { offers } = await machine.json(Shapes.Offers, bob("fetch"))
    expect(offers.find(({ message }) => message.id === id)?.saved).toBe(path.join(out, "once.bin"))
  })

  it("is fetched with what its owner is told to tell others", async () => {
    const { path: source, bytes } = file("told.bin", 1_000)
    await serve()
    const shared = await machine.run(alice("share", "@bob", source))
    expect(shared.code).toBe(0)
    const [, entry = ""] = /Others fetch with `kez-chat fetch (@alice@localhost\/[\w-]{8})`/.exec(shared.stderr) ?? []
    const out = folder()
    saved(await machine.run(fetch(entry, "--to", out)))
    expect(fs.readFileSync(path.join(out, "told.bin")).equals(bytes)).toBe(true)
  })

  it("lands inside the folder, whatever it is called", async () => {
    const names = ["CON.txt", "a:b*c?.txt", "\u202Egpj.exe", "$(touch pwned)", "-rf", "…", `${"x".repeat(240)}.txt`]
    for (const name of names) file(path.join("odd \u202E", name), 10)
    await serve()
    await share("@bob", machine.path("files", "odd \u202E"))
    const out = folder()
    const done = await machine.run(fetch("@alice/odd \u202E", "--to", out))
    const landed = linesOf(Shapes.FetchLine, done).flatMap((line) => (line.event === "saved" ? [line.path] : []))
    expect(landed).toHaveLength(names.length)
    for (const at of landed) {
      expect(path.dirname(at)).toBe(path.join(out, "odd"))
      expect(path.basename(at)).not.toMatch(/[\u202A-\u202E:*?"<>|]|^\.|^con\./i)
    }
    expect(fs.readdirSync(path.join(out, "odd"))).toContain("_-rf")
    expect(fs.readdirSync(out)).toEqual(["odd"])
    expect(fs.readdirSync(path.join(out, "odd"))).toHaveLength(names.length)
    for (const args of [bob("browse", "alice"), bob("history", "alice"), alice("shared"), bob("fetch")]) {
      expect((await machine.run(args)).stdout).not.toMatch(/\u202E/)
    }
  })
})

describe.runIf(canMount)("a disk", () => {
  withBobOpen()

  it("that is full or cannot be written says so, gets nothing, and the file is still to be had", async () => {
    const { path: source, bytes } = file("disk.bin", 2_000_000)
    await serve()
    await share("@bob", source)
    const id = await offerOf("disk.bin")
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const small = yield* disk(1_000_000)
          const full = yield* Effect.promise(() => machine.run(fetch(id, "--to", small.path)))
          expect(full.error()).toMatchObject({ code: "file_full", exit: 1 })
          // It was known before a byte was asked for.
          expect(linesOf(Shapes.FetchLine, full).filter((line) => isProgress(line) && line.have_bytes > 0)).toEqual([])
          small.freeze()
          const frozen = yield* Effect.promise(() => machine.run(fetch(id, "--to", small.path)))
          expect(frozen.error()).toMatchObject({ code: "file_read_only", exit: 1 })
          expect(fs.readdirSync(small.path)).toEqual([])
        })
      )
    )
    const out = folder()
    saved(await machine.run(fetch(id, "--to", out)))
    expect(fs.readFileSync(path.join(out, "disk.bin")).equals(bytes)).toBe(true)
  })
})

describe("a folder", () => {
  withBobOpen()

  it("is a set of entries, browsed while its owner is away, and fetched with its folders", async () => {
    const parts = [
      ["photos/1.jpg", 10_000],
      ["photos/2024/2.jpg", 70_000],
      ["photos/2024/03/3.jpg", 0]
    ] as const
    const files = parts.map(([name, size]) => ({ name, ...file(name, size) }))
    file("photos/.hidden", 10)
    const { lines, shares } = await share("@bob", `${machine.path("files", "photos")}/`)
    expect(lines[0]).toEqual({ event: "found", files: 3, total_bytes: 80_000 })
    expect(shares.map(({ folder: where, name }) => `${where}/${name}`)).toEqual(parts.map(([name]) => name).toSorted())
    // Nobody of alice's runs now.
    const listing = await machine.json(Shapes.Listing, bob("browse", "@alice"))
    expect(listing.source).toBe("home")
    const names = listing.files.map((entry) =>
      entry.folder === undefined ? entry.name : `${entry.folder}/${entry.name}`
    )
    expect(names).toEqual(expect.arrayContaining(parts.map(([name]) => name)))
    const shown = await machine.run(bob("browse", "alice"))
    expect(shown.stdout).toContain("photos/2024/2.jpg")
    expect(shown.stdout).toContain("kez-chat --profile bob fetch @alice@localhost/ID-OR-FOLDER")

    await serve()
    const out = folder()
    const done = await machine.run(fetch("@alice/photos", "--to", out))
    expect(done.code).toBe(0)
    for (const { name, bytes } of files) expect(fs.readFileSync(path.join(out, name)).equals(bytes)).toBe(true)
    // The same again has nothing left to do.
    const again = await machine.run(fetch("@alice/photos", "--to", out))
    expect(again.code).toBe(0)
    expect(linesOf(Shapes.FetchLine, again).map(({ event }) => event)).toEqual(["skipped", "skipped", "skipped"])
    saved(await machine.run(fetch("@alice/photos/2024/2.jpg", "--to", out)))
    expect(fs.readFileSync(path.join(out, "2.jpg")).equals(files[1]!.bytes)).toBe(true)
    const { unshared } = await machine.json(Shapes.Unshared, alice("unshare", "photos/2024"))
    expect(unshared.map(({ name }) => name).toSorted()).toEqual(["2.jpg", "3.jpg"])
  })
})

describe("a folder that is shared again", () => {
  withBobOpen()

  /** The last line of each file that a fetch told of. */
  const outcomes = (done: Finished) =>
    linesOf(Shapes.FetchLine, done).flatMap((line) => {
      if (line.event === "failed") return [`failed ${line.file?.name}: ${line.error.code}`]
      if (line.event === "saved" || line.event === "skipped") return [`${line.event} ${path.basename(line.path)}`]
      return []
    })

  it("is listed and fetched in its newest version; what is the same is skipped, and no file stops the others", async () => {
    const at = (name: string) => machine.path("files", "album", name)
    for (const name of ["1.txt", "2.txt", "3.txt"]) file(path.join("album", name), 2_000)
    const first = await share("@bob", machine.path("files", "album"))
    await serve()
    const out = folder()
    expect(outcomes(await machine.run(fetch("@alice/album", "--to", out)))).toEqual([
      "saved 1.txt",
      "saved 2.txt",
      "saved 3.txt"
    ])
    fs.writeFileSync(at("2.txt"), "the second version")
    file(path.join("album", "4.txt"), 10)
    const second = await share("@bob", machine.path("files", "album"))

    // One line a path, the older version by its id or with --all.
    const listing = await machine.json(Shapes.Listing, bob("browse", "@alice"))
    const album = listing.files.filter(({ folder }) => folder === "album")
    expect(album.filter(({ replaced_by }) => replaced_by === undefined).map(({ id }) => id)).toEqual(
      second.shares.map(({ id }) => id)
    )
    const old = album.find(({ id }) => id === first.shares[1]!.id)
    expect(old?.replaced_by).toBe(second.shares[1]!.id)
    const text = (await machine.run(bob("browse", "@alice"))).stdout
    expect(text.match(/album\/2\.txt/g)).toHaveLength(1)
    expect(text).toContain("older versions not shown: --all shows them")
    expect((await machine.run(bob("browse", "@alice", "--all"))).stdout.match(/album\/2\.txt/g)).toHaveLength(2)
    const mine = (await machine.run(alice("shared"))).stdout
    expect(mine.match(/older version of/g)).toHaveLength(3)

    const again = await machine.run(fetch("@alice/album", "--to", out))
    expect(outcomes(again)).toEqual(["skipped 1.txt", "failed 2.txt: file_exists", "skipped 3.txt", "saved 4.txt"])
    expect(again.code).toBe(1)
    expect(again.error()).toMatchObject({ code: "file_exists", message: expect.stringContaining("1 file of 4") })
    const beside = await machine.run(fetch("@alice/album", "--to", out, "--keep-both"))
    expect(outcomes(beside)).toEqual(["skipped 1.txt", "saved 2 (2).txt", "skipped 3.txt", "skipped 4.txt"])
    expect(beside.code).toBe(0)
    const over = await machine.run(fetch("@alice/album", "--to", out, "--overwrite"))
    expect(outcomes(over)).toEqual(["skipped 1.txt", "saved 2.txt", "skipped 3.txt", "skipped 4.txt"])
    expect(fs.readFileSync(path.join(out, "album", "2.txt"), "utf8")).toBe("the second version")
    // Both versions of a path are taken back by the path.
    const { unshared } = await machine.json(Shapes.Unshared, alice("unshare", "album/2.txt"))
    expect(unshared).toHaveLength(2)
  })

  it("keeps apart files whose names become one, with and without --overwrite (KEZ-FIL-033)", async () => {
    const names = ["a?.txt", "a_.txt", "e\u0301.txt", "\u00e9.txt"]
    for (const name of names) fs.writeFileSync(file(path.join("names", name), 1).path, name)
    await share("@bob", machine.path("files", "names"))
    await serve()
    for (const how of [[], ["--overwrite"], ["--keep-both"]]) {
      const out = folder()
      for (const event of ["saved", "skipped"]) {
        const done = await machine.run(fetch("@alice/names", "--to", out, ...how))
        expect(outcomes(done).map((line) => line.split(" ")[0])).toEqual(names.map(() => event))
        const there = fs.readdirSync(path.join(out, "names"))
        expect(there.map((name) => fs.readFileSync(path.join(out, "names", name), "utf8")).toSorted()).toEqual(
          names.toSorted()
        )
      }
    }
  })

  it("asks a person what to do with what differs", async () => {
    for (const name of ["1", "2", "3"]) fs.writeFileSync(file(path.join("asked", name), 1).path, `new ${name}`)
    await share("@bob", machine.path("files", "asked"))
    await serve()
    const out = folder()
    fs.mkdirSync(path.join(out, "asked"))
    for (const name of ["1", "2", "3"]) fs.writeFileSync(path.join(out, "asked", name), "old")
    const terminal = machine.onTerminal(bob("fetch", "@alice/asked", "--to", out))
    await terminal.read(/asked\/1 is here already and differs/)
    terminal.type("s\r")
    await terminal.read(/asked\/2 is here already and differs/)
    terminal.type("K\r")
    expect(await terminal.ended).toBe(0)
    const there = Object.fromEntries(
      fs
        .readdirSync(path.join(out, "asked"))
        .map((name) => [name, fs.readFileSync(path.join(out, "asked", name), "utf8")])
    )
    expect(there).toEqual({ 1: "old", 2: "old", 3: "old", "2 (2)": "new 2", "3 (2)": "new 3" })
  })
})
