/** The systemd units, judged by systemd-analyze with the programs of an installation in place. */
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { helpOf, namesOf } from "../kits/Programs.ts"
import { has } from "../kits/Tools.ts"
import { files, UnitHome, valuesOf } from "../kits/UnitHome.ts"

const services = readdirSync(join(files, "systemd")).filter((name) => name.endsWith(".service"))

describe.skipIf(!has("systemd-analyze", "systemd"))("the units", () => {
  let home: UnitHome
  beforeAll(async () => {
    home = await UnitHome.install()
    // What the units name of the system itself.
    for (const path of ["/usr/lib/systemd", "/usr/bin"]) mkdirSync(home.at(path), { recursive: true })
    cpSync("/lib/systemd/system", home.at("/usr/lib/systemd/system"), { recursive: true, verbatimSymlinks: true })
    for (const name of ["lib", "bin"]) symlinkSync(`usr/${name}`, home.at(`/${name}`))
    cpSync("/bin/kill", home.at("/usr/bin/kill"))
  })
  afterAll(() => home.remove())

  it("are verified, with every program that they start", () => {
    const units = readdirSync(home.at("/etc/systemd/system")).filter((name) => /\.(service|timer)$/.test(name))
    expect(units).toHaveLength(services.length + 1)
    const paths = units.map((name) => home.at(`/etc/systemd/system/${name}`))
    const verify = (root: string) =>
      spawnSync("systemd-analyze", ["verify", `--root=${root}`, ...paths], { encoding: "utf8" })
    expect(verify(home.folder)).toMatchObject({ status: 0, stderr: "" })
  })

  it.each(services)("%s exposes at most 3.0", (name) => {
    const args = ["security", "--offline=true", "--threshold=30", join(files, "systemd", name)]
    const { status, stdout } = spawnSync("systemd-analyze", args, { encoding: "utf8" })
    expect([status, stdout.split("\n").at(-2)]).toEqual([0, expect.stringContaining("OK")])
  })

  it("start programs with variables that these have, and users that are made", async () => {
    // Variables of Node and of glibc.
    const foreign = new Set(["NODE_ENV", "MALLOC_TRIM_THRESHOLD_"])
    const chat = namesOf(await helpOf("chat-server", "serve")).variables
    const sig = namesOf(await helpOf("sig-server")).variables
    for (const [unit, known] of [
      ["kez-chat-server.service", chat],
      ["kez-sig-server.service", sig]
    ] as const)
      for (const line of valuesOf(unit, "Environment"))
        for (const [, name = ""] of line.matchAll(/(?:^|\s)(\w+)=/g))
          expect([unit, name, foreign.has(name) || known.has(name)]).toEqual([unit, name, true])
    for (const name of Object.keys(home.example())) expect([name, chat.has(name)]).toEqual([name, true])
    const users = spawnSync("cat", [home.at("/usr/lib/sysusers.d/kez-chat.conf")], { encoding: "utf8" }).stdout
    for (const unit of services) expect(users).toMatch(new RegExp(`^u ${valuesOf(unit, "User")[0]} `, "m"))
  })

  it.skipIf(process.getuid?.() !== 0)("make users, and folders that these own", () => {
    for (const [program, ...args] of [["systemd-sysusers"], ["systemd-tmpfiles", "--create"]] as const) {
      const done = spawnSync(program, [...args, `--root=${home.folder}`, "kez-chat.conf"], { encoding: "utf8" })
      expect([program, done.status, done.stderr.replace(/^Creating .*\n/gm, "")]).toEqual([program, 0, ""])
    }
    const passwd = readFileSync(home.at("/etc/passwd"), "utf8")
    for (const [name, path, mode] of [
      ["kez-chat", "/etc/kez-chat/nats", 0o755],
      ["kez-chat", "/var/lib/kez-chat", 0o700],
      ["kez-nats", "/etc/kez-chat/nats-tls", 0o700]
    ] as const) {
      const id = Number(new RegExp(`^${name}:[^:]*:(\\d+):`, "m").exec(passwd)![1])
      const { uid, mode: found } = statSync(home.at(path))
      expect([path, uid, found & 0o777]).toEqual([path, id, mode])
    }
  })

  it("are installed again over what is there, without touching settings", () => {
    home.write("/etc/kez-chat/chat-server.env", "SERVER_NAME=mine.example\n")
    const program = home.moved("/opt/kez-chat/bin/node /opt/kez-chat/reference-server/bin/kez-chat-server.js --version")
    const { stdout } = spawnSync("/bin/sh", ["-c", program], { encoding: "utf8" })
    expect(stdout).toMatch(/\d+\.\d+\.\d+/)
    expect(home.example()).toEqual({ SERVER_NAME: "mine.example" })
  })
})
