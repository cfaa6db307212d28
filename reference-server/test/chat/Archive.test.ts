/** Archives of a home: what is packed comes back, and nothing else does. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import * as Archive from "../../src/chat/backup/Archive.ts"
import { format } from "../../src/chat/backup/Manifest.ts"
import { pack } from "../../src/chat/backup/Tar.ts"
import { temporaryFolder } from "../kits/Servers.ts"

describe("an archive", () => {
  const folder = temporaryFolder()
  const at = (...names: ReadonlyArray<string>) => join(folder.path, ...names)
  afterAll(() => folder[Symbol.dispose]())
  let count = 0

  const manifestOf = (files: Readonly<Record<string, string>>, change: object = {}) =>
    JSON.stringify({
      format,
      version: "0.0.0",
      createdAt: "2026-01-01T00:00:00Z",
      serverName: "localhost",
      counts: {},
      without: [],
      mail: [],
      files: Object.entries(files).map(([name, text]) => ({
        name,
        bytes: Buffer.byteLength(text),
        sha256: createHash("sha256").update(text).digest("hex")
      })),
      ...change
    })

  /** Packs texts by name, as they are. */
  const packed = async (texts: Readonly<Record<string, string>>, ending = "tar"): Promise<string> => {
    const archive = at(`${count++}.${ending}`)
    const files = Object.entries(texts).map(([name, text], i) => {
      const path = at(`${count}-${i}`)
      writeFileSync(path, text)
      return { name, path, bytes: Buffer.byteLength(text), modifiedAt: 1_700_000_000 }
    })
    await pack(archive, archive, files)
    return archive
  }
  const home = {
    "chat.sqlite": "x".repeat(2_000),
    "keys/issuer.nk": "SECRET",
    "mail/0.snapshot": "",
    "also/.env": "KEZ_PORT=8080"
  }
  const extracted = (archive: string, target: string) =>
    Archive.extract(
      archive,
      target,
      () => true,
      async () => undefined
    )

  it.each(["tar", "tar.gz", "tar.zst"])("comes back as it was from %s, for its owner alone", async (ending) => {
    const archive = await packed({ "manifest.json": manifestOf(home), ...home }, ending)
    await Archive.verify(archive)
    const target = at(`home-${ending}`)
    await extracted(archive, target)
    for (const [name, text] of Object.entries(home)) {
      expect(readFileSync(join(target, name), "utf8")).toBe(text)
      expect(statSync(join(target, name)).mode & 0o777).toBe(0o600)
    }
    await expect(extracted(archive, target)).rejects.toThrow("is not empty")
    if (ending === "tar") {
      const listed = execFileSync("tar", ["-tf", archive], { encoding: "utf8" })
      expect(listed).toBe("manifest.json\nchat.sqlite\nkeys/issuer.nk\nmail/0.snapshot\nalso/.env\n")
    }
  })

  it("is refused as a whole when a byte differs, something is missing, or something was added", async () => {
    const whole = readFileSync(await packed({ "manifest.json": manifestOf(home), ...home }))
    const broken = Buffer.from(whole)
    broken[broken.indexOf("xxxx") + 9] = 0x79
    const cases: ReadonlyArray<readonly [Buffer | string, RegExp]> = [
      [broken, /damaged: chat\.sqlite has another digest/],
      [whole.subarray(0, 2_048), /cut off/],
      [
        await packed({ "manifest.json": manifestOf(home), "chat.sqlite": home["chat.sqlite"] }),
        /damaged: keys\/issuer/
      ],
      [await packed({ "manifest.json": manifestOf(home), ...home, "keys/more.nk": "x" }), /more\.nk is not as listed/],
      [await packed({ "chat.sqlite": "x" }), /begins otherwise/],
      [Buffer.from("not a tar at all".repeat(100)), /header is damaged/]
    ]
    for (const [archive, sentence] of cases) {
      const path = typeof archive === "string" ? archive : at(`${count++}.tar`)
      if (typeof archive !== "string") writeFileSync(path, archive)
      await expect(Archive.verify(path)).rejects.toThrow(sentence)
      await expect(extracted(path, at("nothing"))).rejects.toThrow(sentence)
    }
    expect(readdirSync(folder.path).filter((name) => name.startsWith("nothing"))).toEqual([])
  })

  it("writes nowhere else", async () => {
    for (const name of ["../escaped", "/etc/escaped", "keys/../../escaped", "keys/sub/escaped", ".hidden"]) {
      const archive = await packed({ "manifest.json": manifestOf({ [name]: "x" }), [name]: "x" })
      await expect(extracted(archive, at("elsewhere"))).rejects.toThrow("manifest is damaged")
    }
    mkdirSync(at("links"))
    symlinkSync("/etc/passwd", at("links", "chat.sqlite"))
    writeFileSync(at("links", "manifest.json"), manifestOf({ "chat.sqlite": "" }))
    execFileSync("tar", ["-cf", at("links.tar"), "--format=ustar", "-C", at("links"), "manifest.json", "chat.sqlite"])
    await expect(extracted(at("links.tar"), at("elsewhere"))).rejects.toThrow("something else than files")
    expect(existsSync(at("elsewhere"))).toBe(false)
  })

  it("of a newer version is refused with both versions", async () => {
    const archive = await packed({ "manifest.json": manifestOf({}, { format: format + 1, version: "9.3.0" }) })
    await expect(Archive.verify(archive)).rejects.toThrow(
      /was written by kez-chat-server 9\.3\.0 \(format 2\).*format 1/
    )
  })
})
