/**
 * The steps of the Dockerfile, run in order without a container engine: each stage is a folder, its commands run in a shell
 * with the paths of the image below that folder. What comes out serves.
 */
import { execFileSync, spawn } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, delimiter, dirname, join, relative } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { freePorts } from "../../local/Ports.ts"
import { answers } from "../../local/Home.ts"
import { root } from "../../tasks/paths.mjs"
import { dockerfile, type Instruction, pairs, type Stage, stages } from "../kits/Dockerfile.ts"

// Its commands are those of Linux.
describe.skipIf(process.platform !== "linux")("the image", () => {
  const temporary = mkdtempSync(join(tmpdir(), "kez-image-"))
  const environment = new Map<string, Record<string, string>>()
  const workdirs = new Map<string, string>()
  let final: string

  /** What the context has: what Git does not ignore, without what .dockerignore names. */
  const context = (() => {
    const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 64 * 1024 ** 2
    })
    const ignored = readFileSync(`${dockerfile}.dockerignore`, "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const name = line
          .replace(/^\*\*\//, "")
          .replaceAll(".", "\\.")
          .replaceAll("*", "[^/]*")
        return new RegExp(line.startsWith("**/") ? `(?:^|/)${name}(?:/|$)` : `^${name}(?:/|$)`)
      })
    return listed
      .split("\0")
      .filter((path) => path !== "" && existsSync(join(root, path)) && !ignored.some((form) => form.test(path)))
  })()

  const folderOf = (stage: string) => join(temporary, stage)
  /** A path of the image, below the folder of its stage. */
  const within = (stage: string, path: string) =>
    join(folderOf(stage), path.startsWith("/") ? path : join(workdirs.get(stage) ?? "/", path))

  const copy = (stage: string, text: string) => {
    const [, from, rest = ""] = /^(?:--from=(\S+) )?(.*)$/.exec(text) ?? []
    const words = rest.split(/\s+/)
    const target = words.at(-1) ?? ""
    const into = within(stage, target)
    for (const source of words.slice(0, -1)) {
      if (from !== undefined) {
        const path = within(from, source)
        const to = target.endsWith("/") ? join(into, basename(source)) : into
        cpSync(path, to, { recursive: true, verbatimSymlinks: true })
      } else if (source === ".") {
        for (const path of context) cpSync(join(root, path), join(into, path))
      } else {
        expect(context).toContain(source)
        cpSync(join(root, source), join(into, target.endsWith("/") ? basename(source) : ""))
      }
    }
  }

  const run = (stage: string, text: string) => {
    const folder = folderOf(stage)
    const command = text
      .replace(/(?<=^|\s)\/(?=(?:app|packages|data|keys|nats|usr\/local\/bin)(?:\/|\s|$))/g, `${folder}/`)
      // The user of the image; who runs the tests may not be root.
      .replace(/ -o node -g node/g, "")
    execFileSync("/bin/sh", ["-ec", command], {
      cwd: within(stage, ""),
      stdio: "pipe",
      env: {
        ...environment.get(stage),
        HOME: process.env["HOME"],
        PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
        npm_config_prefer_offline: "true"
      }
    })
  }

  const step = (stage: string, { name, text }: Instruction) => {
    if (name === "WORKDIR") {
      workdirs.set(stage, text)
      mkdirSync(within(stage, ""), { recursive: true })
    } else if (name === "COPY") copy(stage, text)
    else if (name === "RUN") run(stage, text)
    else if (name === "ENV") environment.set(stage, { ...environment.get(stage), ...pairs(text) })
    else expect(["ARG", "LABEL", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"]).toContain(name)
  }

  const build = ({ base, instructions, name }: Stage) => {
    if (base.startsWith("$"))
      for (const path of ["app", "usr/local/bin"]) mkdirSync(join(folderOf(name), path), { recursive: true })
    else {
      cpSync(folderOf(base), folderOf(name), { recursive: true, verbatimSymlinks: true })
      workdirs.set(name, workdirs.get(base) ?? "/")
    }
    for (const instruction of instructions) step(name, instruction)
  }

  beforeAll(() => {
    for (const stage of stages()) build(stage)
    final = folderOf("final")
  }, 600_000)
  afterAll(() => rmSync(temporary, { recursive: true, force: true }))

  const serve = async (program: string, env: Record<string, string>) => {
    const { home, internal } = await freePorts()
    const image = Object.fromEntries(
      Object.entries(environment.get("final")!).map(([name, value]) => [
        name,
        value.replace(/^\/(?=data|keys)/, `${final}/`)
      ])
    )
    // As the image's CMD does, found by the link on the path.
    const command = (
      JSON.parse(
        stages()
          .at(-1)!
          .instructions.find(({ name }) => name === "CMD")!.text
      ) as Array<string>
    )[2]!
    const child = spawn("/bin/sh", ["-c", command], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: [join(final, "usr/local/bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
        ...image,
        KEZ_PROGRAM: program,
        ...env,
        PORT: String(home),
        INTERNAL_PORT: String(internal)
      }
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += String(text)))
    await expect.poll(() => output, { timeout: 30_000 }).toContain('"msg":"listening"')
    return { url: `http://127.0.0.1:${home}`, port: home, image, child }
  }

  const healthcheck = (port: number) => {
    const text = stages()
      .at(-1)!
      .instructions.find(({ name }) => name === "HEALTHCHECK")!.text
    const [, ...args] = JSON.parse(/CMD (\[.*\])$/.exec(text)![1]!) as Array<string>
    try {
      execFileSync(process.execPath, args, { env: { PORT: String(port) }, stdio: "pipe" })
      return "healthy"
    } catch {
      return "unhealthy"
    }
  }

  it("holds the programs and what they need, and nothing of the build", () => {
    expect(readdirSync(join(final, "app")).sort()).toEqual(["node_modules", "reference-server"])
    // A package that joins these has to be copied, here and in install.sh.
    const { dependencies } = JSON.parse(readFileSync(join(root, "reference-server/package.json"), "utf8"))
    expect(readdirSync(join(final, "app/node_modules"))).toEqual(Object.keys(dependencies))
    const bytes = execFileSync("du", ["-sb", final], { encoding: "utf8" })
    expect(Number.parseInt(bytes, 10)).toBeLessThan(20_000_000)
    expect(existsSync(join(final, "app/reference-server/dist/page/index.html"))).toBe(true)
    for (const path of ["data", "keys"]) expect(statSync(join(final, path)).mode & 0o777).toBe(0o700)
    expect(context.filter((path) => /(?:^|\/)(?:node_modules|dist|\.env)(?:\/|$)/.test(path))).toEqual([])
    expect(relative(root, dockerfile)).toBe("deploy/docker/Dockerfile")
  })

  it("serves both programs with its environment, and its health check tells", async () => {
    const sig = await serve("kez-chat-sig-server", {})
    try {
      expect(await answers(`${sig.url}/v1/healthz`)).toBe(true)
      expect(healthcheck(sig.port)).toBe("healthy")
    } finally {
      sig.child.kill("SIGTERM")
      await new Promise((done) => sig.child.once("close", done))
    }
    expect(sig.child.exitCode).toBe(0)
    const keys = join(final, "keys")
    execFileSync(
      process.execPath,
      [
        join(final, "usr/local/bin/kez-chat-server"),
        ...[
          "init",
          "--keys-dir",
          keys,
          "--nats-conf",
          join(final, "nats/nats.conf"),
          "--jetstream-dir",
          "/data/jetstream"
        ]
      ],
      { stdio: "pipe" }
    )
    const chat = await serve("", { NATS_URL: "nats://127.0.0.1:1" })
    try {
      // The page is inside; without a broker it is not healthy, and says so.
      const page = await (await fetch(chat.url)).text()
      expect(page).toContain("<html")
      expect(page).not.toContain("without the web client")
      expect(healthcheck(chat.port)).toBe("unhealthy")
    } finally {
      chat.child.kill("SIGTERM")
      await new Promise((done) => chat.child.once("close", done))
    }
    expect(chat.child.exitCode).toBe(0)
    expect(readdirSync(join(final, "data")).sort()).toEqual(expect.arrayContaining(["chat.db", "sig.db"]))
  })
})
