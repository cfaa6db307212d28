/**
 * Makes the package with the addon for one system.
 *
 * usage: node package-for.mjs SYSTEM FOLDER-OF-THE-BUILD PACKAGE-FOLDER
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const [system = "", build = "", target = ""] = process.argv.slice(2)
const [os, cpu, abi] = system.split("-")
const library = ["libkez_chat_iroh_native.so", "libkez_chat_iroh_native.dylib", "kez_chat_iroh_native.dll"]
  .map((name) => join(build, name))
  .find((path) => existsSync(path))
if (library === undefined || target === "") throw new Error("usage: package-for.mjs SYSTEM BUILD PACKAGE")

const { version, license, engines } = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8"))
const about = {
  name: `@kez-chat/iroh-native-${system}`,
  version,
  description: `The addon of @kez-chat/iroh-native for ${system}`,
  license,
  files: ["iroh-native.node", "LICENSE-APACHE", "LICENSE-MIT"],
  main: "iroh-native.node",
  engines,
  os: [os],
  cpu: [cpu],
  ...(os === "linux" ? { libc: [abi === "musl" ? "musl" : "glibc"] } : {})
}

mkdirSync(target, { recursive: true })
copyFileSync(library, join(target, "iroh-native.node"))
for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) copyFileSync(join(import.meta.dirname, name), join(target, name))
writeFileSync(join(target, "package.json"), `${JSON.stringify(about, null, 2)}\n`)
