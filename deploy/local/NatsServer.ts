/**
 * Finds a nats-server, or fetches one. Ours because no npm package carries nats-server with a pinned hash.
 *
 * Looked for in `NATS_SERVER` (a path), PATH and the repository's cache. Fetched into that cache: the official release
 * (its SHA-256 is pinned below), else Debian's signed package, else `go install` (verified by Go's checksum database).
 * Nothing is installed outside the repository, and nothing unpinned or unsigned is run.
 */
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { accessSync, constants, existsSync, readFileSync, readdirSync, statSync } from "node:fs"
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises"
import { delimiter, isAbsolute, join, resolve } from "node:path"
import { promisify } from "node:util"
import { cache, Refusal } from "../tasks/paths.mjs"

const run = promisify(execFile)

/** The first version with the batch get that the fetch responder uses. */
export const MINIMUM = "2.11.0"
/** The first version with the security fixes of 2026. */
export const WANTED = "2.14.3"

export interface NatsServer {
  readonly path: string
  /** `major.minor.patch` */
  readonly version: string
  /** Where it was found, or where it came from. */
  readonly from: string
}

interface Release {
  readonly version: string
  /** By the ending of the archive's name. */
  readonly sha256: Readonly<Record<string, string>>
}

/** Environment and cache to look in; the process's and the repository's by default. */
interface Places {
  readonly env?: NodeJS.ProcessEnv
  readonly cacheDir?: string
}

/** Where one fetch may write: a scratch folder of its own, then the cache. */
interface Target {
  readonly scratch: string
  readonly cacheDir: string
}

/**
 * The official release. The Linux and Windows sums are those of the maintainers' own image recipes (nats-io/nats-docker,
 * "Releases v2.14.5, v2.12.15"); the macOS sums are from the release's SHA256SUMS as several projects recorded it.
 */
const RELEASE: Release = {
  version: "2.14.5",
  sha256: {
    "linux-amd64.tar.gz": "5e3b603d47c447bda1f77f9ac16dbf91c90aac4ff3681f8fbbc7201e4ed99355",
    "linux-arm64.tar.gz": "673a98d3faa79dde3f9ebf16d6dfac36a5f694e7ad2015e4954dd7939c85cd4c",
    "darwin-amd64.tar.gz": "f95c98d6b6ed2b63c5681b46b092c9585c99767d547cf495730c329234625e96",
    "darwin-arm64.tar.gz": "ddd907854d9a2de834af133fa396915fe6442fe6d8909ae31390d1ea7a0fea50",
    "windows-amd64.zip": "f66f840a211ab665083b88e9b7edbcf6296cda143be47e53e6f6bb8520692bbb"
  }
}

const executable = process.platform === "win32" ? "nats-server.exe" : "nats-server"

/** Compares `major.minor.patch`. */
export function compareVersions(a: string, b: string): -1 | 0 | 1 {
  const right = b.split(".").map(Number)
  for (const [i, part] of a.split(".").map(Number).entries()) {
    const other = right[i] ?? 0
    if (part !== other) return part < other ? -1 : 1
  }
  return 0
}

/** `2.15.1`, or undefined when `path` is not a nats-server that runs here. */
export async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(path, ["--version"], { timeout: 20_000 })
    return /nats-server: v?(\d+\.\d+\.\d+)/.exec(stdout + stderr)?.[1]
  } catch {
    return undefined
  }
}

const isExecutable = (path: string) => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const cacheFolder = (cacheDir: string) => join(cacheDir, "nats-server")

/** Every cached binary, newest version first. */
function cached(cacheDir: string): string[] {
  if (!existsSync(cacheFolder(cacheDir))) return []
  return readdirSync(cacheFolder(cacheDir))
    .filter((name) => /^\d+\.\d+\.\d+$/.test(name))
    .sort((a, b) => compareVersions(b, a))
    .map((name) => join(cacheFolder(cacheDir), name, executable))
    .filter(isExecutable)
}

/**
 * The nats-server to use, or undefined when none is new enough.
 * A `NATS_SERVER` that does not work is an error, since it was asked for by name.
 */
export async function findNatsServer({ env = process.env, cacheDir = cache }: Places = {}): Promise<
  NatsServer | undefined
