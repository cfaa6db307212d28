/** The Compose files, read by Docker Compose itself, and held against the programs. */
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { bundled } from "../../local/Bundles.ts"
import { getNatsServer } from "../../local/NatsServer.ts"
import { postgresConfig } from "../../../reference-server/src/storage/PostgresUrl.ts"
import { helpOf, namesOf } from "../kits/Programs.ts"
import { compose } from "../kits/Tools.ts"
import { files } from "../kits/UnitHome.ts"

interface Service {
  readonly image: string
  readonly command?: ReadonlyArray<string> | null
  readonly entrypoint?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: ReadonlyArray<{ readonly host_ip?: string; readonly published: string }>
  readonly volumes?: ReadonlyArray<{ readonly type: string; readonly source: string; readonly target: string }>
  readonly depends_on?: Readonly<Record<string, unknown>>
  readonly read_only?: boolean
  readonly cap_drop?: ReadonlyArray<string>
  readonly build?: { readonly context: string; readonly dockerfile: string }
}

const folder = join(files, "compose")
const program = await compose()
/** Variables of the image, and of PostgreSQL's driver. */
const others = new Set(["KEZ_PROGRAM", "PGPASSWORD"])
/** Values for the variables that the example leaves to the operator. */
const answers = {
  KEZ_NATS_URL: "tls://nats.example.net:4222",
  KEZ_NATS_OWN_USERS: "orders",
  KEZ_NATS_DOMAIN: "nats.chat.example.org",
  KEZ_POSTGRES_PASSWORD: "long"
}
const overrides = readdirSync(folder).filter((name) => /^compose\.\w[\w-]*\.yaml$/.test(name))

const run = (env: Readonly<Record<string, string>>, ...names: ReadonlyArray<string>) => {
  const chosen = ["compose.yaml", ...names].flatMap((name) => ["-f", join(folder, name)])
  const args = ["--env-file", join(folder, ".env.example"), ...chosen, "config", "--format", "json"]
  return spawnSync(program!, args, { env: { PATH: process.env["PATH"], ...env }, encoding: "utf8" })
}

/** The services of a combination of files, by name. */
const services = (env: Readonly<Record<string, string>>, ...names: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = run(env, ...names)
  if (status !== 0) throw new Error(stderr)
  return (JSON.parse(stdout) as { services: Record<string, Service> }).services
}

