/** A newer build of the page, as a home sends it after an update: the tested one under other names and with the next number. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Edit } from "../../../reference-cli/test/kit/Liar.ts"
import { builtPage } from "../../../reference-server/src/http/pages/PageFiles.ts"

export const nextBuild = (): ((path: string) => Edit | undefined) => {
  const assets = join(builtPage, "assets")
  const names = readdirSync(assets).filter((name) => name.endsWith(".js"))
  const entry = names.find((name) => name.startsWith("page-")) ?? ""
  const number = /build:["'`](\d+)["'`]/.exec(readFileSync(join(assets, entry), "utf8"))?.[1]
  if (number === undefined) throw new Error("the page's entry names no build")
  const renamed = names.map((name) => [name, name.replace(/\.js$/, "2.js")] as const)
  const text = (before: string): string =>
    renamed
      .reduce((edited, [name, next]) => edited.replaceAll(name, next), before)
      .replaceAll(number, String(Number(number) + 1))
      // The name of the service worker's cache.
      .replace(/"name":"\w{16}/, (found) => `${found}2`)
  const edits = new Map(renamed.map(([name, next]) => [`/assets/${next}`, { from: `/assets/${name}`, text }]))
  for (const from of ["/", "/service-worker.js"]) edits.set(from, { from, text })
  return (path) => edits.get(path)
}
