/** `kez-conformance new-shim --lang rust`: a shim to begin with. */
import { cpSync, existsSync, readdirSync } from "node:fs"
import { relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { UsageError } from "../suite/UsageError.ts"
import { parse } from "./Options.ts"

/** The same place seen from the bundle's folder and from this one. */
const folder = ["../shims/templates", "../../shims/templates"]
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path))

/** How each is run: what `--shim` takes. */
const commands: Readonly<Record<string, (folder: string) => string>> = {
  go: (to) => `go run -C ${to} .`,
  python: (to) => `python3 ${to}/shim.py`,
  rust: (to) => `cargo run --quiet --manifest-path ${to}/Cargo.toml`,
  swift: (to) => `${to}/shim`,
  typescript: (to) => `node ${to}/shim.ts`
}

export const newShim = (args: ReadonlyArray<string>): number => {
  const { values } = parse(args, { lang: { type: "string" }, to: { type: "string" } })
  const { lang } = values
  const languages = Object.keys(commands)
  const command = lang === undefined ? undefined : commands[lang]
  if (lang === undefined || command === undefined || folder === undefined)
    throw new UsageError(`--lang takes one of ${languages.join(", ")}`)
  const target = values.to ?? "kez-shim"
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new UsageError(`${target} is there already: name another folder with --to`)
  cpSync(resolve(folder, lang), target, { recursive: true })
  const to = relative("", target) || "."
  process.stdout.write(
    [
      `A shim in ${lang} is in ${to}. It has one operation and passes its checks:`,
      "",
      ...(lang === "swift"
        ? [`  swiftc -O ${to}/shim.swift -o ${to}/shim   # this template is not run by our own tests`]
        : []),
      `  kez-conformance vectors --only "json/hex.*" --shim "${command(to)}"`,
      "",
      "Add operation after operation: kez-conformance list --operations",
      ""
    ].join("\n")
  )
  return 0
}