describe.skipIf(program === undefined)("the Compose files", () => {
  const temporary = mkdtempSync(join(tmpdir(), "kez-compose-"))
  afterAll(() => rmSync(temporary, { recursive: true, force: true }))
  const home = () => services({})
  const ours = (all: Readonly<Record<string, Service>>) =>
    Object.entries(all).filter(([, { image }]) => image === "kez-chat-server:local")

  it("are taken by Compose alone and with each override, and ask for what is missing", () => {
    expect(Object.keys(home()).sort()).toEqual(["caddy", "chat-server", "init", "nats", "sig-server"])
    expect(overrides).toHaveLength(3)
    for (const name of overrides) expect(Object.keys(services(answers, name))).toContain("chat-server")
    for (const name of overrides)
      expect([name, run({}, name).stderr]).toEqual([name, expect.stringContaining("in .env")])
  })

  it("give every program flags and variables that it has", async () => {
    const serve = namesOf(await helpOf("chat-server", "serve"))
    const init = namesOf(await helpOf("chat-server", "init"))
    const sig = namesOf(await helpOf("sig-server"))
    const of = { "chat-server": serve, init, "sig-server": sig }
    for (const all of [home(), ...overrides.map((name) => services(answers, name))]) {
      for (const [name, { command, environment = {} }] of ours(all)) {
        const { flags, variables } = of[name as keyof typeof of]
        for (const flag of command?.slice(2) ?? []) {
          const [, found = ""] = /^--([a-z-]+)(?:=|$)/.exec(flag) ?? []
          expect([name, flag, flags.has(found)]).toEqual([name, flag, true])
        }
        for (const variable of Object.keys(environment).filter((name) => !others.has(name)))
          expect([name, variable, variables.has(variable)]).toEqual([name, variable, true])
      }
    }
  })

  it("back everything up with variables that the command has", async () => {
    const { variables } = namesOf(await helpOf("chat-server", "backup"))
    for (const names of [[], ["compose.postgres.yaml"]]) {
      const all = services({ ...answers, COMPOSE_PROFILES: "backup" }, ...names)
      const { environment = {} } = all["backup"]!
      for (const name of Object.keys(environment).filter((name) => !others.has(name)))
        expect([name, variables.has(name)]).toEqual([name, true])
      const { KEZ_DB, KEZ_DB_URL } = all["sig-server"]!.environment!
      expect(environment["KEZ_SIG_DB"]).toBe(KEZ_DB_URL === "" ? KEZ_DB?.replace("/data", "/sig") : KEZ_DB_URL)
      expect(environment["KEZ_DB_URL"]).toBe(all["chat-server"]!.environment!["KEZ_DB_URL"])
    }
  })

  it("mount files that exist, publish nothing but Caddy, and give no container more than it needs", () => {
    for (const [names, published] of [
      [[], ["80", "443", "443"]],
      [["compose.byo-nats.yaml"], ["80", "443", "443"]],
      [["compose.postgres.yaml"], ["80", "443", "443"]],
      [["compose.tcp.yaml"], ["80", "443", "443", "4222"]]
    ] as const) {
      const all = services(answers, ...names)
      const open = Object.values(all).flatMap(({ ports = [] }) =>
        ports.filter(({ host_ip }) => host_ip !== "127.0.0.1")
      )
      expect(open.map(({ published }) => published)).toEqual(expect.arrayContaining([...published]))
      expect(open).toHaveLength(published.length)
      for (const [name, service] of Object.entries(all)) {
        for (const { source, type } of service.volumes ?? [])
          if (type === "bind" && !source.endsWith("own-nats")) expect(statSync(source).isFile()).toBe(true)
        if (name === "postgres") continue
        expect([name, service.read_only, service.cap_drop]).toEqual([name, true, ["ALL"]])
      }
      const { context, dockerfile } = all["init"]!.build!
      expect(statSync(join(context, dockerfile)).isFile()).toBe(true)
    }
  })

  it("exchange the sig-server by one variable, and leave the bundled broker out with a broker of one's own", () => {
    const other = services({ KEZ_SIG_IMAGE: "kez-sig-server:latest" })
    expect(other["sig-server"]).toMatchObject({ image: "kez-sig-server:latest" })
    expect(other["sig-server"]!.command).toBe(null)
    expect(other["sig-server"]).not.toHaveProperty("build")
    expect(other["sig-server"]!.environment).toMatchObject({ KEZ_DB: "/data/sigchains.db" })
    expect(other["chat-server"]!.environment).toEqual(home()["chat-server"]!.environment)
    const own = services(answers, "compose.byo-nats.yaml")
    expect(own).not.toHaveProperty("nats")
    expect(own["chat-server"]!.environment).toMatchObject({ NATS_URL: answers.KEZ_NATS_URL })
  })

  it("name images with a version, and explain every variable", () => {
    for (const names of [[], ...overrides.map((name) => [name])])
      for (const { image } of Object.values(services(answers, ...names)))
        expect(image).toMatch(/^[a-z/-]+:(local$|\d+\.\d+)/)
    const explained =
      readFileSync(join(folder, ".env.example"), "utf8") + readFileSync(join(files, "docs", "home.md"), "utf8")
    for (const name of ["compose.yaml", ...overrides]) {
      const text = readFileSync(join(folder, name), "utf8")
      for (const [, variable = ""] of text.matchAll(/(?<!\$)\$\{(\w+)/g))
        expect([variable, explained.includes(variable) || variable.endsWith("_IMAGE")]).toEqual([variable, true])
    }
  })

  it("reach the PostgreSQL of the override by a URL that the servers understand", () => {
    const all = services(answers, "compose.postgres.yaml")
    const [chat, sig] = ["chat-server", "sig-server"].map((name) => all[name]!.environment!["KEZ_DB_URL"])
    expect(chat).not.toBe(sig)
    for (const name of ["chat-server", "sig-server"]) {
      const { KEZ_DB_URL = "", PGPASSWORD } = all[name]!.environment!
      expect(postgresConfig({ db: KEZ_DB_URL } as Parameters<typeof postgresConfig>[0])).toMatchObject({
        host: "postgres",
        user: "kez",
        ssl: false
      })
      expect(PGPASSWORD).toBe(all["postgres"]!.environment!["POSTGRES_PASSWORD"])
    }
  })

  it("run init and chat-server with their own commands and environments", async () => {
    const moved = (text: string) => text.replace(/(?<=^|=)\/(?=(?:keys|nats|data)(?:\/|$))/, `${temporary}/`)
    const server = await bundled("chat-server")
    const { environment: initEnv = {}, command } = home()["init"]!
    const variables = (env: Readonly<Record<string, string>>) =>
      Object.fromEntries(Object.entries(env).map(([name, value]) => [name, moved(value)]))
    const keysDir = { KEZ_KEYS_DIR: join(temporary, "keys") }
    execFileSync(process.execPath, [server, ...command!.slice(1).map(moved)], {
      env: { ...process.env, ...variables(initEnv), ...keysDir },
      stdio: "pipe"
    })
    const nats = await getNatsServer()
    const conf = join(temporary, "nats", "nats.conf")
    expect(spawnSync(nats.path, ["-t", "-c", conf], { encoding: "utf8" }).stderr).toContain("is valid")

    const { environment = {} } = home()["chat-server"]!
    /** Its output until it listens, or ends because it refuses its settings. */
    const start = (change: Readonly<Record<string, string>>) => {
      const flags = ["--port", "0", "--internal-port", "0", "--host", "127.0.0.1", "--nats-url", "nats://127.0.0.1:1"]
      const child = spawn(process.execPath, [server, ...flags], {
        env: { ...process.env, ...variables(environment), ...keysDir, DB_PATH: join(temporary, "x.db"), ...change }
      })
      let output = ""
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text
        if (output.includes('"msg":"listening"')) child.kill("SIGTERM")
      })
      return new Promise<string>((done) => child.once("close", () => done(output)))
    }
    expect(await start({})).toContain('"msg":"listening"')
    // The address that only containers know is not told to clients.
    expect(await start({ PUBLIC_SIG_SERVER_URL: "" })).toMatch(
      /--public-sig-server-url: http:\/\/sig-server:7878 is published to clients/
    )
  })
})