> {
  const named = env["NATS_SERVER"]
  if (named) {
    const path = resolve(named)
    const version = await versionOf(path)
    if (version === undefined)
      throw new Refusal(`NATS_SERVER is ${named}, which is not a nats-server that runs here: correct or unset it.`)
    if (compareVersions(version, MINIMUM) < 0)
      throw new Refusal(
        `NATS_SERVER is version ${version}, and at least ${MINIMUM} is needed: point it at a newer one or unset it.`
      )
    return { path, version, from: "NATS_SERVER" }
  }
  const onPath = (env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, executable))
    .filter(isExecutable)
  for (const [from, paths] of [
    ["PATH", onPath],
    ["cache", cached(cacheDir)]
  ] as const)
    for (const path of paths) {
      const version = await versionOf(path)
      if (version !== undefined && compareVersions(version, MINIMUM) >= 0) return { path, version, from }
    }
  return undefined
}

/** Moves a fetched binary into the cache, atomically, under its version. */
async function keep(path: string, from: string, cacheDir: string): Promise<NatsServer> {
  await chmod(path, 0o755)
  const version = await versionOf(path)
  if (version === undefined) throw new Error("the binary does not run here")
  if (compareVersions(version, MINIMUM) < 0) throw new Error(`it is version ${version}, too old`)
  const folder = join(cacheFolder(cacheDir), version)
  await mkdir(folder, { recursive: true })
  const target = join(folder, executable)
  await copyFile(path, `${target}.new`)
  await rename(`${target}.new`, target)
  return { path: target, version, from }
}

const fromGitHub = (url: string): Promise<Response> =>
  fetch(url, { signal: AbortSignal.timeout(120_000) }).catch((error) => {
    throw new Error(`it could not be reached (${error.cause?.code ?? error.name})`)
  })

/** The release for this platform, unpacked only if it has the pinned SHA-256. */
export async function fromRelease({
  scratch,
  cacheDir,
  release = RELEASE,
  download = fromGitHub
}: Target & { readonly release?: Release; readonly download?: typeof fromGitHub }): Promise<NatsServer> {
  const os = { linux: "linux", darwin: "darwin", win32: "windows" }[String(process.platform)]
  const arch = { x64: "amd64", arm64: "arm64" }[String(process.arch)]
  const suffix = `${os}-${arch}.${os === "windows" ? "zip" : "tar.gz"}`
  const expected = release.sha256[suffix]
  if (expected === undefined) throw new Error(`no checksum is pinned for ${process.platform} ${process.arch}`)
  const folder = `nats-server-v${release.version}-${os}-${arch}`
  const name = `nats-server-v${release.version}-${suffix}`
  const response = await download(
    `https://github.com/nats-io/nats-server/releases/download/v${release.version}/${name}`
  )
  if (!response.ok) throw new Error(`the download answered ${response.status}`)
  const archive = Buffer.from(await response.arrayBuffer())
  if (createHash("sha256").update(archive).digest("hex") !== expected)
    throw new Error("the download does not have the pinned SHA-256 and was thrown away")
  await writeFile(join(scratch, name), archive)
  await run("tar", ["-xf", name], { cwd: scratch })
  return keep(join(scratch, folder, executable), "the official release", cacheDir)
}

/** The Debian mirror in this machine's apt sources, which have two forms. */
export function debianMirror(aptFolder = "/etc/apt"): { uri: string; keyring: string } | undefined {
  const files = [join(aptFolder, "sources.list")]
  const parts = join(aptFolder, "sources.list.d")
  if (existsSync(parts)) for (const name of readdirSync(parts).sort()) files.push(join(parts, name))
  const fallback = "/usr/share/keyrings/debian-archive-keyring.gpg"
  const releases = /^(bullseye|bookworm|trixie|forky|sid|oldstable|stable|testing|unstable)$/
  for (const file of files) {
    if (!existsSync(file)) continue
    const text = readFileSync(file, "utf8")
    if (file.endsWith(".sources")) {
      for (const stanza of text.replace(/^#.*\n/gm, "").split(/\n\s*\n/)) {
        const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(stanza)?.[1]?.trim()
        const uri = field("URIs")?.split(/\s+/)[0]
        const suites = field("Suites")?.split(/\s+/) ?? []
        if (
          uri &&
          field("Enabled") !== "no" &&
          suites.some((suite) => releases.test(suite)) &&
          /\bmain\b/.test(field("Components") ?? "")
        )
          return { uri, keyring: /^\/.*/.exec(field("Signed-By") ?? "")?.[0] ?? fallback }
      }
    } else if (file.endsWith(".list")) {
      for (const line of text.split("\n")) {
        const [, options = "", uri, suite = "", components = ""] =
          /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim()) ?? []
        if (uri && releases.test(suite) && /\bmain\b/.test(components))
          return { uri, keyring: /signed-by=(\/[^\s,]+)/.exec(options)?.[1] ?? fallback }
      }
    }
  }
  return undefined
}

