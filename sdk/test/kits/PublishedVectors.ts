/** Published test vectors, read from the folder that the environment names; the project does not carry copies. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const folder = process.env["KEZ_VECTORS"]

/** Whether there is a folder to read from. */
export const present = folder !== undefined && existsSync(folder)

/** Says, once, what is left out and how to run it. */
export const announce = (): void => {
  if (!present) {
    process.stderr.write(
      "Published vectors (Wycheproof, ed25519-speccheck, JCS, BIP-39, RFC 9180) are skipped: set KEZ_VECTORS to their folder.\n"
    )
  }
}

/** One file of the folder, parsed. */
export const load = <A>(name: string): A => JSON.parse(readFileSync(join(folder ?? "", name), "utf8")) as A
