import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import {
  compareVersions,
  debianMirror,
  findNatsServer,
  fromRelease,
  getNatsServer,
  MINIMUM,
  versionOf
} from "../local/NatsServer.ts"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kez-nats-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A program that answers `--version` as nats-server does. */
const fake = (path: string, version: string) => {
  mkdirSync(join(path, ".."), { recursive: true })
  writeFileSync(path, `#!/bin/sh\necho 'nats-server: v${version}'\n`)
  chmodSync(path, 0o755)
  return path
}

const find = (env: Record<string, string>) => findNatsServer({ env, cacheDir: join(folder, "cache") })

/** The mirror in an apt folder of these files. */
const apt = (files: Record<string, string>) => {
  mkdirSync(join(folder, "sources.list.d"), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return debianMirror(folder)
}

describe.skipIf(process.platform === "win32")("the nats-server finder", () => {
  it("prefers NATS_SERVER, then PATH, then the newest in the cache", async () => {
    const named = fake(join(folder, "named"), "2.14.9")
    const onPath = fake(join(folder, "bin", "nats-server"), "2.15.0")
    fake(join(folder, "cache", "nats-server", "2.9.0", "nats-server"), "2.9.0")
    fake(join(folder, "cache", "nats-server", "2.11.0", "nats-server"), "2.11.0")
    const newest = fake(join(folder, "cache", "nats-server", "2.14.10", "nats-server"), "2.14.10")
    assert.deepEqual(await find({ NATS_SERVER: named, PATH: join(folder, "bin") }), {
      path: named,
      version: "2.14.9",
      from: "NATS_SERVER"
    })
    assert.deepEqual(await find({ PATH: `${join(folder, "none")}:${join(folder, "bin")}` }), {
      path: onPath,
      version: "2.15.0",
      from: "PATH"
    })
    assert.deepEqual(await find({ PATH: "" }), { path: newest, version: "2.14.10", from: "cache" })
  })

  it("skips old versions and non-executables on PATH", async () => {
    fake(join(folder, "old", "nats-server"), "2.10.27")
    mkdirSync(join(folder, "folder", "nats-server"), { recursive: true })
    assert.isUndefined(await find({ PATH: `${join(folder, "folder")}:${join(folder, "old")}` }))
    const cached = fake(join(folder, "cache", "nats-server", "2.12.0", "nats-server"), "2.12.0")
    assert.strictEqual((await find({ PATH: join(folder, "old") }))?.path, cached)
  })

  it("refuses a NATS_SERVER that is missing, too old or another program, in one sentence", async () => {
    const old = fake(join(folder, "old"), "2.10.27")
    const other = join(folder, "other")
    writeFileSync(other, "#!/bin/sh\necho hello\n")
    chmodSync(other, 0o755)
    for (const path of [join(folder, "missing"), old, other]) {
      const message = await find({ NATS_SERVER: path }).then(
        () => "found",
        (error: Error) => error.message
      )
      assert.match(message, /^NATS_SERVER is .*(correct or unset it|point it at a newer one or unset it)\.$/)
    }
  })

  it("fetches nothing when it finds one", async () => {
    const named = fake(join(folder, "named"), "2.14.9")
    const said: string[] = []
    const server = await getNatsServer({
      env: { NATS_SERVER: named },
      cacheDir: join(folder, "cache"),
      say: (line) => said.push(line)
    })
    assert.strictEqual(server.path, named)
    assert.deepEqual(said, [])
  })

  it("compares versions by number", () => {
    assert.strictEqual(compareVersions("2.9.10", "2.14.3"), -1)
    assert.strictEqual(compareVersions("2.14.10", "2.14.3"), 1)
    assert.strictEqual(compareVersions(MINIMUM, "2.11.0"), 0)
  })

  it("finds no version in other programs and missing files", async () => {
    assert.isUndefined(await versionOf("/bin/true"))
    assert.isUndefined(await versionOf(join(folder, "missing")))
  })
})

describe.skipIf(process.platform !== "linux" || process.arch !== "x64")("the official release", () => {
  /** An archive like the project's releases. */
  const archive = () => {
    fake(join(folder, "made", "nats-server-v2.14.7-linux-amd64", "nats-server"), "2.14.7")
    const file = join(folder, "made.tar.gz")
    execFileSync("tar", ["-czf", file, "-C", join(folder, "made"), "nats-server-v2.14.7-linux-amd64"])
    return readFileSync(file)
  }
  const get = (bytes: Buffer, sha256: string, asked: string[] = []) => {
    const scratch = join(folder, "scratch")
    mkdirSync(scratch)
    return fromRelease({
      scratch,
      cacheDir: join(folder, "cache"),
      release: { version: "2.14.7", sha256: { "linux-amd64.tar.gz": sha256 } },
      download: async (url) => {
        asked.push(url)
        return new Response(new Uint8Array(bytes))
      }
    })
  }

  it("is unpacked into the cache if it has the pinned SHA-256", async () => {
    const bytes = archive()
    const asked: string[] = []
    const server = await get(bytes, createHash("sha256").update(bytes).digest("hex"), asked)
    assert.deepEqual(
      asked.map((url) => url.split("/").at(-1)),
      ["nats-server-v2.14.7-linux-amd64.tar.gz"]
    )
    assert.strictEqual(server.version, "2.14.7")
    assert.deepEqual(await find({ PATH: "" }), { ...server, from: "cache" })
  })

  it("is discarded unopened if it does not", async () => {
    const bytes = archive()
    const sha256 = createHash("sha256").update(bytes).digest("hex")
    bytes[bytes.length - 1]! ^= 1
    const message = await get(bytes, sha256).then(
      () => "kept",
      (error: Error) => error.message
    )
    assert.strictEqual(message, "the download does not have the pinned SHA-256 and was thrown away")
    assert.deepEqual(readdirSync(join(folder, "scratch")), [])
    assert.isUndefined(await find({ PATH: "" }))
  })
})

describe("the Debian mirror", () => {
  it("comes from a deb822 file, ignoring comments, security updates and other archives", () => {
    const mirror = apt({
      "sources.list.d/a-other.sources":
        "Types: deb\nURIs: http://other.test/repo\nSuites: nodistro\nComponents: main\n",
      "sources.list.d/debian.sources": [
        "Types: deb\nURIs: http://mirror.test/debian-security\nSuites: bookworm-security\nComponents: main\n",
        "Types: deb\n# an old note\nURIs: http://mirror.test/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /keys/debian.gpg\n"
      ].join("\n")
    })
    assert.deepEqual(mirror, { uri: "http://mirror.test/debian", keyring: "/keys/debian.gpg" })
  })

  it("comes from a one-line file, with or without options", () => {
    assert.strictEqual(
      apt({ "sources.list": "# deb http://no.test x main\ndeb http://m.test/debian trixie main\n" })?.uri,
      "http://m.test/debian"
    )
    rmSync(join(folder, "sources.list"))
    assert.deepEqual(
      apt({
        "sources.list.d/d.list": "deb [arch=amd64 signed-by=/k.gpg] http://m.test/debian bookworm main contrib\n"
      }),
      { uri: "http://m.test/debian", keyring: "/k.gpg" }
    )
  })

  it("is undefined on another system", () => {
    assert.isUndefined(apt({ "sources.list": "deb http://archive.test/ubuntu noble main\n" }))
    assert.deepEqual(readdirSync(join(folder, "sources.list.d")), [])
  })
})