/**
 * Unpacks a package of Debian's next release below `scratch` and resolves with the folder. It uses an apt state of its own:
 * the machine's package lists stay unchanged.
 */
export async function unpackFromDebian(scratch: string, name: string): Promise<string> {
  if (process.platform !== "linux" || !existsSync("/usr/bin/apt-get") || !existsSync("/usr/bin/dpkg-deb"))
    throw new Error("this is not a Debian machine")
  if (!/^ID=debian$/m.test(await readFile("/etc/os-release", "utf8").catch(() => "")))
    throw new Error("this is not a Debian machine")
  const mirror = debianMirror()
  if (mirror === undefined) throw new Error("there is no Debian mirror in the apt sources")
  const lists = join(scratch, "state", "lists", "partial")
  const archives = join(scratch, "cache", "archives", "partial")
  await mkdir(lists, { recursive: true })
  await mkdir(archives, { recursive: true })
  await writeFile(join(scratch, "status"), "")
  await writeFile(join(scratch, "sources.list"), `deb [signed-by=${mirror.keyring}] ${mirror.uri} forky main\n`)
  const options = Object.entries({
    "Dir::Etc::sourcelist": join(scratch, "sources.list"),
    "Dir::Etc::sourceparts": "-",
    "Dir::Etc::preferences": "-",
    "Dir::Etc::preferencesparts": "-",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
    "Dir::State": join(scratch, "state"),
    "Dir::State::status": join(scratch, "status"),
    "Dir::Cache": join(scratch, "cache"),
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none"
  }).flatMap(([key, value]) => ["-o", `${key}=${value}`])
  await run("apt-get", [...options, "-q", "update"], { cwd: scratch, timeout: 180_000 })
  await run("apt-get", [...options, "-q", "download", name], { cwd: scratch, timeout: 180_000 })
  const deb = readdirSync(scratch).find((name) => name.endsWith(".deb"))
  if (deb === undefined) throw new Error("apt downloaded nothing")
  await run("dpkg-deb", ["-x", deb, "unpacked"], { cwd: scratch })
  return join(scratch, "unpacked")
}

async function fromDebian({ scratch, cacheDir }: Target): Promise<NatsServer> {
  const unpacked = await unpackFromDebian(scratch, "nats-server")
  const folder = ["sbin", "bin"].find((name) => isExecutable(join(unpacked, "usr", name, executable)))
  if (folder === undefined) throw new Error("the package holds no nats-server")
  return keep(join(unpacked, "usr", folder, executable), "Debian", cacheDir)
}

async function fromGo({ scratch, cacheDir }: Target): Promise<NatsServer> {
  await run("go", ["version"]).catch(() => {
    throw new Error("Go is not installed")
  })
  await run("go", ["install", `github.com/nats-io/nats-server/v2@v${RELEASE.version}`], {
    env: { ...process.env, GOBIN: scratch, GOFLAGS: "-trimpath", CGO_ENABLED: "0" },
    timeout: 600_000
  })
  return keep(join(scratch, executable), "Go", cacheDir)
}

const lastLine = (error: unknown) =>
  String((error instanceof Error && (("stderr" in error && error.stderr) || error.message)) || error)
    .trim()
    .split("\n")
    .at(-1)

/** The nats-server to use, fetched when none is found. `say` receives one line per step. */
export async function getNatsServer({
  env = process.env,
  cacheDir = cache,
  say = () => {}
}: Places & { readonly say?: (line: string) => void } = {}): Promise<NatsServer> {
  const found = await findNatsServer({ env, cacheDir })
  if (found !== undefined) return found
  const ways = [
    [`the official release ${RELEASE.version}`, fromRelease],
    ["Debian's package", fromDebian],
    ["go install", fromGo]
  ] as const
  const tried: string[] = []
  await mkdir(cacheDir, { recursive: true })
  for (const name of readdirSync(cacheDir))
    if (name.startsWith("fetching-")) await rm(join(cacheDir, name), { recursive: true, force: true })
  for (const [name, way] of ways) {
    const scratch = await mkdtemp(join(cacheDir, "fetching-"))
    try {
      say(`getting nats-server: ${name}`)
      return await way({ scratch, cacheDir })
    } catch (error) {
      tried.push(`${name}: ${lastLine(error)}`)
    } finally {
      await rm(scratch, { recursive: true, force: true, maxRetries: 3 })
    }
  }
  throw new Refusal(
    `No nats-server could be found or fetched: install nats-server ${WANTED} or newer and put it on PATH or name it in NATS_SERVER (tried ${tried.join("; ")}).`
  )
}
